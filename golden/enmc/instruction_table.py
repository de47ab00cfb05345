"""The table of instructions [Thesis table 6.1]: the encoder, the decoder and the documentation are made from it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from .formats import DATA_BITS, INSTRUCTION_FIELDS, REGISTER_FIELDS, TAG_FIELDS, TRANSFER_FIELDS, Buffer, Op

__all__ = ["INSTRUCTIONS", "Data", "Form"]


class Data(enum.Enum):
    """What the data pins carry for an instruction."""

    NONE = "none"
    #: 64 bits in the first beats of a burst, ``cwl`` clocks after the command.
    IN = "host to ENMC"
    #: A burst, ``answer`` clocks after the command.
    OUT = "ENMC to host"


@dataclass(frozen=True)
class Form:
    """A row of the table.

    Attributes
    ----------
    kind : str
        Type of the instruction in [Thesis table 6.1].
    op : Op
    word : dict of str to int
        The 13 bits: name to width, low bits first. ``zero``: must be 0.
    doc : str
    direction : Data
    data : dict of str to int
        Layout of the data that the host sends, likewise.
    usual : dict of str to int
        Values of fields that may be left out.
    write : int or None
        What tells INIT from QUERY.
    """

    kind: str
    op: Op
    word: Mapping[str, int]
    doc: str
    direction: Data = Data.NONE
    data: Mapping[str, int] = field(default_factory=dict)
    usual: Mapping[str, int] = field(default_factory=dict)
    write: int | None = None

    @property
    def operands(self) -> tuple[str, ...]:
        """Names of the fields, as they are written behind the instruction."""
        return tuple(name for fields in (reversed(self.word), self.data) for name in fields
                     if name not in ("op", "write", "zero"))


def _named(**names: str) -> dict[str, int]:
    """The instruction's fields under other names; operands that are not named must be 0."""
    fields = {}
    for old, bits in INSTRUCTION_FIELDS.items():
        name = names.get(old, old if old == "op" else "zero")
        fields[name] = fields.get(name, 0) + bits
    return fields


_NO_OPERAND, _ONE, _TWO = _named(), _named(a="buffer"), _named(a="buffer1", b="buffer2")
_INT4 = {"buffer1": Buffer.FEATURE_INT4, "buffer2": Buffer.WEIGHT_INT4}
_FP32 = {"buffer1": Buffer.FEATURE_FP32, "buffer2": Buffer.WEIGHT_FP32}
_TAG = {"score": 0, "label": 0, "batch": 0}
_START, _MOVE, _COMPUTE, _CONTROL = "Initialization", "Data transfer", "Compute", "Control"


def _table():
    sent, tagged = {"direction": Data.IN}, {"direction": Data.IN, "data": TAG_FIELDS}
    return {
        "INIT": Form(_START, Op.REGISTER, REGISTER_FIELDS, "Write a status register.", **sent,
                     data={"data": DATA_BITS}, write=1),
        "LDR": Form(_MOVE, Op.LDR, _ONE, "Read `count` bursts of the rank from burst `addr` on into a buffer.", **sent,
                    data=TRANSFER_FIELDS, usual={"count": 1}),
        "STR": Form(_MOVE, Op.STR, _ONE, "Write a buffer to `count` bursts of the rank from burst `addr` on.", **sent,
                    data=TRANSFER_FIELDS, usual={"count": 1}),
        "MOVE": Form(_MOVE, Op.MOVE, _TWO, "Move a result from one buffer to another; the data says whose it is.",
                     **tagged, usual=_TAG | {"buffer1": Buffer.PSUM_FP32, "buffer2": Buffer.OUTPUT}),
        "ADD_INT4": Form(_COMPUTE, Op.ADD_INT4, _TWO, "Add the weights to the partial sums of the tile, as if every "
                         "feature were 1.", usual=_INT4),
        "MUL_INT4": Form(_COMPUTE, Op.MUL_INT4, _TWO, "Multiply features by weights; the products are the partial sums "
                         "of the tile.", usual=_INT4),
        "ADD_FP32": Form(_COMPUTE, Op.ADD_FP32, _TWO, "Add the weights to the partial sum, as if every feature were "
                         "1.0.", **tagged, usual=_FP32 | _TAG),
        "MUL_FP32": Form(_COMPUTE, Op.MUL_FP32, _TWO, "Multiply features by weights; the products are the partial sum.",
                         **tagged, usual=_FP32 | _TAG),
        "MUL_ADD_INT4": Form(_COMPUTE, Op.MUL_ADD_INT4, _TWO, "Multiply features by weights and add the products to "
                             "the partial sums of the tile.", usual=_INT4),
        "MUL_ADD_FP32": Form(_COMPUTE, Op.MUL_ADD_FP32, _TWO, "Multiply features by weights and add the products to "
                             "the partial sum.", **tagged, usual=_FP32 | _TAG),
        "FILTER": Form(_COMPUTE, Op.FILTER, _ONE, "Compare the scores in a buffer with the threshold; the classes "
                       "above it go to the index buffer.", usual={"buffer": Buffer.PSUM_INT4}),
        "SIGMOID": Form(_COMPUTE, Op.SIGMOID, _NO_OPERAND, "Sigmoid of the result in the FP32 partial sum buffer.",
                        **tagged, usual=_TAG),
        "SOFTMAX": Form(_COMPUTE, Op.SOFTMAX, _NO_OPERAND, "The part that the result in the FP32 partial sum buffer "
                        "has in a softmax.", **tagged, usual=_TAG),
        "BARRIER": Form(_CONTROL, Op.BARRIER, _NO_OPERAND, "Wait until everything before it is done."),
        "NOP": Form(_CONTROL, Op.NOP, _NO_OPERAND, "Nothing."),
        "QUERY": Form(_CONTROL, Op.REGISTER, REGISTER_FIELDS, "Read a status register.", Data.OUT, write=0),
        "RETURN": Form(_CONTROL, Op.RETURN, _NO_OPERAND, "Take a burst of records out of the output buffer.", Data.OUT),
        "CLR": Form(_CONTROL, Op.CLR, _NO_OPERAND, "Reset all buffers and registers."),
    }


#: The instruction set, by the names of [Thesis table 6.1].
INSTRUCTIONS: dict[str, Form] = _table()
