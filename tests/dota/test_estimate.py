"""Estimate unit: golden model against the layout of low-precision rows, and the hardware."""

import random

import pytest

from golden.dota import estimate as golden
from golden.dota.formats import ELEMENT_BITS, Precision, Step
from hdl.dota import estimate as hdl
from hdl.dota.estimate import Estimate
from tests.dota.estimate_traffic import Model, Traffic, run_model
from tests.dota.estimate_work import cycles_of, most_words, random_step
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_estimate"


@configs("tiny", "small", "flat", "tall")
@pytest.mark.parametrize("p_ready", [0.1, 1.0])
def test_model_equals_spec(cfg, p_ready):
    """Hundreds of steps: every read, what it is for, every fire, and the results in the memory."""
    rng = random.Random(p_ready)
    steps = [random_step(cfg, rng, rng.choice([Step.ATTEND, Step.LOW])) for _ in range(150)]
    traffic = Traffic(cfg, steps, rng, p_ready=p_ready)
    run_model(Model(cfg), traffic)
    assert p_ready < 1 or traffic.spent == [cycles_of(cfg, step) for step in steps]


def test_words_of_a_fire():
    """Units that the PEs of a sum hold: 16 PEs share one in INT2, 4 in INT8, two units a word in the paper."""
    sizes = {name: [most_words(CONFIGS[name], precision) for precision in ELEMENT_BITS if precision != Precision.FX16]
             for name in ("paper", "tiny", "tall")}
    assert sizes == {"paper": [2, 4, 8], "tiny": [1, 2, 4], "tall": [1, 2, 4]}


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {state.name: getattr(golden, state.name)
                                                                for state in hdl.State}


@configs("tiny", "small", "tall", "paper")
def test_rtl_equals_model(cfg):
    """One row in a word, all rows of a block, half of them, and two units of each in the paper."""
    run_bench(Estimate, cfg, BENCH)


def test_bench_notices_a_word_that_is_not_cleared():
    """Old elements stay behind the first results of a row."""
    assert_mutant_noticed(Estimate, TINY, BENCH, testcase="every_precision", old=" ? 32'd0 : port__rdata",
                          new=" ? port__rdata : port__rdata", match="dota_estimate: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Estimate)
