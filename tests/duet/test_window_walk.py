"""Order of the dimension reduction: golden model and hardware."""

import random

import pytest

from golden.duet import window_walk
from hdl.duet.window_walk import WindowWalk
from sim.common.runner import BenchFailure, run_unit
from tests.duet.front import job_array, job_bits
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.walk_spec import random_job, windows_of

BENCH = "tests.duet.tb_window_walk"


@pytest.mark.parametrize("name", ["tiny", "square"])
def test_model_equals_spec(name):
    """The windows of hundreds of random jobs are those of nested loops, tile by tile."""
    cfg, rng = CONFIGS[name], random.Random(1)
    s = window_walk.state(cfg, 1)
    for _ in range(300):
        job, tiles, waiting = random_job(cfg, rng), [], 0
        array = job_array(job_bits(job))
        window_walk.clock(s, 0, array, True, False, False)
        while window_walk.busy_of(s, 0):
            if window_walk.valid_of(s, 0):
                address, first, last, *rest = (int(value) for value in s.tag[0])
                place = int(s.o_y[0]), int(s.o_x[0]), int(s.o_word[0])
                tiles[-1].append((*place, address % cfg.projection_words, first, last, *rest))
                waiting += last
            filled, taken = window_walk.loading_of(s, 0) and rng.random() < 0.5, waiting > 0 and rng.random() < 0.4
            if filled:
                tiles.append([])
            waiting -= taken
            window_walk.clock(s, 0, array, False, filled, taken)
        assert tiles == windows_of(cfg, job)


@configs("tiny", "square")
def test_rtl_equals_model(cfg):
    run_bench(WindowWalk, cfg, BENCH)


@pytest.mark.parametrize(("testcase", "match"), [
    ("nothing_reduced", r"reduced must be in 1\.\.32, not 0"),
    ("too_deep", r"entries of a tile must be in 1\.\.256, not 260"),
    ("taken_too_early", "taken must come only for a vector that was sent"),
])
def test_hardware_asserts(testcase, match):
    with pytest.raises(BenchFailure, match=f"hardware assertion: .*{match}"):
        run_unit(WindowWalk(TINY), name="duet_window_walk", cfg=TINY, test_module=BENCH, testcase=testcase)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(WindowWalk)


def test_mutant_is_noticed():
    """Pixels below the output map are not left out."""
    assert_mutant_noticed(WindowWalk, TINY, BENCH, old="== rows_left", new="== 12'hfff",
                          match="o differ")
