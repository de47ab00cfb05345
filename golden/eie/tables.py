"""The report of a run as text for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .report import Report, classes

#: Where the cycles of a run went: heading by counter. They add up to the cycles.
CAUSES = {"broadcasts": "broadcast", "stall_queue": "queue full", "stall_lnzd": "no activation",
          "stall_drain": "drain", "stall_store": "store", "control": "control"}
#: Width of the text when it does not go to a terminal.
WIDTH = 100
#: With more images than this only those are listed that some arithmetic gets wrong.
MOST_IMAGES = 40


def print_report(report: Report, console: Console | None = None) -> None:
    """Print layers, causes of waiting, classes when there are labels, and the verdict."""
    if console is None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
    cfg, workload, vectors = report.image.cfg, report.workload, len(report.outputs)
    stored, largest = report.image.total, report.image.entries.max()
    of = "" if vectors == len(workload.activations) else f" of {len(workload.activations)}"
    console.print(f"[bold]EIE[/], preset {report.preset}: {cfg.n_pe} PEs, queue depth {cfg.fifo_depth}, "
                  f"run-ahead {'on' if cfg.run_ahead else 'off'}, {cfg.data_bits} bits", soft_wrap=True)
    name = escape(workload.name)
    console.print(f"[bold]{name}[/], {vectors}{of} vectors, seed {report.seed}", soft_wrap=True)
    console.print(workload.description, soft_wrap=True)
    console.print(f"{stored.weights} weights, density {stored.density:.1%}; {stored.entries} entries stored, "
                  f"{_share(stored.padding, stored.entries)} padding, at most {largest} in a PE; "
                  f"{report.image.compression:.1f} times smaller than dense", soft_wrap=True)
    labelled = () if workload.labels is None else _labelled(report)
    for table in (_work(report), _causes(report), *labelled):
        console.print(table)
    console.print(_verdict(report), soft_wrap=True)


def _share(part, whole):
    return f"{part / max(whole, 1):.1%}"


def _table(first, headings):
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _rows(report):
    """Name and figures of every layer, and their sum when there are several."""
    rows = [(f"{k}: {x.n_in} to {x.n_out}", x) for k, x in enumerate(report.layers)]
    return rows if len(rows) == 1 else [*rows, ("all", report.total)]


def _work(report):
    table = _table("layer", ("passes", "cycles", "floor", "x floor", "busy", "entries", "padding", "clipped"))
    for name, x in _rows(report):
        cycles, entries = x.counters["cycles"], x.counters["entries"]
        over = f"{cycles / x.floor:.3f}" if x.floor else "-"
        busy, padding = x.busy(report.image.cfg.n_pe), _share(x.counters["padding"], entries)
        table.add_row(name, *map(str, (x.passes, cycles, x.floor, over, f"{busy:.1%}", entries, padding,
                                       x.saturated)))
    return table


def _causes(report):
    table = _table("cycles spent on", CAUSES.values())
    for name, x in _rows(report):
        table.add_row(name, *(str(x.counters[cause]) for cause in CAUSES))
    return table


def _labelled(report):
    """Tables of the classes and of the accuracies."""
    of_image = classes(report)
    names = list(of_image)
    images = list(zip(*of_image.values(), strict=True))
    shown = [i for i, found in enumerate(images) if len(images) <= MOST_IMAGES or len(set(found)) > 1]
    listed = _table("image" if len(images) <= MOST_IMAGES else "image, if wrong",
                    [name.replace("_", " ") for name in names])
    for i in shown:
        true = images[i][0]
        listed.add_row(str(i), *(str(c) if c == true else f"[red]{c} wrong[/]" for c in images[i]))
    accuracy = _table("accuracy", (f"these {len(images)}", f"all {len(report.workload.activations)}"))
    for name, value in report.accuracy.items():
        everywhere = report.test_accuracy.get(name)
        accuracy.add_row(name.replace("_", " "), f"{value:.2%}",
                         "" if everywhere is None else f"{everywhere:.2%}")
    return listed, accuracy


def _verdict(report):
    rtl, errors = report.rtl, report.functional_errors
    if rtl is None:
        speed = f"{report.cycles / max(report.wall_seconds, 1e-9):.0f} cycles/s in the model"
    else:
        speed = (f"{rtl.checked_cycles} compared with the hardware, {rtl.mismatches} mismatches, "
                 f"{rtl.checked_cycles / max(rtl.wall_seconds, 1e-9):.0f} compared cycles/s")
    bad = errors or (rtl is not None and rtl.mismatches)
    style = "red" if bad else "green"
    return f"[{style}]{report.cycles} cycles, {speed}; {errors} differences from the equations[/]"
