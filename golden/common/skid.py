"""Cycle model of ``hdl.common.skid``: many skid buffers at once for compiled models, and one for unit benches."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

__all__ = ["SkidInputs", "SkidModel", "SkidOutputs", "SkidState", "skid_field", "skid_ready", "skid_state", "skid_step",
           "skid_valid"]


class SkidState(NamedTuple):
    """State of ``lanes`` skid buffers, changed in place.

    Attributes
    ----------
    full : int64 array, shape (lanes,)
        An item waits.
    item : int64 array, shape (lanes, fields)
        Its payload.
    """

    full: np.ndarray
    item: np.ndarray


def skid_state(lanes, fields=1) -> SkidState:
    """Empty buffers for payloads of ``fields`` fields."""
    return SkidState(np.zeros(lanes, np.int64), np.zeros((lanes, fields), np.int64))


@jit
def skid_ready(s, k):
    """``i.ready`` of lane ``k`` in this cycle."""
    return not s.full[k]


@jit
def skid_valid(s, k, i_valid):
    """``o.valid`` of lane ``k`` in this cycle."""
    return s.full[k] or i_valid


@jit
def skid_field(s, k, field, offered):
    """One field of ``o.payload`` of lane ``k``, where ``offered`` is that of ``i.payload``."""
    return s.item[k, field] if s.full[k] else offered


@jit
def skid_step(s, k, i_valid, o_ready):
    """One clock edge of lane ``k``. Returns whether the caller has to store ``i.payload`` in ``item[k]``."""
    if s.full[k]:
        s.full[k] = not o_ready
        return False
    s.full[k] = i_valid and not o_ready
    return s.full[k] != 0


class SkidInputs(NamedTuple):
    i_valid: bool
    i_payload: int
    o_ready: bool


class SkidOutputs(NamedTuple):
    i_ready: bool
    o_valid: bool
    o_payload: int | None  # None when o_valid is 0


class SkidModel:
    """One skid buffer with payloads of up to 63 bits: call :meth:`step` once per clock cycle."""

    #: Situations that a test run must reach at least once (the coverage plan).
    EVENTS = frozenset({"passed_through", "kept", "offer_while_full", "left"})

    def __init__(self):
        self.reset()

    def reset(self):
        self._state = skid_state(1)
        self.seen = set()

    def step(self, x: SkidInputs) -> SkidOutputs:
        """Outputs of the current cycle; then advance the state by one clock edge."""
        s = self._state
        full, valid = bool(s.full[0]), bool(skid_valid(s, 0, x.i_valid))
        payload = int(skid_field(s, 0, 0, x.i_payload)) if valid else None
        y = SkidOutputs(bool(skid_ready(s, 0)), valid, payload)
        reached = {
            "passed_through": x.i_valid and x.o_ready and not full,
            "kept": x.i_valid and not x.o_ready and not full,
            "offer_while_full": x.i_valid and full,
            "left": full and x.o_ready,
        }
        self.seen |= {event for event, happened in reached.items() if happened}
        if skid_step(s, 0, x.i_valid, x.o_ready):
            s.item[0, 0] = x.i_payload
        return y
