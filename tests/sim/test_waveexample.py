"""The example command: equal, different, and a table of names that the hardware does not have."""

import pytest

from golden.common.cli import run_main
from sim.common import waveexample, wavepicture
from sim.common.waveexample import Example
from sim.common.wavefile import WaveError
from sim.common.wavepicture import Row
from sim.waves import main
from tests.sim.wave_examples import write

SIGNALS = {"chip.x": [1, 2, 3], "chip.y": [0]}


def example(rtl, golden):
    def trace(rtl_file, golden_file):
        write(rtl_file, rtl)
        write(golden_file, golden)

    return Example(trace, lambda wave: wavepicture.draw([Row("x", wave["chip.x"])], 0, 9))


def run(tmp_path, rtl, golden):
    return waveexample.run("chip", example(rtl, golden), tmp_path / "waves", tmp_path / "p.svg")


def test_equal(tmp_path, capsys):
    assert run(tmp_path, SIGNALS, {"chip.x": [1, 2, None]}) == 0
    out = capsys.readouterr().out
    assert "2 signals are equal in 12 cycles\n" in out and out.endswith(f"picture: {tmp_path / 'p.svg'}\n")
    assert (tmp_path / "p.svg").read_text().startswith("<svg")


def test_difference(tmp_path, capsys):
    assert run(tmp_path, SIGNALS, {"chip.x": [1, 2, 4]}) == 1
    assert "first difference: chip.x in cycle 2: rtl 03, golden 04\n" in capsys.readouterr().out
    assert not (tmp_path / "p.svg").exists()


def test_name_that_the_hardware_lacks(tmp_path):
    with pytest.raises(WaveError, match=r"^waveform of the hardware must hold every signal .*, not lack chip\.z$"):
        run(tmp_path, SIGNALS, {"chip.x": [1], "chip.z": [1]})


def test_wrong_arguments(tmp_path, capsys):
    assert run_main(main, ["example", "nope"]) == 2
    assert capsys.readouterr().err.startswith("error: argument accelerator: invalid choice: 'nope'")
    (tmp_path / "file").write_text("")
    assert run_main(main, ["example", "eie", "-o", str(tmp_path / "file" / "folder")]) == 2
    assert capsys.readouterr().err.startswith("error: output must be a folder that can be written, not ")
