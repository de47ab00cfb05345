"""Golden model of the activation queue [EIE IV, "Activation Queue and Load Balancing"].

A queue of broadcast activations (column, value) in front of every PE; nothing is broadcast while one is full. It is
the common stream FIFO; ``fifo_depth`` counts usable entries.
"""

from golden.common.fifo import FifoState, fifo_state
from golden.common.jit import jit

from .config import EieConfig

#: Payload fields.
COLUMN, VALUE = range(2)


def state(cfg: EieConfig, lanes: int) -> FifoState:
    """State after reset."""
    return fifo_state(lanes, cfg.fifo_depth, 2)


@jit
def has_room(s, k, count):
    """Lane ``k`` has room for ``count`` more activations; outputs ``room`` are this for 1 and 2."""
    return s.level[k] + count <= s.items.shape[1]
