"""A memory controller that speaks to a DIMM as the host does: programs, polling, results, ordinary reads and writes.

It plans ``QUANTUM`` cycles at a time, from what the pins showed before; so the golden model and the simulated hardware
see the same host. All bursts keep their distance on the data pins, whoever drives them.
"""

import itertools
from collections import deque
from typing import NamedTuple

import numpy as np

from .address import location
from .compiler import encoded
from .config import EnmcConfig
from .formats import ALL, BURST_CLOCKS, DESELECT, PHASES, PIN_FIELDS, RECORD_WORDS, WE_N, Command
from .host_port import handed_on
from .instruction import encode, pins_of
from .interpret import Answer, Job
from .registers import STATUS_FIELDS, registers_of
from .spec import SoftmaxPart

#: Cycles that are planned at a time.
QUANTUM = 32
#: Bursts of ordinary traffic that are planned at once.
CHUNK = 16
#: Clocks between two bursts with different drivers.
GAP = 2
_LSB = {name: sum(list(PIN_FIELDS.values())[:place]) for place, name in enumerate(PIN_FIELDS)}


class HostError(AssertionError):
    """The DIMM did something that no host could live with."""


class Pins(NamedTuple):
    """What the host drives in a quantum: ``pins`` [cycles, ranks, PHASES], ``dq`` [cycles, PHASES, phase_words]."""

    pins: np.ndarray
    dq: np.ndarray


def command_pins(command: Command, bank_group=0, bank=0, a=0) -> int:
    """Pins of an ordinary command."""
    return 2 | bank_group << _LSB["bg"] | bank << _LSB["ba"] | (a | int(command) << WE_N) << _LSB["a"]


def activate_pins(bank_group, bank, row) -> int:
    """Pins of ACT."""
    return bank_group << _LSB["bg"] | bank << _LSB["ba"] | row << _LSB["a"]


