"""Builds are cached, and every way a run can fail is reported by its real message."""

import re

import pytest

from sim.common import runner
from sim.common.build import build
from tests.sim import dut

BENCH = "tests.sim.tb_slot"


@pytest.fixture(scope="module")
def slot():
    return build("slot", {"slot.v": dut.GOOD}, "slot", waves=False)


def test_passing_run(slot):
    results = runner.run(slot, test_module=BENCH, seed=1)
    assert len(results.passed) == 6
    assert "coverage" in results.passed
    assert results.seen == {"slot": {"refill", "stall"}}
    assert "random_stream" in results.log.read_text()


def test_testcase_selects(slot):
    results = runner.run(slot, test_module=BENCH, seed=1, testcase="full_throughput")
    assert results.passed == ("full_throughput",)


@pytest.mark.parametrize("fault", dut.MUTANTS)
def test_mutant_is_caught(fault):
    mutant = build("slot", {"slot.v": dut.MUTANTS[fault]}, "slot", waves=False)
    with pytest.raises(runner.BenchFailure, match=r"^slot(\.o)?: .* in cycle \d+"):
        runner.run(mutant, test_module=BENCH, seed=1)


def test_failure_ends_with_repeat_command_and_log(slot, monkeypatch):
    monkeypatch.setenv("SEED", "77")
    with pytest.raises(runner.BenchFailure) as failure:
        runner.run(slot, test_module=BENCH, seed=1, testcase="no_such_test")
    *_, repeat, log = str(failure.value).splitlines()
    node = "tests/sim/test_runner.py::test_failure_ends_with_repeat_command_and_log"
    assert repeat == f"repeat: make test-one T={node} SEED=77 WAVES=1"
    assert log.startswith("log: ") and log.endswith("sim.log")


def test_failing_comparison_reports_both_sides_and_repeat():
    mutant = build("slot", {"slot.v": dut.MUTANTS["wrong_value"]}, "slot", waves=False)
    with pytest.raises(runner.BenchFailure) as failure:
        runner.run(mutant, test_module=BENCH, seed=5)
    text = str(failure.value)
    assert re.search(r"^slot: o_payload differ in cycle \d+ \(cfg=slot8, seed=5\)$", text, re.MULTILINE)
    assert "rtl   =SlotOutputs(" in text and "golden=SlotOutputs(" in text
    assert text.count("repeat: make test-one T=tests/sim/test_runner.py::") == 1


def test_hardware_assertion(slot):
    with pytest.raises(runner.BenchFailure, match=r"^hardware assertion: .*slot overflow: 255"):
        runner.run(slot, test_module=BENCH, seed=1, testcase="forbidden_value", env={"DRIVE_255": "1"})


def test_no_test_is_a_failure(slot):
    with pytest.raises(runner.BenchFailure, match="^no test was run"):
        runner.run(slot, test_module=BENCH, seed=1, testcase="no_such_test")


def test_wrong_seed(slot, monkeypatch):
    monkeypatch.setenv("SEED", "x1")
    with pytest.raises(ValueError, match=r"^SEED must be a non-negative integer, not 'x1'$"):
        runner.run(slot, test_module=BENCH, seed=1)


def test_same_seed_same_run(slot):
    def end(seed):
        case = "random_stream/p_valid=0.4/p_ready=0.4"
        log = runner.run(slot, test_module=BENCH, seed=seed, testcase=case).log.read_text()
        return re.search(r"([\d.]+)ns INFO .*passed", log)[1]

    assert end(3) == end(3) != end(4)


def test_surrounding_environment_does_not_win(slot, monkeypatch):
    monkeypatch.setenv("COCOTB_TEST_MODULES", "nonsense")
    monkeypatch.setenv("COCOTB_TEST_FILTER", "nonsense")
    monkeypatch.setenv("ELISION_SEEN", "nowhere/at/all")
    assert runner.run(slot, test_module=BENCH, seed=1).seen["slot"]


def test_simultaneous_runs_have_folders_of_their_own(tmp_path):
    with runner._claimed(tmp_path / "run") as first, runner._claimed(tmp_path / "run") as second:
        assert {first.name, second.name} == {"run", "run-2"}
    with runner._claimed(tmp_path / "run") as again:
        assert again == first


def test_missing_bench_module(slot):
    with pytest.raises(runner.BenchFailure, match="^ModuleNotFoundError: .*tb_nothing'"):
        runner.run(slot, test_module="tests.sim.tb_nothing", seed=1)


def test_progress_reaches_the_caller(slot):
    seen = []
    runner.run(slot, test_module=BENCH, seed=1, testcase="full_throughput",
               on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (100, 100)


def test_own_waves_file(tmp_path):
    target = tmp_path / "out" / "slot.vcd"
    traced = build("slot", {"slot.v": dut.GOOD}, "slot", waves="vcd")
    results = runner.run(traced, test_module=BENCH, seed=1, testcase="full_throughput", waves_file=target)
    assert results.waves == target
    assert "o__payload" in target.read_text()


def test_waves_environment(monkeypatch):
    monkeypatch.setenv("WAVES", "1")
    traced = build("slot", {"slot.v": dut.GOOD}, "slot")
    results = runner.run(traced, test_module=BENCH, seed=1, testcase="full_throughput")
    assert results.waves.suffix[1:] == traced.waves
    assert results.waves.stat().st_size > 100


def test_untraced_build_ignores_waves_environment(slot, monkeypatch):
    monkeypatch.setenv("WAVES", "1")
    assert runner.run(slot, test_module=BENCH, seed=1, testcase="full_throughput").waves is None


def test_waves_file_needs_traced_build(slot):
    with pytest.raises(ValueError, match=r"^waves_file must be given only .* with waves, not 'x\.vcd'$"):
        runner.run(slot, test_module=BENCH, seed=1, waves_file="x.vcd")
