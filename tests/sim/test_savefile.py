"""Views beside a waveform name signals that are in it, with one of many equal blocks in detail."""

import re
import sys

import pytest

from sim.common import runner, savefile, wavefile
from sim.common.build import build
from sim.common.wavefile import WaveError
from tests.sim import dut
from tests.sim.wave_examples import write

NAMES = ["chip.ready", "chip._003_", "chip.ctl__go", "chip.ctl_12.go", "chip.pe_0.i", "chip.pe_0.alu.sum",
         "chip.pe_0.alu.deep.bit", "chip.pe_1.i", "chip.pe_1.alu.sum", "chip.pe_2.i"]


@pytest.fixture
def views(tmp_path):
    wave = write(tmp_path / "run.vcd", {name: [1] for name in NAMES}, widths={"chip.pe_0.alu.deep.bit": 1})
    save_file, commands = savefile.write_beside(wave)
    assert (save_file.name, commands.name) == ("run.gtkw", "run.sucl")
    return save_file.read_text().splitlines(), commands.read_text().splitlines()


def test_save_file_of_gtkwave(views):
    lines = views[0]
    assert lines[0] == '[dumpfile] "run.vcd"'
    signals = [line for line in lines if line.startswith("chip.")]
    assert signals == ["chip.clk", "chip.rst", "chip.ready[7:0]", "chip.ctl_12.go[7:0]", "chip.pe_0.i[7:0]",
                       "chip.pe_0.alu.sum[7:0]", "chip.pe_0.alu.deep.bit", "chip.pe_1.i[7:0]", "chip.pe_2.i[7:0]"]


def test_groups_are_closed_but_for_the_first(views):
    flags, groups = None, []
    for line in views[0]:
        if line.startswith("@"):
            flags = int(line[1:], 16)
        elif line.startswith("-") and flags & 0x800000:     # begins a group
            groups.append((line[1:], bool(flags & 0x400000)))
    assert groups == [("chip", False), ("ctl_12", False), ("pe_0", False), ("alu", True), ("deep", True),
                      ("pe_1", True), ("pe_2", True)]


def test_commands_of_surfer(views):
    lines = views[1]
    assert lines[-1] == "zoom_fit"
    assert [line for line in lines if line.startswith("divider_add")] == [
        "divider_add chip", "divider_add chip.ctl_12", "divider_add chip.pe_0"]
    assert "variable_add chip.pe_0.i" in lines and "variable_add chip.pe_1.i" not in lines


def test_no_waveform(tmp_path):
    (tmp_path / "run.vcd").write_text("cut off")
    with pytest.raises(WaveError, match=r"^waveform must be a VCD or FST file, not "):
        savefile.write_beside(tmp_path / "run.vcd")


@pytest.mark.parametrize(("module", "rest"), [("vcd.gtkw", "pyvcd must be installed to write a save file"),
                                              ("pywellen", "pywellen must be installed to read waveforms")])
def test_without_the_libraries(tmp_path, monkeypatch, capfd, module, rest):
    """A traced run does without views then, and says so."""
    monkeypatch.setitem(sys.modules, module, None)
    trace = write(tmp_path / "run.vcd", {"chip.x": [1]})
    runner._show(tmp_path / "no.log", trace)
    assert capfd.readouterr().err == f"waves: {trace}\nno save file: {rest}: make env-waves\n"
    assert not (tmp_path / "run.gtkw").exists()


def test_every_traced_run_has_views(tmp_path):
    traced = build("slot", {"slot.v": dut.GOOD}, "slot", waves="vcd")
    runner.run(traced, test_module="tests.sim.tb_slot", seed=1, testcase="full_throughput",
               waves_file=tmp_path / "slot.vcd")
    names = set(wavefile.read(tmp_path / "slot.vcd"))
    for suffix, pattern in ((".gtkw", r"^(slot\.\w+)"), (".sucl", r"^variable_add (slot\.\w+)")):
        shown = re.findall(pattern, (tmp_path / f"slot{suffix}").read_text(), re.MULTILINE)
        assert "slot.o__payload" in shown and set(shown) <= names
