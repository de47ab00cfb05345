"""Front of the Speculator: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import reducer
from hdl.duet import window_walk as hdl_walk
from hdl.duet.reducer import Reducer
from sim.common.runner import run_unit
from tests.duet import front
from tests.duet.front import CONTROL
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs

BENCH = "tests.duet.tb_reducer"


def run_model(cfg, s, work, rng, p_word, p_take):
    """Carry out a job on the cycle model; returns its vectors and the cycles from the first word to the end."""
    base = work.job["projection_base"]
    s.alignment.projection[0, base:base + len(work.projection)] = work.projection
    words, taken, offered, cycles = [word for tile in work.words for word in tile][::-1], [], False, 0
    job, nothing = front.job_array(front.job_bits(work.job)), np.zeros(cfg.values, np.int64)
    ternary = np.zeros((cfg.trees, cfg.values), np.int64)
    reducer.clock(s, 0, job, True, False, 0, 0, 0, False, nothing, False, 0, ternary, True)
    while reducer.busy_of(s, 0):
        offered = offered or bool(words) and rng.random() < p_word
        w, o_ready = words[-1] if offered else None, rng.random() < p_take
        if reducer.valid_of(s, 0) and o_ready:
            pixel, word, last = (int(reducer.o_field(s, 0, field)) for field in range(3))
            taken.append((pixel, word, bool(last), tuple(int(reducer.o_value(s, 0, t)) for t in range(cfg.trees))))
        accepted = offered and reducer.ready_of(s, 0)
        i = (w.block_y, w.block_x, w.word, w.last, w.values) if offered else (0, 0, 0, False, nothing)
        reducer.clock(s, 0, job, False, offered, *i, False, 0, ternary, o_ready)
        if accepted:
            words.pop()
            offered = False
        cycles += 1
        assert cycles < 1_000_000
    assert not words
    return taken, cycles


@pytest.mark.parametrize(("name", "jobs"), [("tiny", 400), ("tall", 300), ("square", 300), ("paper", 20)])
def test_model_equals_spec(name, jobs):
    """Random convolutions and vectors one after the other: the vectors are those of plain im2col and a product."""
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    s = reducer.state(cfg, 1)
    for _ in range(jobs):
        work = front.random_conv(cfg, rng) if rng.random() < 0.7 else front.random_vector(cfg, rng)
        taken, _cycles = run_model(cfg, s, work, rng, rng.choice([0.3, 1]), rng.choice([0.1, 0.5, 1]))
        assert taken == work.vectors, work.job


def test_cycles_of_the_paper():
    """4,096 inputs of the adder trees in every cycle, beside one cycle a word."""
    cfg, rng = CONFIGS["paper"], np.random.default_rng(1)
    work = front.conv(cfg, rng, x=front.values(rng, (64, 13, 13)), p=front.ternary(rng, (32, 64, 3, 3)), stride=1,
                      pad=1, shift=5)
    taken, cycles = run_model(cfg, reducer.state(cfg, 1), work, rng, 1, 1)
    assert taken == work.vectors
    assert cfg.trees * cfg.values == 4096
    assert work.windows == 2 * 13 * 13 * 4
    assert cycles == work.windows + sum(map(len, work.words)) + reducer.latency(cfg)


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=list(CONFIGS))
def test_constants(cfg):
    assert hdl_walk.DEPTH == reducer.DEPTH
    assert Reducer(cfg).latency == reducer.latency(cfg)


@configs("tiny", "square", "paper")
def test_rtl_equals_model(cfg):
    run_unit(Reducer(cfg), name="duet_reducer", cfg=cfg, test_module=BENCH, control=CONTROL)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Reducer)


def test_mutant_is_noticed():
    """Far blocks overwrite the entries of near ones."""
    assert_mutant_noticed(Reducer, TINY, BENCH, old="bank_0__w_en = w_en & w_mask[0]", new="bank_0__w_en = w_en",
                          match="o differ", testcase="shared_entries")
