"""Status registers and counters: golden model and hardware."""

import numpy as np

from golden.enmc import status as golden
from golden.enmc.registers import REGISTERS
from hdl.enmc.status import COUNTER_BITS, Status
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_status"


def test_counters_are_consecutive_registers():
    first = golden.FIRST_COUNTER
    assert [REGISTERS[name].number for name in golden.COUNTERS] == list(range(first, first + len(golden.COUNTERS)))
    assert (golden.COUNTER_BITS, golden.ANSWER_LATENCY, golden.COUNTER_LATENCY) == (
        COUNTER_BITS, Status.ANSWER_LATENCY, Status.COUNTER_LATENCY)


def test_counters_wrap():
    """Of the hardware this is proven, see formal_status: it takes 2**48 cycles to get there."""
    s, none = golden.state(TINY, 1), np.zeros(TINY.batch, np.int64)
    s.total[:] = (1 << COUNTER_BITS) - 2
    amounts = np.ones(len(golden.COUNTERS), np.int64)
    for n in range(5):
        golden.clock(s, 0, n == 4, REGISTERS["found"].number, 0, 0, 0, 0, amounts, 0, 0, 0, 0, 0, 0, 0, 0, none, none)
    assert set(s.total[0]) == {2} and s.answer[0].tolist() == [1, 0]


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Status, cfg, BENCH)


def test_bench_notices_a_lost_flag():
    assert_mutant_noticed(Status, TINY, BENCH, testcase="random_cycles/density=1.0", old="illegal_flag <= ",
                          new="illegal_flag <= illegal_flag & ", match="answer differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Status)
