"""The regression check: what it finds, what it calls it, and how it is accepted. Runs are fake waveforms here."""

from xml.etree import ElementTree

import pytest

import sim.regress
from golden.common.cli import run_main
from hdl.common.emit import Design
from sim.common import regress
from sim.common.regress import Run
from sim.common.runner import BenchFailure
from tests.sim.wave_examples import DESIGN, STAGE, TOP, write

SIGNALS = {"chip.i": [1, 2, 3, 4], "chip.o": [0, 2, 4], "chip.first.i": [1, 2, 3, 4], "chip.first.o": [5, 6, 7, 8],
           "chip.first.wide": [0]}


class Chip:
    """A run whose waveform and design can be changed."""

    def __init__(self, folder):
        self.folder, self.signals, self.design, self.failure, self.cycles = folder, SIGNALS, DESIGN, None, 12
        self.run = Run("a chip", lambda: self.design, self.trace)

    def trace(self, path):
        write(path, self.signals, cycles=self.cycles)
        if self.failure:
            raise BenchFailure(self.failure)

    def check(self):
        return regress.check("chip", "only", self.run, folder=self.folder / "signatures", out=self.folder / "out")

    def accept(self):
        return regress.accept(self.check(), "a chip", folder=self.folder / "signatures")


@pytest.fixture
def chip(tmp_path):
    made = Chip(tmp_path)
    assert made.accept()
    return made


def test_no_signature(tmp_path):
    outcome = Chip(tmp_path).check()
    assert not outcome.equal and outcome.text.startswith("no signature yet: ")


def test_equal(chip):
    outcome = chip.check()
    assert (outcome.equal, outcome.text, outcome.run) == (True, "", "chip/only")
    assert not chip.accept()


def test_value(chip):
    """The exact cycle, both values, where the fault is, and a picture."""
    chip.signals = SIGNALS | {"chip.first.o": [5, 6, 9, 8], "chip.o": [0, 2, 4, 5]}
    outcome = chip.check()
    assert not outcome.equal
    lines = outcome.text.splitlines()
    assert lines[0] == "first difference: chip_stage.o (chip.first.o) in cycle 2: before 07, now 09"
    assert "2 of 5 signals differ:" in lines
    assert "all that goes into chip_stage was as before until then: look there first" in lines
    assert lines[-1] == f"picture: {chip.folder / 'out' / 'chip' / 'only.svg'}"
    ElementTree.parse(chip.folder / "out" / "chip" / "only.svg")
    assert chip.accept()
    assert chip.check().equal
    assert not (chip.folder / "out" / "chip" / "only.svg").exists()


def test_every_cycle_and_bit(chip):
    for cycle in range(12):
        values = [5, 6, 7, 8] + 8 * [8]
        values[cycle] ^= 1 << cycle % 8
        chip.signals = SIGNALS | {"chip.first.o": values}
        assert chip.check().text.startswith(f"first difference: chip_stage.o (chip.first.o) in cycle {cycle}: ")


def test_input_spoils_a_unit(chip):
    """A unit whose input was wrong before is not suspected; of two units the one that is fed rightly is named first."""
    chip.signals = SIGNALS | {"chip.first.i": [1, 2, 9, 4], "chip.first.o": [5, 6, 9, 8], "chip.o": [0, 2, 5, 4]}
    text = chip.check().text
    assert text.startswith("first difference: chip.o (chip.o) in cycle 2: ")
    assert "all that goes into chip was as before until then" in text
    chip.signals = SIGNALS | {"chip.i": [1, 8, 3, 4], "chip.first.o": [5, 6, 9, 8], "chip.first.i": [1, 8, 3, 4]}
    text = chip.check().text
    assert text.startswith("first difference: chip_stage.i (chip.first.i) in cycle 1: ")
    assert "look there first" not in text


