"""Golden model of the host port of a rank [Thesis 6.4.3]: instructions on PRECHARGE, and ordinary traffic past it.

Time is in clocks of the DRAM, three to a cycle; clock ``t`` is slot ``t % 3`` of cycle ``t // 3``. What has to happen
clock by clock is said by ``golden.enmc.host_port_spec``.

What happens some clocks later is kept in rows of bits: bit ``i`` of a row stands for clock ``3 * cycle - length + i``,
so that adding the three bits of the current cycle on top and shifting by three is one edge.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import BURST_CLOCKS, DATA_BITS, DESELECT, PHASES, REGISTER_FIELDS, WORD_BITS
from .instruction import INSTRUCTION, ORDINARY, QUERY, READ, REFRESH, TAKE, WRITE, kind_of, word_of

__all__ = ["ANSWER_LATENCY", "EVENTS", "SPACING", "HostPortState", "clock", "handed_on", "state"]

#: Cycles from ``query`` to the cycle in which ``answer`` is sampled, and from ``take`` to that of ``record_burst``.
ANSWER_LATENCY = 1
#: Clocks from an instruction to the next one at least.
SPACING = BURST_CLOCKS
#: Words of the data of an instruction.
DATA_WORDS = DATA_BITS // WORD_BITS

#: Situations that the tests must reach.
EVENTS = ("ordinary", "read", "write", "refresh", "refused", "refused_read", "two_refused", "instruction", "query",
          "take", "overrun", "overrun_in_the_cycle", "closest", "instruction_of_enmc_time", "read_data_after_grant",
          "write_data_after_grant", "enmc_write", "answer_first_slot", "answer_second_slot", "answer_third_slot",
          "answer_after_answer", "answer_after_read")
(E_ORDINARY, E_READ, E_WRITE, E_REFRESH, E_REFUSED, E_REFUSED_READ, E_TWO_REFUSED, E_INSTRUCTION, E_QUERY, E_TAKE,
 E_OVERRUN, E_OVERRUN_IN_CYCLE, E_CLOSEST, E_OWNED, E_READ_AFTER_GRANT, E_WRITE_AFTER_GRANT, E_ENMC_WRITE,
 E_ANSWER_SLOT, _, _, E_ANSWER_AFTER_ANSWER, E_ANSWER_AFTER_READ) = range(len(EVENTS))

_REG_LSB, _REG_MASK = REGISTER_FIELDS["zero"], (1 << REGISTER_FIELDS["reg"]) - 1


def handed_on(cfg: EnmcConfig) -> int:
    """Cycles from an instruction on the pins to ``o``, whatever its slot."""
    return cfg.cwl // PHASES + 2


class HostPortState(NamedTuple):
    """Outputs first. Data of the pins are 32-bit words; ``[...]`` is what follows the leading lane axis."""

    dram_pins: np.ndarray       # [PHASES]
    dram_dq_o: np.ndarray       # [PHASES, phase_words]; counts where dram_dq_oe is set
    dram_dq_oe: np.ndarray      # [], a bit a slot
    dq_o: np.ndarray            # [PHASES, phase_words]; counts where dq_oe is set
    dq_oe: np.ndarray           # [], a bit a slot
    enmc_dq_i: np.ndarray       # [PHASES, phase_words]
    host_command: np.ndarray    # []
    host_refresh: np.ndarray    # []
    refused: np.ndarray         # []; alert_n is its inverse
    overrun: np.ndarray         # []
    valid: np.ndarray           # []: an instruction is handed on
    word: np.ndarray            # [], its 13 bits
    data: np.ndarray            # [2], its data, the low word first
    query: np.ndarray           # []
    reg: np.ndarray             # []
    take: np.ndarray            # []
    reads: np.ndarray           # rows of bits
    queries: np.ndarray
    takes: np.ndarray
    writes: np.ndarray
    pending: np.ndarray
    accepted: np.ndarray
    words: np.ndarray           # [cycles], words that were accepted, the newest first
    before: np.ndarray          # [PHASES, phase_words], dq_i of the cycle before
    burst: np.ndarray           # [burst_words], the answer that is being sent
    seen: np.ndarray


def state(cfg: EnmcConfig, lanes: int) -> HostPortState:
    """State of the ports of ``lanes`` ranks after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    phases = PHASES, cfg.phase_words
    return HostPortState(
        np.full((lanes, PHASES), DESELECT), zeros(*phases), zeros(), zeros(*phases), zeros(), zeros(*phases),
        *(zeros() for _ in range(6)), zeros(DATA_WORDS), *(zeros() for _ in range(9)),
        zeros(max(cfg.cwl // PHASES + 1, -(-cfg.cl // PHASES) - 1)), zeros(*phases), zeros(cfg.burst_words),
        np.zeros(len(EVENTS), np.int64))


@jit
def _look(s, k, owner, pins):
    """What the pins of this cycle ask for; drives the outputs that need no data.

    Returns bits by slot: reads and writes that are passed on, queries, takes, other instructions; and the word of the
    instruction, of which there is at most one.
    """
    reads, writes, queries, takes, others, word, refused = 0, 0, 0, 0, 0, 0, 0
    s.host_command[k] = s.host_refresh[k] = s.overrun[k] = 0
    accepted = s.accepted[k]
    for slot in range(PHASES):
        kind = kind_of(pins[slot])
        passes = kind < INSTRUCTION and not owner
        s.dram_pins[k, slot] = pins[slot] if passes else DESELECT
        if ORDINARY <= kind <= REFRESH:
            if passes:
                s.host_command[k] = 1
                s.host_refresh[k] |= kind == REFRESH
                reads |= (kind == READ) << slot
                writes |= (kind == WRITE) << slot
                s.seen[E_ORDINARY] += 1
                s.seen[E_REFRESH] += kind == REFRESH
            else:
                refused += 1
                s.seen[E_REFUSED_READ] += kind == READ
        elif kind >= INSTRUCTION:
            # The three clocks before this one are bits slot..slot + 2.
            if (accepted >> slot) & 7:
                s.overrun[k] = 1
                s.seen[E_OVERRUN_IN_CYCLE] += accepted >> PHASES != 0
            else:
                s.seen[E_CLOSEST] += slot != 0 and (accepted >> (slot - 1)) & 1 != 0
                accepted |= 1 << (slot + PHASES)
                word = word_of(pins[slot])
                queries |= (kind == QUERY) << slot
                takes |= (kind == TAKE) << slot
                others |= (kind == INSTRUCTION) << slot
                s.seen[E_OWNED] += owner
    s.accepted[k] = accepted >> PHASES
    s.refused[k] = refused != 0
    s.seen[E_READ] += reads != 0
    s.seen[E_WRITE] += writes != 0
    s.seen[E_REFUSED] += refused != 0
    s.seen[E_TWO_REFUSED] += refused > 1
    s.seen[E_OVERRUN] += s.overrun[k]
    return reads, writes, queries, takes, others, word


@jit
def _hand_on(s, k, cwl, dq_i, others):
    """The instruction whose data have arrived."""
    cycles, first = cwl // PHASES + 1, cwl % PHASES
    pending = s.pending[k] | others << (PHASES * cycles)
    s.pending[k] = pending >> PHASES
    s.valid[k] = pending & 7 != 0
    if pending & 7:
        phase_words = dq_i.shape[1]
        slot = 0 if pending & 1 else 1 if pending & 2 else 2
        s.word[k] = s.words[k, cycles - 1]
        for w in range(DATA_WORDS):
            phase, part = (slot + first) + w // phase_words, w % phase_words
            s.data[k, w] = dq_i[phase - PHASES, part] if phase >= PHASES else s.before[k, phase, part]
        s.seen[E_INSTRUCTION] += 1


@jit
def _ask(s, k, cl, queries, takes, word):
    """QUERY and RETURN whose time has come; ``queries`` and ``takes`` are rows with the current cycle on top."""
    s.query[k] = (queries >> 3 * PHASES) & 7 != 0
    s.take[k] = (takes >> 3 * PHASES) & 7 != 0
    for slot in range(PHASES):
        if (queries >> (3 * PHASES + slot)) & 1:
            age = (cl - slot + PHASES - 1) // PHASES - 1
            s.reg[k] = ((s.words[k, age - 1] if age else word) >> _REG_LSB) & _REG_MASK
    s.seen[E_QUERY] += s.query[k]
    s.seen[E_TAKE] += s.take[k]


@jit
def _copy(phases, k, words):
    """Data of a cycle's three clocks."""
    for slot in range(PHASES):
        for w in range(words.shape[1]):
            phases[k, slot, w] = words[slot, w]


@jit
def _send(s, k, number, slot):
    """Clock ``number`` of the answer goes out in ``slot``."""
    phase_words = s.dq_o.shape[2]
    for w in range(phase_words):
        s.dq_o[k, slot, w] = s.burst[k, number * phase_words + w]


@jit
def _answer(s, k, queries, takes, dram_dq_i, answer_low, answer_high, record):
    """Data for the host in the next cycle: an answer, else what the DRAM drives."""
    answers = queries | takes
    _copy(s.dq_o, k, dram_dq_i)
    for slot in range(PHASES):
        for number in range(slot + 1, BURST_CLOCKS):
            if (answers >> (slot + PHASES - number)) & 1:
                _send(s, k, number, slot)
    begins = (answers >> PHASES) & 7
    if begins:
        for w in range(s.burst.shape[1]):
            s.burst[k, w] = record[w] if (takes >> PHASES) & 7 else 0
        if (queries >> PHASES) & 7:
            s.burst[k, 0], s.burst[k, 1] = answer_low, answer_high
        slot = 0 if begins & 1 else 1 if begins & 2 else 2
        s.seen[E_ANSWER_SLOT + slot] += 1
        s.seen[E_ANSWER_AFTER_ANSWER] += (answers >> (PHASES + slot - BURST_CLOCKS)) & 1 if slot else 0
        s.seen[E_ANSWER_AFTER_READ] += (s.reads[k] >> (PHASES + slot - BURST_CLOCKS)) & 1 if slot else 0
    for slot in range(PHASES):
        for number in range(slot + 1):
            if (answers >> (slot + PHASES - number)) & 1:
                _send(s, k, number, slot)


@jit
def _window(row):
    """Slots of the next cycle in which bursts that began at the bits of a row have the data pins."""
    slots = 0
    for slot in range(PHASES):
        slots |= ((row >> slot) & ((1 << BURST_CLOCKS) - 1) != 0) << slot
    return slots


@jit
def clock(s, k, cl, cwl, owner, pins, dq_i, enmc_pins, enmc_dq_o, enmc_dq_oe, dram_dq_i, answer_low, answer_high,
          record):
    """One clock edge of lane ``k``.

    Parameters
    ----------
    cl, cwl : int
        Of the configuration.
    owner : bool
    pins, enmc_pins : int array, [PHASES]
    dq_i, enmc_dq_o, dram_dq_i : int array, [PHASES, phase_words]
        32-bit words.
    enmc_dq_oe : int
        A bit a slot.
    answer_low, answer_high : int
        Words of ``answer``.
    record : int array, [burst_words]
        ``record_burst``.
    """
    reads, writes, queries, takes, others, word = _look(s, k, owner, pins)
    if owner:
        for slot in range(PHASES):
            s.dram_pins[k, slot] = enmc_pins[slot]
    _hand_on(s, k, cwl, dq_i, others)

    s.reads[k] |= reads << (cl + 2 * PHASES)
    queries = s.queries[k] | queries << (cl + 2 * PHASES)
    takes = s.takes[k] | takes << (cl + 2 * PHASES)
    _ask(s, k, cl, queries, takes, word)
    _answer(s, k, queries, takes, dram_dq_i, answer_low, answer_high, record)
    s.dq_oe[k] = _window(s.reads[k] | queries | takes)
    s.seen[E_READ_AFTER_GRANT] += owner and _window(s.reads[k]) != 0
    s.reads[k] >>= PHASES
    s.queries[k], s.takes[k] = queries >> PHASES, takes >> PHASES

    row = s.writes[k] | writes << (cwl + PHASES)
    window = _window(row)
    s.writes[k] = row >> PHASES
    s.dram_dq_oe[k] = window | enmc_dq_oe
    for slot in range(PHASES):
        for w in range(dq_i.shape[1]):
            s.dram_dq_o[k, slot, w] = enmc_dq_o[slot, w] if (enmc_dq_oe >> slot) & 1 else dq_i[slot, w]
    s.seen[E_WRITE_AFTER_GRANT] += owner and window != 0
    s.seen[E_ENMC_WRITE] += enmc_dq_oe != 0

    for age in range(s.words.shape[1] - 1, 0, -1):
        s.words[k, age] = s.words[k, age - 1]
    s.words[k, 0] = word
    _copy(s.before, k, dq_i)
    _copy(s.enmc_dq_i, k, dram_dq_i)
