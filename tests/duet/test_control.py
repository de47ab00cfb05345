"""Global control: golden model and hardware."""

from golden.duet import control as golden
from hdl.duet import control as hdl
from hdl.duet.control import Control
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, run_bench

BENCH = "tests.duet.tb_control"


def test_rtl_equals_model():
    run_bench(Control, TINY, BENCH)


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {state.name: getattr(golden, state.name)
                                                                for state in hdl.State}
    assert hdl.SETTLED == golden.SETTLED


def test_bench_notices_a_stage_that_does_not_wait():
    """The stage ends with the Executor, whatever the Speculator does."""
    assert_mutant_noticed(Control, TINY, BENCH, testcase="random_stages", old="~ speculate_busy;", new="1'h1;",
                          match="duet_control: .* differ|stage")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Control)
