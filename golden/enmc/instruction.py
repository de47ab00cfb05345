"""Instructions of ENMC as the host sends them [Thesis 6.4.3, Fig. 6.7]: encoder, decoder, and what command pins hold.

A PRECHARGE with an opcode on its row address carries 13 bits of instruction, and 64 bits on the data pins where the
instruction has data. A10 stays low, otherwise it would be a PRECHARGE of all banks; opcode 0 is a plain PRECHARGE.

>>> addr, data = encode("LDR", buffer="WEIGHT_INT4", addr=0x40, count=8)
>>> decode(addr, data).count
8
"""

import operator
from typing import NamedTuple

from golden.common.fields import pack_fields, unpack_fields
from golden.common.jit import jit

from .formats import (
    ALL,
    DATA_BITS,
    INSTRUCTION_BITS,
    INSTRUCTION_FIELDS,
    PIN_FIELDS,
    REGISTER_FIELDS,
    TAG_FIELDS,
    Buffer,
    Command,
    Op,
)
from .instruction_table import INSTRUCTIONS
from .registers import REGISTERS

__all__ = ["EVENTS", "INSTRUCTIONS", "KINDS", "Instruction", "decode", "encode", "kind_of", "pins_of", "word_of"]

_BY_OPCODE = {(form.op, form.write): name for name, form in INSTRUCTIONS.items()}
#: Fields that may be negative: two's complement of the field's width.
_TWOS_COMPLEMENT = ("score", "data")
#: Bits of the word below A10.
_LOW = (1 << ALL) - 1
_HIGH = (1 << INSTRUCTION_BITS) - 1 & ~_LOW


class Instruction(NamedTuple):
    """What :func:`decode` gives and :func:`encode` takes again; fields that an instruction does not have are None."""

    name: str
    reg: int | None = None
    buffer: int | None = None
    buffer1: int | None = None
    buffer2: int | None = None
    data: int | None = None
    addr: int | None = None
    count: int | None = None
    score: int | None = None
    label: int | None = None
    batch: int | None = None

    @property
    def op(self) -> Op:
        """The opcode."""
        return INSTRUCTIONS[self.name].op

    @property
    def fields(self) -> dict[str, int]:
        """The fields that it has: ``encode(i.name, **i.fields)``."""
        return {name: value for name, value in zip(self._fields[1:], self[1:], strict=True) if value is not None}


def encode(op, **fields) -> tuple[int, int | None]:
    """An instruction as the host sends it.

    Parameters
    ----------
    op : str, Op or Instruction
        A name of ``INSTRUCTIONS``, an opcode (``Op.REGISTER`` is INIT if there is ``data``, else QUERY), or what
        :func:`decode` gave.
    **fields
        Operands: ``reg`` (name or number), ``buffer``, ``buffer1``, ``buffer2`` (:class:`Buffer`, name or number), and
        the fields of the data. ``score`` and ``data`` may be negative.

    Returns
    -------
    (int, int or None)
        A13..A0 of the PRECHARGE, and 64 bits on the data pins, None if the host sends none.

    Raises
    ------
    ValueError
        If there is no such instruction, or a field is unknown, missing or too large.
    """
    if isinstance(op, Instruction):
        op, fields = op.name, op.fields | fields
    name = _name_of(op, fields)
    form = INSTRUCTIONS[name]
    values = dict(form.usual) | {key: value for key, value in fields.items() if value is not None}
    for key in values:
        if key not in form.operands:
            raise ValueError(f"fields of {name} must be {', '.join(form.operands) or 'none'}, not {key!r}")
    for key in form.operands:
        values[key] = _number(name, key, values.get(key), {**form.word, **form.data}[key])
    word = pack_fields(form.word, {"op": form.op} | _only(values, form.word)
                       | ({} if form.write is None else {"write": form.write}))
    data = pack_fields(form.data, _only(values, form.data)) if form.data else None
    return word & _LOW | (word & _HIGH) << 1, data


