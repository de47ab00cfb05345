"""The report of a run as text for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .report import PHASES, Report

#: Width of the text when it does not go to a terminal.
WIDTH = 110


def print_report(report: Report, console: Console | None = None) -> None:
    """Print what was kept, loaded and computed, the cycles by phase, and the verdict."""
    if console is None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
    cfg, workload = report.cfg, report.workload
    console.print(f"[bold]DOTA[/], preset {report.preset}: {cfg.lanes} lane{'s' if cfg.lanes > 1 else ''} of "
                  f"{cfg.rows} x {cfg.columns} PEs, {cfg.bank_bytes * 10 // 1024} KB each", soft_wrap=True)
    console.print(f"[bold]{escape(workload.name)}[/], seed {report.seed}", soft_wrap=True)
    console.print(workload.description, soft_wrap=True)
    of_heads = (_quality, _loads, _cycles, _detection)
    tables = of_heads if report.heads else (_stages,) if report.stages else (_mask_loads,)
    for table in tables:
        console.print(table(report))
    console.print(_verdict(report), soft_wrap=True)


def _table(first, headings):
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _quality(report):
    table = _table("head", ("queries x keys, d", "kept", "recall of the true top", "mass of softmax", "output error",
                            "error of the true top"))
    for n, h in enumerate(report.heads):
        table.add_row(str(n), f"{h.queries} x {h.keys}, {h.dim}", f"{h.retention:.1%}", f"{h.recall:.1%}",
                      f"{h.mass:.1%}", f"{h.error:.4f}", f"{h.best_error:.4f}")
    return table


def _loads(report):
    table = _table("key loads", ("row by row", "in order", "scheduled", "distinct", "rounds"))
    for n, h in enumerate(report.heads):
        table.add_row(f"head {n}", *map(str, h.loads), str(h.rounds))
    return table


def _mask_loads(report):
    table = _table("key loads", ("row by row", "in order", "scheduled", "distinct"))
    for n, loads in enumerate(report.mask_loads):
        table.add_row(f"group {n}", *map(str, loads))
    return table


def _cycles(report):
    table = _table("cycles", ("lane", *PHASES, "dense at most fast", "dense / attend", "useful"))
    for n, h in enumerate(report.heads):
        attend = h.cycles["attend"]
        table.add_row(f"head {n}", str(h.lane), *(str(h.cycles.get(phase, 0)) for phase in PHASES), str(h.floor_dense),
                      f"{h.floor_dense / attend:.2f}", f"{h.utilization:.1%}")
    return table


def _detection(report):
    table = _table("cycles a group", ("estimate and detect", "exact", "detect / exact", "array waits for masks"))
    for n, h in enumerate(report.heads):
        d = h.detection
        table.add_row(f"head {n}", f"{d.detect / d.groups:.1f}", f"{d.exact / d.groups:.1f}", f"{d.ratio:.2f}",
                      f"{d.waits / d.total:.1%}")
    return table


def _stages(report):
    table = _table("stage", ("lanes", "cycles", "multiplications", "at most fast", "useful"))
    for s in report.stages:
        floor = str(-(-s.macs // (s.lanes * report.cfg.pes))) if s.macs else "low precision"
        table.add_row(s.phase, str(s.lanes), str(s.cycles), str(s.macs or "-"), floor,
                      f"{s.utilization:.1%}" if s.macs else "-")
    return table


def _verdict(report):
    rtl = report.rtl
    errors = f"{report.functional_errors} differences from the equations"
    if rtl is None:
        return f"{report.cycles} cycles in the model; {errors}"
    rate = rtl.checked_cycles / max(rtl.wall_seconds, 1e-9)
    return (f"{report.cycles} cycles, {rtl.checked_cycles} compared with the hardware, {rtl.mismatches} mismatches, "
            f"{rate:.0f} compared cycles/s; {errors}")
