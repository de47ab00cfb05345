"""Payloads that travel between the units of ENMC: one function a format, used by producer, consumer and bench."""

from amaranth import *
from amaranth.lib import data

from golden.enmc.config import EnmcConfig
from golden.enmc.formats import DATA_BITS, INSTRUCTION_FIELDS, PHASES, PIN_FIELDS, RECORD_FIELDS, WORD_BITS, Dest

__all__ = ["burst_layout", "candidate_layout", "check_cfg", "execute_layout", "instruction_layout", "phases_layout",
           "pins_layout", "record_layout", "request_layout", "screen_layout"]


def check_cfg(cfg):
    """Refuse anything but a configuration of ENMC."""
    if not isinstance(cfg, EnmcConfig):
        raise TypeError(f"cfg must be an EnmcConfig, not {cfg!r}")
    return cfg


def pins_layout() -> data.ArrayLayout:
    """Command pins in the clocks of a cycle, the first lowest; fields as in ``golden.enmc.formats.PIN_FIELDS``."""
    return data.ArrayLayout(data.StructLayout(PIN_FIELDS), PHASES)


def phases_layout(cfg) -> data.ArrayLayout:
    """Data pins in the clocks of a cycle, the first lowest: the beats of two edges each, the rising one low."""
    return data.ArrayLayout(2 * cfg.dq, PHASES)


def burst_layout(cfg) -> data.ArrayLayout:
    """A burst as 32-bit words, the first beat lowest."""
    return data.ArrayLayout(WORD_BITS, cfg.burst_words)


def instruction_layout() -> data.StructLayout:
    """An instruction and its data [Thesis Fig. 6.7]."""
    return data.StructLayout({**INSTRUCTION_FIELDS, "data": DATA_BITS})


def request_layout(cfg) -> data.StructLayout:
    """Bursts ``addr`` to ``addr + count - 1`` to read for ``dest``, or to write; ``count`` is not 0."""
    return data.StructLayout({"addr": cfg.burst_bits, "count": 16, "write": 1, "dest": Shape.cast(range(len(Dest)))})


def screen_layout() -> data.StructLayout:
    """What the screener does next: a ``Screen``, over ``count`` bursts.

    MULTIPLY begins with partial sums of 0 if ``clear``, and takes features of 1 if ``ones``.
    """
    return data.StructLayout({"kind": 3, "count": 16, "clear": 1, "ones": 1})


def candidate_layout(_cfg) -> data.StructLayout:
    """A class of an input of the batch whose score is above the threshold."""
    return data.StructLayout({"score": signed(32), "label": 24, "batch": 4})


def execute_layout() -> data.StructLayout:
    """What the executor does next: an ``Execute`` over ``count`` bursts.

    ``clear`` and ``ones`` as in :func:`screen_layout`. FINISH and PASS: whose result this is, and its ``Function``.
    """
    return data.StructLayout({"kind": 2, "count": 16, "clear": 1, "ones": 1, "function": 2, "batch": 4, "label": 24,
                              "score": 32})


def record_layout() -> data.StructLayout:
    """A result; fields as in ``golden.enmc.formats.RECORD_FIELDS``."""
    return data.StructLayout(RECORD_FIELDS)
