"""What a host port has to do, clock by clock of the DRAM and without registers [Thesis 6.4.3]."""

from typing import NamedTuple

import numpy as np

from .config import EnmcConfig
from .formats import BURST_CLOCKS, DESELECT, PHASES, REGISTER_FIELDS, WORD_BITS
from .host_port import ANSWER_LATENCY, DATA_WORDS, SPACING, handed_on
from .instruction import INSTRUCTION, ORDINARY, QUERY, READ, REFRESH, WRITE, kind_of, word_of

__all__ = ["Expected", "Traffic", "expected", "nothing"]


class Traffic(NamedTuple):
    """Inputs of ``n`` cycles; data of the pins are 32-bit words."""

    owner: np.ndarray           # [n]
    pins: np.ndarray            # [n, PHASES]
    dq_i: np.ndarray            # [n, PHASES, phase_words]
    enmc_pins: np.ndarray       # [n, PHASES]
    enmc_dq_o: np.ndarray       # [n, PHASES, phase_words]
    enmc_dq_oe: np.ndarray      # [n]
    dram_dq_i: np.ndarray       # [n, PHASES, phase_words]
    answer: np.ndarray          # [n, 2]
    record: np.ndarray          # [n, burst_words]


class Expected(NamedTuple):
    """Outputs by clock or by cycle; where a clock or a cycle is not a key, nothing happens."""

    dram_pins: dict             # clock to pins, of every clock
    dram_dq: dict               # clock to words
    dq: dict                    # clock to words
    commands: set               # cycles
    refreshes: set
    refused: set
    overruns: set
    handed: dict                # cycle to (word, data)
    queries: dict               # cycle to register
    takes: set


def nothing() -> Expected:
    """No output at all, to be filled."""
    return Expected({}, {}, {}, set(), set(), set(), set(), {}, {}, set())


def expected(cfg: EnmcConfig, x: Traffic) -> Expected:
    """The outputs that belong to inputs.

    - A command goes to the DRAM a cycle later, unless ENMC is the owner; so does the data of a write, ``cwl`` clocks
      after it.
    - Data of a read come ``cl`` clocks after the DRAM got it, and reach the host a cycle later.
    - An instruction less than ``SPACING`` clocks after the one before is left out. The data of the others are the first
      words ``cwl`` clocks after them, or they are answered ``cfg.answer`` clocks after them.
    """
    clocks = x.pins.size
    dq_i, dram_dq_i, enmc_dq_o = (a.reshape(clocks, -1) for a in (x.dq_i, x.dram_dq_i, x.enmc_dq_o))
    y = nothing()
    y.dram_pins.update(dict.fromkeys(range(PHASES), DESELECT))
    answers, last = {}, -SPACING
    for t, pins in enumerate(x.pins.reshape(-1).tolist()):
        cycle, kind = t // PHASES, int(kind_of(pins))
        owner = bool(x.owner[cycle])
        plain = DESELECT if kind >= INSTRUCTION else pins
        y.dram_pins[t + PHASES] = int(x.enmc_pins.reshape(-1)[t]) if owner else plain
        if x.enmc_dq_oe[cycle] >> t % PHASES & 1:
            y.dram_dq[t + PHASES] = enmc_dq_o[t].tolist()
        if kind >= INSTRUCTION and t - last < SPACING:
            y.overruns.add(cycle + 1)
        elif kind >= INSTRUCTION:
            last = t
            if kind == INSTRUCTION:
                y.handed[cycle + handed_on(cfg)] = int(word_of(pins)), _first_words(dq_i[t + cfg.cwl:])
            else:
                answers |= _answered(cfg, x, t, kind, int(word_of(pins)), y)
        elif ORDINARY <= kind <= REFRESH and owner:
            y.refused.add(cycle + 1)
        elif ORDINARY <= kind <= REFRESH:
            y.commands.add(cycle + 1)
            if kind == REFRESH:
                y.refreshes.add(cycle + 1)
            if kind == READ:
                y.dq.update(_a_cycle_later(dram_dq_i, t + PHASES + cfg.cl))
            if kind == WRITE:
                y.dram_dq.update(_a_cycle_later(dq_i, t + cfg.cwl))
    y.dq.update(answers)
    return y


def _first_words(dq_i):
    return dq_i.reshape(-1)[:DATA_WORDS].tolist()


def _a_cycle_later(data, first):
    """A burst that begins in clock ``first``, on the other side: clock to words."""
    return {first + PHASES + number: words for number, words in enumerate(data[first:first + BURST_CLOCKS].tolist())}


def _answered(cfg, x, t, kind, word, y):
    """QUERY or RETURN at clock ``t``: clock to words."""
    asked = (t + cfg.cl) // PHASES
    if kind == QUERY:
        y.queries[asked] = word >> REGISTER_FIELDS["zero"] & (1 << REGISTER_FIELDS["reg"]) - 1
    else:
        y.takes.add(asked)
    if asked + ANSWER_LATENCY >= len(x.owner):
        return {}
    burst = np.zeros(cfg.dq * 8 // WORD_BITS, np.int64)
    given = (x.answer if kind == QUERY else x.record)[asked + ANSWER_LATENCY]
    burst[:given.size] = given
    return {t + cfg.answer + number: words for number, words in enumerate(burst.reshape(BURST_CLOCKS, -1).tolist())}
