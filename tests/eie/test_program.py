"""Program reader: rules of a pass, golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fields import pack_fields
from golden.eie import program as golden
from golden.eie.formats import PASS_FIELDS
from hdl.eie.layouts import fetched_layout
from hdl.eie.program import Program
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.common.units import gaps
from tests.eie.central import FETCHED, run_model, to_beats
from tests.eie.program_traffic import (
    BEATS,
    CONFIGS,
    ProgramModel,
    Traffic,
    is_legal_pass,
    legal_pass,
    random_program,
    rule_cases,
)

BENCH = {"name": "eie_program", "test_module": "tests.eie.tb_program"}


def is_illegal(cfg, values, last=True):
    return bool(golden.is_illegal(np.array([values.get(name, 0) for name in PASS_FIELDS]), last,
                                  golden.state(cfg).limits))


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"p{cfg.program_words}")
def test_every_rule_at_its_boundary(cfg):
    cases = rule_cases(cfg, random.Random(1))
    assert {is_legal for _name, _values, is_legal in cases} == {False, True}
    for name, values, is_legal in cases:
        assert is_illegal(cfg, values) != is_legal, name
        assert is_legal_pass(cfg, {"zero": 0, **values}, True) == is_legal, name


def test_only_the_last_pass_must_finish():
    values = legal_pass(CONFIGS[0], random.Random(1), finish=0, store=0, swap=0)
    assert is_illegal(CONFIGS[0], values, last=True)
    assert not is_illegal(CONFIGS[0], values, last=False)


def test_rules_equal_spec_on_random_words():
    """Random fields, mostly near their limits."""
    rng = random.Random(2)
    for cfg in CONFIGS:
        limits = [0, 1, cfg.regfile_words, cfg.act_words, cfg.ptr_words - 2, cfg.codebooks, 2 * cfg.data_bits]
        verdicts = set()
        for _ in range(3000):
            values = {name: min(max(rng.choice(limits) + rng.randint(-1, 1), 0), (1 << width) - 1)
                      for name, width in PASS_FIELDS.items()} | {"zero": 0}
            values = {name: value if rng.random() < 0.3 else legal_pass(cfg, rng).get(name, 0)
                      for name, value in values.items()}
            last = rng.random() < 0.5
            verdicts.add(is_illegal(cfg, values, last))
            assert is_illegal(cfg, values, last) != is_legal_pass(cfg, values, last), values
        assert verdicts == {False, True}


def test_decode_inverts_packing():
    rng = random.Random(3)
    fields = np.zeros(len(PASS_FIELDS), np.int64)
    for _ in range(500):
        values = {name: rng.choice([0, (1 << width) - 1, rng.getrandbits(width)])
                  for name, width in PASS_FIELDS.items()}
        golden.decode(to_beats(pack_fields(PASS_FIELDS, values), BEATS), fields)
        assert list(fields) == list(values.values())


@pytest.mark.parametrize("p_ready", [0.2, 1.0])
def test_model_equals_spec(p_ready):
    rng = random.Random(p_ready)
    for cfg in CONFIGS:
        model = ProgramModel(cfg)
        for _ in range(100):
            words = random_program(cfg, rng)
            for addr, word in enumerate(words):
                model.s.words[addr] = to_beats(word, BEATS)
            length = len(words) if rng.random() < 0.8 else rng.choice([0, cfg.program_words + 1, 2**32 - 1])
            traffic = Traffic(cfg, words, length, gaps(p_ready, rng))
            run_model(model, traffic)


def test_payload_of_the_bench_is_that_of_the_hardware():
    layout = fetched_layout()
    inner = {name: (layout["fields"].offset + field.offset, field.width) for name, field in layout["fields"].shape}
    outer = {name: (layout[name].offset, layout[name].width) for name in ("last", "illegal")}
    for name, (offset, width) in (inner | outer).items():
        values = dict.fromkeys(FETCHED.unpack(0)._fields, 0) | {name: (1 << width) - 1}
        assert FETCHED.pack(**values) == ((1 << width) - 1) << offset


def test_wrong_cfg_type():
    with pytest.raises(TypeError, match="^cfg must be an EieConfig, not None$"):
        Program(None)


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"p{cfg.program_words}")
def test_rtl_equals_model(cfg):
    run_unit(Program(cfg), cfg=cfg, **BENCH)


def test_bench_notices_a_missing_rule():
    """The shift may be one too high."""
    cfg = CONFIGS[0]
    assert_mutant_fails(Program(cfg), cfg=cfg, **BENCH, testcase="every_rule",
                        old="[31:24] >= 6'h20", new="[31:24] > 6'h20", match="program: o differ")
