"""Golden model of the decoder [Thesis 6.4.2, table 6.1]: what an instruction asks of the units.

The 13 bits of an instruction give its controls, which a table holds; its data are checked beside them.
"""

import functools
from typing import NamedTuple

import numpy as np

from golden.common.fields import pack_fields, unpack_fields
from golden.common.jit import jit

from .config import EnmcConfig
from .formats import INSTRUCTION_BITS, INSTRUCTION_FIELDS, REGISTER_FIELDS, Buffer, Dest, Execute, Function, Op, Screen
from .registers import REGISTERS

#: What an instruction asks of the units, low bits first. ``row``: it brings exact weights; ``settle``: it waits until
#: all work is done.
CONTROL_FIELDS = {"legal": 1, "request": 1, "write": 1, "dest": 1, "screen": 1, "screen_kind": 3, "execute": 1,
                  "execute_kind": 2, "function": 2, "clear": 1, "ones": 1, "row": 1, "settle": 1, "init": 1, "clr": 1,
                  "reg": 5}
_LSB = dict(zip(CONTROL_FIELDS, np.cumsum([0, *CONTROL_FIELDS.values()]).tolist(), strict=False))
LEGAL, REQUEST, WRITE, DEST, SCREEN, SCREEN_KIND, EXECUTE, EXECUTE_KIND, FUNCTION = (
    _LSB[name] for name in list(CONTROL_FIELDS)[:9])
CLEAR, ONES, ROW, SETTLE, INIT, CLR, REG = (_LSB[name] for name in list(CONTROL_FIELDS)[9:])

#: Bursts of a tile of partial sums of one input.
QUARTERS = 4
_BATCH, _MODE = REGISTERS["batch"].number, REGISTERS["mode"].number
_A, _A_MASK = INSTRUCTION_FIELDS["b"], (1 << INSTRUCTION_FIELDS["a"]) - 1
_B = Buffer
_INT4, _FP32 = (_B.FEATURE_INT4, _B.WEIGHT_INT4), (_B.FEATURE_FP32, _B.WEIGHT_FP32)
_MULTIPLY = {"MUL_ADD": {}, "MUL": {"clear": 1}, "ADD": {"ones": 1}}


class Tables(NamedTuple):
    """Constants of a configuration.

    Attributes
    ----------
    controls : int64 array, shape (2**13,)
        ``CONTROL_FIELDS`` of each instruction; 0 for what is none.
    least, most : int64 arrays, shape (16,)
        Bursts of LDR into each buffer.
    limits : int64 array, shape (2,)
        Bursts of a rank; inputs of a batch.
    """

    controls: np.ndarray
    least: np.ndarray
    most: np.ndarray
    limits: np.ndarray


def feature_bursts(cfg: EnmcConfig) -> tuple[int, int]:
    """Bursts that the INT4 and the FP32 feature buffer hold."""
    return cfg.features // (2 * cfg.dq), cfg.exact_features // cfg.burst_words


def _load(buffer):
    executor = buffer in (_B.FEATURE_FP32, _B.WEIGHT_FP32)
    asked = {"request": 1, "dest": Dest.EXECUTOR if executor else Dest.SCREENER}
    return asked | {
        _B.FEATURE_INT4: {"screen": 1, "screen_kind": Screen.FEATURES},
        _B.PSUM_INT4: {"screen": 1, "screen_kind": Screen.PSUMS},
        _B.WEIGHT_INT4: {},
        _B.FEATURE_FP32: {"execute": 1, "execute_kind": Execute.FEATURES},
        _B.WEIGHT_FP32: {"row": 1},
    }[buffer]


def _finish(function):
    return {"execute": 1, "execute_kind": Execute.FINISH, "function": function}


