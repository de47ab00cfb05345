"""The report of a run as text for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .report import Report

#: Width of the text when it does not go to a terminal.
WIDTH = 120


def print_report(report: Report, console: Console | None = None) -> None:
    """Print what was left out, the cycles by layer, accuracy, and the verdict."""
    if console is None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
    cfg, workload = report.cfg, report.workload
    console.print(f"[bold]DUET[/], preset {report.preset}, mode {report.mode}: {cfg.rows} x {cfg.columns} PEs, "
                  f"{cfg.trees} x {cfg.systolic_columns} systolic array, {cfg.glb_words * cfg.word_bits // 8192} KB",
                  soft_wrap=True)
    console.print(f"[bold]{escape(workload.name)}[/], {report.inputs} inputs, seed {report.seed}", soft_wrap=True)
    console.print(workload.description, soft_wrap=True)
    console.print(_work(report))
    console.print(_cycles(report))
    if report.accuracies:
        console.print(_accuracy(report))
    console.print(_verdict(report), soft_wrap=True)


def _table(first, headings):
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _share(part, whole):
    return f"{part / whole:.1%}" if whole else "-"


def _work(report):
    table = _table("layer", ("outputs", "insensitive", "MACs, dense", "skipped by output", "by input", "issued",
                             "weights, KB"))
    for layer in report.layers:
        c = layer.counts
        table.add_row(layer.name, str(c.outputs), _share(c.insensitive, c.outputs), str(c.dense),
                      _share(c.skipped_output, c.dense), _share(c.skipped_input, c.dense), str(c.macs),
                      f"{layer.weight_bytes / 1024:.1f}")
    return table


def _cycles(report):
    table = _table("cycles", ("Executor", "its floor", "MAC utilisation", "Speculator", "not hidden", "cell"))
    for layer in report.layers:
        table.add_row(layer.name, str(layer.execute), str(layer.counts.floor), f"{layer.utilization:.1%}",
                      str(layer.speculate), str(layer.exposed), str(layer.cell_cycles))
    return table


def _accuracy(report):
    table = _table("accuracy", ("",))
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
