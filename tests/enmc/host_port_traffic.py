"""Random traffic for the host port: commands and instructions of the host, and an ENMC that has the DRAM at times."""

import random

import numpy as np

from golden.common.fields import pack_fields
from golden.enmc.formats import ALL, BURST_CLOCKS, DESELECT, INSTRUCTION_BITS, PHASES, PIN_FIELDS, WORD_BITS, Command
from golden.enmc.host_port import SPACING
from golden.enmc.instruction import INSTRUCTION, WRITE, encode, kind_of, pins_of

__all__ = ["INIT", "QUERY", "RETURN", "HostTraffic", "command", "ordinary", "words_of"]

#: Pins with an instruction of each kind.
INIT, QUERY, RETURN = pins_of(encode("INIT", reg="classes", data=0)[0]), pins_of(encode("QUERY", reg=7)[0]), pins_of(
    encode("RETURN")[0])


def command(name: Command, address: int = 0, **bank: int) -> int:
    """Pins of a clock with a command; ``address`` is A13..A0."""
    return pack_fields(PIN_FIELDS, {"act_n": 1, "a": name << INSTRUCTION_BITS + 1 | address, **bank})


def ordinary(rng: random.Random) -> int:
    """Pins with a command that is none of ENMC's, of a random bank."""
    bank, address = {"bg": rng.getrandbits(2), "ba": rng.getrandbits(2)}, rng.getrandbits(INSTRUCTION_BITS + 1)
    kind = rng.choice(["activate", "precharge", "all", "read", "read", "write", "write", "other"])
    if kind == "activate":
        return pack_fields(PIN_FIELDS, {"a": rng.getrandbits(17), **bank})
    if kind == "precharge":
        return command(Command.PRE, address & 0xFF, **bank)
    if kind == "all":
        return command(Command.PRE, address | 1 << ALL, **bank)
    if kind == "other":
        return command(rng.choice([Command.MRS, Command.REF, Command.ZQ, Command.NOP]), address, **bank)
    return command(Command.RD if kind == "read" else Command.WR, address, **bank)


def _instruction(rng):
    if rng.random() < 0.5:
        return rng.choice([QUERY & ~(31 << 8) | rng.getrandbits(5) << 8, RETURN])
    word = rng.randrange(1, 32) << 9 | rng.getrandbits(9)
    return pins_of(word & (1 << ALL) - 1 | word >> ALL << ALL + 1)


def words_of(value: int, *shape: int):
    """32-bit words of a packed value."""
    count = int(np.prod(shape))
    return np.frombuffer(value.to_bytes(count * WORD_BITS // 8, "little"), np.uint32).astype(np.int64).reshape(shape)


class HostTraffic:
    """Pins of one cycle after another.

    Parameters
    ----------
    cfg : EnmcConfig
    rng : random.Random
    instructions, commands : float
        Share of the clocks with one.
    changes : float
        Share of the cycles in which ``owner`` changes.
    """

    def __init__(self, cfg, rng, *, instructions, commands, changes):
        self._cfg, self._rng = cfg, rng
        self._shares, self._changes = (instructions, commands), changes
        self._owner, self._clock, self._last, self._writes = False, 0, -SPACING, set()

    def _host(self):
        rng, (instructions, commands) = self._rng, self._shares
        # Mostly at the right distance, often at the least one, sometimes too soon.
        distance = self._clock - self._last
        if rng.random() < (instructions if distance >= SPACING else instructions / 8):
            self._last = self._clock if distance >= SPACING else self._last
            pins = _instruction(rng)
        elif rng.random() < commands:
            pins = ordinary(rng)
        else:
            return rng.getrandbits(sum(PIN_FIELDS.values())) | 1      # deselected, whatever the others say
        return pins

    def cycle(self):
        """(owner, pins, pins of ENMC, clocks in which ENMC drives data) of the next cycle."""
        rng, pins, enmc, oe = self._rng, [], [], 0
        self._owner ^= rng.random() < self._changes
        for slot in range(PHASES):
            if self._clock not in self._writes and rng.random() < 0.4 * self._owner:
                oe |= 1 << slot
            pins.append(self._host())
            enmc.append(ordinary(rng) if rng.random() < 0.5 else DESELECT)
            if kind_of(pins[slot]) == WRITE and not self._owner:
                first = self._clock + self._cfg.cwl
                self._writes |= set(range(first, first + BURST_CLOCKS))
            self._clock += 1
        assert all(kind_of(one) < INSTRUCTION for one in enmc)
        return self._owner, pins, enmc, oe
