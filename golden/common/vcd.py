"""Writing a golden model's waveform: blocks of cycles as a VCD file that lies over the hardware's in a viewer."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from golden.common.cli import UsageError

__all__ = ["PERIOD_PS", "RESET_CYCLES", "VcdFile", "join"]

#: As in the benches, so that both waveforms have the same time axis: clock period, and cycles of reset before cycle 0.
PERIOD_PS = 10_000
RESET_CYCLES = 2
#: The widest non-negative number that numpy has.
_WORD = 63


def join(parts: Sequence[str], fields: Mapping[str, np.ndarray], bits: Mapping[str, int]) -> np.ndarray:
    """Columns of fields next to each other, the first in the low bits; each is cut to its width in ``bits``.

    A single one is as it is. Numbers of Python where those of numpy are too short.
    """
    if len(parts) == 1:
        return fields[parts[0]]
    kind = object if sum(bits[field] for field in parts) > _WORD else np.int64
    word, lsb = np.zeros(len(fields[parts[0]]), kind), 0
    for field in parts:
        word |= (fields[field].astype(np.int64) & (1 << bits[field]) - 1).astype(kind) << lsb
        lsb += bits[field]
    return word


class VcdFile:
    """A VCD file of registers' values, one a clock cycle. A context manager.

    A value that a cycle shows changes with the rising edge that begins the cycle. Everything is undefined until
    cycle 0; ``clk`` runs and ``rst`` is high in :data:`RESET_CYCLES` cycles before it.

    Parameters
    ----------
    path : Path or str
        Written anew.
    widths : mapping of str to int
        Full names, such as ``eie.ccu.push``, to widths [bits].
    top : str
        Scope of ``clk`` and ``rst``.

    Raises
    ------
    UsageError
        If the file cannot be written, its name does not end in .vcd, or pyvcd is not installed.
    """

    def __init__(self, path: Path | str, widths: Mapping[str, int], *, top: str):
        self.check(path)
        from vcd import VCDWriter  # golden models run without it
        try:
            self._file = open(path, "w")
        except OSError as error:
            raise UsageError(f"waveform must be a file that can be written, not {str(path)!r}: "
                             f"{error.strerror}") from error
        self.cycles = 0
        # No date: the same run gives the same file.
        self._writer = writer = VCDWriter(self._file, timescale="1 ps", date="", version="golden model",
                                              check_values=False)
        self._clk = writer.register_var(top, "clk", "wire", size=1, init=1)
        self._rst = writer.register_var(top, "rst", "wire", size=1, init=1)
        self._vars = {}
        for name, width in widths.items():
            scope, _, leaf = name.rpartition(".")
            self._vars[name] = writer.register_var(scope, leaf, "wire", size=width, init="x")
        self._masks = {name: (1 << width) - 1 for name, width in widths.items()}
        self._last = dict.fromkeys(widths)
        for cycle in range(RESET_CYCLES):
            writer.change(self._clk, cycle * PERIOD_PS, 1)
            writer.change(self._clk, cycle * PERIOD_PS + PERIOD_PS // 2, 0)
        writer.change(self._rst, (RESET_CYCLES - 1) * PERIOD_PS + PERIOD_PS // 2, 0)

    @staticmethod
    def check(path: Path | str):
        """Refuse what cannot become such a file, before anything takes time. Raises UsageError."""
        path = Path(path)
        if path.suffix.lower() != ".vcd":
            raise UsageError(f"waveform of the golden model must be a file ending in .vcd, not {str(path)!r}")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"waveform must be in an existing folder, not {str(path)!r}")
        if importlib.util.find_spec("vcd") is None:
            raise UsageError("pyvcd must be installed to write waveforms: make env-waves")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def block(self, columns: Mapping[str, np.ndarray], defined: Mapping[str, np.ndarray] | None = None):
        """Append cycles.

        Parameters
        ----------
        columns : mapping of str to int array, shape (cycles,)
            A value for every signal and cycle; cut to the signal's width, so two's complement is welcome.
        defined : mapping of str to bool array, shape (cycles,)
            Where a signal means something; it is x elsewhere. Always, for signals that are not in it.
        """
        defined = defined or {}
        lengths = {len(columns[name]) for name in self._vars}
        if len(lengths) != 1:
            raise ValueError(f"columns must have one length, not {sorted(lengths)}")
        length, = lengths
        changes = [[] for _ in range(length)]
        for name in self._vars:
            self._collect(changes, name, np.asarray(columns[name]), defined.get(name))
        for now, of_cycle in enumerate(changes):
            start = (RESET_CYCLES + self.cycles + now) * PERIOD_PS
            self._writer.change(self._clk, start, 1)
            for name, value in of_cycle:
                self._writer.change(self._vars[name], start, value)
            self._writer.change(self._clk, start + PERIOD_PS // 2, 0)
        self.cycles += length
        self._file.flush()

    def close(self):
        """End the file."""
        if not self._file.closed:
            self._writer.close((RESET_CYCLES + self.cycles) * PERIOD_PS)
            self._file.close()

    def _collect(self, changes, name, values, defined):
        """Append (name, value) to the cycles in which the signal changes."""
        known = np.ones(len(values), bool) if defined is None else np.asarray(defined, bool)
        moved = np.ones(len(values), bool)
        moved[1:] = (known[1:] != known[:-1]) | (known[1:] & (values[1:] != values[:-1]))
        mask, last = self._masks[name], self._last[name]
        for t in np.flatnonzero(moved).tolist():
            value = int(values[t]) & mask if known[t] else "x"
            if value != last:
                changes[t].append((name, value))
                last = value
        self._last[name] = last
