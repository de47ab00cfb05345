"""From a layout to the instructions of a rank, and from its records back to results [Thesis 6.4.4, Fig. 6.8].

A program works on one batch::

    INIT ...                        addresses and sizes; batch comes last and begins the work
    LDR FEATURE_INT4, LDR FEATURE_FP32
    for every tile:
        LDR PSUM_INT4               its biases, which become the partial sums of all inputs
        LDR WEIGHT_INT4
        MUL_ADD_INT4                screen_bursts of weights
        STR PSUM_INT4               if all approximate scores are wanted
        FILTER                      its candidates go to the instruction generator, and the next tile begins
    BARRIER                         until the last record of the last candidate is there

A program for full classification has no screening: every row of exact weights is read for every input.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .formats import RECORD_FIELDS, RECORD_WORDS, WORD_BITS, Buffer, Function
from .instruction import Instruction, encode
from .packing import BIAS_BURSTS, Layout

__all__ = ["EXACT", "Records", "Work", "decode_records", "encode_records", "encoded", "expected_reads", "full_program",
           "per_input", "screen_program", "setup"]

#: Bit of the register ``mode``: candidates are classified exactly.
EXACT = 1 << 2
#: How an exact result reaches the output buffer.
_FINISH = {Function.NONE: "MOVE", Function.SIGMOID: "SIGMOID", Function.SOFTMAX: "SOFTMAX"}
_FINISH_OPERANDS = {"MOVE": {"buffer1": Buffer.PSUM_FP32, "buffer2": Buffer.OUTPUT}}
_INT4 = {"buffer1": Buffer.FEATURE_INT4, "buffer2": Buffer.WEIGHT_INT4}
_FP32 = {"buffer1": Buffer.FEATURE_FP32, "buffer2": Buffer.WEIGHT_FP32}


class Work(NamedTuple):
    """What is wanted.

    Attributes
    ----------
    threshold : int
    function : Function
        Of exact results.
    exact : bool
        Candidates are classified exactly; otherwise their scores alone are returned.
    scores : bool
        All approximate scores are written back to the DRAM.
    """

    threshold: int
    function: Function = Function.NONE
    exact: bool = True
    scores: bool = False


class Records(NamedTuple):
    """Records by field, arrays of one length. ``exact`` and ``value`` count only where ``exacts`` is set.

    Attributes
    ----------
    score : int32 array
    label : int64 array
        Class, of all ranks together.
    batch : int64 array
        Input, counted from the first of its batch.
    exacts : bool array
    function : int64 array
    exact, value : float32 arrays
    """

    score: np.ndarray
    label: np.ndarray
    batch: np.ndarray
    exacts: np.ndarray
    function: np.ndarray
    exact: np.ndarray
    value: np.ndarray


def encoded(program) -> Iterator[tuple[int, int | None]]:
    """What the host sends for every instruction: the address of its PRECHARGE and the data or None."""
    return (encode(instruction) for instruction in program)


def _init(reg, data):
    return Instruction("INIT", reg=reg, data=int(data))


def _load(buffer, addr, count):
    return Instruction("LDR", buffer=buffer, addr=int(addr), count=int(count))


def setup(layout: Layout, rank: int, inputs: int, work: Work) -> list[Instruction]:
    """INIT of all registers of a rank that a batch of ``inputs`` needs."""
    share = layout.share(rank)
    values = {"classes": len(share), "first_class": share.start, "screen_bursts": layout.screen_bursts,
              "threshold": work.threshold, "row_base": layout.row_base, "row_bursts": layout.row_bursts,
              "mode": int(work.function) | EXACT * work.exact, "batch": inputs}
    return [_init(name, value & (1 << WORD_BITS) - 1) for name, value in values.items()]


def screen_program(layout: Layout, rank: int, n: int, work: Work) -> list[Instruction]:
    """Screening of batch ``n`` by a rank, candidates in full precision.

    A rank without classes has nothing to do.
    """
    inputs = len(layout.batch_of(n))
    if not layout.share(rank):
        return []
    words = 2 * layout.cfg.dq
    program = [*setup(layout, rank, inputs, work),
               _load(Buffer.FEATURE_INT4, layout.features_at(n), -(-inputs * 2 * layout.screen_bursts // words))]
    if work.exact:
        program.append(_load(Buffer.FEATURE_FP32, layout.exact_at(n), inputs * layout.row_bursts))
    for tile in range(layout.tiles_of(rank)):
        addr = layout.tile_at(tile)
        program += [_load(Buffer.PSUM_INT4, addr, BIAS_BURSTS),
                    _load(Buffer.WEIGHT_INT4, addr + BIAS_BURSTS, layout.screen_bursts),
                    Instruction("MUL_ADD_INT4", **_INT4)]
        if work.scores:
            program.append(Instruction("STR", buffer=Buffer.PSUM_INT4, addr=layout.scores_at(n, tile),
                                       count=inputs * BIAS_BURSTS))
        program.append(Instruction("FILTER", buffer=Buffer.PSUM_INT4))
    return [*program, Instruction("BARRIER")]


def full_program(layout: Layout, rank: int, n: int, function: Function = Function.NONE) -> list[Instruction]:
    """Full classification of batch ``n`` by a rank: the baseline, a record for every class of every input."""
    inputs, share = len(layout.batch_of(n)), layout.share(rank)
    if not share:
        return []
    program = [*setup(layout, rank, inputs, Work(threshold=0, function=function)),
               _load(Buffer.FEATURE_FP32, layout.exact_at(n), inputs * layout.row_bursts)]
    finish = _FINISH[function]
    for label in range(len(share)):
        for batch in range(inputs):
            tag = {"score": 0, "label": share.start + label, "batch": batch}
            program += [_load(Buffer.WEIGHT_FP32, layout.row_at(label), layout.row_bursts),
                        Instruction("MUL_ADD_FP32", **_FP32, **tag),
                        Instruction(finish, **_FINISH_OPERANDS.get(finish, {}), **tag)]
    return [*program, Instruction("BARRIER")]


def expected_reads(layout: Layout, rank: int, n: int, found: int, exact: bool = True) -> int:
    """Bursts that a rank reads for batch ``n`` with so many candidates: the register ``bursts_read``."""
    inputs = len(layout.batch_of(n))
    if not layout.share(rank):
        return 0
    features = -(-inputs * 2 * layout.screen_bursts // (2 * layout.cfg.dq))
    return (features + layout.tiles_of(rank) * layout.tile_bursts
            + (inputs * layout.row_bursts + found * layout.row_bursts) * exact)


def decode_records(words) -> Records:
    """The valid ones of some records.

    Parameters
    ----------
    words : uint32 array, shape (records, 4) or (bursts, words of a burst)
    """
    words = np.ascontiguousarray(words, np.uint32).reshape(-1, RECORD_WORDS)
    fields, lsb = {}, 0
    for name, bits in RECORD_FIELDS.items():
        fields[name] = words[:, lsb // WORD_BITS] >> np.uint32(lsb % WORD_BITS) & np.uint32((1 << bits) - 1)
        lsb += bits
    valid = fields["valid"] == 1
    kinds = {"score": np.int32, "exact": np.float32, "value": np.float32}
    return Records(**{name: fields[name][valid].view(kinds[name]) if name in kinds else
                      fields[name][valid].astype(bool if name == "exacts" else np.int64) for name in Records._fields})


def encode_records(records: Records) -> np.ndarray:
    """The inverse of :func:`decode_records`: uint32 [records, 4]."""
    words = np.zeros((len(records.label), RECORD_WORDS), np.uint32)
    lsb = 0
    for name, bits in RECORD_FIELDS.items():
        value = np.ones(len(words), np.uint32) if name == "valid" else getattr(records, name)
        value = value.view(np.uint32) if value.dtype.itemsize == 4 else value.astype(np.uint32)
        words[:, lsb // WORD_BITS] |= value << np.uint32(lsb % WORD_BITS)
        lsb += bits
    return words


def per_input(records: Records, inputs: int) -> list[Records]:
    """Records of each input of a batch, by ascending class."""
    parts = []
    for batch in range(inputs):
        own = np.flatnonzero(records.batch == batch)
        own = own[np.argsort(records.label[own], kind="stable")]
        parts.append(Records(*(values[own] for values in records)))
    return parts
