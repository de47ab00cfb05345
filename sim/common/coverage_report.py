"""Coverage of an accelerator's fixed runs: collected, written out, and held against committed floors."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.common import coverage, toolchain
from sim.common.build import ROOT
from sim.common.coverage_data import CoverageError, Module, Variant, parse, take
from sim.common.regress import FOLDER, Run

__all__ = ["Goals", "Report", "accept", "collect", "fallen", "load_floors", "missed_bits", "table", "unreached",
           "write"]

#: What is counted, in the order of the report.
KINDS = ("lines", "branches", "toggles")
_ANONYMOUS = re.compile(r"\b_\d+_\b")
_DECLARATION = re.compile(r"^\s*(?:wire|reg) (?:signed )?(?:\[[^\]]*\] )?(\w+)(?: = .*)?;$")


@dataclass(frozen=True)
class Goals:
    """What the runs of an accelerator must reach. ``sim.<accel>.coverage`` has both tables, as PLAN and EXCEPTIONS.

    Attributes
    ----------
    plan : mapping of str to iterable of str
        Named events by unit; unit ``x`` of accelerator ``a`` is module ``a_x``.
    exceptions : mapping of str to mapping of str to str
        Events of the plan that these runs do not reach, by unit, with the reason.
    """

    plan: coverage.Plan
    exceptions: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Report:
    """What the runs reached.

    Attributes
    ----------
    accelerator : str
    runs : tuple of str
    modules : dict of str to Module
        Code coverage, in the order of the names.
    goals : Goals
    seen : dict of str to set of str
        Events by unit.
    """

    accelerator: str
    runs: tuple[str, ...]
    modules: dict[str, Module]
    goals: Goals
    seen: dict[str, set[str]]

    def problems(self) -> list[str]:
        """What is wrong with the events, one line each."""
        return coverage.findings(self.goals.plan, self.goals.exceptions, self.seen)

    def percent(self) -> dict[str, dict[str, float]]:
        """Percent of each kind by module, rounded down to a tenth; kinds with nothing to count are left out."""
        return {name: {kind: math.floor(1000 * hit / total) / 10
                       for kind, (hit, total) in module.figures().items() if total}
                for name, module in self.modules.items()}


def collect(accelerator: str, runs: Mapping[str, Run], goals: Goals, out: Path, announce=lambda name: None) -> Report:
    """Simulate all runs with code coverage; their files of counts stay in ``out``.

    Raises
    ------
    BenchFailure
        If a run fails.
    CoverageError
        If a run leaves no counts, or damaged ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    modules, seen = {}, []
    for name, run in runs.items():
        announce(name)
        if run.cover is None:
            raise CoverageError(f"run {accelerator}/{name} must say how it is covered: Run.cover is missing")
        file = out / f"{name}.dat"
        file.unlink(missing_ok=True)
        seen.append(run.cover(file))
        if not file.exists():
            raise CoverageError(f"run {accelerator}/{name} must leave {file.name}: was it built with coverage?")
        take(modules, parse(file.read_text()), run.design().files)
    return Report(accelerator, tuple(runs), dict(sorted(modules.items())), goals, coverage.merge(seen))


def unreached(variant: Variant) -> list[tuple[int, str, str]]:
    """Lines that never ran, and branches without a line of their own that were never taken.

    Returns
    -------
    list of (int, str, str)
        Line number, what never happened (``"reached"``, or the branch such as ``"else"``), text of the line with
        anonymous signals resolved.
    """
    silent = {line for line, count in variant.lines.items() if not count}
    items = {(line, "reached") for line in silent}
    items |= {(point.line, point.what) for point, count in variant.branches
              if not count and not set(point.lines) & silent and point.line not in silent}
    text = variant.text.splitlines()
    drivers = dict(re.findall(r"^  assign (_\d+_) = (.*);$", variant.text, re.MULTILINE))
    return [(line, what, _resolved(text[line - 1].strip(), drivers)) for line, what in sorted(items)]


def _resolved(text: str, drivers: Mapping[str, str], depth: int = 5) -> str:
    """The text with anonymous signals replaced by what drives them, while it stays readable."""
    def driver(found):
        expression = drivers.get(found[0], found[0])
        return found[0] if expression == found[0] else f"({expression})"

    if "if (" not in text and "case" not in text:
        return text
    for _ in range(depth):
        longer = _ANONYMOUS.sub(driver, text)
        if longer == text or len(longer) > 120:
            break
        text = longer
    return text


def missed_bits(module: Module) -> dict[str, str]:
    """Signals with bits that did not go both ways: name to the bits, such as ``"[15:4] [0]"``; "" for a single bit."""
    missed: dict[str, set[str]] = {}
    for what, count in module.toggles.items():
        name, index = re.fullmatch(r"(\w+)(.*):[01]->[01]", what).groups()
        if not count:
            missed.setdefault(name, set()).add(index)
    return {name: _ranges(indices) for name, indices in sorted(missed.items())}


def _ranges(indices: Iterable[str]) -> str:
    numbers, parts = sorted({int(index[1:-1]) for index in indices if index}, reverse=True), []
    for number in numbers:
        if parts and parts[-1][1] == number + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(f"[{high}]" if high == low else f"[{high}:{low}]" for high, low in parts)


