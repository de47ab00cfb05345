"""python -m golden.eie.figures: the design space of [EIE VI.C, VII.B] by the fast timing model.

======  ===================================================  ==================================
Figure  What is drawn                                        Over
======  ===================================================  ==================================
8       load balance efficiency                              queue depth none, 1..256; 64 PEs
11      speedup over one PE                                  1..256 PEs, queue depth 8
12      real work / total work: entries that are no padding  1..256 PEs
        over all entries that are worked on
13      load balance efficiency                              1..256 PEs, queue depth 8
======  ===================================================  ==================================

The layers are synthetic: the shapes and densities of Table III, random numbers from a seed.

Load balance efficiency is ``1 - bubbles / (cycles n_pe)``, where a bubble is a cycle in which a PE has no entry for its
arithmetic unit, from the start of the program to its end. A cycle that goes to a column that is empty in this PE is
such a bubble: only then NT-We comes out as poor as in the paper. ``starved`` counts only cycles without any column.

A PE of ours holds two more columns than its queue: one in the pointer reader, one in the entry reader. So even depth 1
decouples the PEs. Depth ``none`` (0) is an array in lockstep, where every PE waits in every column for the one with
most entries; start-up and end are not counted. The paper's "around half idle at FIFO size 1" describes that.

With other numbers of PEs than 64 the array keeps 4096 activations in its register files together, as the paper's does,
so that every layer is cut into the same passes everywhere. One PE then has 4096 registers, and as large memories as it
needs: with fewer than 16 PEs no ``EieConfig`` describes that. From 16 to 256 PEs it is the preset ``paper`` with
``regfile_words = 4096 / n_pe``, and larger memories where they are needed.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from golden.common.chart import line_chart
from golden.common.cli import Parser, UsageError, run_main, write_json

from . import timing
from .compiler import PassInfo, compress, schedule
from .config import PRESETS
from .spec import Layer
from .workloads import TABLE3, load

PAPER = PRESETS["paper"]
#: 1, 2, 4 .. 256.
N_PE = tuple(1 << k for k in range(9))
#: Depth 0 is the array in lockstep.
DEPTHS = (0, *N_PE)
SYNTHETIC = "synthetic layers: shapes and densities of Table III, random weights and activations"


class Figure(NamedTuple):
    """``over``: field of :class:`Point` on the x axis. ``value``: of a point and the same layer's point with one PE."""

    title: str
    over: str
    value: Callable
    percent: bool

    def pairs(self) -> list[tuple[int, int]]:
        """(n_pe, fifo_depth) of all points."""
        over_depth = self.over == "fifo_depth"
        return [(PAPER.n_pe, depth) for depth in DEPTHS] if over_depth else [(n, PAPER.fifo_depth) for n in N_PE]

    def x(self) -> list[str]:
        """Labels of the points."""
        return [str(n) for n in N_PE] if self.over == "n_pe" else ["none", *map(str, DEPTHS[1:])]


FIGURES = {
    "8": Figure("load balance efficiency, 64 PEs", "fifo_depth", lambda p, one: p.balance, True),
    "11": Figure("speedup over one PE", "n_pe", lambda p, one: one.cycles / p.cycles, False),
    "12": Figure("real work / total work", "n_pe", lambda p, one: 1 - p.padding / p.entries, True),
    "13": Figure("load balance efficiency", "n_pe", lambda p, one: p.balance, True),
}
LABELS = {"fifo_depth": "queue depth", "n_pe": "PEs"}


class Part(NamedTuple):
    """One pass of a layer: ``codes`` uint8 [rows, broadcast columns], their ``index`` in the pass."""

    info: PassInfo
    word: dict
    codes: np.ndarray
    index: np.ndarray


class Point(NamedTuple):
    """One layer on one array. ``entries``, ``padding``, ``walked``: sums over PEs, see :class:`timing.Timing`."""

    layer: str
    n_pe: int
    fifo_depth: int
    cycles: int
    entries: int
    padding: int
    walked: int

    @property
    def balance(self) -> float:
        """Share of the PEs' cycles in which an entry is worked on."""
        return self.entries / (self.cycles * self.n_pe)

    @property
    def starved(self) -> float:
        """Share of the PEs' cycles in which the entry reader has no column, not even an empty one."""
        return 1 - self.walked / (self.cycles * self.n_pe)


def parts_of(layer: Layer, activations) -> list[Part]:
    """The passes of a layer without bias, cut as preset ``paper`` does."""
    infos, words, _, _ = schedule([(layer.n_out, layer.n_in, False)], PAPER)
    parts = []
    for info, word in zip(infos, words, strict=True):
        index = np.flatnonzero(activations[info.in_start:info.in_stop])
        parts.append(Part(info, word, layer.codes[info.out_start:info.out_stop, info.in_start + index], index))
    return parts


