"""PE of the Executor: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fixed import wrap
from golden.duet import executor_pe
from golden.duet.formats import SUM_BITS
from hdl.duet.executor_pe import ExecutorPe
from sim.common.bench import to_signed
from tests.duet.executor_model import lanes_of
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.pe_traffic import PeFeeder, random_steps

BENCH = "tests.duet.tb_executor_pe"


def test_definition():
    """Products of valid instructions go to their sums, which wrap at 32 bits."""
    program = np.array([(0, 0, 1), (1, 1, 0), (2, 0, 1), (2, 1, 1)])
    sums = executor_pe.step_sums([3, -4, 5], [7, 11], program, [1, 1, 0, 1], [0, 100])
    assert sums.tolist() == [-44, 100 + 21 + 55]
    extremes = executor_pe.step_sums([-0x8000] * 3, [-0x8000] * 2, program, [1, 1, 1, 1], [0, 0])
    assert extremes.tolist() == [1 << 30, wrap(3 << 30, 32)]


@pytest.mark.parametrize("p", [0.5, 1.0])
def test_model_equals_spec(p):
    """Hundreds of steps: what is drained is the definition's sum, whatever is loaded and drained beside."""
    rng = random.Random(5)
    cfg = TINY.replace(lut=32, tags=8, input_words=4, weight_words=2)
    s = executor_pe.state(cfg, 1)
    program, steps = random_steps(cfg, rng, 400, 0.4)
    feeder, commands, chains = PeFeeder(cfg, program, steps, rng, p), [(0, 0)] * 3, []
    while not feeder.done or len(chains) < len(feeder.expected):
        x = feeder.offer()
        commands = [*commands[1:], (x.drain & 1, to_signed(x.chain_in, SUM_BITS))]
        if commands[0][0]:
            chains.append(wrap(int(s.chain[0]) - commands[1][1], SUM_BITS))
        executor_pe.clock(s, 0, x.take, x.kind or 0, x.bank or 0, x.index or 0, lanes_of(cfg, x.word or 0), 0,
                          x.tags_valid, x.tags_word or 0, x.tags_phase or 0, (x.itags or 0) & (x.otags or 0), x.start,
                          x.input_bank, x.weight_bank, x.sum_bank, x.drain & 1, x.drain >> 1 & 1, x.drain >> 3,
                          x.drain >> 2 & 1, to_signed(x.chain_in, SUM_BITS))
        feeder.tick()
    assert chains == feeder.expected


@configs("tiny", "tall", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(ExecutorPe, cfg, BENCH)


def test_bench_notices_a_lost_product():
    """Of two products in a row for one sum, the second one reads what was there before the first."""
    assert_mutant_noticed(ExecutorPe, TINY, BENCH, old="same_s5 ? total_s6", new="1'h0 ? total_s6",
                          match="chain differ", testcase="same_output")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(ExecutorPe)
