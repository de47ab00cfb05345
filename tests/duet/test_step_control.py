"""Step control of the Executor: golden model and hardware."""

import random
from types import SimpleNamespace

import pytest

from golden.duet import step_control
from golden.duet.step_control import STEP_OVERHEAD
from hdl.duet.step_control import StepControl
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.step_traffic import StepFeeder, random_plan

BENCH = "tests.duet.tb_step_control"


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_model_equals_spec(p):
    """A thousand steps: each takes exactly the MACs of its busiest PE and one cycle; the feeder checks what may start.
    """
    rng = random.Random(7)
    plan = random_plan(rng, 16, 1000, 6)
    feeder = StepFeeder(TINY, plan, rng, p=p, p_drain=0.5)
    s = step_control.state(TINY, 1)
    while not feeder.done:
        x = feeder.offer()
        busy = x.busy != 0
        y = SimpleNamespace(
            step_ready=step_control.step_ready_of(s, 0), start=step_control.start_of(s, 0, busy),
            input_bank=s.input_bank[0], weight_bank=s.weight_bank[0], step_done=s.step_done[0],
            drain_start=s.drain_start[0],
            drain=int(s.drain[0] | s.drain_bank[0] << 1 | s.drain_last[0] << 2 | s.drain_pixel[0] << 3))
        step_control.clock(s, 0, x.step is not None, *(x.step or (0, 0, 0)), x.built, busy, x.drain_ready, x.pixels,
                           x.drained & 1 and x.drained >> 2 & 1, x.drained >> 1 & 1)
        feeder.taken(x, y)
    cycles = [end - 1 - start for start, end in zip(feeder.starts, feeder.ends, strict=True)]
    assert cycles == [max(step.macs) + STEP_OVERHEAD for step in plan]


@configs("tiny", "tall")
def test_rtl_equals_model(cfg):
    run_bench(StepControl, cfg, BENCH)


def test_bench_notices_a_bank_that_is_not_free():
    """A step starts while sums of its bank are still owed."""
    assert_mutant_noticed(StepControl, TINY, BENCH, old="= owed >> next_bank", new="= 2'h0 >> next_bank",
                          match="start differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(StepControl)
