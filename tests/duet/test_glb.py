"""Global buffer: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import glb
from hdl.duet import glb as hdl
from hdl.duet.glb import Glb
from tests.duet.launch import CONFIGS, assert_mutant_noticed, assert_wrong_cfg_is_refused, run_bench

BENCH = "tests.duet.tb_glb"
#: Few words: filled in few cycles.
SMALL = {name: cfg.replace(glb_words=64) for name, cfg in CONFIGS.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_model_equals_spec(seed):
    """Thousands of requests and writes: a request reads what was written in the cycles before it."""
    cfg, rng = SMALL["tiny"], np.random.default_rng(seed)
    s, zero = glb.state(cfg, 1), np.zeros(cfg.values, np.int64)
    data, maps = np.zeros((64, cfg.values), np.int64), np.zeros((64, cfg.values), np.int64)
    answers = [(-1, None, None)] * glb.LATENCY
    for _ in range(6000):
        port, *words = answers.pop(0)
        assert [glb.valid_of(s, 0, k) for k in range(glb.PORTS)] == [k == port for k in range(glb.PORTS)]
        if port >= 0:
            assert np.array_equal(s.out_data[0], words[0])
            assert np.array_equal(s.out_map[0], words[1])
        asks = rng.random((2, glb.PORTS)) < 0.3
        r_port, w_port = (glb.first_of(*(bool(ask) for ask in kind)) for kind in asks)
        addr, w_addr = rng.permutation(8)[:2]
        map_addr, w_map_addr = rng.permutation(8)[:2]
        answers.append((r_port, data[addr].copy(), maps[map_addr].copy()))
        masks, bits = rng.integers(0, 2, (2, cfg.values)), rng.integers(0, 2, cfg.values)
        values = rng.integers(-32768, 32768, cfg.values)
        glb.clock(s, 0, r_port, asks[0].sum(), addr, map_addr, w_port, asks[1].sum(), w_addr, w_map_addr,
                  *((*masks, values, bits) if w_port >= 0 else [zero] * 4))
        if w_port >= 0:
            glb.write_word(data, w_addr, masks[0], values)
            glb.write_word(maps, w_map_addr, masks[1], bits)


def test_priority():
    """A port has its turn exactly when it asks and no lower one does."""
    for bits in range(16):
        asks = [bool(bits >> k & 1) for k in range(glb.PORTS)]
        turns = [port for port in range(glb.PORTS) if asks[port] and glb.ready_of(port, *asks[:3])]
        assert turns == ([glb.first_of(*asks)] if bits else [])


def test_constants_match_golden():
    assert (Glb.LATENCY, hdl.PORTS) == (glb.LATENCY, glb.PORTS)


@pytest.mark.parametrize("cfg", [pytest.param(cfg, id=name) for name, cfg in SMALL.items()
                                 if name in ("tiny", "paper")])
def test_rtl_equals_model(cfg):
    run_bench(Glb, cfg, BENCH)


def test_bench_notices_a_wrong_priority():
    assert_mutant_noticed(Glb, SMALL["tiny"], BENCH, testcase="random_accesses/p_read=0.7/p_write=0.6",
                          old="write_turn[1] ?", new="write__1__valid ?", match="duet_glb: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Glb)
