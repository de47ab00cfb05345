"""The report of a run as text for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .report import Report

#: Width of the text when it does not go to a terminal.
WIDTH = 120
#: Of what is printed as text.
TEXT = {"soft_wrap": True}


def new_console() -> Console:
    """Standard output; as wide as ``WIDTH`` if that is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def print_heading(report: Report, mode: str, console: Console) -> None:
    """Print configuration and workload."""
    cfg, workload = report.cfg, report.workload
    console.print(f"[bold]DUET[/], preset {report.preset}, mode {mode}: {cfg.rows} x {cfg.columns} PEs, "
                  f"{cfg.trees} x {cfg.systolic_columns} systolic array, {cfg.glb_words * cfg.word_bits // 8192} KB",
                  **TEXT)
    console.print(f"[bold]{escape(workload.name)}[/], {report.inputs} inputs, seed {report.seed}", **TEXT)
    console.print(workload.description, **TEXT)


def print_report(report: Report, console: Console | None = None) -> None:
    """Print what was left out, the cycles by layer, accuracy, and the verdict."""
    console = console or new_console()
    print_heading(report, report.mode, console)
    console.print(_work(report))
    console.print(_cycles(report))
    if report.accuracies:
        console.print(_accuracy(report))
    console.print(_verdict(report), **TEXT)


def new_table(first: str, headings) -> Table:
    """A table whose first column is text and all others are figures."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def share(part: int, whole: int) -> str:
    """Of nothing there is none."""
    return f"{part / whole:.1%}" if whole else "-"


def _work(report):
    table = new_table("layer", ("outputs", "insensitive", "MACs, dense", "skipped by output", "by input", "issued",
                                "weights, KB"))
    for layer in report.layers:
        c = layer.counts
        table.add_row(layer.name, str(c.outputs), share(c.insensitive, c.outputs), str(c.dense),
                      share(c.skipped_output, c.dense), share(c.skipped_input, c.dense), str(c.macs),
                      f"{layer.weight_bytes / 1024:.1f}")
    return table


def _cycles(report):
    table = new_table("cycles", ("Executor", "its floor", "MAC utilisation", "Speculator", "not hidden", "cell"))
    for layer in report.layers:
        table.add_row(layer.name, str(layer.execute), str(layer.counts.floor), f"{layer.utilization:.1%}",
                      str(layer.speculate), str(layer.exposed), str(layer.cell_cycles))
    return table


def _accuracy(report):
    table = new_table("accuracy", ("",))
    for name, value in report.accuracies.items():
        table.add_row(name, f"{value:.2%}")
    return table


def _verdict(report):
    rtl, text = report.rtl, f"{report.cycles} cycles"
    if report.base_cycles is not None:
        text += f", {report.base_cycles} in mode base: speedup {report.base_cycles / max(report.cycles, 1):.2f}"
    errors = f"{report.functional_errors} differences from the equations"
    if rtl is None:
        return f"{text}, in the model; {errors}"
    rate = rtl.checked_cycles / max(rtl.wall_seconds, 1e-9)
    return (f"{text}; {rtl.checked_cycles} compared with the hardware, {rtl.mismatches} mismatches, "
            f"{rate:.0f} compared cycles/s; {errors}")
