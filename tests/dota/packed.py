"""Arrays of numbers as the bit patterns of the pins, element 0 lowest."""

import numpy as np

from sim.common.bench import to_raw, to_signed


def pack(values, bits: int) -> int:
    """The bit pattern. Raises ValueError if a value does not fit."""
    raw = 0
    for index, value in enumerate(values):
        raw |= to_raw(int(value), bits) << index * bits
    return raw


def unpack(raw: int, count: int, bits: int, *, signed: bool = False) -> list[int]:
    """The values of a bit pattern."""
    values = [raw >> index * bits & (1 << bits) - 1 for index in range(count)]
    return [to_signed(value, bits) for value in values] if signed else values


def pack_sums(values) -> int:
    """Signed numbers of 48 bits, an int64 array: :func:`pack` for long words."""
    values = np.ascontiguousarray(values, np.int64)
    assert np.all(values << 16 >> 16 == values), "values must fit into 48 bits"
    return int.from_bytes(values.view(np.uint8).reshape(-1, 8)[:, :6].tobytes(), "little")


def unpack_sums(raw: int, count: int) -> np.ndarray:
    """The inverse of :func:`pack_sums`."""
    values = np.zeros((count, 8), np.uint8)
    values[:, 2:] = np.frombuffer(raw.to_bytes(count * 6, "little"), np.uint8).reshape(count, 6)
    return values.view(np.int64).ravel() >> 16
