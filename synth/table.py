"""python -m synth.table ACCEL: the committed figures as a table for the documentation.

README.md and the page of an accelerator hold it between two markers; a test compares them with ``synth/results``.
"""

import importlib
import json
import sys

from golden.common.cli import Parser, UsageError, run_main
from hdl import ACCELERATORS
from synth.common.flow import paper_of
from synth.diff import RESULTS

__all__ = ["main", "markdown"]

_RULE = "|---|---|"


def markdown(accelerator: str, units=None) -> str:
    """Rows for ``units`` (all by default), the whole last; a column for each file in ``synth/results``.

    Raises
    ------
    UsageError
        If nothing is committed for this accelerator.
    """
    reports = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{accelerator}-*.json"))}
    if not reports:
        raise UsageError(f"accelerator must have figures in synth/results, not {accelerator!r}")
    paper = paper_of(accelerator).get("units", {})
    columns = [_column(report) for report in reports.values()]
    found = list(next(iter(reports.values()))["units"])
    whole = found.pop()
    head = ["unit", "instances", *(column[0] for column in columns), "the paper: um2, ns"]
    lines = [f"| {' | '.join(head)} |", _RULE + "---|" * (len(head) - 2)]
    for name in [*(found if units is None else (f"{accelerator}_{unit}" for unit in units)), whole]:
        cells = [f"`{name}`", str(next(iter(reports.values()))["units"][name].get("instances", 1))]
        cells += [text(report["units"][name]) for (_, text), report in zip(columns, reports.values(), strict=True)]
        lines.append(f"| {' | '.join([*cells, _paper(paper.get(name.removeprefix(f'{accelerator}_'), {}))])} |")
    return "\n".join(lines) + "\n"


def _column(report):
    conditions = report["conditions"]
    return {
        "generic": ("NAND2, LUT4 levels", lambda u: f"{u['nand2']:,.0f}, {u['depth_lut4']}"),
        "ecp5": ("ECP5: LUT, FF, BRAM, DSP; MHz", _fpga),
        "asic": (f"`{conditions.get('library', '')}`: um2, ns", lambda u: f"{u['area_um2']:,.0f}, {_ns(u)}"),
    }[report["target"]]


def _fpga(unit):
    resources = ", ".join(f"{unit[key]:,}" for key in ("luts", "ffs", "brams", "dsps"))
    return f"{resources}; {unit['fmax_mhz']:.0f}{'' if unit.get('fits', True) is True else ' (does not fit)'}"


def _ns(unit):
    return "" if unit["critical_path_ns"] is None else f"{unit['critical_path_ns']:.2f}"


def _paper(figures):
    """Area of the logic where the paper tells it, and the critical path."""
    area, delay = figures.get("logic_um2", figures.get("area_um2")), figures.get("critical_path_ns")
    with_srams = " with SRAMs" if figures.get("srams") and "logic_um2" not in figures else ""
    return ", ".join([*([f"{area:,}{with_srams}"] if area else []), *([f"{delay}"] if delay else [])])


def main(argv) -> int:
    """Print the table."""
    parser = Parser(prog="python -m synth.table", description="The committed figures as a Markdown table.")
    parser.add_argument("accelerator", help=", ".join(ACCELERATORS))
    parser.add_argument("--units", nargs="+", metavar="UNIT", help="rows (default: all)")
    args = parser.parse_args(argv)
    if args.accelerator not in ACCELERATORS:
        raise UsageError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {args.accelerator!r}")
    units = importlib.import_module(f"hdl.{args.accelerator}").UNITS
    for unit in args.units or ():
        if unit not in units:
            raise UsageError(f"unit of {args.accelerator} must be one of {', '.join(sorted(units))}, not {unit!r}")
    print(markdown(args.accelerator, args.units), end="")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
