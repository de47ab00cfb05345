"""python -m synth.diff: what has moved since the committed figures; ``--accept`` commits to the new ones.

The figures lie in ``synth/results``, one file for each accelerator, target and library, at the accelerator's default
preset.
Exit code 1 when something moved and was not accepted.
"""

import importlib
import json
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from golden.common.cli import Parser, UsageError, run_main, write_json
from hdl import ACCELERATORS
from hdl.common.cli import Choice
from synth.__main__ import add_options, options_from
from synth.common import flow, liberty

__all__ = ["RESULTS", "compact", "main", "moved"]

RESULTS = Path(__file__).parent / "results"
#: What of a report is not compared: it is derived from the rest, or too long.
_LEFT_OUT = {"paper", "ports", "cells_by_type", "own_area_um2", "own_nand2", "fmax_seeds_mhz", "slack_ns"}
_HEAD = ("unit", "preset", "target", "config", "tools", "conditions")


def compact(report: dict) -> dict:
    """What of a report is committed: configuration, tools, conditions, and the figures of every unit."""
    units = {**report.get("units", {}), report["unit"].replace(".", "_"): report}
    return {**{key: report[key] for key in _HEAD}, "units": {name: _figures(unit) for name, unit in units.items()}}


def _figures(unit):
    skipped = {*_LEFT_OUT, *_HEAD, "units", "srams", "description", "generator"}
    figures = {key: value for key, value in unit.items() if key not in skipped}
    return {**figures, "critical_path": " -> ".join(figures["critical_path"]),
            "comb_paths": len(unit["ports"]["comb_paths"]),
            "unregistered_outputs": len(unit["ports"]["unregistered_outputs"])}


def moved(before: dict, after: dict) -> list[tuple[str, str, object, object]]:
    """(unit, figure, before, after) of everything that differs between two compact reports."""
    found = [("", f"{part}.{key}", before[part].get(key), after[part].get(key))
             for part in ("config", "tools", "conditions") for key in {**before[part], **after[part]}
             if before[part].get(key) != after[part].get(key)]
    for unit in {**before["units"], **after["units"]}:
        old, new = before["units"].get(unit), after["units"].get(unit)
        if old is None or new is None:
            found.append((unit, "unit", *("not there" if side is None else "there" for side in (old, new))))
            continue
        found += [(unit, key, old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key)]
    return found


def main(argv) -> int:
    """Measure, compare, print."""
    parser = Parser(prog="python -m synth.diff", description="Compare size and speed with the committed figures.")
    measured = [name for name in ACCELERATORS if any(RESULTS.glob(f"{name}-*.json"))]
    parser.add_argument("accelerators", nargs="*", metavar="ACCEL", help=f"default: {' '.join(measured)}")
    parser.add_argument("--target", action="append", choices=flow.TARGETS, help="may be repeated (default: all)")
    parser.add_argument("--accept", action="store_true", help="write the new figures")
    add_options(parser)
    args = parser.parse_args(argv)
    for name in args.accelerators:
        if name not in ACCELERATORS:
            raise UsageError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {name!r}")
    options, differs = options_from(args), False
    for accelerator in args.accelerators or measured:
        for target in args.target or flow.TARGETS:
            if target == "asic" and options.library is None and not liberty.DEFAULT.exists():
                print(f"{accelerator} asic: left out; pass --liberty FILE, or install the Debian package "
                      "qflow-tech-osu018")
                continue
            differs |= _compare(accelerator, target, options, accept=args.accept)
    return int(differs and not args.accept)


def _compare(accelerator, target, options, *, accept):
    config = importlib.import_module(f"golden.{accelerator}.config")
    preset = config.DEFAULT_PRESET
    after = compact(flow.run(Choice(accelerator, "top", preset, config.PRESETS[preset]), target, options))
    after = json.loads(json.dumps(after))  # as it is read back
    library = after["conditions"].get("library", "")
    path = RESULTS / f"{'-'.join(filter(None, (accelerator, target, library)))}.json"
    before = json.loads(path.read_text()) if path.exists() else None
    rows = moved(before, after) if before else []
    _print(f"{accelerator} {target}", rows, before)
    if accept and rows or accept and before is None:
        RESULTS.mkdir(exist_ok=True)
        write_json(path, after)
        print(f"{accelerator} {target}: accepted in synth/results/{path.name}")
    return bool(rows) or before is None


def _print(title, rows, before):
    if before is None:
        print(f"{title}: no committed figures; --accept writes them")
    elif not rows:
        print(f"{title}: nothing moved")
    else:
        table = Table(box=SIMPLE_HEAD, title=f"{title}: {len(rows)} figures moved", title_justify="left")
        for heading in ("unit", "figure", "before", "after", "ratio"):
            table.add_column(heading, justify="left" if heading in ("unit", "figure") else "right")
        for unit, figure, old, new in rows:
            numbers = all(type(value) in (int, float) for value in (old, new))
            table.add_row(unit, figure, str(old), str(new), f"{new / old:.3f}" if numbers and old else "")
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = 140
        console.print(table)


if __name__ == "__main__":
    sys.exit(run_main(main))