def test_renamed_added_removed_resized(chip):
    top = TOP.replace("(clk, rst, i, o)", "(clk, rst, i, o, extra)").replace("endmodule", "output extra;\nendmodule")
    chip.design = Design("chip", {"chip_stage.v": STAGE.replace(" i,", " j,"), "chip.v": top}, {})
    signals = SIGNALS | {"chip.first.j": [1], "chip.extra": [0]}
    chip.run = Run("a chip", lambda: chip.design, lambda path: write(path, signals, widths={"chip.o": 9}))
    outcome = chip.check()
    assert not outcome.equal
    assert outcome.text.splitlines() == ["1 signals are gone or renamed: chip_stage.i",
                                         "2 signals are new: chip.extra, chip_stage.j", "chip.o has 9 bits, and had 8"]


def test_direction(chip):
    turned = TOP.replace("input [7:0] i", "output [7:0] i")
    chip.design = Design("chip", {"chip_stage.v": STAGE, "chip.v": turned}, {})
    assert chip.check().text == "chip.i is an output, and was an input"


def test_length(chip):
    chip.cycles = 14
    assert chip.check().text == "before has 12 cycles, now 14; the shorter one was compared"


def test_failing_run_is_compared_up_to_its_end(chip):
    chip.signals = SIGNALS | {"chip.first.o": [5, 6, 9]}
    chip.cycles, chip.failure = 5, "chip: o differ in cycle 2 (cfg=Config(), seed=1)\n  more"
    lines = chip.check().text.splitlines()
    assert lines[0] == "the run failed: chip: o differ in cycle 2"
    assert lines[1].startswith("first difference: chip_stage.o (chip.first.o) in cycle 2: ")
    chip.signals = SIGNALS
    assert not chip.check().equal


def test_failing_run_without_a_waveform(chip):
    def trace(path):
        raise BenchFailure("no simulator")

    chip.run = Run("a chip", lambda: DESIGN, trace)
    with pytest.raises(BenchFailure, match="^no simulator$"):
        chip.check()


@pytest.fixture
def command(chip, monkeypatch):
    """python -m sim.regress with the fake accelerator alone."""
    monkeypatch.setattr(sim.regress, "registered", lambda: {"chip": {"only": chip.run}})
    monkeypatch.setattr(regress.check, "__kwdefaults__", {"folder": chip.folder / "signatures", "out": chip.folder})
    monkeypatch.setattr(regress.accept, "__kwdefaults__", {"folder": chip.folder / "signatures"})
    monkeypatch.setattr(regress.stale, "__kwdefaults__", {"folder": chip.folder / "signatures"})
    return lambda *argv: run_main(sim.regress.main, list(argv))


def test_command(chip, command, capsys):
    assert command() == 0
    assert capsys.readouterr().out.startswith("chip/only: equal, 5 ports in 12 cycles, ")
    chip.signals = SIGNALS | {"chip.first.o": [5]}
    assert command("chip", "--run", "only") == 1
    out = capsys.readouterr().out
    assert "chip/only: DIFFERS" in out and "\n  first difference: chip_stage.o" in out
    assert "1 differ; if that is meant: python -m sim.regress chip --accept" in out
    assert command("--accept") == 0
    assert "chip/only: accepted" in capsys.readouterr().out
    assert command("--accept") == 0
    assert "chip/only: unchanged" in capsys.readouterr().out


def test_signature_of_no_run(chip, command, capsys):
    old = chip.folder / "signatures" / "chip" / "old.txt"
    old.write_text("cycles 1\n")
    assert command() == 1
    assert "chip: no run belongs to old.txt\n" in capsys.readouterr().out
    assert command("--accept") == 0 and not old.exists()


@pytest.mark.parametrize(("argv", "message"), [
    (["nope"], "accelerator must be one of chip, not 'nope'"),
    (["--run", "nope"], "run must be one of only, not 'nope'"),
])
def test_wrong_arguments(command, capsys, argv, message):
    assert command(*argv) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_damaged_signature(chip, command, capsys):
    (chip.folder / "signatures" / "chip" / "only.txt").write_text("nothing\n")
    assert command() == 2
    assert "must begin with its number of cycles" in capsys.readouterr().err
