"""Reading waveforms: VCD or FST, sampled once a clock cycle.

A signal's value in a cycle is the one it has just before the falling edge of the clock. Everything is driven after the
rising edge and has settled by then, which is why the benches sample there too; a change at the falling edge itself
comes too late for them, and so here. Cycle 0 begins with the first rising edge that sees the reset low, as in the
failure texts of whole accelerators; without a reset, with the first rising edge.
"""

import bisect
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Scope", "Track", "Wave", "WaveError", "read", "scopes_of"]

#: Scope that Verilator puts around the ports of the top, which its own scope shows again.
_WRAPPERS = ("$rootio.", "TOP.")


class WaveError(ValueError):
    """A file is no waveform, or lacks what is needed. The text is one line."""


class Track(NamedTuple):
    """A sampled signal: its value changes in ``cycles[i]`` to ``values[i]``.

    Attributes
    ----------
    width : int
        [bits]
    cycles : tuple of int
        Ascending, the first one 0.
    values : tuple of (int or None)
        Unsigned; None where a bit is undefined. Neighbours differ.
    """

    width: int
    cycles: tuple
    values: tuple

    @classmethod
    def of(cls, width: int, samples):
        """From (cycle, value) pairs, ascending from cycle 0 on; what is no change is dropped."""
        cycles, values = [], []
        for cycle, value in samples:
            if not values or value != values[-1]:
                cycles.append(cycle)
                values.append(value)
        return cls(width, tuple(cycles), tuple(values))

    def at(self, cycle: int):
        """The value in a cycle."""
        return self.values[bisect.bisect_right(self.cycles, cycle) - 1]

    def bits(self, lsb: int, width: int) -> "Track":
        """A field of it."""
        fields = [None if value is None else value >> lsb & (1 << width) - 1 for value in self.values]
        return Track.of(width, zip(self.cycles, fields, strict=True))


class Scope(NamedTuple):
    """A block of the hierarchy: its signals by their widths, and the blocks in it, both in the order of the file."""

    name: str
    path: str
    signals: dict[str, int]
    scopes: list


class Wave:
    """A waveform, sampled signal by signal when asked for.

    Parameters
    ----------
    path : Path or str
        A VCD or FST file.
    clock : str
        Name of the clock; by default the uppermost signal called ``clk``.

    Attributes
    ----------
    widths : dict of str to int
        Every signal's full name, such as ``eie.ccu.push``, to its width [bits]; in the order of the file.
    cycles : int
        Whole cycles in the file, cycle 0 included.

    Raises
    ------
    WaveError
        If it cannot be read, or has no clock.
    """

    def __init__(self, path: Path | str, clock: str | None = None):
        self.path = Path(path)
        self._variables, self._sampled = _variables(self.path), {}
        self.widths = {name: var.bitwidth for name, var in self._variables.items()}
        self.clock = _clock(self.widths, clock, self.path)
        falling, first = self._edges()
        self._falling, self._first = falling, first
        self.cycles = len(falling) - first

    def __iter__(self) -> Iterator[str]:
        return iter(self.widths)

    def __contains__(self, name: str) -> bool:
        return name in self.widths

    def __getitem__(self, name: str) -> Track:
        """The track of a signal. Raises WaveError if there is none of that name."""
        if name not in self._variables:
            raise WaveError(f"signal must be one of {self.path}, not {name!r}")
        variable = self._variables[name]
        key = str(variable.signal_id)   # several names of one signal are sampled once
        if key not in self._sampled:
            self._sampled[key] = self._sample(variable)
        return self._sampled[key]

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """Names that match shell patterns, those of the first pattern first; the clock is not among them.

        Raises
        ------
        WaveError
            If a pattern matches nothing.
        """
        found = {}
        for pattern in patterns:
            hits = [name for name in self.widths if fnmatch.fnmatchcase(name, pattern) and name != self.clock]
            if not hits:
                raise WaveError(f"signal must be one of {self.path}, not {pattern!r}")
            found |= dict.fromkeys(hits)
        return list(found)

    def _edges(self):
        """Times of the falling edges, and which of them is that of cycle 0."""
        changes = [(time, value) for time, value in self._variables[self.clock].signal if value in (0, 1)]
        rising = [time for (time, value), before in zip(changes, [None, *(v for _, v in changes)], strict=False)
                  if value == 1 and before != 1]
        falling = np.array([time for time, value in changes if value == 0 and rising and time > rising[0]], np.int64)
        reset = f"{self.clock.rpartition('.')[0]}.rst".lstrip(".")
        start = 0
        if reset in self._variables:
            levels = list(self._variables[reset].signal)
            times = np.array([time for time, _ in levels], np.int64)
            sees_low = (t for t in rising if (i := int(np.searchsorted(times, t)) - 1) >= 0 and levels[i][1] == 0)
            start = next(sees_low, None)
        elif rising:
            start = rising[0]
        first = len(falling) if start is None else int(np.searchsorted(falling, start))
        if first == len(falling):
            raise WaveError(f"waveform must hold a whole cycle of {self.clock} after the reset, and {self.path} "
                            "does not")
        return falling, first

    def _sample(self, variable) -> Track:
        changes = list(variable.signal)
        at = np.searchsorted(self._falling, [time for time, _ in changes], side="right") - self._first
        last = {}   # the last change before an edge wins; what was before cycle 0 shows in it
        for cycle, (_, value) in zip(np.maximum(at, 0).tolist(), changes, strict=True):
            if cycle < self.cycles:
                last[cycle] = value if isinstance(value, int) else None
        last = {0: None} | last
        return Track.of(variable.bitwidth, sorted(last.items()))


def read(path: Path | str, clock: str | None = None) -> Wave:
    """Open a waveform, see :class:`Wave`."""
    return Wave(path, clock)


def scopes_of(path: Path | str) -> list[Scope]:
    """The uppermost blocks of a waveform. Raises WaveError if it cannot be read."""
    roots = Scope("", "", {}, [])
    known = {"": roots}
    for name, variable in _variables(Path(path)).items():
        *above, leaf = name.split(".")
        scope = roots
        for depth, part in enumerate(above, 1):
            place = ".".join(above[:depth])
            if place not in known:
                known[place] = Scope(part, place, {}, [])
                scope.scopes.append(known[place])
            scope = known[place]
        scope.signals[leaf] = variable.bitwidth
    return roots.scopes


def _variables(path: Path):
    """Every signal by its full name."""
    try:
        import pywellen
    except ModuleNotFoundError as error:
        raise WaveError("pywellen must be installed to read waveforms: make env-waves") from error
    if not path.is_file():
        raise WaveError(f"waveform must be an existing file, not {str(path)!r}")
    try:
        variables = pywellen.Waveform(path=str(path)).all_vars()
        return {name: var for var in variables
                if var.bitwidth and not (name := var.full_name).startswith(_WRAPPERS)}
    except BaseException as error:  # a panic of its Rust code is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise WaveError(f"waveform must be a VCD or FST file, not {str(path)!r}") from error


def _clock(widths, wanted, path) -> str:
    if wanted is not None:
        if wanted not in widths:
            raise WaveError(f"clock must be a signal of {path}, not {wanted!r}")
        return wanted
    found = [name for name in widths if name.rpartition(".")[2] == "clk"]
    if not found:
        raise WaveError(f"waveform must have a signal clk, or the clock be named, and {path} has none")
    return min(found, key=lambda name: name.count("."))
