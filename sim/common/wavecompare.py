"""Comparing tracks: the first difference, what was around it, and how much else differs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sim.common.wavefile import Track

__all__ = ["Comparison", "Difference", "compare", "difference_of", "show"]

#: Rows of the table of neighbours, lines of the list of further differences, names in a list.
MAX_NEIGHBOURS, MAX_FURTHER, MAX_NAMES = 8, 20, 12


class Difference(NamedTuple):
    """A signal that differs: in which cycle first, and in how many."""

    name: str
    first: int
    count: int


@dataclass(frozen=True)
class Comparison:
    """Outcome of a comparison.

    Attributes
    ----------
    differences : list of Difference
        By their first cycle.
    compared : list of str
        Signals that both sides have with the same width.
    only_a, only_b : list of str
    resized : dict of str to (int, int)
        Signals that changed their width, which are not compared.
    cycles : (int, int)
        Length of both sides; the shorter one was compared.
    """

    differences: list[Difference]
    compared: list[str]
    only_a: list[str]
    only_b: list[str]
    resized: dict[str, tuple[int, int]] = field(default_factory=dict)
    cycles: tuple[int, int] = (0, 0)

    @property
    def first(self) -> Difference | None:
        """The earliest difference."""
        return self.differences[0] if self.differences else None


def difference_of(a: Track, b: Track, cycles: int) -> tuple[int, int] | None:
    """First cycle in which two tracks differ and number of such cycles, below ``cycles``; None if there is none.

    A value that is undefined equals everything.
    """
    if a == b:
        return None
    first, count = None, 0
    starts = sorted({c for c in (*a.cycles, *b.cycles) if c < cycles})
    i = j = 0
    for start, end in zip(starts, [*starts[1:], cycles], strict=True):
        while i + 1 < len(a.cycles) and a.cycles[i + 1] <= start:
            i += 1
        while j + 1 < len(b.cycles) and b.cycles[j + 1] <= start:
            j += 1
        x, y = a.values[i], b.values[j]
        if x != y and x is not None and y is not None:
            first = start if first is None else first
            count += end - start
    return None if first is None else (first, count)


def compare(a: Mapping[str, Track], b: Mapping[str, Track], cycles: tuple[int, int]) -> Comparison:
    """Compare all signals of two sides, which have this many ``cycles`` each.

    Of signals that differ first in the same cycle the deepest comes first.
    """
    both = [name for name in a if name in b]
    resized = {name: (a[name].width, b[name].width) for name in both if a[name].width != b[name].width}
    compared = [name for name in both if name not in resized]
    found = [Difference(name, *outcome) for name in compared
             if (outcome := difference_of(a[name], b[name], min(cycles)))]
    found.sort(key=lambda d: (d.first, -d.name.count("."), d.name))
    return Comparison(found, compared, [n for n in a if n not in b], [n for n in b if n not in a], resized, cycles)


def show(outcome: Comparison, a: Mapping[str, Track], b: Mapping[str, Track], *, labels=("a", "b"), window=4,
         paths: Mapping[str, str] | None = None) -> str:
    """What a person reads: the first difference, its neighbourhood, the others.

    Parameters
    ----------
    labels : (str, str)
        What the two sides are called.
    window : int
        Cycles shown before and after the difference.
    paths : mapping of str to str
        Where a signal is, when its name does not say so.
    """
    lines = []
    if first := outcome.first:
        x, y = (_text(side[first.name].at(first.first), side[first.name].width) for side in (a, b))
        where = f" ({paths[first.name]})" if paths and first.name in paths else ""
        lines += [f"first difference: {first.name}{where} in cycle {first.first}: {labels[0]} {x}, {labels[1]} {y}",
                  neighbourhood(outcome, a, b, labels, window)]
        lines.append(f"{len(outcome.differences)} of {len(outcome.compared)} signals differ:")
        width = max(len(d.name) for d in outcome.differences[:MAX_FURTHER])
        lines += [f"  {d.name:{width}}  from cycle {d.first} on, in {d.count} {'cycle' if d.count == 1 else 'cycles'}"
                  for d in outcome.differences[:MAX_FURTHER]]
        if more := len(outcome.differences) - MAX_FURTHER:
            lines += [f"  and {more} more"] if more > 0 else []
    if outcome.cycles[0] != outcome.cycles[1]:
        lines.append(f"{labels[0]} has {outcome.cycles[0]} cycles, {labels[1]} {outcome.cycles[1]}; "
                     "the shorter one was compared")
    return "\n".join(lines)


def listed(names) -> str:
    """Some names of a long list."""
    names = list(names)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def neighbours(outcome: Comparison, a, window: int) -> list[str]:
    """The signal of the first difference and those beside it that differ or move in the window."""
    first = outcome.first
    scope = first.name.rpartition(".")[0]
    low, high = first.first - window, first.first + window

    def moves(track):
        return any(max(low, 0) < cycle <= high for cycle in track.cycles)

    differing = [d.name for d in outcome.differences if d.name.rpartition(".")[0] == scope and d.first <= high]
    moving = [name for name in outcome.compared
              if name.rpartition(".")[0] == scope and name not in differing and moves(a[name])]
    return (differing + moving)[:MAX_NEIGHBOURS]


def neighbourhood(outcome: Comparison, a, b, labels, window: int) -> str:
    """Table of the values around the first difference; both sides where they differ."""
    center = outcome.first.first
    last = min(center + window, min(outcome.cycles) - 1)
    cycles = range(max(0, center - window), last + 1)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column("cycle", no_wrap=True)
    table.add_column("", no_wrap=True)
    for cycle in cycles:
        table.add_column(f"{cycle}*" if cycle == center else str(cycle), justify="right", no_wrap=True)
    for name in neighbours(outcome, a, window):
        rows = [[_text(side[name].at(c), side[name].width) for c in cycles] for side in (a, b)]
        differs = any(x != y for x, y in zip(*rows, strict=True))
        for label, row in zip(labels if differs else ("",), rows, strict=False):
            table.add_row(name.rpartition(".")[2] if label != labels[1] else "", label, *map(_short, row))
    console = Console(highlight=False, color_system=None, width=10_000)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip())


def _text(value, width: int) -> str:
    """Hexadecimal at full width; x where undefined."""
    return "x" if value is None else f"{value:0{math.ceil(width / 4)}x}"


def _short(text: str) -> str:
    """The low digits of what is too wide for a table."""
    return text if len(text) <= 12 else f"..{text[-10:]}"
