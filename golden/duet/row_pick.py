"""Golden model of the choice of rows: those that work, the lowest first, with the place of their weights."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["RowPickState", "clock", "state", "valid_of"]


class RowPickState(NamedTuple):
    """Registers [lanes], unless a shape is given; masks of rows are integers."""

    works: np.ndarray       # rows of the group
    places: np.ndarray      # [lanes, rows]
    rest: np.ndarray        # rows that are still to come
    valid: np.ndarray       # the row that is offered
    row: np.ndarray
    place: np.ndarray
    last: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> RowPickState:
    """State after reset."""
    shapes = dict.fromkeys(RowPickState._fields, ()) | {"places": (cfg.rows,)}
    return RowPickState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})


@jit
def valid_of(s, k):
    """``row`` is offered, with ``place`` and ``last``."""
    return s.valid[k] != 0


@jit
def clock(s, k, load, sensitive, places, again, take):
    """One clock of lane ``k``.

    Parameters
    ----------
    load : bool
        A group comes: ``sensitive`` and ``places``, arrays [rows].
    again : bool
        Begin with the lowest row, of the group that comes, if one does; only when no row is left.
    take : bool
        The row that is offered is taken.
    """
    if not s.valid[k] or take:
        s.valid[k] = 0
        rest = s.rest[k]
        if rest:
            row = 0
            while not rest >> row & 1:
                row += 1
            s.rest[k] = rest & rest - 1
            s.valid[k], s.row[k], s.place[k], s.last[k] = 1, row, s.places[k, row], s.rest[k] == 0
    if load:
        s.works[k] = 0
        for row in range(places.shape[0]):
            s.works[k] |= (1 if sensitive[row] else 0) << row
            s.places[k, row] = places[row]
    if again:
        s.rest[k] = s.works[k]
