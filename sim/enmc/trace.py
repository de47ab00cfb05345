"""The probe port of ENMC: decoding it in blocks, and comparing a block with the golden model."""

import functools
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


@functools.cache
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
    names, masked = list(trace_of(cfg)), rtl.copy()
    for enable, slot, columns in _driven(cfg):  # data pins that are not driven say nothing
        idle = golden[:, :, enable] >> slot & 1 == 0
        masked[:, :, columns][idle] = golden[:, :, columns][idle]
    # All ranks at once, which is faster; which one differs is asked only if one does.
    flat = [side.reshape(-1, len(names)) for side in (masked, golden)]
    if Table("", names, *flat, _WHEN).differs().any():
        tables = [Table(f"rank_{k}", names, masked[:, k], golden[:, k], _WHEN, ("owner",)) for k in range(cfg.ranks)]
        compare("enmc", tables, first_cycle, context)


@functools.cache
def _driven(cfg) -> list[tuple[int, int, slice]]:
    """Of the data pins in each clock: where their enable is, which bit of it, and where they are."""
    names, parts = list(trace_of(cfg)), {}
    for column, name in enumerate(names):
        if pins := re.fullmatch(r"(dram_dq_o|dq_o)_(\d)_\d", name):
            parts.setdefault((names.index(_ENABLES[pins[1]]), int(pins[2])), []).append(column)
    return [(enable, slot, slice(columns[0], columns[-1] + 1)) for (enable, slot), columns in parts.items()]
