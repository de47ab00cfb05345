"""Executor: definition, golden model and hardware."""

import random

import numpy as np
import pytest

from golden.enmc import exact_control, exact_dot, exact_finish, executor, fp32
from golden.enmc.spec import exact_bursts, exact_results
from hdl.common.emit import emit
from hdl.enmc import exact_control as hardware
from hdl.enmc.exact_control import ExactControl
from hdl.enmc.exact_dot import ExactDot
from hdl.enmc.exact_finish import ExactFinish
from hdl.enmc.executor import Executor
from hdl.enmc.output_buffer import OutputBuffer
from tests.enmc.exact_work import Work
from tests.enmc.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_executor"


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_definition_equals_spec(lanes):
    """Rows that lie in bursts, bias and padding included, against ``exact_results``."""
    rng = np.random.default_rng(lanes)
    for elements in 1, 3, lanes - 1, lanes, 4 * lanes, 100:
        w, h = (rng.normal(size=shape).astype(np.float32) for shape in ((50, elements), elements))
        b = rng.normal(size=50).astype(np.float32)
        beats = exact_bursts(elements, lanes)
        rows, vector = np.zeros((50, beats * lanes), np.float32), np.zeros(beats * lanes, np.float32)
        rows[:, :elements], rows[:, elements], vector[:elements], vector[elements] = w, b, h, 1
        found = [exact_finish.result_of(exact_dot.partial_sums(fp32.bits_of(row).reshape(beats, lanes),
                                                               fp32.bits_of(vector).reshape(beats, lanes)))
                 for row in rows]
        assert found == fp32.bits_of(exact_results(w, b, h, lanes)).tolist()


@pytest.mark.parametrize("row_bursts", [1, 2, 5, 16])
def test_model_equals_definition(row_bursts):
    """Some thousand rows of the cycle model, with gaps, against the untimed definition."""
    work, gaps = Work(TINY, np.random.default_rng(row_bursts), row_bursts), random.Random(row_bursts)
    work.features()
    for k in range(1000):
        work.row(strange=k % 4 == 0) if k % 7 else work.passes()
    assert records_of(work, gaps) == work.records


def records_of(work, gaps):
    """What the cycle model makes of ``work``, while the host always takes."""
    cfg, s = work.cfg, executor.state(work.cfg, 1)
    commands, bursts = iter(work.commands), iter(work.bursts)
    command, idle, nothing = next(commands), (0, 0, 0), np.zeros(cfg.burst_words, np.int64)
    room, places, records = cfg.weights, cfg.results, []
    while len(records) < len(work.records):
        offered = command is not None and (command.kind < exact_control.FINISH or places > 0) and gaps.random() < 0.9
        fields = (int(exact_control.packed(*command[:6])), command.label, command.score) if offered else idle
        burst = next(bursts, None) if room and gaps.random() < 0.9 else None
        taken, freed = offered and executor.ready_of(s, 0), executor.freed_of(s, 0)
        executor.clock(s, 0, offered, *fields, burst is not None, nothing if burst is None else burst.astype(np.int64),
                       work.row_bursts, False, False, True)
        popped = int(s.output.popped[0])
        room += int(freed) - (burst is not None)
        places += popped
        if taken:
            places -= command.kind >= exact_control.FINISH
            command = next(commands, None)
        words = [int(word) for word in s.output.burst[0]]
        records += [sum(word << 32 * k for k, word in enumerate(words[4 * n:4 * n + 4])) for n in range(popped)]
    return records


@configs("tiny", "middle", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Executor, cfg, BENCH)


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS)
def test_constants_match_golden(cfg):
    assert ExactDot(cfg).latency == exact_dot.latency(cfg)
    assert ExactFinish.LATENCY == exact_finish.LATENCY
    for name in "MARK_FINISH", "MARK_PASS", "NO_RESULT", "SPACING", "COMMANDS":
        assert getattr(hardware, name) == getattr(exact_control, name)
    assert exact_finish.INTERVAL <= exact_control.SPACING


@pytest.mark.parametrize("unit", [Executor, ExactControl, ExactDot, ExactFinish, OutputBuffer])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)


def test_floating_point_units_are_one_module_each():
    """16 multipliers and 15 adders in the tree, an adder for the partial sums and one for the ends of rows."""
    files = emit(Executor(CONFIGS["paper"]), name="enmc_executor", cfg=CONFIGS["paper"]).files
    assert {name for name in files if "fp32" in name} == {"enmc_fp32_multiply.v", "enmc_fp32_add.v",
                                                         "enmc_fp32_divide.v"}
    dot, finish = files["enmc_exact_dot.v"], files["enmc_exact_finish.v"]
    assert [dot.count(f"enmc_fp32_{name} ") for name in ("multiply", "add")] == [16, 16]
    assert finish.count("enmc_fp32_add ") == 1


@pytest.mark.parametrize(("old", "new"), [
    ("again ?", "1'h0 ?"),                            # a partial sum that comes out just now is not taken
    ("warm_next = warm &", "warm_next = 1'h1 |"),     # the first beats add to what was there before
], ids=["again", "warm"])
def test_mutant_is_noticed(old, new):
    assert_mutant_noticed(Executor, TINY, BENCH, old=old, new=new, match="enmc_executor: .* differ in cycle")
