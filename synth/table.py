"""python -m synth.table ACCEL: the committed figures as a table for the documentation; ``--boxes``: as in the source.

README.md (:func:`short`) and the page of an accelerator hold it between two markers; ``--write`` puts it there, and a
test compares them with ``synth/results``.
"""

import importlib
import json
import re
import sys
from pathlib import Path

from golden.common.cli import Parser, UsageError, run_main
from hdl import ACCELERATORS
from synth.common.flow import paper_of
from synth.diff import RESULTS

__all__ = ["ROOT", "block", "boxes", "main", "markdown", "short"]

#: The checkout.
ROOT = Path(__file__).resolve().parents[1]
#: Units that README.md shows where the source has no table of areas.
_SHORT = {"eie": ("act_queue", "pointer_read", "spmat_read", "arithmetic", "act_rw", "lnzd", "pe")}
_RULE = "|---|---|"


def markdown(accelerator: str, units=None) -> str:
    """Rows for ``units`` (all by default), the whole last; a column for each file in ``synth/results``.

    Raises
    ------
    UsageError
        If nothing is committed for this accelerator.
    """
    reports = _reports(accelerator)
    paper = paper_of(accelerator).get("units", {})
    columns = [_column(report) for report in reports.values()]
    found = list(next(iter(reports.values()))["units"])
    whole = found.pop()
    head = ["unit", "instances", *(column[0] for column in columns), "the paper: um2, ns"]
    lines = [f"| {' | '.join(head)} |", _RULE + "---|" * (len(head) - 2)]
    for name in [*(found if units is None else (f"{accelerator}_{unit}" for unit in units)), whole]:
        cells = [f"`{name}`", str(next(iter(reports.values()))["units"][name].get("instances", 1))]
        cells += [text(report["units"][name]) for (_, text), report in zip(columns, reports.values(), strict=True)]
        stem = "top" if name == accelerator else name.removeprefix(f"{accelerator}_")
        lines.append(f"| {' | '.join([*cells, _paper(paper.get(stem, {}))])} |")
    return "\n".join(lines) + "\n"


def boxes(accelerator: str) -> str:
    """The rows of the source's own table of areas: mm2 of all instances and their share of the whole, without SRAMs.

    A column for each cell library, one for NAND2 equivalents, one for what the source says: its whole is ``whole`` of
    ``PAPER`` [um2], or that of the top. ``rest`` is the whole less the rows above it.

    Raises
    ------
    UsageError
        If nothing is committed for this accelerator, or its ``PAPER`` has no ``boxes``.
    """
    reports = [report for report in _reports(accelerator).values() if report["target"] != "ecp5"]
    paper = paper_of(accelerator)
    if "boxes" not in paper:
        raise UsageError(f"accelerator must have boxes in its PAPER, not {accelerator!r}")
    columns, top = [_boxes(accelerator, report, paper["boxes"]) for report in reports], paper["units"]["top"]
    columns.append(("the source: mm2", {
        name: area * max(reports[0]["units"][f"{accelerator}_{unit}"]["instances"] for unit in units) / 1e6
        for name, (units, area) in paper["boxes"].items()}, paper.get("whole", top["area_um2"]) / 1e6,
        f"{top['critical_path_ns']:.2f}" if "critical_path_ns" in top else ""))
    lines = [f"| {' | '.join(['', *(column[0] for column in columns)])} |", "|---" * (len(columns) + 1) + "|"]
    for name in paper["boxes"]:
        lines.append(_shares(name, [(figures[name], whole) for _, figures, whole, _ in columns]))
    lines.append(_shares("rest", [(whole - sum(figures.values()), whole) for _, figures, whole, _ in columns]))
    lines.append(_shares("whole", [(whole, whole) for _, _, whole, _ in columns]))
    lines.append(f"| longest path, ns | {' | '.join(column[3] for column in columns)} |")
    return "\n".join(lines) + "\n"


def short(accelerator: str) -> str:
    """What README.md shows: :func:`boxes`, or some units."""
    return markdown(accelerator, _SHORT[accelerator]) if accelerator in _SHORT else boxes(accelerator)


def block(path: Path, name: str) -> re.Match:
    """What stands between the markers ``name`` of a file: ``<!-- name -->``, ``<!-- /name -->``.

    Raises
    ------
    UsageError
        If they are not there.
    """
    found = re.search(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", path.read_text(), re.DOTALL)
    if found is None:
        raise UsageError(f"{path.name} must have markers {name}, and has none")
    return found


def _write(accelerator):
    for path, name, text in ((ROOT / f"docs/{accelerator}.md", "synth", markdown(accelerator)),
                             (ROOT / "README.md", f"synth-{accelerator}", short(accelerator))):
        found = block(path, name)
        path.write_text(found.string[:found.start()] + text + found.string[found.end():])


def _boxes(accelerator, report, rows):
    """Heading, figure of each box, figure of the whole, longest path."""
    library = report["conditions"].get("library")
    key, scale, head = ("area_um2", 1e6, f"`{library}`: mm2") if library else ("nand2", 1e6, "million NAND2")
    whole = report["units"][accelerator]
    found = {name: sum(unit[key] * unit["instances"] for unit in (report["units"][f"{accelerator}_{u}"] for u in units))
             for name, (units, _area) in rows.items()}
    path = _ns(whole) if library else f"{whole['depth_gates']} gates"
    return head, {name: value / scale for name, value in found.items()}, whole[key] / scale, path


def _shares(name, figures):
    return f"| {name} | {' | '.join(f'{value:.3f}, {100 * value / whole:.1f} %' for value, whole in figures)} |"


def _reports(accelerator):
    reports = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{accelerator}-*.json"))}
    if not reports:
        raise UsageError(f"accelerator must have figures in synth/results, not {accelerator!r}")
    return reports


def _column(report):
    conditions = report["conditions"]
    return {
        "generic": ("NAND2, LUT4 levels", lambda u: f"{u['nand2']:,.0f}, {u['depth_lut4']}"),
        "ecp5": ("ECP5: LUT, FF, BRAM, DSP; MHz", _fpga),
        "asic": (f"`{conditions.get('library', '')}`: um2, ns", lambda u: f"{u['area_um2']:,.0f}, {_ns(u)}"),
    }[report["target"]]


def _fpga(unit):
    resources = ", ".join(f"{unit[key]:,}" for key in ("luts", "ffs", "brams", "dsps"))
    fits, rate = unit.get("fits", True), unit["fmax_mhz"]
    why = "" if fits is True else " (does not fit)" if fits.startswith("does not fit") else " (not placed)"
    return f"{resources};{'' if rate is None else f' {rate:.0f}'}{why}"


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
    parser.add_argument("--boxes", action="store_true", help="rows and shares as in the source's table of areas")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md and the page instead")
    args = parser.parse_args(argv)
    if args.accelerator not in ACCELERATORS:
        raise UsageError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {args.accelerator!r}")
    units = importlib.import_module(f"hdl.{args.accelerator}").UNITS
    for unit in args.units or ():
        if unit not in units:
            raise UsageError(f"unit of {args.accelerator} must be one of {', '.join(sorted(units))}, not {unit!r}")
    if args.write:
        _write(args.accelerator)
        return 0
    print(boxes(args.accelerator) if args.boxes else markdown(args.accelerator, args.units), end="")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
