"""What the host sends: stream packets that write words, run stages and read words back.

A packet is a list of 64-bit beats; TLAST belongs to its last one.
"""

import numpy as np

from golden.common.fields import pack_fields

from .config import DuetConfig
from .formats import (
    BEAT_BITS,
    CELL_FIELDS,
    COMMAND_FIELDS,
    EXECUTE_FIELDS,
    SPECULATE_FIELDS,
    Op,
    Target,
    chain_beats,
    chain_fields,
)
from .packing import Write, beats, element_bits, words_of_beats
from .program import Stage, packed

__all__ = ["chain_of", "read_packet", "run_packet", "word_of_read", "write_packet"]


def _head(op, target, addr, count):
    return pack_fields(COMMAND_FIELDS, {"op": op, "target": target, "addr": addr, "count": count})


def write_packet(cfg: DuetConfig, write: Write) -> list[int]:
    """Words for a memory."""
    data = beats(np.asarray(write.words).reshape(len(write.words), -1), element_bits(cfg, write.target))
    return [_head(Op.WRITE, write.target, write.addr, len(write.words)), *data.reshape(-1).tolist()]


def chain_of(cfg: DuetConfig, stage: Stage) -> list[int]:
    """Beats of the scan chain of a stage; every row and column has its own ID."""
    fields = chain_fields(cfg)
    word = lsb = 0
    for section, job in ((SPECULATE_FIELDS, stage.speculate), (EXECUTE_FIELDS, stage.execute),
                         (CELL_FIELDS, stage.cell)):
        word |= packed(section, job or {}) << lsb
        lsb += sum(section.values())
    for name, count in (("row_id", cfg.rows), ("column_id", cfg.columns)):
        for k in range(count):
            word |= k << lsb
            lsb += fields[f"{name}_{k}"]
    return [word >> BEAT_BITS * k & (1 << BEAT_BITS) - 1 for k in range(chain_beats(cfg))]


def run_packet(cfg: DuetConfig, stage: Stage) -> list[int]:
    """A stage."""
    return [_head(Op.RUN, 0, 0, chain_beats(cfg)), *chain_of(cfg, stage)]


def read_packet(cfg: DuetConfig, addr: int, words: int) -> list[int]:
    """Words of the global buffer come back."""
    return [_head(Op.READ, Target.GLB, addr, words)]


def word_of_read(cfg: DuetConfig, stream) -> np.ndarray:
    """The words that came back: int64 [words, values]."""
    return words_of_beats(cfg, np.array(stream, np.uint64))
