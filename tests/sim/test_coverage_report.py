"""Coverage of fixed runs: counts read against the Verilog, planned events, floors."""

import json
from pathlib import Path

import pytest

from golden.common.cli import run_main
from sim import coverage as command
from sim.common import coverage_report, runner
from sim.common.build import build
from sim.common.coverage import findings
from sim.common.coverage_data import HEADER, CoverageError, parse, take
from sim.common.coverage_report import (
    Goals,
    Report,
    accept,
    collect,
    fallen,
    load_floors,
    missed_bits,
    table,
    unreached,
)
from sim.common.regress import Run
from sim.regress import registered
from tests.sim import dut

#: A module with a branch that no run takes.
TEXT = """\
module box(clk, a, b, y);
  input a;
  input b;
  reg y;
  wire same;
  always @* begin
    if (_start_) begin end
    y = 1'h0;
    if (a) begin
      y = b;
    end
  end
  assign same = a;
`ifndef SYNTHESIS
  wire checked;
`endif
endmodule
"""


def point(kind, line, what, count, lines="", column=3):
    keys = {"f": "build/box.v", "l": line, "n": column, "page": f"v_{kind}/box", "o": what, "S": lines, "h": "top.box"}
    return "C '" + "".join(f"\1{key}\2{value}" for key, value in keys.items()) + f"' {count}"


def counts(*, taken):
    """A file of counts of two instances; in one of them the branch is taken ``taken`` times."""
    return "\n".join([
        HEADER, point("line", 6, "block", 9, "6,8"), point("line", 6, "block", 5, "6,8"),
        point("branch", 7, "if", 1, "7"), point("branch", 7, "else", 0),
        point("branch", 9, "if", taken, "9-10"), point("branch", 9, "else", 14),
        point("toggle", 2, "a:0->1", taken), point("toggle", 2, "a:1->0", 0), point("toggle", 5, "same:0->1", 0),
        point("toggle", 4, "y:0->1", taken), point("toggle", 15, "checked:0->1", 0)]) + "\n"


def modules(*files):
    found = {}
    for text in files:
        take(found, parse(text), {"box.v": TEXT})
    return found


def test_instances_and_runs_add_up():
    box = modules(counts(taken=0), counts(taken=3))["box"]
    (variant,) = box.variants.values()
    assert variant.lines == {6: 28, 8: 28, 9: 3, 10: 3}
    assert box.figures() == {"lines": (4, 4), "branches": (2, 2), "toggles": (2, 3)}
    assert missed_bits(box) == {"a": ""}


def test_branch_that_is_never_taken():
    """Its lines are named; what nobody could reach, or synthesis does not see, is not."""
    box = modules(counts(taken=0))["box"]
    (variant,) = box.variants.values()
    assert unreached(variant) == [(9, "reached", "if (a) begin"), (10, "reached", "y = b;")]
    assert box.figures() == {"lines": (2, 4), "branches": (1, 2), "toggles": (0, 3)}


@pytest.mark.parametrize(("text", "message"), [
    ("", "coverage must begin with '# SystemC::Coverage-3', not ''"),
    (f"{HEADER}\nnonsense\n", "coverage must be lines of C '...' count, not 'nonsense'"),
    (f"{HEADER}\nC '\1page\2v_line/box' 1\n", "coverage must give file, line and kind of every point, not "),
])
def test_damaged_counts(text, message):
    with pytest.raises(CoverageError) as error:
        parse(text)
    assert str(error.value).startswith(message)


def test_unknown_file():
    with pytest.raises(CoverageError, match=r"^coverage must be of the files other\.v, not of box\.v$"):
        take({}, parse(counts(taken=0)), {"other.v": ""})


def report(taken, *, seen=("go",), plan=("go", "stop"), exceptions=None):
    goals = Goals({"box": frozenset(plan)}, {"box": exceptions} if exceptions else {})
    return Report("acc", ("run",), modules(counts(taken=taken)), goals, {"box": set(seen)})


def test_missing_event_is_named():
    assert report(1).problems() == ["box: never reached: stop"]
    assert report(1, seen=("go", "stop")).problems() == []
    assert report(1, exceptions={"stop": "why"}).problems() == []
    assert report(1, seen=("go", "stop"), exceptions={"stop": "why"}).problems() == [
        "box: reached, but listed as an exception: stop"]
    assert findings({}, {}, {"box": {"odd"}}) == ["box: seen, but not in the plan: odd"]
    assert findings({}, {"box": {"odd": "why"}}, {}) == ["box: an exception, but not in the plan: odd"]


def test_floors(tmp_path):
    assert load_floors("acc", tmp_path) == {"simulator": None, "floors": {}}
    good, poor = report(3), report(0)
    assert fallen(good, {}) == ["box: no floor yet"]
    assert accept(good, tmp_path) and not accept(good, tmp_path)
    floors = load_floors("acc", tmp_path)["floors"]
    assert fallen(good, floors) == []
    assert [line.split(":")[0] for line in fallen(poor, floors)] == ["box"] * 3
    assert fallen(good, floors | {"gone": {}}) == ["gone: has a floor, and is no longer part of the design"]
    (tmp_path / "acc" / "coverage.json").write_text("{}")
    with pytest.raises(CoverageError, match="must hold simulator and floors, and is damaged"):
        load_floors("acc", tmp_path)


