"""A rank of DDR4 for benches: it stores data, answers on the data pins, and polices commands and data by itself.

The logic runs at a third of the clock of the DRAM: a step is a cycle of the logic with three command slots and three
clocks of data. Clock number = 3 * cycle + slot; cycle 0 is the first step.
"""

from golden.common.fields import pack_fields
from golden.enmc.address import join, lsb_of
from golden.enmc.config import EnmcConfig
from golden.enmc.dram import Dram
from golden.enmc.formats import ALL, BURST_CLOCKS, DESELECT, PHASES, PIN_FIELDS, RAS_N, WE_N, Command
from sim.enmc.ddr4_rules import COMMANDS, Ddr4Rules, DramCommand

__all__ = ["DdrError", "Ddr4Device", "IDLE_PINS", "pins_of"]

PIN_BITS = sum(PIN_FIELDS.values())
_LSB = {name: sum(list(PIN_FIELDS.values())[:k]) for k, name in enumerate(PIN_FIELDS)}
_CS_N, _ACT_N = 1 << _LSB["cs_n"], 1 << _LSB["act_n"]
_A_MASK = (1 << PIN_FIELDS["a"]) - 1
_COLUMN_MASK = (1 << ALL) - 1
#: CS_n of all slots.
_NONE_SELECTED = sum(_CS_N << k * PIN_BITS for k in range(PHASES))
#: A cycle without a command.
IDLE_PINS = sum(DESELECT << k * PIN_BITS for k in range(PHASES))
#: Address pins that carry an instruction of ENMC in a PRE: A0 to A9 and A11 to A13.
_INSTRUCTION_PINS = (1 << RAS_N - 2) - 1 & ~(1 << ALL)
#: Violations that the text of an error shows.
SHOWN = 10


class DdrError(AssertionError):
    """Rules of the DRAM were broken."""


def pins_of(command: str, bank_group: int = 0, bank: int = 0, row: int = 0, column: int = 0, slot: int = 0) -> int:
    """Pins of a cycle that has one command, a name of ``sim.enmc.ddr4_rules.COMMANDS``, in a slot.

    Raises
    ------
    ValueError
        If there is no such command, or a value does not fit its pins.
    """
    if command not in COMMANDS:
        raise ValueError(f"command must be one of {', '.join(COMMANDS)}, not {command!r}")
    if command == "ACT":
        word = pack_fields(PIN_FIELDS, {"bg": bank_group, "ba": bank, "a": row})
    else:
        base = {"RDA": "RD", "WRA": "WR", "PREA": "PRE"}.get(command, command)
        a = Command[base] << WE_N | (column if base in ("RD", "WR") else 0) | (command != base) << ALL
        word = pack_fields(PIN_FIELDS, {"act_n": 1, "bg": bank_group, "ba": bank, "a": a})
    return IDLE_PINS ^ (DESELECT ^ word) << slot * PIN_BITS


