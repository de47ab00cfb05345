"""Waveform regression: runs whose ports must do what they did before, cycle by cycle."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hdl.common.emit import Design
from sim.common import signature, wavecompare, wavepicture
from sim.common.build import BUILD, ROOT
from sim.common.hierarchy import Unit, units
from sim.common.runner import BenchFailure
from sim.common.signature import Signature
from sim.common.wavefile import WaveError, read
from sim.common.waves import format_for

__all__ = ["FOLDER", "Outcome", "Run", "accept", "check", "stale"]

#: Committed signatures, ``<accelerator>/<run>.txt``.
FOLDER = ROOT / "tests" / "regress"


class Run(NamedTuple):
    """A run of an accelerator. ``sim.<accel>.regress.RUNS`` holds them by name.

    Attributes
    ----------
    what : str
        One line for people.
    design : callable of () -> Design
        The emitted hardware: it says what units and ports there are.
    trace : callable of (Path)
        Simulates with a waveform into that file. The same every time.
    cover : callable of (Path) -> dict of str to set of str
        Simulates the same with code coverage into that file; the events of the golden model, by unit.
    """

    what: str
    design: Callable[[], Design]
    trace: Callable[[Path], None]
    cover: Callable[[Path], dict[str, set[str]]] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes
    ----------
    run : str
        ``<accelerator>/<run>``.
    signature : Signature
        Of the run as it is now.
    equal : bool
    text : str
        The findings for people; empty when equal.
    """

    run: str
    signature: Signature
    equal: bool
    text: str


def check(accelerator: str, name: str, run: Run, *, folder: Path = FOLDER, out: Path | None = None) -> Outcome:
    """Trace a run and compare it with its committed signature.

    The waveform stays below ``out`` (by default build/regress), and a picture of the first difference beside it. Also
    a run in which the golden model or an assertion of the hardware complains is compared, up to its end.

    Raises
    ------
    BenchFailure
        If the run failed without leaving a waveform.
    """
    out = (out or BUILD / "regress") / accelerator
    out.mkdir(parents=True, exist_ok=True)
    picture = out / f"{name}.svg"
    picture.unlink(missing_ok=True)
    waveform = out / f"{name}.{format_for()}"
    failure = _trace(run, waveform)
    places = units(run.design())
    try:
        now = signature.take(read(waveform), places)
    except WaveError as error:
        raise BenchFailure(failure or str(error)) from error
    label, file = f"{accelerator}/{name}", folder / accelerator / f"{name}.txt"
    problems = [] if failure is None else [f"the run failed: {failure}"]
    if not file.exists():
        problems.append(f"no signature yet: {_relative(file)}")
        return Outcome(label, now, False, "\n".join(problems))
    before = signature.load(file)
    problems += _differences(before, now, places, picture)
    return Outcome(label, now, not problems, "\n".join(problems))


def _trace(run: Run, waveform: Path) -> str | None:
    """Simulate; the first line of the failure, if it failed."""
    waveform.unlink(missing_ok=True)
    try:
        run.trace(waveform)
    except BenchFailure as failure:
        if not waveform.exists():
            raise
        return re.sub(r" \(cfg=.*", "", str(failure).splitlines()[0])
    return None


def _differences(before: Signature, now: Signature, places: Mapping[str, Unit], picture: Path) -> list[str]:
    """What changed, in words."""
    old, new = before.tracks, now.tracks
    outcome = wavecompare.compare(old, new, (before.cycles, now.cycles))
    spoiled = _spoiled(outcome, now)
    # Of the earliest: first the outputs of units whose inputs are still right, inner units first.
    outcome.differences.sort(key=lambda d: (d.first, not _is_origin(d, spoiled, now),
                                            -places[d.name.rpartition(".")[0]].depth, d.name))
    lines = []
    if outcome.only_a:
        lines.append(f"{len(outcome.only_a)} signals are gone or renamed: {wavecompare.listed(outcome.only_a)}")
    if outcome.only_b:
        lines.append(f"{len(outcome.only_b)} signals are new: {wavecompare.listed(outcome.only_b)}")
    for name, (was, is_now) in outcome.resized.items():
        lines.append(f"{name} has {is_now} bits, and had {was}")
    turned = [name for name in outcome.compared if before.ports[name].direction != now.ports[name].direction]
    lines += [f"{name} is an {now.ports[name].direction}, and was an {before.ports[name].direction}" for name in turned]
    paths = {name: f"{places[unit].path}.{port}" for name in outcome.compared
             for unit, _, port in [name.rpartition(".")] if unit in places}
    if text := wavecompare.show(outcome, old, new, labels=("before", "now"), paths=paths):
        lines.append(text)
    if outcome.first:
        if _is_origin(outcome.first, spoiled, now):
            unit = outcome.first.name.rpartition(".")[0]
            lines.append(f"all that goes into {unit} was as before until then: look there first")
        wavepicture.difference(outcome, old, new, labels=("before", "now"), path=picture)
        lines.append(f"picture: {_relative(picture)}")
    return lines


def _spoiled(outcome: wavecompare.Comparison, now: Signature) -> dict[str, int]:
    """Unit to the first cycle in which one of its inputs differs."""
    cycles = {}
    for difference in outcome.differences:
        if now.ports[difference.name].direction == "input":
            unit = difference.name.rpartition(".")[0]
            cycles[unit] = min(cycles.get(unit, difference.first), difference.first)
    return cycles


def _is_origin(difference, spoiled, now) -> bool:
    """Whether an output differs although nothing that went into its unit did until then."""
    unit = difference.name.rpartition(".")[0]
    return now.ports[difference.name].direction == "output" and spoiled.get(unit, math.inf) > difference.first


def accept(outcome: Outcome, what: str, *, folder: Path = FOLDER) -> bool:
    """Make what the run does now what it must do; whether the file changed."""
    accelerator, _, name = outcome.run.partition("/")
    title = f"{outcome.run}: {what}. Written by python -m sim.regress {accelerator} --accept"
    return signature.save(folder / accelerator / f"{name}.txt", outcome.signature, title)


def stale(accelerator: str, runs: Mapping[str, Run], *, folder: Path = FOLDER) -> list[Path]:
    """Signatures of runs that no longer exist."""
    return [path for path in sorted((folder / accelerator).glob("*.txt")) if path.stem not in runs]


def _relative(path: Path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
