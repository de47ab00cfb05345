"""Scan chain: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fields import pack_fields
from golden.duet import scan_chain
from golden.duet.formats import BEAT_BITS, CELL_FIELDS, EXECUTE_FIELDS, SPECULATE_FIELDS, chain_beats, chain_fields
from hdl.duet.layouts import cell_layout, execute_layout, speculate_layout
from hdl.duet.scan_chain import ScanChain
from sim.common.bench import to_signed
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_scan_chain"


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS)
def test_fields_come_back(cfg):
    """Packed by one function, shifted through the model, extracted by another one."""
    rng, fields = random.Random(1), chain_fields(cfg)
    for _ in range(20):
        wanted = {name: rng.getrandbits(bits) for name, bits in fields.items()}
        word, s = pack_fields(fields, wanted), scan_chain.state(cfg)
        for k in range(chain_beats(cfg)):
            beat = to_signed(word >> BEAT_BITS * k & (1 << BEAT_BITS) - 1, BEAT_BITS)
            scan_chain.clock(s, True, beat, False)
        assert not s.held.any()
        scan_chain.clock(s, False, 0, True)
        values = np.zeros(len(fields), np.int64)
        scan_chain.extract(s.held, scan_chain.table(cfg, ""), values)
        assert dict(zip(fields, values.tolist(), strict=True)) == wanted


def test_layouts_have_the_fields():
    for layout, fields in ((speculate_layout(), SPECULATE_FIELDS), (execute_layout(), EXECUTE_FIELDS),
                           (cell_layout(), CELL_FIELDS)):
        assert layout.size == sum(fields.values())
        assert [name for name, _ in layout] == list(fields)


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(ScanChain, cfg, BENCH)


def test_bench_notices_an_early_update():
    """What is shifted in holds at once."""
    assert_mutant_noticed(ScanChain, TINY, BENCH, testcase="random_chains", old="if (update)", new="if (shift)",
                          match="duet_scan_chain: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(ScanChain)
