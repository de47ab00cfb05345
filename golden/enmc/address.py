"""Addresses of a rank's DRAM: number of a burst <-> bank group, bank, row and column.

A burst has eight beats of all data pins. Consecutive bursts alternate between two bank groups, so that they may follow
each other after tCCD_S; 2 * page_bursts of them keep one row open in each of two banks, a *pair* [Thesis 6.4.2, JEDEC
DDR4].
"""

from typing import NamedTuple

import numpy as np

from .config import EnmcConfig
from .formats import BANK_GROUPS, BANKS, BURST_LENGTH, BURST_ORDER

__all__ = ["Location", "burst_of", "fields_of", "join", "location", "lsb_of"]

#: The fields of :func:`join`.
_BG0, _COLUMN, _BG1, _BA, _ROW = (BURST_ORDER.index(name) for name in ("bg0", "column", "bg1", "ba", "row"))


class Location(NamedTuple):
    """Where a burst lies; integers, or arrays of them.

    Attributes
    ----------
    bank_group : int
        0..3.
    bank : int
        0..3, in its group.
    row : int
    column : int
        Address of the first column, a multiple of 8.
    """

    bank_group: int
    bank: int
    row: int
    column: int


def fields_of(cfg: EnmcConfig) -> dict[str, tuple[int, int]]:
    """Lowest bit and width of each field of a burst's number, in the order of ``BURST_ORDER``."""
    widths = {"bg0": 1, "column": cfg.column_bits - 3, "bg1": 1, "ba": 2, "row": cfg.row_bits}
    fields, lsb = {}, 0
    for name in BURST_ORDER:
        fields[name] = lsb, widths[name]
        lsb += widths[name]
    return fields


def lsb_of(cfg: EnmcConfig) -> tuple[int, ...]:
    """Lowest bits of the fields, in the order of ``BURST_ORDER``."""
    return tuple(lsb for lsb, _width in fields_of(cfg).values())


def join(lsb, bank_group, bank, row, column):
    """Number of the burst that holds a column, unchecked; ``lsb`` of :func:`lsb_of`, values that are in range."""
    return ((bank_group & 1) << lsb[_BG0] | bank_group >> 1 << lsb[_BG1] | bank << lsb[_BA] | row << lsb[_ROW]
            | column // BURST_LENGTH << lsb[_COLUMN])


def location(cfg: EnmcConfig, burst) -> Location:
    """Where a burst lies.

    Parameters
    ----------
    cfg : EnmcConfig
    burst : int or int array
        0..cfg.bursts - 1.

    Raises
    ------
    ValueError
        If the rank has no such burst.
    """
    _check("burst", burst, cfg.bursts)
    part = {name: burst >> lsb & (1 << width) - 1 for name, (lsb, width) in fields_of(cfg).items()}
    return Location(part["bg0"] | part["bg1"] << 1, part["ba"], part["row"], part["column"] * BURST_LENGTH)


def burst_of(cfg: EnmcConfig, bank_group, bank, row, column):
    """Number of the burst that holds a column: the inverse of :func:`location`. Integers, or arrays of them.

    Raises
    ------
    ValueError
        If the rank has no such bank group, bank, row or column.
    """
    _check("bank_group", bank_group, BANK_GROUPS)
    _check("bank", bank, BANKS // BANK_GROUPS)
    _check("row", row, 2**cfg.row_bits)
    _check("column", column, 2**cfg.column_bits)
    return join(lsb_of(cfg), bank_group, bank, row, column)


def _check(name, values, end):
    for value in np.ravel(values):
        if not 0 <= value < end:
            raise ValueError(f"{name} must be in 0..{end - 1}, not {value.item()!r}")
