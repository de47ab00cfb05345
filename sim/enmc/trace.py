"""The probe port of ENMC: decoding it in blocks, and comparing a block with the golden model."""

import re

import numpy as np

from golden.enmc.formats import trace_of
from sim.common.probe import Format, Table, compare, words_of

__all__ = ["check", "decode", "format_of"]

#: Fields that mean something only while another one is set.
_WHEN = {"label": "candidate", "batch": "candidate", "score": "candidate", "addr": "request", "count": "request",
         "request_write": "request", "request_dest": "request", "load_dest": "load"}
#: Enables of the data pins.
_ENABLES = {"dram_dq_o": "dram_oe", "dq_o": "oe"}


def format_of(cfg) -> Format:
    """What a rank shows."""
    return Format(trace_of(cfg))


def decode(cfg, block: list[int]) -> np.ndarray:
    """Sampled values of the port, one a cycle, as fields: int64 [cycles, ranks, fields]."""
    form = format_of(cfg)
    words = words_of(block, cfg.ranks * form.words)
    return form.decode(words.reshape(len(block), cfg.ranks, form.words))


def check(cfg, rtl, golden, first_cycle: int, context: str):
    """Compare two blocks [cycles, ranks, fields]; sim.common.probe.Mismatch shows the first difference."""
    names = list(trace_of(cfg))
    masked = rtl.copy()
    for column, name in enumerate(names):
        pins = re.fullmatch(r"(dram_dq_o|dq_o)_(\d)_\d", name)
        if pins:    # data pins that are not driven say nothing
            idle = golden[:, :, names.index(_ENABLES[pins[1]])] >> int(pins[2]) & 1 == 0
            masked[:, :, column][idle] = golden[:, :, column][idle]
    tables = [Table(f"rank_{k}", names, masked[:, k], golden[:, k], _WHEN, ("owner",)) for k in range(cfg.ranks)]
    compare("enmc", tables, first_cycle, context)

