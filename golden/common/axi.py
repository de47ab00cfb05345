"""Register tables: one table per accelerator makes the hardware, the model and the documentation page.

A table is a tuple of :class:`Register`, checked by :func:`check_table`::

    REGISTERS = check_table((
        Register("id", 0x00, "ro", "Constant that names the accelerator."),
        Register("control", 0x04, "pulse", "Commands.", (Field("start", 0, 1, "Run the program."),)),
        Register("batch", 0x08, "rw", "Work to do.", (Field("vectors", 0, 16, "Input vectors."),), reset=1),
    ))
"""

import re
from dataclasses import dataclass

__all__ = ["OKAY", "SLVERR", "Field", "Register", "RegisterModel", "addr_bits_of", "check_table", "markdown"]

#: AXI responses.
OKAY, SLVERR = 0, 2

_ACCESS = {"ro": "read", "rw": "read and write", "pulse": "write 1 to strobe, reads 0"}


@dataclass(frozen=True)
class Field:
    """Some adjacent bits of a register.

    Attributes
    ----------
    name : str
    lsb : int
        Position of the lowest bit, 0..31.
    width : int
        Bits; the field lies within the register.
    doc : str
        One line for the documentation.
    """

    name: str
    lsb: int
    width: int
    doc: str = ""

    def __post_init__(self):
        _check_name("field", self.name)
        if type(self.lsb) is not int or not 0 <= self.lsb <= 31:
            raise ValueError(f"lsb of {self.name} must be an integer in 0..31, not {self.lsb!r}")
        if type(self.width) is not int or not 1 <= self.width <= 32 - self.lsb:
            raise ValueError(
                f"width of {self.name} must be an integer in 1..{32 - self.lsb}, not {self.width!r}")

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return ((1 << self.width) - 1) << self.lsb


@dataclass(frozen=True)
class Register:
    """32 bits at a byte offset.

    Attributes
    ----------
    name : str
        Also the name of its port.
    offset : int
        Byte offset, a multiple of 4.
    access : str
        ``"ro"``: the value comes from the hardware. ``"rw"``: the host's value goes to the hardware.
        ``"pulse"``: writing a 1 makes a strobe of one cycle; reads 0.
    doc : str
        One line for the documentation.
    fields : tuple of Field
        Bits outside of all fields read 0 and ignore writes. No fields: all 32 bits are in use.
    reset : int
        Value of an ``"rw"`` register after reset.
    """

    name: str
    offset: int
    access: str
    doc: str = ""
    fields: tuple[Field, ...] = ()
    reset: int = 0

    def __post_init__(self):
        _check_name("register", self.name)
        if type(self.offset) is not int or self.offset < 0 or self.offset % 4:
            raise ValueError(f"offset of {self.name} must be a multiple of 4, not {self.offset!r}")
        if self.access not in _ACCESS:
            raise ValueError(
                f"access of {self.name} must be one of {', '.join(_ACCESS)}, not {self.access!r}")
        used = 0
        for field in self.fields:
            if used & field.mask:
                raise ValueError(f"fields of {self.name} must not overlap, not {field!r}")
            used |= field.mask
        if len({field.name for field in self.fields}) != len(self.fields):
            raise ValueError(f"fields of {self.name} must have distinct names, not {self.fields!r}")
        allowed = self.mask if self.access == "rw" else 0
        if type(self.reset) is not int or self.reset < 0 or self.reset & ~allowed:
            raise ValueError(f"reset of {self.name} must be within {allowed:#010x}, not {self.reset!r}")

    @property
    def mask(self) -> int:
        """Bits in use."""
        return sum(field.mask for field in self.fields) if self.fields else 0xFFFF_FFFF

    def pack(self, **values: int) -> int:
        """The register's value; fields that are not named are 0.

        Raises
        ------
        ValueError
            If a field does not exist or a value does not fit.
        """
        fields = {field.name: field for field in self.fields}
        raw = 0
        for name, value in values.items():
            if name not in fields:
                raise ValueError(f"field of {self.name} must be one of {', '.join(fields)}, not {name!r}")
            if not 0 <= value < 1 << fields[name].width:
                raise ValueError(f"{name} must be in 0..{(1 << fields[name].width) - 1}, not {value!r}")
            raw |= value << fields[name].lsb
        return raw

    def unpack(self, raw: int) -> dict[str, int]:
        """Field name to value."""
        return {field.name: (raw & field.mask) >> field.lsb for field in self.fields}


def check_table(table) -> tuple[Register, ...]:
    """The table as a tuple.

    Raises
    ------
    ValueError
        If two registers share a name or an offset, or there is none.
    """
    table = tuple(table)
    if not table:
        raise ValueError("table must be at least one register, not ()")
    for what in "name", "offset":
        values = [getattr(register, what) for register in table]
        for value in values:
            if values.count(value) > 1:
                raise ValueError(
                    f"{what} must be that of one register, not {value!r} for {values.count(value)}")
    return table


def addr_bits_of(table) -> int:
    """Fewest address bits that reach every register."""
    return max(max(register.offset for register in table).bit_length(), 2)


def markdown(table) -> str:
    """The table as documentation: one line a register, one line a field."""
    lines = ["| Offset | Register | Bits | Access | Meaning |", "|---|---|---|---|---|"]
    for register in sorted(check_table(table), key=lambda register: register.offset):
        reset = f" Reset value {register.reset:#x}." if register.reset else ""
        bits = "" if register.fields else "31:0"
        lines.append(f"| `{register.offset:#04x}` | `{register.name}` | {bits} | {_ACCESS[register.access]} "
                     f"| {register.doc}{reset} |")
        for field in register.fields:
            high = field.lsb + field.width - 1
            bits = f"{high}:{field.lsb}" if field.width > 1 else f"{high}"
            lines.append(f"| | `{register.name}.{field.name}` | {bits} | | {field.doc} |")
    return "\n".join(lines) + "\n"


class RegisterModel:
    """What the host sees, without time.

    Attributes
    ----------
    values : dict of str to int
        Register name to value: set those of ``"ro"`` registers, read those of ``"rw"`` registers.
    """

    def __init__(self, table):
        self._by_offset = {register.offset: register for register in check_table(table)}
        self.reset()

    def reset(self):
        self.values = {register.name: register.reset for register in self._by_offset.values()}

    def write(self, addr: int, data: int, strb: int = 0xF) -> tuple[int, dict[str, int]]:
        """Response, and the strobes (register name to bits) of ``"pulse"`` registers."""
        register = self._by_offset.get(addr & ~3)
        if register is None or register.access == "ro":
            return SLVERR, {}
        lanes = sum(0xFF << 8 * lane for lane in range(4) if strb >> lane & 1) & register.mask
        if register.access == "pulse":
            return OKAY, {register.name: data & lanes}
        self.values[register.name] = (self.values[register.name] & ~lanes) | (data & lanes)
        return OKAY, {}

    def read(self, addr: int) -> tuple[int, int]:
        """Response and data (0 with an error)."""
        register = self._by_offset.get(addr & ~3)
        if register is None:
            return SLVERR, 0
        return OKAY, 0 if register.access == "pulse" else self.values[register.name] & register.mask


def _check_name(what, name):
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name) or "__" in name:
        raise ValueError(f"{what} name must be a plain lower-case identifier, not {name!r}")