#: Controls of each meaningful (opcode, first, second operand) but INIT.
_MEANINGS = {
    **{(Op.LDR, buffer, 0): _load(buffer)
       for buffer in (_B.FEATURE_INT4, _B.PSUM_INT4, _B.WEIGHT_INT4, _B.FEATURE_FP32, _B.WEIGHT_FP32)},
    (Op.STR, _B.PSUM_INT4, 0): {"request": 1, "write": 1, "screen": 1, "screen_kind": Screen.STORE},
    **{(Op[f"{name}_INT4"], *_INT4): {"screen": 1, "screen_kind": Screen.MULTIPLY, **flags}
       for name, flags in _MULTIPLY.items()},
    **{(Op[f"{name}_FP32"], *_FP32): {"execute": 1, "execute_kind": Execute.MULTIPLY, **flags}
       for name, flags in _MULTIPLY.items()},
    (Op.FILTER, _B.PSUM_INT4, 0): {"screen": 1, "screen_kind": Screen.FILTER},
    (Op.MOVE, _B.PSUM_FP32, _B.OUTPUT): _finish(Function.NONE),
    (Op.MOVE, _B.INDEX, _B.OUTPUT): {"execute": 1, "execute_kind": Execute.PASS},
    (Op.SIGMOID, 0, 0): _finish(Function.SIGMOID),
    (Op.SOFTMAX, 0, 0): _finish(Function.SOFTMAX),
    (Op.BARRIER, 0, 0): {"settle": 1},
    (Op.NOP, 0, 0): {},
    (Op.CLR, 0, 0): {"settle": 1, "clr": 1},
}


def controls_of(word: int) -> dict[str, int]:
    """Fields of ``CONTROL_FIELDS`` of an instruction of 13 bits that are not 0; nothing for one without meaning."""
    fields = unpack_fields(INSTRUCTION_FIELDS, word)
    if fields["op"] == Op.REGISTER:
        init = unpack_fields(REGISTER_FIELDS, word)
        known = any(r.number == init["reg"] and r.access == "rw" for r in REGISTERS.values())
        legal = known and init["write"] and not init["zero"]
        return {"legal": 1, "init": 1, "settle": 1, "reg": init["reg"]} if legal else {}
    meaning = _MEANINGS.get((fields["op"], fields["a"], fields["b"]))
    return {} if meaning is None else {"legal": 1, **meaning}


def tables(cfg: EnmcConfig) -> Tables:
    """Constants for :func:`control_of`."""
    least, most = np.ones(16, np.int64), np.full(16, 0xFFFF)
    most[_B.FEATURE_INT4], most[_B.FEATURE_FP32] = feature_bursts(cfg)
    least[_B.PSUM_INT4] = QUARTERS
    return Tables(_all_controls().copy(), least, most, np.array([cfg.bursts, cfg.batch]))


@functools.cache
def _all_controls():
    return np.array([pack_fields(CONTROL_FIELDS, controls_of(word)) for word in range(1 << INSTRUCTION_BITS)])


@jit
def control_of(t, word, low, high):
    """``CONTROL_FIELDS`` of an instruction; ``low`` and ``high`` are halves of its data.

    Without ``legal`` if the data are wrong; then the other fields mean nothing, unless the generator made them.
    """
    control = t.controls[word]
    buffer = (word >> _A) & _A_MASK
    legal = True
    if (control >> REQUEST) & 1:
        count = high & 0xFFFF
        write = (control >> WRITE) & 1
        # PSUM_INT4: exactly a tile is loaded; how many bursts are stored depends on the batch.
        most = QUARTERS if buffer == 2 and not write else t.most[buffer]
        legal = high >> 16 == 0 and t.least[buffer] <= count <= most and low + count <= t.limits[0]
    elif (control >> EXECUTE) & 1:
        legal = high >> 28 == 0
    elif (control >> INIT) & 1:
        reg = (control >> REG) & 31
        if reg == _BATCH:
            legal = high == 0 and 1 <= low <= t.limits[1]
        elif reg == _MODE:
            legal = low & 3 != 3
    return control if legal else control & ~1