def run(text):
    def cover(file: Path):
        file.write_text(text)
        return {"box": {"go"}}

    return Run("a run", lambda: type("Emitted", (), {"files": {"box.v": TEXT}}), None, cover)


def test_report_of_runs(tmp_path):
    found = collect("acc", {"one": run(counts(taken=0)), "two": run(counts(taken=2))},
                    Goals({"box": {"go"}}, {}), tmp_path)
    assert table(found).splitlines()[1].split() == ["box", "4/4", "100.0%", "2/2", "100.0%", "2/3", "66.6%", "1/1"]
    content = json.loads(coverage_report.write(found, tmp_path).read_text())
    assert content["modules"]["box"]["toggles"] == {"reached": 2, "total": 3, "percent": 66.6}
    assert content["events"]["box"] == {"reached": ["go"], "missing": [], "exceptions": {}}
    assert "        2:       y = b;" in (tmp_path / "box.v").read_text()


def test_run_without_coverage(tmp_path):
    with pytest.raises(CoverageError, match=r"^run acc/one must say how it is covered: Run\.cover is missing$"):
        collect("acc", {"one": run("")._replace(cover=None)}, Goals({}, {}), tmp_path)


#: The buffer of the benches, with a branch that no stimulus can take: a payload has 8 bits.
PLANTED = dut.mutated("    if (rst) o__valid <= 0;\n",
                      "    if ({1'b0, i__payload} == 9'd256)\n      o__payload <= 8'd0;\n    if (rst) o__valid <= 0;\n")


def test_planted_branch_in_a_simulation(tmp_path):
    """Counted by Verilator: of the whole bench the planted branch is missing, and hardly anything else."""
    built = build("slot", {"slot.v": PLANTED}, "slot", waves=False, coverage=True)

    def cover(file):
        return runner.run(built, test_module="tests.sim.tb_slot", seed=1, coverage_file=file).seen

    emitted = type("Emitted", (), {"files": {"slot.v": PLANTED}})
    found = collect("acc", {"only": Run("the bench", lambda: emitted, None, cover)},
                    Goals({"slot": {"refill", "stall"}}, {}), tmp_path)
    assert found.problems() == []
    (variant,) = found.modules["slot"].variants.values()
    never = [text for _, what, text in unreached(variant) if what == "reached"]
    assert "o__payload <= 8'd0;" in never and "o__valid <= i__valid;" not in never
    reached, total = found.modules["slot"].figures()["toggles"]
    assert 0.9 * total < reached <= total


def test_coverage_file_of_a_build_without(tmp_path):
    built = build("slot", {"slot.v": dut.GOOD}, "slot", waves=False)
    with pytest.raises(ValueError, match="^coverage_file must be given only for a build with coverage, not '.*dat'$"):
        runner.run(built, test_module="tests.sim.tb_slot", seed=1, coverage_file=tmp_path / "a.dat")


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """python -m sim.coverage with one fake accelerator: its state can be changed, its floors lie in a folder."""
    state = {"taken": 3, "plan": {"go"}}
    monkeypatch.setattr(command, "registered", lambda: {
        "acc": ({"only": run(counts(taken=state["taken"]))}, Goals({"box": state["plan"]}, {}))})
    monkeypatch.setattr(command, "BUILD", tmp_path / "build")
    monkeypatch.setattr(coverage_report.accept, "__defaults__", (tmp_path,))
    monkeypatch.setattr(coverage_report.load_floors, "__defaults__", (tmp_path,))
    return state


def test_command(fake, capsys):
    """1 with the name of what is missing or fell; a missing event is not accepted."""
    assert run_main(command.main, []) == 1
    assert "FELL box: no floor yet\n" in capsys.readouterr().out
    assert run_main(command.main, ["acc", "--accept"]) == 0
    assert run_main(command.main, []) == 0
    fake["taken"] = 0
    assert run_main(command.main, []) == 1
    out = capsys.readouterr().out
    assert "FELL box: lines 100.0 % before, now 50.0 %\n" in out
    assert "if that is meant: python -m sim.coverage acc --accept\n" in out
    fake.update(taken=3, plan={"go", "stop"})
    for argv in ([], ["--accept"]):
        assert run_main(command.main, argv) == 1
        assert "EVENTS box: never reached: stop\n" in capsys.readouterr().out


def test_unknown_accelerator(capsys):
    assert run_main(command.main, ["nope"]) == 2
    assert capsys.readouterr().err == "error: accelerator must be one of dota, duet, eie, enmc, not 'nope'\n"


def test_every_accelerator_has_goals():
    for name, (runs, goals) in command.registered().items():
        assert runs == registered()[name] and all(run.cover for run in runs.values())
        assert all(set(events) <= set(goals.plan[unit]) for unit, events in goals.exceptions.items())
