"""Cycle model of ``hdl.common.fifo``: many FIFOs at once for compiled models, and one for unit benches."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

__all__ = ["FifoInputs", "FifoModel", "FifoOutputs", "FifoState", "fifo_front", "fifo_ready", "fifo_state",
           "fifo_step", "fifo_valid"]


class FifoState(NamedTuple):
    """State of ``lanes`` FIFOs, changed in place.

    Attributes
    ----------
    level : int64 array, shape (lanes,)
        Items inside.
    head : int64 array, shape (lanes,)
        Where in ``items`` the first one lies.
    items : int64 array, shape (lanes, depth, fields)
        Ring of payloads, each of 1 to 3 fields.
    """

    level: np.ndarray
    head: np.ndarray
    items: np.ndarray


def fifo_state(lanes, depth, fields=1) -> FifoState:
    """Empty FIFOs.

    Raises
    ------
    ValueError
        If ``depth`` is not in 1..256 or ``fields`` not in 1..3.
    """
    if not 1 <= depth <= 256:
        raise ValueError(f"depth must be an integer in 1..256, not {depth!r}")
    if not 1 <= fields <= 3:
        raise ValueError(f"fields must be an integer in 1..3, not {fields!r}")
    return FifoState(level=np.zeros(lanes, np.int64), head=np.zeros(lanes, np.int64),
                     items=np.zeros((lanes, depth, fields), np.int64))


@jit
def fifo_ready(s, k):
    """``i.ready`` of lane ``k`` in this cycle."""
    return s.level[k] < s.items.shape[1]


@jit
def fifo_valid(s, k):
    """``o.valid`` of lane ``k`` in this cycle."""
    return s.level[k] > 0


@jit
def fifo_front(s, k, field):
    """One field of ``o.payload`` of lane ``k``; only while :func:`fifo_valid`."""
    return s.items[k, s.head[k], field]


@jit
def fifo_step(s, k, i_valid, a, b, c, o_ready):
    """One clock edge of lane ``k``; read its outputs before.

    Parameters
    ----------
    s : FifoState
    k : int
        Lane.
    i_valid, o_ready : bool
    a, b, c : int
        Fields of ``i.payload``; those beyond the state's number of fields are ignored.
    """
    depth, fields = s.items.shape[1], s.items.shape[2]
    level = s.level[k]
    take = i_valid and level < depth
    give = o_ready and level > 0
    if take:
        tail = (s.head[k] + level) % depth
        s.items[k, tail, 0] = a
        if fields > 1:
            s.items[k, tail, 1] = b
        if fields > 2:
            s.items[k, tail, 2] = c
        s.level[k] += 1
    if give:
        s.head[k] = (s.head[k] + 1) % depth
        s.level[k] -= 1


class FifoInputs(NamedTuple):
    i_valid: bool
    i_payload: int
    o_ready: bool


class FifoOutputs(NamedTuple):
    i_ready: bool
    o_valid: bool
    o_payload: int | None  # None when o_valid is 0
    level: int


class FifoModel:
    """One FIFO with payloads of up to 63 bits: call :meth:`step` once per clock cycle."""

    #: Situations that a test run must reach at least once (the coverage plan).
    EVENTS = frozenset({"full", "emptied", "offer_while_full", "take_and_give"})

    def __init__(self, depth):
        self._depth = depth
        self.reset()

    def reset(self):
        self._state = fifo_state(1, self._depth)
        self.seen = set()

    def step(self, x: FifoInputs) -> FifoOutputs:
        """Outputs of the current cycle; then advance the state by one clock edge."""
        s = self._state
        valid = bool(fifo_valid(s, 0))
        front = int(fifo_front(s, 0, 0)) if valid else None
        y = FifoOutputs(bool(fifo_ready(s, 0)), valid, front, int(s.level[0]))
        self._cover(x, y)
        fifo_step(s, 0, x.i_valid, x.i_payload, 0, 0, x.o_ready)
        return y

    def _cover(self, x, y):
        take, give = x.i_valid and y.i_ready, x.o_ready and y.o_valid
        reached = {
            "full": y.level == self._depth,
            "emptied": give and not take and y.level == 1,
            "offer_while_full": x.i_valid and not y.i_ready,
            "take_and_give": take and give,
        }
        self.seen |= {event for event, happened in reached.items() if happened}
