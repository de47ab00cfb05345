"""Words: made of bit fields, such as stream commands, by a table ``{name: bits}``, low bits first; cut into beats."""

from collections.abc import Mapping

__all__ = ["beats_of", "pack_fields", "unpack_fields"]


def pack_fields(fields: Mapping[str, int], values: Mapping[str, int]) -> int:
    """One word; fields without a value are 0.

    Parameters
    ----------
    fields : mapping of str to int
        Name to width [bits], the lowest first.
    values : mapping of str to int
        Unsigned.

    Raises
    ------
    ValueError
        If a name is not one of ``fields``, or a value does not fit.
    """
    for name in values:
        if name not in fields:
            raise ValueError(f"field must be one of {', '.join(fields)}, not {name!r}")
    word = lsb = 0
    for name, bits in fields.items():
        value = int(values.get(name, 0))
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} must be in 0..{(1 << bits) - 1}, not {value!r}")
        word |= value << lsb
        lsb += bits
    return word


def unpack_fields(fields: Mapping[str, int], word: int) -> dict[str, int]:
    """Name to value: the inverse of :func:`pack_fields`. Bits above the last field are ignored."""
    values, lsb = {}, 0
    for name, bits in fields.items():
        values[name] = word >> lsb & (1 << bits) - 1
        lsb += bits
    return values


def beats_of(word_bits: int, beat_bits: int) -> int:
    """Stream beats of a word."""
    return -(-word_bits // beat_bits)