class Host:
    """The host's side of the pins.

    Parameters
    ----------
    cfg : EnmcConfig

    Attributes
    ----------
    worked : int
        Cycles of the last batch, from its first instruction until all ranks had nothing left to do and to return.

    Use: ``begin(task)`` with a generator such as :meth:`batch`; then, until ``done``, ``plan()`` gives the pins of the
    next quantum, and ``see(dq, oe)`` takes what the DIMM drove in it.
    """

    def __init__(self, cfg: EnmcConfig):
        self.cfg = cfg
        self.cycle = self.worked = 0
        self.done = True
        self.result = None
        self._task = None
        self._next = 0              # first clock in which a command may go out
        self._commands = {}         # clock: (rank, pins)
        self._writes = {}           # clock: words
        self._windows = deque()     # (first clock, whether the DIMM drives) of bursts, in order of their commands
        self._expected = deque()    # (first clock, who wants it)
        self._bursts = {}           # clock: words
        self._refreshed = [0] * cfg.ranks   # clock until which refreshes are done
        self._rested = [0] * cfg.ranks      # clock from which on a row may be opened

    # Pins ------------------------------------------------------------------------------------------------------------

    def begin(self, task):
        """Carry out a generator; what it returns becomes ``result``."""
        self._task, self.done, self.result = task, False, None

    def plan(self) -> Pins:
        """Decide what happens in the next quantum."""
        cfg = self.cfg
        self._next = max(self._next, PHASES * self.cycle)
        if not self.done:
            try:
                next(self._task)
            except StopIteration as end:
                self.done, self.result = True, end.value
        pins = np.full((QUANTUM, cfg.ranks, PHASES), DESELECT, np.int64)
        dq = np.zeros((QUANTUM, PHASES, cfg.phase_words), np.int64)
        first = PHASES * self.cycle
        for clock in [clock for clock in self._commands if clock < first + PHASES * QUANTUM]:
            rank, value = self._commands.pop(clock)
            # All ranks see the command; only one is selected.
            pins[(clock - first) // PHASES, :, clock % PHASES] = value | 1
            pins[(clock - first) // PHASES, rank, clock % PHASES] = value
        for clock in [clock for clock in self._writes if clock < first + PHASES * QUANTUM]:
            dq[(clock - first) // PHASES, clock % PHASES] = self._writes.pop(clock)
        return Pins(pins, dq)

    def see(self, dq, oe):
        """Take what the DIMM drove: ``dq`` [QUANTUM, PHASES, phase_words], ``oe`` [QUANTUM], a bit a slot.

        Raises
        ------
        HostError
            If an answer is missing, or something comes that nobody asked for.
        """
        first = PHASES * self.cycle
        for t in np.flatnonzero(oe):
            for slot in range(PHASES):
                if oe[t] >> slot & 1:
                    self._bursts[first + PHASES * int(t) + slot] = dq[t, slot].copy()
        self.cycle += QUANTUM
        while self._expected and self._expected[0][0] + BURST_CLOCKS <= PHASES * self.cycle:
            clock, want = self._expected.popleft()
            parts = [self._bursts.pop(clock + part, None) for part in range(BURST_CLOCKS)]
            if any(part is None for part in parts):
                raise HostError(f"the answer at clock {clock} must come, not nothing")
            want(np.concatenate(parts))
        early = self._expected[0][0] if self._expected else PHASES * self.cycle
        if strangers := [clock for clock in self._bursts if clock < early]:
            raise HostError(f"data pins must rest at clock {strangers[0]}, not be driven")

    def _send(self, rank, pins, *, after=0, write=None, want=None) -> int:
        """Put a command into the first clock that suits it; returns the clock.

        ``write``: words of the burst that follows it; ``want``: takes the burst that comes back.
        """
        cfg = self.cfg
        clock = max(self._next, after)
        if write is not None or want is not None:
            latency = cfg.cwl if write is not None else cfg.answer
            while not self._free(clock + latency, want is not None):
                clock += 1
            self._windows.append((clock + latency, want is not None))
            if len(self._windows) > 64:
                self._windows.popleft()
        self._commands[clock] = rank, pins
        if write is not None:
            words = np.zeros(cfg.burst_words, np.int64)
            words[:len(write)] = write
            for part, piece in enumerate(words.reshape(BURST_CLOCKS, cfg.phase_words)):
                self._writes[clock + cfg.cwl + part] = piece
        if want is not None:
            self._expected.append((clock + cfg.answer, want))
        self._next = clock + BURST_CLOCKS
        return clock

    def _free(self, first, theirs):
        """A burst from a clock on keeps its distance from the others."""
        return all(abs(first - other) >= BURST_CLOCKS + (0 if theirs == drives else GAP)
                   for other, drives in self._windows)

    # Programs --------------------------------------------------------------------------------------------------------

    def batch(self, jobs: list[Job]):
        """Carry out a program in every rank, then read bursts; returns a list of Answer. ``Job.memory`` is not written.
        """
        talks, begun = [_Talk(self, rank, job) for rank, job in enumerate(jobs)], self.cycle
        while not all(talk.done for talk in talks):
            end = PHASES * (self.cycle + QUANTUM)
            busy = True
            while busy and self._next + BURST_CLOCKS <= end:
                busy = False
                for talk in talks:
                    if self._next + BURST_CLOCKS <= end:
                        busy |= talk.speak()
            for rank, talk in enumerate(talks):
                if talk.done:
                    self._refresh(rank)
            yield
        self.worked = self.cycle - begun
        counters = []
        for rank in range(len(jobs)):
            counters.append((yield from self.registers(rank)))
        answers = []
        for rank, (job, talk, values) in enumerate(zip(jobs, talks, counters, strict=True)):
            words = np.zeros((0, self.cfg.burst_words), np.uint32)
            if len(job.read):
                words = yield from self.read(rank, job.read)
            softmax = [SoftmaxPart(*np.array([value & 0xFFFFFFFF, value >> 32], np.uint32).view(np.float32))
                       for name, value in values.items() if name.startswith("softmax_")]
            records = np.array(talk.records, np.uint32).reshape(-1, RECORD_WORDS)
            answers.append(Answer(records, softmax, words, values))
        return answers

    def registers(self, rank: int):
        """QUERY all registers; returns them by name."""
        values = {}
        for name in registers_of(self.cfg):
            self._send(rank, pins_of(encode("QUERY", reg=name)[0]),
                       want=lambda words, name=name: values.update({name: int(words[0]) | int(words[1]) << 32}))
        while len(values) < len(registers_of(self.cfg)):
            yield
        return values

    # Ordinary traffic ------------------------------------------------------------------------------------------------

    def write(self, rank: int, addr: int, words):
        """Write bursts [count, burst_words] from ``addr`` on, as any host would."""
        words = np.asarray(words, np.int64)
        for first in range(0, len(words), CHUNK):
            yield from self._wait()
            part = words[first:first + CHUNK]
            self._traffic(rank, range(addr + first, addr + first + len(part)), write=iter(part))
        yield from self._wait()

    def read(self, rank: int, bursts):
        """Read bursts; returns uint32 [count, burst_words]."""
        bursts, words = list(bursts), []
        for first in range(0, len(bursts), CHUNK):
            yield from self._wait()
            self._traffic(rank, bursts[first:first + CHUNK], want=words.append)
        while len(words) < len(bursts):
            yield
        return np.array(words, np.int64).reshape(len(bursts), self.cfg.burst_words).astype(np.uint32)

    def _wait(self):
        """Until all that was planned is over."""
        while self._next > PHASES * self.cycle:
            yield

    def _traffic(self, rank, bursts, write=None, want=None):
        """Read or write bursts one after another; the rows of a pair of banks are open at a time."""
        for _, some in itertools.groupby(bursts, lambda burst: burst // (2 * self.cfg.page_bursts)):
            self._page(rank, [location(self.cfg, burst) for burst in some], write, want)
        for k in range(self.cfg.ranks):
            self._refresh(k)

    def _page(self, rank, places, write, want):
        """Open two rows at most, read or write, and close them."""
        cfg, opened, group, clock, end = self.cfg, {}, None, self._rested[rank], 0
        for place in places:
            bank = place.bank_group, place.bank
            if bank not in opened:
                opened[bank] = clock = self._send(
                    rank, activate_pins(*bank, place.row), after=max(clock, *(c + cfg.trrd_l for c in opened.values()),
                                                                     0))
                end = max(end, clock + cfg.tras)
            distance = cfg.tccd_l if place.bank_group == group else cfg.tccd_s
            clock = self._send(
                rank, command_pins(Command.WR if write else Command.RD, *bank, place.column),
                after=max(opened[bank] + cfg.trcd, clock + distance if group is not None else 0),
                write=next(write) if write else None, want=want)
            group = place.bank_group
            end = max(end, clock + (cfg.cwl + BURST_CLOCKS + max(cfg.twr, cfg.twtr_l) if write else cfg.trtp))
        closed = self._send(rank, command_pins(Command.PRE, a=1 << ALL), after=end)
        self._rested[rank] = closed + max(cfg.trp, cfg.trc - cfg.tras)

    def _refresh(self, rank):
        """Refresh a rank that the host has, if it is time."""
        while self._next - self._refreshed[rank] >= self.cfg.trefi:
            clock = self._send(rank, command_pins(Command.REF), after=self._rested[rank])
            self._rested[rank] = clock + self.cfg.trfc
            self._refreshed[rank] += self.cfg.trefi


class _Talk:
    """The conversation with one rank: send instructions while there is room, poll, take records."""

    def __init__(self, host, rank, job):
        self._host, self._rank, self._cfg = host, rank, host.cfg
        self._program = deque(encoded(job.program))
        self._free = 0          # instructions that certainly find room
        self._ready = 0         # records that wait
        self._polled = False    # an answer is on its way
        self._polls = -QUANTUM  # cycle of the last poll
        self._arrivals = deque()    # cycles in which instructions get there
        self._taking = 0        # RETURNs whose answers are on their way
        self.records = []
        self.done = False

    def speak(self) -> bool:
        """Send at most one command; False if there is none to send."""
        if self.done:
            return False
        if self._ready > 0:
            self._ready -= self._cfg.records
            self._taking += 1
            self._host._send(self._rank, pins_of(encode("RETURN")[0]), want=self._take)
            return True
        if self._program and self._free > 0:
            addr, data = self._program.popleft()
            write = None if data is None else [data & 0xFFFFFFFF, data >> 32]
            clock = self._host._send(self._rank, pins_of(addr), write=write)
            self._arrivals.append(clock // PHASES + handed_on(self._cfg))
            self._free -= 1
            return True
        if not self._polled and self._host._next >= PHASES * (self._polls + QUANTUM // 2):
            clock = self._host._send(self._rank, pins_of(encode("QUERY", reg="status")[0]), want=self._status)
            self._polled, self._polls = (clock + self._cfg.cl) // PHASES, clock // PHASES
            return True
        return False

    def _take(self, words):
        """Records of a burst."""
        self._taking -= 1
        for record in words.reshape(-1, RECORD_WORDS):
            if record[1] >> 29 & 1:
                self.records.append(record)

    def _status(self, words):
        """An answer to a poll: what came in its cycle is counted, what came later is not."""
        value, fields = int(words[0]) | int(words[1]) << 32, {}
        for name, bits in STATUS_FIELDS.items():
            fields[name], value = value & (1 << bits) - 1, value >> bits
        for flag in "refused", "overflow", "illegal":
            if fields[flag]:
                raise HostError(f"status of rank {self._rank} must not show {flag}")
        while self._arrivals and self._arrivals[0] <= self._polled:
            self._arrivals.popleft()
        self._polled = False
        self._free = fields["free"] - len(self._arrivals)
        self._ready = fields["ready"] - self._cfg.records * self._taking
        if not (self._program or self._arrivals or self._taking or any(fields[name] for name in ("busy", "owner",
                                                                                               "ready"))):
            self.done = True
            # ENMC hands the DRAM back when no refresh is due.
            self._host._refreshed[self._rank] = PHASES * self._host.cycle
