"""Accumulator: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.dota import accumulator
from hdl.dota.accumulator import Accumulator
from sim.common.runner import BenchFailure, run_unit
from tests.dota.beats import random_beats
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs

BENCH = "tests.dota.tb_accumulator"
#: Sizes that no other unit needs: more lanes than the paper has.
EIGHT = TINY.replace(lanes=8)


def run(cfg, **more):
    """Its many elements are compiled once."""
    run_unit(Accumulator(cfg), name="dota_accumulator", cfg=cfg, test_module=BENCH,
             control='no_inline -module "dota_accumulator_element"\n', **more)


def model_sums(cfg, beats, lanes_on, rng):
    """The clocked model, lanes with gaps of their own and a consumer that stalls: the sums in their order."""
    s, n = accumulator.state(cfg, 1), 2 * cfg.vector
    sums, waiting, held = [], beats[::-1], np.zeros(cfg.lanes, np.int64)
    lanes = [lane for lane in range(cfg.lanes) if lanes_on >> lane & 1]
    values = np.zeros((cfg.lanes, n), np.int64)
    while waiting or s.valid.any() or accumulator.valid_of(s, 0):
        o_ready, fields = rng.random() < 0.7, np.full((4, cfg.lanes), 3)
        for lane in range(cfg.lanes):
            held[lane] = held[lane] or (bool(waiting) and rng.random() < 0.7)
        if waiting:
            beat = waiting[-1]
            values[lanes] = beat.values
            fields[:, lanes] = np.array([beat.token, beat.first, beat.emit, beat.last])[:, None]
        if accumulator.valid_of(s, 0) and o_ready:
            sums.append(([accumulator.value_of(s, 0, index) for index in range(n)], accumulator.token_of(s, 0),
                         bool(accumulator.last_of(s, 0))))
        taken = accumulator.taken_of(s, 0, held, lanes_on)
        accumulator.clock(s, 0, held, values, *fields, lanes_on, o_ready)
        if taken:
            waiting.pop()
            held[:] = 0
    return sums


@pytest.mark.parametrize("cfg", [TINY, TINY.replace(lanes=2), TINY.replace(lanes=4), EIGHT], ids=lambda cfg: cfg.lanes)
def test_model_equals_spec(cfg):
    """Thousands of random beats with gaps, stalls and lanes that are off: sums of plain integers."""
    rng = random.Random(cfg.lanes)
    for _ in range(30):
        lanes_on = rng.randint(1, (1 << cfg.lanes) - 1)
        limit = rng.choice([1 << 10, 1 << 40, 1 << 47])
        beats = random_beats(rng, 100, lanes_on.bit_count(), 2 * cfg.vector, limit=limit)
        assert model_sums(cfg, beats, lanes_on, rng) == accumulator.accumulate(beats, 2 * cfg.vector)


def test_exact_up_to_the_bound():
    """2**17 - 1 of the largest products fit into a sum; one more does not, or just so if it is negative."""
    most = np.array([[((1 << 17) - 1) << 30]])
    beat = accumulator.Beat(most, 0, True, True, True)
    assert accumulator.accumulate([beat], 1) == [([int(most[0, 0])], 0, True)]
    assert accumulator.accumulate([beat._replace(values=most + (1 << 30))], 1)[0][0] == [-1 << 47]


def test_paper_rate():
    """512 additions a cycle [Thesis table C.1]."""
    cfg = TINY.replace(lanes=4, rows=32, columns=16)
    assert cfg.lanes * 2 * cfg.vector == 512


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run(cfg)


def test_eight_lanes():
    run(EIGHT)


def test_bench_notices_a_lane_that_is_off():
    assert_mutant_noticed(Accumulator, TINY.replace(lanes=2), BENCH, old="lanes_on[1] ?", new="1'h1 ?",
                          match="o differ", testcase="random_lanes/p_valid=1.0/p_ready=1.0/p_emit=1.0")


def test_hardware_stops_lanes_that_disagree():
    with pytest.raises(BenchFailure, match="^hardware assertion: .*lane 1 must offer the same kind of beat"):
        run(TINY.replace(lanes=2), testcase="lanes_disagree")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Accumulator)
