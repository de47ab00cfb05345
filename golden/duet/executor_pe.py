"""Golden model of a PE of the Executor [Thesis 5.1.2, Fig. 5.3]: valid micro-instructions only, one a cycle.

What takes several cycles is worked out where it begins and handed on: a MAC when its operands are read. Only PEs that
have something to do cost more than a look at them.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap, wrap_array
from golden.common.jit import jit

from . import tag_queue
from .config import DuetConfig
from .formats import SUM_BITS
from .noc import INPUT, LUT, WEIGHT, from_values
from .tag_queue import TagQueueState

__all__ = ["EVENTS", "MAC_LATENCY", "PeState", "busy_of", "clock", "idle_of", "state", "step_sums"]

#: Cycles from the issue of an instruction until its product is in the sum.
MAC_LATENCY = 6
#: Of these, cycles from its operands on.
_FLIGHT = 4

#: Situations that the tests must reach.
EVENTS = ("same_output", "wrapped", "summed", "untouched", "drain_beside_mac", "input", "weight", "instruction",
          "load_beside_mac")
(SAME_OUTPUT, WRAPPED, SUMMED, UNTOUCHED, DRAIN_BESIDE_MAC, GOT_INPUT, GOT_WEIGHT, GOT_INSTRUCTION,
 LOAD_BESIDE_MAC) = range(len(EVENTS))


def step_sums(inputs, weights, program, tags, sums) -> np.ndarray:
    """The definition: partial sums of a PE after a step.

    Parameters
    ----------
    inputs, weights : int array
        By index.
    program : int array, shape (n, 3)
        Indices of input, weight, output.
    tags : bool array, shape (n,)
        Which micro-instructions are valid.
    sums : int array, shape (pixels,)
        Before; they wrap at 32 bits.
    """
    source, weight, pixel = np.asarray(program)[np.asarray(tags, bool)].T
    total = np.array(sums, np.int64)
    np.add.at(total, pixel, np.asarray(inputs, np.int64)[source] * np.asarray(weights, np.int64)[weight])
    return wrap_array(total, SUM_BITS)


class PeState(NamedTuple):
    """Memories and registers, [PEs, ...]."""

    lut: np.ndarray         # [PEs, lut], packed micro-instructions
    inputs: np.ndarray      # [PEs, 2 * input_words, pixels]
    weights: np.ndarray     # [PEs, 2 * weight_words, pixels]
    queue: TagQueueState
    s1_instruction: np.ndarray
    s1_input_bank: np.ndarray
    s1_weight_bank: np.ndarray
    s1_sum_bank: np.ndarray
    flight: np.ndarray      # bit n: a MAC whose instruction was issued n + 1 cycles ago
    tick: np.ndarray
    product: np.ndarray     # [PEs, _FLIGHT], by cycle
    place: np.ndarray       # [PEs, _FLIGHT]: sum bank * pixels + pixel
    sums: np.ndarray        # [PEs, 2 * pixels]
    touched: np.ndarray     # [PEs, 2 * pixels], a product was added since the drain
    drain: np.ndarray       # [PEs, 4], the command to the next column: valid, bank, pixel, last
    own_valid: np.ndarray
    own: np.ndarray
    chain: np.ndarray
    bits: np.ndarray        # [3], constants: input_bits, weight_bits, pixel_bits
    seen: np.ndarray


def state(cfg: DuetConfig, pes: int) -> PeState:
    """State after reset. What memories hold at first does not matter."""
    def zeros(*shape, dtype=np.int64):
        return np.zeros((pes, *shape), dtype)

    return PeState(
        zeros(cfg.lut, dtype=np.int32), zeros(2 * cfg.input_words, cfg.pixels, dtype=np.int16),
        zeros(2 * cfg.weight_words, cfg.pixels, dtype=np.int16), tag_queue.state(cfg, pes),
        *(zeros() for _ in range(6)), zeros(_FLIGHT), zeros(_FLIGHT), zeros(2 * cfg.pixels), zeros(2 * cfg.pixels),
        zeros(4), zeros(), zeros(), zeros(), np.array([cfg.input_bits, cfg.weight_bits, cfg.pixel_bits]),
        np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, p):
    """An instruction of the step is issued in this cycle."""
    return tag_queue.issue_of(s.queue, p)


@jit
def idle_of(s, p):
    """Without inputs nothing changes in this cycle."""
    return s.flight[p] == 0 and tag_queue.idle_of(s.queue, p) and not s.own_valid[p] and not s.drain[p, 0]


@jit
def receive(s, p, kind, bank, index, data, c):
    """A word of the X-bus, for the memory that is meant: lane ``c`` of ``data`` [columns, pixels]."""
    pixels = s.inputs.shape[2]
    if kind == INPUT:
        s.seen[GOT_INPUT] += 1
        row = bank * (s.inputs.shape[1] // 2) + index
        for v in range(pixels):
            s.inputs[p, row, v] = data[c, v]
    elif kind == WEIGHT:
        s.seen[GOT_WEIGHT] += 1
        row = bank * (s.weights.shape[1] // 2) + index
        for v in range(pixels):
            s.weights[p, row, v] = data[c, v]
    elif kind == LUT:
        s.seen[GOT_INSTRUCTION] += 1
        mask = (1 << (s.bits[0] + s.bits[1] + s.bits[2])) - 1
        s.lut[p, index] = from_values(data[c, 0], data[c, 1], mask)


@jit
def multiply(s, p):
    """The operands of the instruction that was issued in the cycle before."""
    word, pixel_bits, last = s.s1_instruction[p], s.bits[2], s.inputs.shape[2] - 1
    source = word & ((1 << s.bits[0]) - 1) | s.s1_input_bank[p] << s.bits[0]
    weight = word >> s.bits[0] & ((1 << s.bits[1]) - 1) | s.s1_weight_bank[p] << s.bits[1]
    a = s.inputs[p, source >> pixel_bits, source & last]
    b = s.weights[p, weight >> pixel_bits, weight & last]
    at = s.tick[p] & _FLIGHT - 1
    s.product[p, at] = np.int64(a) * np.int64(b)
    s.place[p, at] = word >> (s.bits[0] + s.bits[1]) | s.s1_sum_bank[p] << pixel_bits


@jit
def accumulate(s, p):
    """The product whose instruction was issued five cycles ago reaches its sum."""
    at = s.tick[p] & _FLIGHT - 1
    place = s.place[p, at]
    total = s.sums[p, place] + s.product[p, at]
    s.sums[p, place] = wrap(total, SUM_BITS)
    s.touched[p, place] = 1
    s.seen[WRAPPED] += s.sums[p, place] != total
    s.seen[SAME_OUTPUT] += s.flight[p] & 8 != 0 and s.place[p, at + 1 & _FLIGHT - 1] == place


@jit
def hand_on(s, p, drain, bank, pixel, last, chain_in):
    """Adds the own sum of a pixel to what comes along the row, and passes the command on."""
    if s.own_valid[p]:
        s.chain[p] = wrap(chain_in + s.own[p], SUM_BITS)
    s.own_valid[p] = s.drain[p, 0] = drain
    if drain:
        s.drain[p, 1], s.drain[p, 2], s.drain[p, 3] = bank, pixel, last
        place = bank * s.inputs.shape[2] + pixel
        s.own[p] = s.sums[p, place]
        s.seen[SUMMED] += s.touched[p, place]
        s.seen[UNTOUCHED] += not s.touched[p, place]
        s.seen[DRAIN_BESIDE_MAC] += s.flight[p] & 16 != 0
        s.sums[p, place] = s.touched[p, place] = 0


@jit
def clock(s, p, take, kind, bank, index, data, c, tags_valid, word, phase, tags, start, input_bank, weight_bank,
          sum_bank, drain, drain_bank, drain_pixel, drain_last, chain_in):
    """One clock of PE ``p``.

    Parameters
    ----------
    take, kind, bank, index, data, c : int; ``data`` int64 array, shape (columns, pixels)
        Word of the X-bus; the PE is in column ``c``.
    tags_valid, word, phase, tags : int
        Word of tags.
    start : bool
        The next cycle is the first of a step.
    input_bank, weight_bank, sum_bank : int
        Banks of the step that runs.
    drain, drain_bank, drain_pixel, drain_last, chain_in : int
        Command and sum from the column before.
    """
    s.tick[p] += 1
    if s.flight[p] & 16:
        accumulate(s, p)
    if drain or s.own_valid[p] or s.drain[p, 0]:
        hand_on(s, p, drain, drain_bank, drain_pixel, drain_last, chain_in)
    if s.flight[p] & 1:
        multiply(s, p)
    busy = busy_of(s, p)
    if busy:
        s.s1_instruction[p] = s.lut[p, tag_queue.instruction_of(s.queue, p)]
        s.s1_input_bank[p], s.s1_weight_bank[p], s.s1_sum_bank[p] = input_bank, weight_bank, sum_bank
    s.flight[p] = (s.flight[p] << 1 | busy) & 0x1F
    tag_queue.clock(s.queue, p, tags_valid, word, phase, tags, start)
    if take:
        s.seen[LOAD_BESIDE_MAC] += busy
        receive(s, p, kind, bank, index, data, c)
