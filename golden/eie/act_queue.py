"""Golden model of the activation queue [EIE IV, "Activation Queue and Load Balancing"].

A queue of broadcast activations (column, value) in front of every PE; the broadcast stalls while any is full.
It is the common stream FIFO; ``fifo_depth`` counts usable entries.
"""

from golden.common.fifo import FifoState, fifo_state

from .config import EieConfig

#: Payload fields.
COLUMN, VALUE = range(2)


def state(cfg: EieConfig, lanes: int) -> FifoState:
    """State after reset."""
    return fifo_state(lanes, cfg.fifo_depth, 2)
