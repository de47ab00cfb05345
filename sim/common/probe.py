"""The probe port of an accelerator, sampled once a cycle: fields of a head, and records that repeat for each lane.

Whole runs are compared in blocks of cycles: sampled values become tables of integers, the golden model makes the same
tables, and the first difference is shown with the cycles before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Format", "Mismatch", "Table", "compare"]


class Mismatch(AssertionError):
    """RTL and golden model differ."""


@dataclass(frozen=True)
class Format:
    """Packed fields, low bits first; none crosses 64 bits.

    Attributes
    ----------
    fields : dict of str to int
        Name to width [bits].
    """

    fields: dict[str, int]
    _lsb: dict = field(init=False, repr=False)

    def __post_init__(self):
        lsbs = np.cumsum([0, *self.fields.values()]).tolist()
        object.__setattr__(self, "_lsb", dict(zip(self.fields, lsbs, strict=False)))
        for name, lsb in self._lsb.items():
            if lsb // 64 != (lsb + self.fields[name] - 1) // 64:
                raise ValueError(f"field must lie within 64 bits, not {name!r} at bit {lsb}")
        if lsbs[-1] % 64:
            raise ValueError(f"fields must fill 64-bit words, not {lsbs[-1]} bits")

    @property
    def words(self) -> int:
        """64-bit words."""
        return sum(self.fields.values()) // 64

    def get(self, value: int, name: str) -> int:
        """One field of one sampled value."""
        return value >> self._lsb[name] & (1 << self.fields[name]) - 1

    def decode(self, words) -> np.ndarray:
        """Fields, int64 [..., fields], of 64-bit words, int64 [..., words]; 64-bit fields keep their bits."""
        columns = []
        for name, width in self.fields.items():
            word, shift = divmod(self._lsb[name], 64)
            column = words[..., word]
            columns.append(column if width == 64 else column >> shift & (1 << width) - 1)
        return np.stack(columns, axis=-1)


def words_of(block: Sequence[int], words: int) -> np.ndarray:
    """Sampled values of ``words`` 64-bit words as int64 [cycles, words]."""
    raw = np.frombuffer(b"".join(value.to_bytes(8 * words, "little") for value in block), "<i8")
    return raw.reshape(len(block), words)


@dataclass(frozen=True)
class Table:
    """What a block of cycles shows of one thing, e.g. of a lane.

    Attributes
    ----------
    name : str
    fields : sequence of str
        ``pad...`` is not compared.
    rtl, golden : int64 array, shape (cycles, fields)
    when : dict of str to str
        Field that means something only while another one is not 0.
    always : sequence of str
        Fields that a failure shows besides those that differ.
    show : callable
        ``show(field, value)`` for failures.
    """

    name: str
    fields: Sequence[str]
    rtl: np.ndarray
    golden: np.ndarray
    when: dict
    always: Sequence[str] = ()
    show: Callable = lambda _field, value: value

    def differs(self) -> np.ndarray:
        """bool [cycles, fields]."""
        names = list(self.fields)
        different = self.rtl != self.golden
        for name, condition in self.when.items():
            different[:, names.index(name)] &= self.golden[:, names.index(condition)] != 0
        different[:, [name.startswith("pad") for name in names]] = False
        return different

    def line(self, side, cycle, columns) -> dict:
        """Values of a cycle."""
        values = getattr(self, side)[cycle]
        shown = sorted({*columns, *(list(self.fields).index(name) for name in self.always)})
        return {f"{self.name}.{self.fields[i]}": self.show(self.fields[i], int(values[i])) for i in shown}


def compare(unit: str, tables: Sequence[Table], first_cycle: int, context: str):
    """Check that all tables are equal wherever they are defined.

    Raises
    ------
    Mismatch
        Names the first cycle that differs, what differs in it, and shows the cycles before.
    """
    different = [table.differs() for table in tables]
    bad = np.any([d.any(axis=1) for d in different], axis=0)
    if not bad.any():
        return
    t = int(bad.argmax())
    columns = [np.flatnonzero(d[t]).tolist() for d in different]
    what = [f"{table.name}.{table.fields[i]}" for table, c in zip(tables, columns, strict=True) for i in c]
    lines = [f"{unit}: {', '.join(what[:8])} differ in cycle {first_cycle + t} ({context})"]
    concerned = [(table, c) for table, c in zip(tables, columns, strict=True) if c]
    for cycle in range(max(0, t - 5), t + 1):
        lines.append(f"  cycle {first_cycle + cycle}:")
        for label, side in ("rtl   ", "rtl"), ("golden", "golden"):
            values = {}
            for table, c in concerned:
                values |= table.line(side, cycle, c)
            lines.append(f"    {label} {values}")
    raise Mismatch("\n".join(lines))
