"""The report of a synthesis as text for people."""

from collections import defaultdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synth.common.asic import Asic
from synth.common.ecp5 import Ecp5
from synth.common.generic import Generic

__all__ = ["print_report"]

COLUMNS = {"generic": Generic.COLUMNS, "ecp5": Ecp5.COLUMNS, "asic": Asic.COLUMNS}
#: Width of the text when it does not go to a terminal.
WIDTH = 120


def print_report(report: dict, console: Console | None = None):
    """Print the figures of all units, SRAMs, the critical path, and what the ports depend on."""
    if console is None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
    versions = ", ".join(f"{name} {version}" for name, version in report["tools"].items())
    console.print(f"[bold]{report['unit']}[/], preset {report['preset']}, target [bold]{report['target']}[/]; "
                  f"{versions}", soft_wrap=True)
    for line in report["description"]:
        console.print(escape(line), soft_wrap=True)
    units = {**report.get("units", {}), report["unit"].replace(".", "_"): report}
    console.print(_figures(report["target"], units))
    _paper(console, report["target"], units)
    if report["srams"]:
        console.print(_srams(report["srams"]))
    for name, figures in units.items():
        if isinstance(figures.get("fits"), str):
            console.print(f"{name} {escape(figures['fits'])}", soft_wrap=True)
        if "timed" in figures:
            console.print(f"{name} is timed without the middle ones: {figures['timed']}", soft_wrap=True)
    if "timing" in report:
        console.print(f"Clock rate: {escape(report['timing'])}", soft_wrap=True)
    console.print(f"Critical path of {report['unit']}: {escape(' -> '.join(report['critical_path']) or 'none')}",
                  soft_wrap=True)
    if report["target"] == "generic":
        console.print(_ports(units))


def _figures(target, units):
    table = _table("unit", "x", *(heading for heading, _key in COLUMNS[target]), left=1)
    for name, figures in units.items():
        table.add_row(name, str(figures["instances"]), *(_text(figures.get(key)) for _heading, key in COLUMNS[target]))
    return table


def _paper(console, target, units):
    measured = {name: figures["paper"] for name, figures in units.items() if "paper" in figures}
    if target != "asic" or not measured:
        return
    table = _table("unit", "ours um2", "ours NAND2", "ours ns", "paper um2", "of it logic", "paper ns", "paper's area",
                   left=1)
    for name, paper in measured.items():
        ours = units[name]
        table.add_row(name, _text(ours["area_um2"]), _text(ours["nand2"]), _text(ours["critical_path_ns"]),
                      _text(paper["area_um2"]), _text(paper.get("logic_um2")), _text(paper.get("critical_path_ns")),
                      "with SRAMs" if paper["srams"] else "")
    console.print(f"The paper: {next(iter(measured.values()))['where']}. Other node: compare proportions, not um2.",
                  soft_wrap=True)
    console.print(table)


def _srams(srams):
    table = _table("SRAM", "rows", "bits a row", "count", "bits", left=1)
    for sram in srams:
        table.add_row(sram["module"], *(_text(sram[key]) for key in ("depth", "width", "count", "bits")))
    table.add_row("all", "", "", _text(sum(s["count"] for s in srams)), _text(sum(s["bits"] for s in srams)))
    return table


def _ports(units):
    """Outputs that do not come straight from a register, and inputs that reach outputs in the same cycle."""
    table = _table("unit", "outputs with logic", "LUT4s", "inputs they depend on in the same cycle, LUT4s", left=2)
    table.columns[-1].justify = "left"
    for name, figures in units.items():
        alike = defaultdict(list)
        for output, depth in figures["ports"]["unregistered_outputs"].items():
            sources = [f"{pair['from']} {pair['lut4']}" for pair in figures["ports"]["comb_paths"]
                       if pair["to"] == output]
            alike[depth, ", ".join(sources)].append(output)
        for (depth, sources), outputs in alike.items():
            table.add_row(name, ", ".join(outputs), str(depth), sources)
            name = ""
    return table if table.row_count else "Every output comes straight from a register or an SRAM."


def _table(*headings, left):
    table = Table(box=SIMPLE_HEAD)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < left else "right")
    return table


def _text(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}" if abs(value) < 100 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
