"""Code coverage of a Verilator run: its file of counts, read against the Verilog, by module.

Verilator counts three things. A **line** belongs to a procedural block; plain ``assign`` lines are not lines here:
their signals toggle. A **branch** is one way through an ``if``, a ``case`` or a ``?:``, also an ``else`` with no text.
A **toggle** is one bit of a signal going 0->1 or 1->0. Left out, because nothing could ever reach them or they would
count twice:

- ``if (_start_) begin end``: the generator's way to run a block once at time 0;
- the ``else`` of a condition that is a constant, such as the frame of an assertion;
- toggles of signals with a leading underscore (Verilator leaves them out), of constants, of names that are
  nothing but another name of a counted signal, and of what only simulators see (``SYNTHESIS``);
- toggles of the words of memories, and of signals wider than 256 bits (Verilator leaves them out).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["CoverageError", "Module", "Point", "Variant", "parse", "take"]

#: First line of a file of counts.
HEADER = "# SystemC::Coverage-3"
_RECORD = re.compile(r"C '(?P<keys>.*)' (?P<count>\d+)")
_BOILERPLATE = re.compile(r"if \(_start_\) begin end")
_CONSTANT_IF = re.compile(r"\bif \(1'h1\)")
_ALIAS = re.compile(r"^\s*assign (\w+) = (?:[a-zA-Z]\w*(?:\[[\d:]+\])?|\d+'[bhd][0-9a-f]+);$", re.MULTILINE)
_OUTPUT = re.compile(r"^\s*output (?:(?:wire|reg|signed) )*(?:\[[^\]]*\] )?(\w+);$", re.MULTILINE)


class CoverageError(Exception):
    """A file of counts is not what it must be. The text is one line."""


class Point(NamedTuple):
    """One thing that is counted, the same in all instances of a module.

    Attributes
    ----------
    module : str
        The module, without the parameters of an instance.
    kind : str
        ``"line"``, ``"branch"`` or ``"toggle"``.
    line, column : int
        Where it begins, from 1.
    what : str
        Which way of a branch, or which bit and edge, such as ``room[1]:0->1``.
    lines : tuple of int
        Lines that run with it.
    """

    module: str
    kind: str
    line: int
    column: int
    what: str
    lines: tuple[int, ...]


def parse(text: str) -> Counter[Point]:
    """Counts of all points, summed over instances.

    Raises
    ------
    CoverageError
        If the text is not a file of counts, or was cut off.
    """
    head, *records = text.splitlines() or [""]
    if head != HEADER:
        raise CoverageError(f"coverage must begin with {HEADER!r}, not {head[:40]!r}")
    counts = Counter()
    for record in records:
        if (found := _RECORD.fullmatch(record)) is None:
            raise CoverageError(f"coverage must be lines of C '...' count, not {record[:40]!r}")
        keys = dict(item.split("\2", 1) for item in found["keys"].split("\1") if item)
        try:
            counts[_point(keys)] += int(found["count"])
        except (KeyError, ValueError) as error:
            text = f"coverage must give file, line and kind of every point, not {record[:80]!r}"
            raise CoverageError(text) from error
    return counts


def _point(keys: Mapping[str, str]) -> Point:
    # The page names the instance's parameters, too; the file does not, and holds one module.
    kind = keys["page"].partition("/")[0].removeprefix("v_")
    module = keys["f"].rpartition("/")[2].removesuffix(".v")
    # __05F is the code of an underscore that follows another one.
    what = re.sub(r"__0([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), keys["o"])
    return Point(module, kind, int(keys["l"]), int(keys["n"]), what, _expanded(keys.get("S", "")))


def _expanded(ranges: str) -> tuple[int, ...]:
    """``3,5-7`` as numbers."""
    lines = []
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        lines += range(int(first), int(last or first) + 1)
    return tuple(lines)


@dataclass
class Variant:
    """One text of a module, with counts from every run whose text has the same shape.

    Attributes
    ----------
    text : str
        Verilog of the first such run.
    points : list of Point
        Lines and branches, in the order of the text.
    counts : list of int
        One for each.
    """

    text: str
    points: list[Point]
    counts: list[int]

    @property
    def lines(self) -> dict[int, int]:
        """Times that each line ran: the most frequent of the points that it belongs to."""
        ran = {}
        for point, count in zip(self.points, self.counts, strict=True):
            for line in point.lines:
                ran[line] = max(ran.get(line, 0), count)
        return dict(sorted(ran.items()))

    @property
    def branches(self) -> list[tuple[Point, int]]:
        """Branches and how often each was taken."""
        return [(point, count) for point, count in zip(self.points, self.counts, strict=True)
                if point.kind == "branch" or point.what in ("else", "elsif", "case")]


@dataclass
class Module:
    """Coverage of a module over all its instances and parameters and all runs.

    Configurations give a module different texts. Where these have the same branches in the same order, they are
    one variant; otherwise each counts for itself. Toggles go by the name of the bit.
    """

    name: str
    variants: dict[tuple, Variant] = field(default_factory=dict)
    toggles: Counter = field(default_factory=Counter)

    def figures(self) -> dict[str, tuple[int, int]]:
        """Reached and total of ``lines``, ``branches`` and ``toggles``."""
        lines = [count for v in self.variants.values() for count in v.lines.values()]
        branches = [count for v in self.variants.values() for _, count in v.branches]
        return {name: (sum(count > 0 for count in counts), len(counts))
                for name, counts in (("lines", lines), ("branches", branches), ("toggles", self.toggles.values()))}


def take(modules: dict[str, Module], counts: Mapping[Point, int], files: Mapping[str, str]):
    """Add the counts of a run to ``modules``.

    Parameters
    ----------
    modules : dict of str to Module
        By name; extended.
    counts : mapping of Point to int
        From :func:`parse`.
    files : mapping of str to str
        The Verilog that was simulated: one module a file, the file named like it.

    Raises
    ------
    CoverageError
        If a point lies in none of the files.
    """
    by_module: dict[str, list[Point]] = {}
    for point in counts:
        by_module.setdefault(point.module, []).append(point)
    for name, points in by_module.items():
        if f"{name}.v" not in files:
            raise CoverageError(f"coverage must be of the files {', '.join(files)}, not of {name}.v")
        text = files[f"{name}.v"]
        module = modules.setdefault(name, Module(name))
        module.toggles.update({p.what: counts[p] for p in _toggles(points, text)})
        code = sorted(_code(points, text), key=lambda p: (p.line, p.column, p.what))
        shape = tuple(_shape(point, text.splitlines()) for point in code)
        found = module.variants.setdefault(shape, Variant(text, code, [0] * len(code)))
        found.counts = [old + counts[p] for old, p in zip(found.counts, code, strict=True)]


def _toggles(points: Iterable[Point], text: str) -> Iterable[Point]:
    outputs = set(_OUTPUT.findall(text))
    unseen = {name for name in _ALIAS.findall(text) if name not in outputs}
    hidden = _hidden_lines(text)
    for point in points:
        name = re.match(r"\w+", point.what)[0]
        if point.kind == "toggle" and not (point.line in hidden or name in unseen or "][" in point.what):
            yield point


def _hidden_lines(text: str) -> set[int]:
    """Lines that synthesis does not see."""
    hidden, inside = set(), False
    for number, line in enumerate(text.splitlines(), 1):
        inside = (inside or line.startswith("`ifndef SYNTHESIS")) and not line.startswith("`endif")
        if inside:
            hidden.add(number)
    return hidden


def _code(points: Iterable[Point], text: str) -> Iterable[Point]:
    lines = text.splitlines()
    for point in points:
        line = lines[point.line - 1] if point.line <= len(lines) else ""
        boilerplate = _BOILERPLATE.search(line) or (_CONSTANT_IF.search(line) and point.what == "else")
        if point.kind in ("line", "branch") and not boilerplate:
            yield point


def _shape(point: Point, lines: list[str]) -> tuple[str, str, str]:
    """What a point keeps when only widths and numbers of the text change."""
    return point.kind, point.what, re.sub(r"\d+", "#", re.sub(r"'h[0-9a-f]+", "'h#", lines[point.line - 1].strip()))
