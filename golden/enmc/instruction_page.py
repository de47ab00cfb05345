"""Tables of ``docs/enmc-instructions.md``, made from the table of instructions and that of registers."""

from .formats import ALL, Buffer
from .instruction_table import INSTRUCTIONS
from .registers import REGISTERS, STATUS_FIELDS

__all__ = ["BLOCKS", "markdown"]


def _table(*rows):
    """The first row is the head."""
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:]))


def _instructions():
    return _table(("Type", "Instruction", "Opcode", "Data", "What it does"), *(
        (form.kind, " ".join([f"`{name}`", ", ".join(f"`{operand}`" for operand in form.operands)]).strip(),
         int(form.op), form.direction.value, form.doc) for name, form in INSTRUCTIONS.items()))


def _pins(high, low):
    """Where bits of an instruction travel; A10 is between two of them."""
    parts = [(high, max(low, ALL)), (min(high, ALL - 1), low)]
    names = [_bits(*(bit + (bit >= ALL) for bit in part), "A") for part in parts if part[0] >= part[1]]
    return ", ".join(names)


def _bits(high, low, letter=""):
    return f"{letter}{high}" if high == low else f"{letter}{high}..{letter}{low}"


def _layouts(head, fields_of, place):
    """One row for all instructions of the same layout, high bits first."""
    names = {}
    for name, form in INSTRUCTIONS.items():
        parts, lsb = [], 0
        for field, bits in fields_of(form).items():
            parts.append(f"{'0' if field == 'zero' else f'`{field}`'} on {place(lsb + bits - 1, lsb)}")
            lsb += bits
        if parts:
            names.setdefault("; ".join(reversed(parts)), []).append(f"`{name}`")
    return _table((head, "Instructions"), *((box, ", ".join(of)) for box, of in names.items()))


def _usual():
    return _table(("Instruction", "Fields that may be left out, and what they are then"), *(
        (f"`{name}`", ", ".join(f"`{key}`: {f'`{value.name}`' if isinstance(value, Buffer) else value}"
                                for key, value in form.usual.items()))
        for name, form in INSTRUCTIONS.items() if form.usual))


def _registers():
    return _table(("Register", "Number", "`INIT`", "Bits", "What it holds"), *(
        (f"`{name}`", entry.number, "writes" if entry.access == "rw" else "refused", entry.width, entry.doc)
        for name, entry in REGISTERS.items()))


def _status():
    rows, lsb = [], 0
    for name, bits in STATUS_FIELDS.items():
        rows.append((f"`{name}`" if name != "zero" else "0", _bits(lsb + bits - 1, lsb)))
        lsb += bits
    return _table(("Field of `status`", "Bits"), *rows)


#: The tables by the names of their places in the page.
BLOCKS = {
    "instructions": _instructions,
    "pins": lambda: _layouts("Pins of the address", lambda form: form.word, _pins),
    "data": lambda: _layouts("Bits of the data", lambda form: form.data, _bits),
    "usual": _usual,
    "buffers": lambda: _table(("Buffer", "Number"), *((f"`{one.name}`", int(one)) for one in Buffer)),
    "registers": _registers,
    "status": _status,
}


def markdown(page: str) -> str:
    """A page with its tables as they should be; each stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises
    ------
    ValueError
        If a table has no place in it.
    """
    for name, block in BLOCKS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if page.count(start) != 1 or page.count(end) != 1:
            raise ValueError(f"page must have one place for the table {name!r}, not {page.count(start)!r}")
        page = page[:page.index(start) + len(start)] + block() + page[page.index(end):]
    return page