def decode(addr: int, data: int | None = None) -> Instruction | None:
    """The instruction that A13..A0 of a PRECHARGE and the data pins carry: the inverse of :func:`encode`.

    Parameters
    ----------
    addr : int
        14 bits.
    data : int or None
        64 bits. Not looked at if the host sends none with this instruction.

    Returns
    -------
    Instruction or None
        None for a plain PRECHARGE and for one of all banks.

    Raises
    ------
    ValueError
        If the opcode is unknown, bits that must be 0 are not, or there is no ``data`` where there must be.
    """
    addr = _within("addr", addr, INSTRUCTION_BITS + 1)
    word = addr & _LOW | addr >> 1 & _HIGH
    opcode = unpack_fields(INSTRUCTION_FIELDS, word)["op"]
    if addr >> ALL & 1 or opcode == 0:
        return None
    write = unpack_fields(REGISTER_FIELDS, word)["write"] if opcode == Op.REGISTER else None
    name = _BY_OPCODE.get((opcode, write))
    if name is None:
        raise ValueError(f"opcode must be in 1..{max(Op)}, not {opcode!r}")
    form = INSTRUCTIONS[name]
    values = unpack_fields(form.word, word)
    if values.pop("zero", 0):
        raise ValueError(f"unused bits of {name} must be 0, not those of {word:#06x}")
    if form.data:
        data = _within(f"data of {name}", data, DATA_BITS)
        values |= unpack_fields(form.data, data)
    if values.pop("zero", 0):
        raise ValueError(f"unused bits of the data of {name} must be 0, not those of {data:#018x}")
    if "score" in values:
        values["score"] -= (values["score"] >> TAG_FIELDS["score"] - 1) << TAG_FIELDS["score"]
    for key in ("buffer", "buffer1", "buffer2"):
        if values.get(key) in set(Buffer):
            values[key] = Buffer(values[key])
    return Instruction(name, **_only(values, form.operands))


def _name_of(op, fields):
    if op == Op.REGISTER and not isinstance(op, str):
        return "QUERY" if fields.get("data") is None else "INIT"
    name = _BY_OPCODE.get((op, None)) if isinstance(op, int) else op
    if not isinstance(name, str) or name not in INSTRUCTIONS:
        raise ValueError(f"op must be one of {', '.join(INSTRUCTIONS)}, not {op!r}")
    return name


def _number(name, key, value, bits):
    """A field's value as an unsigned number of ``bits``."""
    if value is None:
        raise ValueError(f"{key} of {name} must be given, not left out")
    if isinstance(value, str):
        numbers = {r: entry.number for r, entry in REGISTERS.items()} if key == "reg" else Buffer.__members__
        if not (key == "reg" or key.startswith("buffer")) or value not in numbers:
            raise ValueError(f"{key} of {name} must be a number or a name that it has, not {value!r}")
        value = numbers[value]
    return _within(f"{key} of {name}", value, bits, least=-1 << bits - 1 if key in _TWOS_COMPLEMENT else 0)


def _within(what, value, bits, least=0):
    try:
        value = operator.index(value)
    except TypeError:
        raise ValueError(f"{what} must be an integer, not {value!r}") from None
    if not least <= value < 1 << bits:
        raise ValueError(f"{what} must be in {least}..{(1 << bits) - 1}, not {value!r}")
    return value & (1 << bits) - 1


def _only(values, names):
    return {name: value for name, value in values.items() if name in names}


def pins_of(addr: int) -> int:
    """Command pins of a clock with a PRECHARGE that carries ``addr``; fields as in ``PIN_FIELDS``."""
    return pack_fields(PIN_FIELDS, {"act_n": 1, "a": Command.PRE << INSTRUCTION_BITS + 1 | addr})


#: What a clock's command pins hold: nothing; an ordinary command, among them three that matter; an instruction that
#: waits in order, and two that are answered at once. INSTRUCTION and above are instructions.
KINDS = ("none", "ordinary", "read", "write", "refresh", "instruction", "query", "take")
NONE, ORDINARY, READ, WRITE, REFRESH, INSTRUCTION, QUERY, TAKE = range(len(KINDS))
_A = sum(PIN_FIELDS.values()) - PIN_FIELDS["a"]
_CS_N, _ACT_N = 1, 2
_A10, _COMMAND = _A + ALL, _A + INSTRUCTION_BITS + 1
_OPCODE = INSTRUCTION_FIELDS["b"] + INSTRUCTION_FIELDS["a"]
_WRITE = REGISTER_FIELDS["zero"] + REGISTER_FIELDS["reg"]
_PRE, _RD, _WR, _REF, _NOP = (int(c) for c in (Command.PRE, Command.RD, Command.WR, Command.REF, Command.NOP))
_REGISTER, _RETURN = int(Op.REGISTER), int(Op.RETURN)
#: Situations that the tests must reach.
EVENTS = KINDS


@jit
def word_of(pins):
    """The 13 bits of an instruction on the command pins of a clock."""
    a = pins >> _A
    return (a & _LOW) | ((a >> 1) & _HIGH)


@jit
def kind_of(pins):
    """Which of :data:`KINDS` the command pins of a clock hold; deselected pins and NOP are ``NONE``."""
    if pins & _CS_N:
        return NONE
    if not pins & _ACT_N:
        return ORDINARY
    command = (pins >> _COMMAND) & 7
    opcode = word_of(pins) >> _OPCODE
    if command == _PRE and opcode != 0 and not (pins >> _A10) & 1:
        if opcode == _REGISTER and not (word_of(pins) >> _WRITE) & 1:
            return QUERY
        return TAKE if opcode == _RETURN else INSTRUCTION
    if command == _RD:
        return READ
    if command == _WR:
        return WRITE
    if command == _REF:
        return REFRESH
    return NONE if command == _NOP else ORDINARY
