"""The report of a run as text for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .activity import STAGES
from .formats import PHASES
from .metrics import CLOCK_HZ
from .report import Report

#: Width of the text when it does not go to a terminal.
WIDTH = 110
#: Batches whose cycles are printed.
SHOWN = 12


def print_report(report: Report, console: Console | None = None) -> None:
    """Print what was found, read and computed, how each rank spent its cycles, and the verdict."""
    if console is None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
    plan = report.plan
    cfg, w, layout = plan.cfg, plan.workload, plan.layout
    console.print(f"[bold]ENMC[/], preset {report.preset}: {cfg.ranks} rank{'s' * (cfg.ranks > 1)} of {cfg.dq} data "
                  f"pins, {peak(cfg) / 1e9:.1f} GB/s each", soft_wrap=True)
    console.print(f"[bold]{escape(w.name)}[/], seed {report.seed}: {w.classes:,} classes, d {w.elements}"
                  f"{'' if plan.full else f', k {w.screener.size}'}, {len(w.h)} inputs in batches of {layout.batch}"
                  f"{', full classification' * plan.full}", soft_wrap=True)
    console.print(w.description, soft_wrap=True)
    console.print(_found(report))
    console.print(_stages(report))
    console.print(_pins(report))
    console.print(_batches(report), soft_wrap=True)
    console.print(_verdict(report), soft_wrap=True)


def peak(cfg) -> float:
    """Bytes a second of the data pins of a rank."""
    return PHASES * CLOCK_HZ * 2 * cfg.dq / 8


def _table(first, headings):
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _found(report):
    q, t = report.quality, report.traffic
    table = _table("against all classes in full", ("candidates", "fewest", "most", "top-1", "top-5", "MB read",
                                                   "MB in full", "share"))
    full = t.full + t.features
    table.add_row("of an input, of all", f"{q.candidates:.1f}", str(q.fewest), str(q.most), f"{q.top1:.1%}",
                  f"{q.top5:.1%}", f"{report.bytes_read / 1e6:.3f}", f"{full / 1e6:.3f}",
                  f"{report.bytes_read / full:.1%}")
    return table


def _stages(report):
    table = _table("cycles", (*STAGES[:-1], "INT4 MACs work", "FP32 MACs work", "candidates", "refreshes"))
    for k, rank in enumerate(report.ranks):
        table.add_row(f"rank {k}", *(f"{rank.stages[stage]['cycles']:,}" for stage in STAGES[:-1]),
                      f"{rank.whole.int4:.1%}", f"{rank.whole.fp32:.1%}", f"{rank.counters['found']:,}",
                      f"{rank.counters['refreshes']:,}")
    return table


def _pins(report):
    table = _table("data pins", ("screening", "less refresh", "executing", "less refresh", "FP32 MACs", "whole",
                                 "less refresh", "GB/s"))
    for k, rank in enumerate(report.ranks):
        cells = []
        for part in (rank.screening, rank.executing):
            cells += [_share(part, part.pins), _share(part, part.possible)]
        cells += [_share(rank.executing, rank.executing.fp32), f"{rank.whole.pins:.1%}", f"{rank.whole.possible:.1%}",
                  f"{rank.whole.pins * peak(report.plan.cfg) / 1e9:.2f}"]
        table.add_row(f"rank {k}", *cells)
    return table


def _share(part, value):
    return f"{value:.1%}" if part.cycles else "-"


def _batches(report):
    shown = ", ".join(f"{cycles:,}" for cycles in report.batches[:SHOWN])
    return f"cycles of each batch: {shown}{', ...' * (len(report.batches) > SHOWN)}"


def _verdict(report):
    rtl, e = report.rtl, report.errors
    parts = ", ".join(f"{value} {name}" for name, value in e._asdict().items() if value)
    errors = f"{e.total} differences from the equations{f' ({parts})' * bool(parts)}"
    if rtl is None:
        rate = report.cycles / max(report.wall_seconds, 1e-9)
        return f"{report.cycles:,} cycles in the model, {rate:,.0f} cycles/s; {errors}"
    rate = rtl.checked_cycles / max(rtl.wall_seconds, 1e-9)
    return (f"{report.cycles:,} cycles, {rtl.checked_cycles:,} compared with the hardware, {rtl.mismatches} "
            f"mismatches, {rtl.violations} violations of DDR4, {rate:,.0f} compared cycles/s; {errors}")
