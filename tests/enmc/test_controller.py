"""Controller: golden model and hardware."""

import random

import pytest

from golden.enmc import controller as golden
from golden.enmc import decoder as golden_decoder
from golden.enmc import dispatch as golden_dispatch
from golden.enmc.compiler import Work, encoded, expected_reads, full_program, screen_program
from golden.enmc.controller_spec import expected
from golden.enmc.formats import Function
from golden.enmc.packing import plan_layout
from hdl.enmc.controller import Controller
from hdl.enmc.decoder import QUARTERS
from hdl.enmc.dispatch import Dispatch
from tests.enmc.controller_model import Model, Run
from tests.enmc.controller_traffic import Neighbours, Programs
from tests.enmc.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_controller"


@pytest.mark.parametrize("seed", range(30))
def test_model_equals_spec(seed):
    """Random programs end, and hand on what the definition says."""
    rng = random.Random(seed)
    cfg = CONFIGS[rng.choice(["tiny", "middle", "single"])]
    work = Programs(cfg, rng, wrong=rng.choice([0, 0.3]), density=rng.choice([0.3, 1])).anything(rng.randint(1, 4))
    model = Model(cfg)
    units = Neighbours(cfg, rng, work.candidates, speed=rng.choice([0.2, 0.7, 1]), p_return=rng.choice([0.02, 0.5]))
    run = Run(cfg, rng, model, work.program, units, p_send=rng.choice([0.1, 1]))
    while not run.done:
        run.outputs(model.step(run.inputs()))
    run.check(expected(cfg, work.program, work.candidates))


@pytest.mark.parametrize("seed", range(20))
def test_no_program_hangs(seed):
    """Instructions in any order, legal or not, with units that hold each other up as far as they can."""
    rng = random.Random(seed)
    cfg = CONFIGS[rng.choice(["tiny", "middle", "single"])]
    work = Programs(cfg, rng, wrong=0.1).soup(150)
    model, units = Model(cfg), Neighbours(cfg, rng, work.candidates, speed=rng.choice([0.3, 1]), p_return=0.1)
    run = Run(cfg, rng, model, work.program, units, p_send=1)
    while not run.done:
        run.outputs(model.step(run.inputs()))
    run.check(expected(cfg, work.program, work.candidates))


@pytest.mark.parametrize("exact", [False, True])
def test_compiled_programs(exact):
    """What the compiler makes is legal, a batch right behind another, and reads as many bursts as it says."""
    rng, model = random.Random(exact), Model(TINY)
    layout = plan_layout(TINY, classes=50, elements=20, size=12, inputs=4)
    work, program, candidates, reads = Work(0, Function.SOFTMAX, exact, scores=True), [], [], 0
    for n in range(2):
        program += screen_program(layout, 0, n, work)
        found = [[(rng.getrandbits(20), rng.randrange(50), rng.randrange(2)) for _ in range(rng.randrange(9))]
                 for _ in range(layout.tiles_of(0))]
        candidates += found
        reads += expected_reads(layout, 0, n, sum(map(len, found)), exact)
    program += full_program(layout, 0, 0, Function.SIGMOID)
    reads += 2 * layout.row_bursts + 2 * 50 * layout.row_bursts
    words = [(addr & 1023 | addr >> 11 << 10, data or 0) for addr, data in encoded(program)]
    units = Neighbours(TINY, rng, candidates)
    run = Run(TINY, rng, model, words, units)
    while not run.done:
        run.outputs(model.step(run.inputs()))
    wanted = expected(TINY, words, candidates)
    run.check(wanted)
    assert wanted.illegal == 0
    assert sum(count for _addr, count, write, _dest in units.requests if not write) == reads


def test_constants():
    for name in ("REQUESTS", "SCREENS", "EXECUTES", "MOST_AHEAD", "MOST_FILTERS", "SETTLED", "RESTED"):
        assert getattr(Dispatch, name) == getattr(golden_dispatch, name)
    assert Controller.GENERATED == golden.GENERATED and QUARTERS == golden_decoder.QUARTERS


@configs("tiny", "single", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Controller, cfg, BENCH)


def test_bench_notices_a_load_that_does_not_wait():
    """The screener's bursts are requested however many FILTERs are unfinished."""
    assert_mutant_noticed(Controller, TINY, BENCH, testcase="many_candidates", old="unfinished > 1'h1",
                          new="unfinished > 2'h3", match="enmc_controller: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Controller)
