"""Pictures of waveforms: a window of tracks as SVG, drawn by WaveDrom."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from golden.common.cli import UsageError
from sim.common.wavecompare import Comparison, neighbours
from sim.common.wavefile import Track, WaveError

__all__ = ["MAX_CYCLES", "Row", "difference", "draw", "write"]

#: Cycles of a picture that can still be read.
MAX_CYCLES = 200
#: Width of a cycle of WaveDrom's narrow skin, and of a character on a bus [px].
_CYCLE_PX, _CHARACTER_PX = 20, 8.2
#: Up to this many cycles a cycle is drawn twice as wide.
_WIDE_UP_TO = 32
#: Colour of a bus whose value differs.
_MARK = "5"
_EMPTY = object()


class Row(NamedTuple):
    """One line of a picture.

    Attributes
    ----------
    label : str
    track : Track
    names : mapping of int to str
        Names of values, such as states; others are written in hexadecimal.
    marked : set of int
        Cycles to be coloured, if the row is a bus.
    when : Track
        The row is empty where this is 0: a payload that is not valid.
    """

    label: str
    track: Track
    names: Mapping[int, str] = {}
    marked: frozenset = frozenset()
    when: Track | None = None


def draw(rows: Sequence[Row | None], first: int, last: int, *, title: str = "", wrap: int | None = None) -> str:
    """SVG of the cycles ``first..last``; a None is an empty line. The same rows give the same text.

    A value is written where its cycles leave room for it. After ``wrap`` cycles the picture goes on below.

    Raises
    ------
    WaveError
        If the window is empty or too long, or wavedrom is not installed.
    """
    cycles = last - first + 1
    if not 1 <= cycles <= MAX_CYCLES:
        raise WaveError(f"picture must have 1..{MAX_CYCLES} cycles, not {cycles}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # of the library's own syntax
            import wavedrom
    except ModuleNotFoundError as error:
        raise WaveError("wavedrom must be installed to draw waveforms: make env-waves") from error
    wrap = min(wrap or cycles, cycles)
    hscale = 2 if wrap <= _WIDE_UP_TO else 1
    step = 2 if hscale == 2 else 5
    ruler = Track.of(64, [(c, c - c % step) for c in range(last + 1)])
    lines = [*rows, Row("cycle, from", ruler, {c: str(c) for c in ruler.values})]
    lanes = []
    for start in range(first, last + 1, wrap):
        end = min(start + wrap, last + 1) - 1
        lanes += [{}] * bool(lanes) + [{"name": "clk", "wave": "p" + "." * (end - start)}]
        lanes += [{} if row is None else _lane(row, start, end, hscale) for row in lines]
    source = {"signal": lanes, "config": {"hscale": hscale, "skin": "narrow"}, "head": {"text": title}}
    return wavedrom.render(json.dumps(source)).tostring()


def difference(outcome: Comparison, a: Mapping[str, Track], b: Mapping[str, Track], *, labels: tuple[str, str],
               path: Path, around: int = 12):
    """Draw the first difference of a comparison with its neighbours: both sides where they differ."""
    center = outcome.first.first
    first, last = max(0, center - around), min(center + around, min(outcome.cycles) - 1)
    rows = []
    for name in neighbours(outcome, a, around):
        unlike = frozenset(c for c in range(first, last + 1) if a[name].at(c) != b[name].at(c))
        leaf = name.rpartition(".")[2]
        if unlike:
            rows += [Row(f"{leaf} {labels[0]}", a[name]), Row(f"{leaf} {labels[1]}", b[name], marked=unlike), None]
        else:
            rows.append(Row(leaf, a[name]))
    scope = outcome.first.name.rpartition(".")[0]
    write(path, draw(rows, first, last, title=f"{scope}, cycle {center}"))


def write(path: Path | str, svg: str):
    """Write a picture.

    Raises
    ------
    UsageError
        If the name does not end in .svg or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".svg":
        raise UsageError(f"picture must be a file ending in .svg, not {str(path)!r}")
    try:
        path.write_text(svg if svg.endswith("\n") else svg + "\n")
    except OSError as error:
        raise UsageError(f"picture must be a file that can be written, not {str(path)!r}: {error.strerror}") from error


def _lane(row: Row, first: int, last: int, hscale: int) -> dict:
    """A line in WaveDrom's words: one character a cycle, and the texts of the buses."""
    track, wave, data = row.track, "", []
    before = object()
    for cycle in range(first, last + 1):
        value = track.at(cycle)
        marked = cycle in row.marked
        if row.when is not None and not row.when.at(cycle):
            value = _EMPTY
        if (value, marked) == before:
            wave += "."
        elif value is _EMPTY:
            wave += "z"
        elif value is None:
            wave += "x"
        elif track.width == 1 and not row.names:
            wave += "01"[value]
        else:
            wave += _MARK if marked else "="
            data.append((cycle, row.names.get(value) or f"{value:0{math.ceil(track.width / 4)}x}"))
        before = value, marked
    ends = [first + k for k, sign in enumerate(wave) if sign != "."] + [last + 1]
    room = {start: (end - start) * _CYCLE_PX * hscale for start, end in zip(ends, ends[1:], strict=False)}
    texts = [text if len(text) * _CHARACTER_PX <= room[cycle] - 4 else "" for cycle, text in data]
    return {"name": _padded(row.label), "wave": wave, "data": [text or " " for text in texts]}


def _padded(label: str) -> str:
    """WaveDrom reckons with letters of 11 px where its style sheet says 11 pt, and would cut long labels off:
    characters of no width make up for it."""
    return "\u200b" * math.ceil(len(label) / 6) + label
