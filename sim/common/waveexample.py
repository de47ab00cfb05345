"""Example waveforms: a small run of an accelerator, hardware against golden model, with a picture for its page."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from golden.common.cli import UsageError
from sim.common import wavecompare, wavefile, wavepicture
from sim.common.build import BUILD, ROOT
from sim.common.waves import format_for

__all__ = ["Example", "run"]


class Example(NamedTuple):
    """A run worth looking at. ``sim.<accel>.waves.EXAMPLE`` is that of an accelerator.

    Attributes
    ----------
    trace : callable of (Path, Path)
        Simulates in lockstep; hardware's waveform into the first file, golden model's into the second.
    picture : callable of (Wave) -> str
        Draws the hardware's waveform as SVG. The same every time.
    """

    trace: Callable[[Path, Path], None]
    picture: Callable[[wavefile.Wave], str]


def run(name: str, example: Example, folder: Path | None = None, picture: Path | None = None) -> int:
    """Write, compare and draw; 1 if hardware and golden model differ.

    Parameters
    ----------
    name : str
        Of the accelerator.
    folder : Path
        For the waveforms and their views; by default build/waves.
    picture : Path
        By default docs/figures/<name>-waves.svg.
    """
    folder, picture = folder or BUILD / "waves", picture or ROOT / "docs" / "figures" / f"{name}-waves.svg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"output must be a folder that can be written, not {str(folder)!r}: "
                         f"{error.strerror}") from error
    rtl_file, golden_file = folder / f"{name}.{format_for()}", folder / f"{name}-golden.vcd"
    example.trace(rtl_file, golden_file)
    rtl, golden = wavefile.read(rtl_file), wavefile.read(golden_file)
    names = golden.matching(["*"])
    if missing := [signal for signal in names if signal not in rtl]:
        raise wavefile.WaveError(f"waveform of the hardware must hold every signal of the golden model's, not lack "
                                 f"{wavecompare.listed(missing)}")
    outcome = wavecompare.compare({signal: rtl[signal] for signal in names},
                                  {signal: golden[signal] for signal in names}, (rtl.cycles, golden.cycles))
    print(f"hardware: {rtl_file}, with {name}.gtkw and {name}.sucl\ngolden model: {golden_file}")
    if outcome.differences or outcome.resized:
        print(wavecompare.show(outcome, rtl, golden, labels=("rtl", "golden")) or f"widths differ: {outcome.resized}")
        return 1
    print(f"{len(names)} signals are equal in {min(outcome.cycles)} cycles")
    wavepicture.write(picture, example.picture(rtl))
    print(f"picture: {picture}")
    return 0
