"""The checkers fail when, and only when, they must."""

from typing import NamedTuple

import pytest

from sim.common.check import CycleChecker, StreamContract
from sim.common.coverage import assert_all, cover, load, merge


class Outputs(NamedTuple):
    valid: bool
    value: int | None


def test_equal_cycles_are_counted():
    checker = CycleChecker("unit", "seed=1")
    for value in range(5):
        checker.check((), Outputs(True, value), Outputs(True, value))
    assert checker.cycle == 5


def test_report_names_field_cycle_sides_history_and_repeat(monkeypatch):
    monkeypatch.setenv("ELISION_REPEAT", "make test-one T=x SEED=1 WAVES=1")
    checker = CycleChecker("unit", "cfg=tiny, seed=1", history=2)
    for value in range(3):
        checker.check(("in", value), Outputs(True, value), Outputs(True, value))
    with pytest.raises(AssertionError) as failure:
        checker.check(("in", 3), Outputs(True, 3), Outputs(True, 4))
    assert str(failure.value).splitlines() == [
        "unit: value differ in cycle 3 (cfg=tiny, seed=1)",
        "  cycle 2: in=('in', 2)",
        "    rtl   =Outputs(valid=True, value=2)",
        "    golden=Outputs(valid=True, value=2)",
        "  cycle 3: in=('in', 3)",
        "    rtl   =Outputs(valid=True, value=3)",
        "    golden=Outputs(valid=True, value=4)",
        "repeat: make test-one T=x SEED=1 WAVES=1",
    ]


def test_no_payload_differs_from_a_payload():
    with pytest.raises(AssertionError, match="^unit: value differ in cycle 0"):
        CycleChecker("unit", "").check((), Outputs(True, None), Outputs(True, 0))


def test_contract_accepts_held_and_taken_payloads():
    contract = StreamContract("o")
    cycles = [(0, 1, 9), (1, 0, 5), (1, 0, 5), (1, 1, 5), (1, 1, 6), (0, 0, 7)]
    for cycle, (valid, ready, payload) in enumerate(cycles):
        contract.check(cycle, bool(valid), bool(ready), payload)


@pytest.mark.parametrize(("valid", "payload", "what"), [(False, 5, "withdrawn"), (True, 6, "changed to 6")])
def test_contract_breach(monkeypatch, valid, payload, what):
    monkeypatch.delenv("ELISION_REPEAT", raising=False)
    contract = StreamContract("unit.o")
    contract.check(0, True, False, 5)
    with pytest.raises(AssertionError, match=f"^unit.o: payload 5 {what} in cycle 1 before it was taken$"):
        contract.check(1, valid, True, payload)


def test_contract_sees_an_offered_none():
    contract = StreamContract("o")
    contract.check(0, True, False, None)
    with pytest.raises(AssertionError, match="withdrawn"):
        contract.check(1, False, False, None)


def test_reset_may_withdraw():
    contract = StreamContract("o")
    contract.check(0, True, False, 5)
    contract.reset()
    contract.check(1, False, False, 0)


def test_coverage_names_the_missing():
    assert_all({"a", "b"}, {"a", "b"})
    with pytest.raises(AssertionError, match=r"^never reached: b, c \(seed=1\)$"):
        assert_all({"a", "b", "c"}, {"a"}, "seed=1")


def test_coverage_refuses_events_without_a_plan():
    with pytest.raises(AssertionError, match="^seen, but not in the plan: typo$"):
        assert_all({"a"}, {"a", "typo"})


def test_coverage_outlives_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv("ELISION_SEEN", str(tmp_path / "seen.json"))
    cover("check-test", {"a"})
    assert cover("check-test", ["b"]) == {"a", "b"}
    assert load(tmp_path / "seen.json")["check-test"] == {"a", "b"}
    assert load(tmp_path / "nothing.json") == {}
    assert merge([{"u": {"a"}}, {"u": {"b"}, "v": {"c"}}]) == {"u": {"a", "b"}, "v": {"c"}}
