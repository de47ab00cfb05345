"""What the host sends: stream packets that carry out the commands of a plan, and what comes back.

A packet is a list of 64-bit beats; TLAST belongs to its last one.
"""

import numpy as np

from golden.common.fields import beats_of, pack_fields

from .compiler import Read, Run, Write
from .config import DotaConfig
from .formats import BEAT_BITS, COMMAND_FIELDS, STEP_BITS, STEP_FIELDS, UNIT_BITS, Op

_BEAT = (1 << BEAT_BITS) - 1


def packet(cfg: DotaConfig, command, lanes: int) -> list[int]:
    """The packet of a command for a mask of lanes."""
    if isinstance(command, Write):
        return [_head(Op.WRITE, lanes, command.addr, len(command.words)), *word_beats(cfg, command.words)]
    if isinstance(command, Run):
        step = pack_fields(STEP_FIELDS, {name: int(value) for name, value in command.step.items()})
        beats = [step >> shift & _BEAT for shift in range(0, STEP_BITS, BEAT_BITS)]
        return [_head(Op.RUN, lanes, 0, 1), *beats]
    if isinstance(command, Read):
        return [_head(Op.READ, lanes, command.addr, command.count)]
    raise TypeError(f"command must be a Write, Run or Read, not {command!r}")


def _head(op, lanes, addr, count):
    return pack_fields(COMMAND_FIELDS, {"op": op, "lanes": lanes, "addr": addr, "count": count})


def word_beats(cfg: DotaConfig, words) -> list[int]:
    """Words, int64 [words, units], as beats; a word shorter than a beat is filled with zeros."""
    words = np.asarray(words, np.uint64)
    per_word = beats_of(cfg.word_bits, BEAT_BITS)
    units = np.zeros((len(words), per_word * BEAT_BITS // UNIT_BITS), np.uint64)
    units[:, :cfg.units_per_word] = words
    return (units[:, 0::2] | units[:, 1::2] << np.uint64(UNIT_BITS)).reshape(-1).tolist()


def words_of_beats(cfg: DotaConfig, beats) -> np.ndarray:
    """The inverse of :func:`word_beats`: int64 [words, units]."""
    per_word = beats_of(cfg.word_bits, BEAT_BITS)
    beats = np.asarray(beats, np.uint64).reshape(-1, per_word)
    units = np.stack([beats & np.uint64((1 << UNIT_BITS) - 1), beats >> np.uint64(UNIT_BITS)], axis=-1)
    return units.reshape(len(beats), 2 * per_word)[:, :cfg.units_per_word].astype(np.int64)
