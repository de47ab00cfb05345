"""Words of the global buffer as integers, as pins have them, and as arrays, as models have them."""

import numpy as np

from golden.duet.config import DuetConfig
from sim.common.bench import Fields, to_raw, to_signed, unsigned

__all__ = ["bits_of", "pack_values", "unpack_values", "write_fields"]


def write_fields(cfg: DuetConfig) -> Fields:
    """As ``hdl.duet.layouts.glb_write_layout``, with words in one piece."""
    return Fields(addr=unsigned(16), map_addr=unsigned(16), mask=unsigned(cfg.values), map_mask=unsigned(cfg.values),
                  data=unsigned(cfg.word_bits), map=unsigned(cfg.values))


def pack_values(values, bits: int = 16) -> int:
    """A word; ``values`` are signed, the first lowest."""
    return sum(to_raw(int(value), bits) << k * bits for k, value in enumerate(values))


def bits_of(flags) -> int:
    """A map word or a mask; not zero: a set bit."""
    return sum(1 << k for k, flag in enumerate(flags) if flag)


def unpack_values(word: int, count: int, bits: int = 16) -> np.ndarray:
    """``count`` values of a word, int64; signed, unless they are single bits."""
    raw = [word >> k * bits & (1 << bits) - 1 for k in range(count)]
    return np.array(raw if bits == 1 else [to_signed(value, bits) for value in raw], np.int64)