class Ddr4Device:
    """One rank.

    A read at clock t drives the data pins in clocks t + CL to t + CL + 3, a write takes them in clocks t + CWL to
    t + CWL + 3, the first beat low. A read returns what was stored when its command came. The device checks the rules
    of ``sim.enmc.ddr4_rules``, and:

    =============== =================================================================================================
    write data      nobody drives the pins in a clock of a write's data
    driven          the controller drives them in any other clock
    contention      both sides drive them
    instruction     an instruction of ENMC came through; those are never meant for the DRAM
    unknown         a command that DDR4 does not have
    =============== =================================================================================================

    Parameters
    ----------
    cfg : EnmcConfig
    memory : Dram, optional
        Where the data lie; its own and empty unless given.
    lane : int
        The rank in ``memory``.
    trace : list or other object with ``append``, optional
        Gets a ``DramCommand`` for each ACT, RD, RDA, WR, WRA, PRE, PREA and REF; reads and writes have the open row.
    """

    def __init__(self, cfg: EnmcConfig, *, memory: Dram | None = None, lane: int = 0, trace=None):
        self.rules = Ddr4Rules(cfg)
        self.cfg, self.lane, self.trace = cfg, lane, trace
        self.memory = Dram(cfg) if memory is None else memory
        self.cycle = 0
        self._lsb = lsb_of(cfg)
        self._phase_bits = 2 * cfg.dq
        self._phase_mask = (1 << self._phase_bits) - 1
        self._drive = {}
        self._take = {}

    @property
    def violations(self):
        """What the rules found so far: list of ``Violation``."""
        return self.rules.violations

    def restart(self):
        """As RESET_n: all banks are idle and nothing is under way. Contents, clock and violations stay."""
        self._drive.clear()
        self._take.clear()
        self.rules.restart(PHASES * self.cycle)

    def load(self, burst: int, data):
        """Write an array of whole bursts from an address on, without time."""
        self.memory.load(burst, data, self.lane)

    def dump(self, burst: int, count: int):
        """Contents of bursts, uint32 [count, burst_words]."""
        return self.memory.dump(burst, count, self.lane)

    def outputs(self) -> tuple[int, int]:
        """What the next :meth:`step` returns: it does not depend on the pins of its cycle, since CL > 3."""
        dq = drive = 0
        if self._drive:
            first = PHASES * self.cycle
            for slot in range(PHASES):
                phase = self._drive.get(first + slot)
                if phase is not None:
                    drive |= 1 << slot
                    dq |= phase << slot * self._phase_bits
        return dq, drive

    def step(self, pins: int, dq: int = 0, oe: int = 0) -> tuple[int, int]:
        """One cycle of the logic.

        Parameters
        ----------
        pins : int
            Command pins of the three slots, slot 0 lowest: ``PIN_FIELDS``, 23 bits each.
        dq : int
            Data that the controller drives in the three clocks, ``2 * dq`` bits each, the rising edge low.
        oe : int
            In which of them it drives, a bit each.

        Returns
        -------
        dq, drive : int
            The same of the device.
        """
        first = PHASES * self.cycle
        driven = self.outputs()
        selected = pins & _NONE_SELECTED != _NONE_SELECTED
        if selected or self._drive or self._take or oe:
            for slot in range(PHASES):
                if self._drive or self._take or oe:
                    self._data(first + slot, dq >> slot * self._phase_bits & self._phase_mask, oe >> slot & 1)
                word = pins >> slot * PIN_BITS
                if not word & _CS_N:
                    self._command(first + slot, word)
        self.cycle += 1
        return driven

    def check(self):
        """Count the refreshes up to now.

        Raises
        ------
        DdrError
            If any rule was broken; the text has the first of them.
        """
        found = self.rules.finish(PHASES * self.cycle - 1)
        if found:
            lines = [f"  ck {v.ck}: {v.rule}: {v.text}" for v in found[:SHOWN]]
            raise DdrError("\n".join([f"violations of the rules of DDR4: {self.rules.total}; the first:", *lines]))

    def _data(self, ck, phase, oe):
        """The data pins of one clock."""
        drives = self._drive.pop(ck, None) is not None
        write = self._take.pop(ck, None)
        if oe and drives:
            self.rules.report(ck, "contention", "data pins must have one driver, not controller and DRAM")
        elif oe and write is None:
            self.rules.report(ck, "driven", "data pins must be driven in the data of a write only, not in this clock")
        if write is not None:
            if not oe:
                self.rules.report(ck, "write data", "data pins must be driven in the data of a write, not released")
            burst, phases = write
            phases.append(phase)
            if len(phases) == BURST_CLOCKS and burst is not None:
                value = 0
                for part in reversed(phases):
                    value = value << self._phase_bits | part
                self.memory.write_burst(burst, value, self.lane)

    def _command(self, ck, word):
        """Decode and carry out the command of one slot."""
        group, bank, a = word >> _LSB["bg"] & 3, word >> _LSB["ba"] & 3, word >> _LSB["a"] & _A_MASK
        if not word & _ACT_N:
            self._issue(DramCommand(ck, "ACT", group, bank, a))
            return
        code = a >> WE_N & 7
        if code == Command.RD or code == Command.WR:
            self._column(ck, code == Command.RD, group, bank, a)
        elif code == Command.PRE:
            if a >> ALL & 1:
                self._issue(DramCommand(ck, "PREA"))
            else:
                if a & _INSTRUCTION_PINS:
                    self.rules.report(ck, "instruction", "PRE must have A0 to A9 and A11 to A13 low, not "
                                                         f"{a & _INSTRUCTION_PINS:#06x}")
                self._issue(DramCommand(ck, "PRE", group, bank))
        elif code == Command.REF:
            self._issue(DramCommand(ck, "REF"))
        elif code in (Command.MRS, Command.ZQ, Command.NOP):
            self.rules.command(ck, Command(code).name)
        else:
            self.rules.report(ck, "unknown", f"RAS_n, CAS_n and WE_n must be those of a command, not {code:03b}")

    def _issue(self, command):
        self.rules.command(*command)
        if self.trace is not None:
            self.trace.append(command)

    def _column(self, ck, is_read, group, bank, a):
        cfg, column = self.cfg, a & _COLUMN_MASK
        row = self.rules.rows[4 * group + bank]
        name = ("RD" if is_read else "WR") + ("A" if a >> ALL & 1 else "")
        self._issue(DramCommand(ck, name, group, bank, row, column))
        # Without an open row, or beyond the rank, a write is lost and a read is 0; the rules have reported it.
        burst = None
        if row is not None and row < 1 << cfg.row_bits and column < 1 << cfg.column_bits:
            burst = join(self._lsb, group, bank, row, column)
        if is_read:
            value = 0 if burst is None else self.memory.read_burst(burst, self.lane)
            for k in range(BURST_CLOCKS):
                self._drive[ck + cfg.cl + k] = value >> k * self._phase_bits & self._phase_mask
        else:
            write = burst, []
            for k in range(BURST_CLOCKS):
                self._take[ck + cfg.cwl + k] = write
