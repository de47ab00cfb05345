"""Activation read/write unit: golden model and hardware."""

import numpy as np
import pytest

from golden.eie import act_rw, regfile
from golden.eie.spec import limits
from hdl.eie.act_rw import ActRw
from tests.eie.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_act_rw"


class Lane:
    """One PE's unit in the compiled model, with a consumer that stalls at random."""

    def __init__(self, cfg, seed):
        self.cfg, self.rng = cfg, np.random.default_rng(seed)
        self.s, self.f = act_rw.state(cfg, 1), regfile.state(cfg, 2)

    def clock(self, role, *, scan=0, clear=0, load=0, store=0, base=0, rows=0, write=None, relu=0, ready=False):
        """One cycle; the token on offer, if there is one: (row, value, null, last)."""
        s = self.s
        token = (s.o_row[0], act_rw.value_of(self.f, 0, role), s.o_null[0], s.o_last[0]) if s.o_valid[0] else None
        act_rw.clock(s, self.f, 0, role, scan, clear, load, store, base, rows, 0, 0, write is not None,
                     *(write or (0, 0)), relu, ready)
        return token

    def scan(self, role, **command):
        """(row, value) of every element, up to the token marked last."""
        self.clock(role, scan=1, **command)
        elements = []
        while True:
            ready = self.rng.random() < 0.7
            token = self.clock(role, ready=ready)
            if token and ready:
                row, value, null, last = token
                elements += [] if null else [(row, value)]
                if last:
                    return elements


@pytest.mark.parametrize("name", ["tiny", "wide", "narrow"])
@pytest.mark.parametrize("relu", [0, 1])
def test_model_equals_spec(name, relu):
    """Random layers: a scan is the non-zeros of the source in order, a store what counts of the accumulators."""
    cfg = CONFIGS[name]
    words, lane = cfg.regfile_words, Lane(cfg, relu)
    rng, (low, high) = lane.rng, limits(cfg.data_bits)
    role, source = 0, np.zeros(words, int)
    for _ in range(60):
        kept = rng.random(cfg.act_words) < rng.random()
        lane.s.sram[0] = rng.integers(low, high, cfg.act_words, endpoint=True) * kept
        sram, command = lane.s.sram[0].copy(), {}
        base, rows = int(rng.integers(cfg.act_words)), int(rng.integers(1, min(words, cfg.act_words) + 1))
        addrs = (base + np.arange(rows)) % cfg.act_words
        if rng.random() < 0.5:
            command = {"load": 1, "base": base, "rows": rows}
            source[:] = 0
            source[:rows] = sram[addrs]
        assert lane.scan(role, clear=1, **command) == [(row, source[row]) for row in np.flatnonzero(source)]
        sums = np.zeros(words, int)
        for row in rng.integers(words, size=int(rng.integers(2 * words))):
            sums[row] = rng.choice([0, low, high, rng.integers(low, high)])
            lane.clock(role, write=(row, sums[row]), relu=relu)
        source, role_then, role = np.maximum(sums, 0) if relu else sums, role, 1 - role
        sram[addrs] = source[:rows]
        lane.clock(role_then, store=1, base=base, rows=rows)
        for _ in range(rows + 1):
            lane.clock(role_then)
        assert (lane.s.sram[0] == sram).all()


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(ActRw, cfg, BENCH)


def test_bench_notices_an_early_end():
    """The scan must not end while the load still brings words."""
    assert_mutant_noticed(ActRw, TINY, BENCH, old="reads | load_s1", new="1'h0", match="act_rw: o differ",
                          testcase="scan_while_loading/p_ready=1.0")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(ActRw)