def write(report: Report, out: Path) -> Path:
    """Write ``coverage.json`` and every module's Verilog with counts; the JSON file."""
    for old in out.glob("*.v"):
        old.unlink()
    for name, module in report.modules.items():
        for number, variant in enumerate(module.variants.values(), 1):
            (out / f"{name}{f'-{number}' if number > 1 else ''}.v").write_text(_annotated(module, variant))
    percent = report.percent()
    content = {
        "accelerator": report.accelerator, "simulator": toolchain.versions()["verilator"], "runs": report.runs,
        "modules": {name: {
            **{kind: {"reached": hit, "total": total, "percent": percent[name].get(kind)}
               for kind, (hit, total) in module.figures().items()},
            "never": [{"text_number": number, "line": line, "never": what, "text": text}
                      for number, variant in enumerate(module.variants.values(), 1)
                      for line, what, text in unreached(variant)],
            "bits_never": missed_bits(module)} for name, module in report.modules.items()},
        "events": {unit: {"reached": sorted(report.seen.get(unit, ())),
                          "missing": sorted(set(planned) - set(report.seen.get(unit, ()))),
                          "exceptions": dict(report.goals.exceptions.get(unit, {}))}
                   for unit, planned in report.goals.plan.items()}}
    file = out / "coverage.json"
    file.write_text(json.dumps(content, indent=1) + "\n")
    return file


def _annotated(module: Module, variant: Variant) -> str:
    """The Verilog with the count of every line before it, and behind it what never happened."""
    counts, bits, notes = variant.lines, missed_bits(module), {}
    for line, what, _ in unreached(variant):
        if what != "reached":
            notes.setdefault(line, []).append(what)
    lines = []
    for number, text in enumerate(variant.text.splitlines(), 1):
        count = counts.get(number)
        mark = "" if count is None else str(count) if count else "#####"
        if number in notes:
            text += f"  // never: {', '.join(notes[number])}"
        declared = _DECLARATION.match(text)
        if declared and declared[1] in bits:
            text += f"  // never both ways: {bits[declared[1]] or 'the bit'}"
        lines.append(f"{mark:>9}: {text}")
    return "\n".join(lines) + "\n"


def table(report: Report) -> str:
    """The figures by module, with the events of the unit, for a screen."""
    width = max(map(len, (*report.modules, "module")))
    lines = [f"{'module':{width}}  {'lines':>16}  {'branches':>16}  {'toggles':>18}  {'events':>7}"]
    totals = dict.fromkeys(KINDS, (0, 0))
    met = asked = 0
    for name, module in report.modules.items():
        figures = module.figures()
        totals = {kind: tuple(map(sum, zip(totals[kind], figures[kind], strict=True))) for kind in KINDS}
        unit = name.removeprefix(f"{report.accelerator}_")
        planned = set(report.goals.plan.get(unit, ()))
        reached = planned & set(report.seen.get(unit, ()))
        met, asked = met + len(reached), asked + len(planned)
        lines.append(_row(name, width, figures, f"{len(reached)}/{len(planned)}" if planned else "-"))
    return "\n".join([*lines, _row("total", width, totals, f"{met}/{asked}")])


def _row(name: str, width: int, figures: Mapping[str, tuple[int, int]], events: str) -> str:
    cells = [f"{name:{width}}"]
    for kind, room in zip(KINDS, (16, 16, 18), strict=True):
        hit, total = figures[kind]
        text = f"{hit}/{total}  {math.floor(1000 * hit / total) / 10:5.1f}%" if total else "-"
        cells.append(f"{text:>{room}}")
    return "  ".join([*cells, f"{events:>7}"])


def _floor_file(accelerator: str, folder: Path) -> Path:
    return folder / accelerator / "coverage.json"


def load_floors(accelerator: str, folder: Path = FOLDER) -> dict:
    """The committed floors: ``simulator`` and ``floors``, percent by module and kind; empty if there are none.

    Raises
    ------
    CoverageError
        If the file is damaged.
    """
    file = _floor_file(accelerator, folder)
    if not file.exists():
        return {"simulator": None, "floors": {}}
    try:
        content = json.loads(file.read_text())
        return {"simulator": content["simulator"],
                "floors": {name: {kind: float(value) for kind, value in kinds.items()}
                           for name, kinds in content["floors"].items()}}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        raise CoverageError(f"{shown} must hold simulator and floors, and is damaged: {error!r}") from error


def fallen(report: Report, floors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Where coverage is below its floor, one line each; also modules that are new or gone."""
    now, lines = report.percent(), []
    for name in sorted({*now, *floors}):
        if name not in floors:
            lines.append(f"{name}: no floor yet")
        elif name not in now:
            lines.append(f"{name}: has a floor, and is no longer part of the design")
        else:
            lines += [f"{name}: {kind} {floors[name].get(kind, 0):.1f} % before, now {now[name].get(kind, 0):.1f} %"
                      for kind in KINDS if now[name].get(kind, 0) < floors[name].get(kind, 0)]
    return lines


def accept(report: Report, folder: Path = FOLDER) -> bool:
    """Make the figures of now the floors; whether the file changed."""
    file = _floor_file(report.accelerator, folder)
    content = {"simulator": toolchain.versions()["verilator"], "floors": report.percent()}
    rows = [f'  "{name}": {json.dumps(kinds)}' for name, kinds in content["floors"].items()]
    text = f'{{"simulator": {json.dumps(content["simulator"])},\n "floors": {{\n' + ",\n".join(rows) + "\n}}\n"
    if file.exists() and file.read_text() == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return True