def work_on(parts: Sequence[Part], n_pe: int) -> tuple[timing.Work, int]:
    """The passes on ``n_pe`` PEs, and how many of the entries are padding. Only broadcast columns are packed."""
    counts = [compress(part.codes, n_pe)[1].T for part in parts]
    first = np.cumsum([0, *(len(part.index) for part in parts)])
    passes = [(-(-p.info.n_columns // n_pe) if p.word.get("load") else 0, -1, p.word["finish"],
               -(-(p.info.out_stop - p.info.out_start) // n_pe) if p.word.get("store") else 0) for p in parts]
    counts = np.concatenate(counts)
    padding = int(counts.sum()) - sum(int(np.count_nonzero(part.codes)) for part in parts)
    index = np.concatenate([part.index for part in parts])
    return timing.Work(counts, index, np.arange(len(index)), first, np.array(passes, np.int64)), padding


def sweep(name: str, seed: int, pairs: Iterable[tuple[int, int]], run_ahead: bool = False) -> Iterator[Point]:
    """Points of one layer for pairs (n_pe, fifo_depth), those of the same ``n_pe`` in a row."""
    workload = load(name, PAPER, seed)
    parts = parts_of(workload.layers[0], workload.activations[0])
    packed = None
    for n_pe, depth in pairs:
        if n_pe != packed:
            packed, (work, padding) = n_pe, work_on(parts, n_pe)
        result = timing.run(work, PAPER.replace(fifo_depth=max(depth, 1), run_ahead=run_ahead))
        cycles = result.cycles if depth else timing.lockstep(work)
        yield Point(name, n_pe, depth, cycles, result.entries, padding, result.walked)


def of_layers(figure: str, points: Sequence[Point]) -> dict[str, list[Point]]:
    """The points of a figure, by layer."""
    pairs = FIGURES[figure].pairs()
    at = {(p.layer, p.n_pe, p.fifo_depth): p for p in points}
    return {name: [at[name, *pair] for pair in pairs] for name in dict.fromkeys(p.layer for p in points)}


def series(figure: str, points: Sequence[Point]) -> dict[str, list[float]]:
    """The values of a figure, by layer."""
    value = FIGURES[figure].value
    return {name: [value(p, line[0]) for p in line] for name, line in of_layers(figure, points).items()}


def to_dict(figures: Iterable[str], points: Sequence[Point], seed: int, run_ahead: bool) -> dict:
    """The JSON object: of each figure the values ``y`` over ``x``, cycles, and share of starved cycles, by layer."""
    return {
        "accelerator": "eie", "layers": SYNTHETIC, "seed": seed, "run_ahead": run_ahead,
        "figures": {figure: {
            "title": FIGURES[figure].title, "over": FIGURES[figure].over, "x": FIGURES[figure].x(),
            "y": {name: [round(y, 4) for y in line] for name, line in series(figure, points).items()},
            "cycles": {name: [p.cycles for p in line] for name, line in of_layers(figure, points).items()},
            "starved": {name: [round(p.starved, 4) for p in line] for name, line in of_layers(figure, points).items()},
        } for figure in figures},
    }


def print_figure(figure: str, points: Sequence[Point], console: Console) -> None:
    """One table: a row for each layer, a column for each point of the sweep."""
    what = FIGURES[figure]
    table = Table(title=f"Fig. {figure}: {what.title}, over {LABELS[what.over]}", title_justify="left", box=None)
    table.add_column("layer", no_wrap=True)
    for x in what.x():
        table.add_column(x, justify="right", no_wrap=True)
    for name, values in series(figure, points).items():
        table.add_row(name, *(f"{y:.1%}" if what.percent else f"{y:.1f}" for y in values))
    console.print(table, "")


def main(argv=None) -> int:
    """Run the command; 0 if everything was written."""
    parser = Parser(prog="python -m golden.eie.figures", description=f"Design space of EIE; {SYNTHETIC}.")
    parser.add_argument("--figure", choices=[*FIGURES, "all"], default="all", help="number in the paper")
    parser.add_argument("--layers", nargs="+", choices=list(TABLE3), default=list(TABLE3), metavar="LAYER",
                        help=f"of {' '.join(TABLE3)} (default: all)")
    parser.add_argument("--run-ahead", action="store_true", help="drop empty columns early, which the paper does not")
    parser.add_argument("--seed", type=int, default=1, help="of the layers (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw the figures as SVG files in this folder")
    args = parser.parse_args(argv)
    if args.seed < 0:
        raise UsageError(f"seed must be at least 0, not {args.seed}")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise UsageError(f"JSON file must be in an existing folder, not {str(args.json)!r}")
    if args.plot is not None and not args.plot.is_dir():
        raise UsageError(f"plot folder must exist, not {str(args.plot)!r}")
    figures = list(FIGURES) if args.figure == "all" else [args.figure]
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 100
    mode = f"run-ahead {'on' if args.run_ahead else 'off'}"
    console.print(f"EIE, {mode}, seed {args.seed}; {SYNTHETIC}\n", soft_wrap=True)
    points, pairs = [], sorted({pair for figure in figures for pair in FIGURES[figure].pairs()})
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), transient=True, console=Console(stderr=True),
                  disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(args.layers) * len(pairs))
        for name in dict.fromkeys(args.layers):
            progress.update(task, description=name)
            for point in sweep(name, args.seed, pairs, args.run_ahead):
                points.append(point)
                progress.advance(task)
    for figure in figures:
        print_figure(figure, points, console)
    if args.json is not None:
        write_json(args.json, to_dict(figures, points, args.seed, args.run_ahead))
    if args.plot is not None:
        plot(args.plot, figures, points, args.run_ahead)
    return 0


def plot(folder: Path, figures: Iterable[str], points: Sequence[Point], run_ahead: bool) -> None:
    """Write ``eie-fig8.svg`` and so on, with ``-run-ahead`` in the name when it is on."""
    for figure in figures:
        what = FIGURES[figure]
        title = f"EIE Fig. {figure}: {what.title}{', run-ahead' if run_ahead else ''} (synthetic layers)"
        line_chart(folder / f"eie-fig{figure}{'-run-ahead' if run_ahead else ''}.svg", what.x(), series(figure, points),
                   title=title, x_label=LABELS[what.over], percent=what.percent)


if __name__ == "__main__":
    sys.exit(run_main(main))
