"""Surroundings of the DRAM controller for its tests: requests, readers, the host, and a DRAM that answers in time.

:class:`Surroundings` makes the inputs of a cycle and looks at its outputs; it drives the golden model or the hardware.
"""

import random
from collections import deque

from golden.enmc.address import burst_of
from golden.enmc.formats import BURST_CLOCKS, PHASES, Dest
from tests.enmc.dram_recorder import Command, Recorder, decode
from tests.enmc.dram_traffic import PIN_BITS, Inputs


class Host:
    """A host that opens rows, reads, writes and refreshes while it has the DRAM, from the first cycle on.

    A command may still go out up to two cycles after it was locked out.
    """

    LATE = 2

    def __init__(self, cfg, rng: random.Random):
        self._cfg, self._rng = cfg, rng
        self._script, self._next, self._locked = deque(), 0, 0

    def command(self, cycle: int, owner: bool) -> Command | None:
        """The command of this cycle, at its last clock: the controller must count it as late as possible."""
        self._locked = self._locked + 1 if owner else 0
        if self._locked > self.LATE:
            self._script.clear()
            self._next = 0
            return None
        if not self._script:
            self._write_script(max(cycle, self._next))
        if cycle < self._script[0][0]:
            return None
        return self._script.popleft()[1]._replace(clock=PHASES * cycle + PHASES - 1)

    def _write_script(self, cycle):
        rng, cfg = self._rng, self._cfg
        bank, row = (rng.randrange(4), rng.randrange(4)), rng.randrange(2**cfg.row_bits)
        names = ["REF"] if rng.random() < 0.4 else ["ACT", *rng.choices(["RD", "WR"], k=rng.randint(0, 2)), "PREA"]
        for name in names:
            value = 8 * rng.randrange(cfg.page_bursts) if name in ("RD", "WR") else row
            self._script.append((cycle, Command(0, name, bank, value)))
            cycle += -(-max(cfg.trc, cfg.cwl + 4 + max(cfg.twr, cfg.twtr_l), cfg.turnaround,
                            cfg.trfc if name == "REF" else 0) // PHASES) + 1
        self._next = cycle


class Surroundings:
    """Everything around a DRAM controller.

    Parameters
    ----------
    cfg : EnmcConfig
        The true rules.
    requests : list of requests
        All of them are served.
    rng : random.Random
    p_request, p_store, p_free : float
        Probability that a source that pauses offers again, and that a reader frees a place, in a cycle.
    p_own, p_release : float
        Probability that ENMC asks for the DRAM while requests are left, and gives it back while nothing is inside.
    host : bool
        The host works while it has the DRAM.
    recorder : object
        ``command(Command)`` is told what the DRAM sees.
    """

    def __init__(self, cfg, requests, rng, *, p_request=1.0, p_store=1.0, p_free=1.0, p_own=1.0, p_release=0.0,
                 host=False, recorder=None):
        self.cfg, self.rng = cfg, rng
        self.recorder = recorder or Recorder(cfg)
        self._host = Host(cfg, random.Random(rng.random())) if host else None
        self._p = {"request": p_request, "store": p_store, "free": p_free, "own": p_own, "release": p_release}
        self.cycle = self.loads = self.grants = 0
        self.requests, self._store, self._expected = deque(requests), deque(), deque()
        self.memory, self._after = {}, {}
        self._full = [0] * len(Dest)
        self._offers = {"request": False, "store": False}
        self._own = self._owner = self._busy = False
        #: Clock to the data of a read; clock to the burst whose data of a write begin; clock to what is stored there.
        self._coming, self._begins, self._stored = {}, {}, {}
        for r in requests:
            self._plan(r)

    def _plan(self, r):
        """What the request will read, given those before it, or what it will write."""
        for burst in (burst % self.cfg.bursts for burst in range(r.addr, r.addr + r.count)):
            if r.write:
                self._after[burst] = self.rng.getrandbits(8 * self.cfg.dq)
                self._store.append(self._after[burst])
            else:
                self._expected.append((r.dest, self._after.get(burst, self._first(burst))))

    def _first(self, burst):
        """What a burst holds at first: it tells where it comes from."""
        return burst * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C834_1082_276B % (1 << 8 * self.cfg.dq)

    @property
    def finished(self) -> bool:
        """Everything was read and written, and the host has the DRAM."""
        return not (self.requests or self._expected or self._store or self._busy or self._owner)

    def check(self):
        """What was written is there."""
        assert all(self.memory.get(burst) == word for burst, word in self._after.items()), "all writes must be stored"

    def inputs(self) -> Inputs:
        """Inputs of this cycle."""
        self._decide_own()
        request = self.requests[0] if self._offer("request", self.requests) else None
        freed = 0
        for dest, full in enumerate(self._full):
            if full and self.rng.random() < self._p["free"]:
                freed |= 1 << dest
                self._full[dest] -= 1
        command = self._host and self._host.command(self.cycle, self._owner)
        if command:
            self.recorder.command(command)
        return Inputs(request=request, own=self._own, host_command=command is not None and self._host is not None,
                      host_refresh=bool(command and command.name == "REF"), dq_i=self._data_in(), freed=freed,
                      store=self._store[0] if self._offer("store", self._store) else None)

    def _decide_own(self):
        """ENMC gives the DRAM back only while nothing is inside or offered."""
        left = bool(self.requests or self._busy)
        if not self._own:
            self._own = left and self.rng.random() < self._p["own"]
        elif not self._busy and not self._offers["request"]:
            self._own = left and self.rng.random() >= self._p["release"]

    def _offer(self, name, items):
        """What is offered stays until it is taken."""
        if items and not self._offers[name]:
            may = name != "request" or self._own or self.rng.random() < 0.1
            self._offers[name] = may and self.rng.random() < self._p[name]
        return self._offers[name]

    def _data_in(self):
        """Data pins: what was read, else noise."""
        bits, dq = 2 * self.cfg.dq, 0
        for slot in range(PHASES):
            word = self._coming.pop(PHASES * self.cycle + slot, None)
            dq |= (self.rng.getrandbits(bits) if word is None else word) << slot * bits
        return dq

    def outputs(self, x: Inputs, y):
        """Look at the outputs of this cycle."""
        accepted = x.request is not None and y.request_ready
        for name, items, taken in (("request", self.requests, accepted),
                                   ("store", self._store, x.store is not None and y.store_ready)):
            if taken:
                items.popleft()
                self._offers[name] = False
        self.grants += y.owner and not self._owner
        self._busy, self._owner = y.busy or accepted, y.owner
        bits = 2 * self.cfg.dq
        for slot in range(PHASES):
            clock = PHASES * self.cycle + slot
            self._command(clock, y.pins >> PIN_BITS * slot & (1 << PIN_BITS) - 1, y.owner)
            self._data_out(clock, y.dq_o >> slot * bits & (1 << bits) - 1, y.dq_oe >> slot & 1)
        if y.load is not None:
            self._load(y.load & 1, y.load >> 1)
        self.cycle += 1

    def _load(self, dest, word):
        assert self._expected, f"nothing may be loaded after burst {self.loads}"
        assert (dest, word) == self._expected.popleft(), f"burst {self.loads} must be the one that was requested"
        self.loads += 1
        self._full[dest] += 1
        assert self._full[dest] <= self.cfg.weights, f"buffer {dest} must not overflow"

    def _command(self, clock, pins, owner):
        command = decode(clock + PHASES, pins)      # the register of the host port lies in front of the DRAM
        if command is None:
            assert pins == 0b11, f"clock {clock}: pins must be deselected, not {pins:#x}"
            return
        assert owner, f"{command} must not be sent while the host has the DRAM"
        self.recorder.command(command)
        if command.name not in ("RD", "WR"):
            return
        burst = burst_of(self.cfg, *command.bank, self.recorder.open[command.bank], command.value)
        if command.name == "WR":
            self._begins[clock + self.cfg.cwl] = burst
            return
        bits, word = 2 * self.cfg.dq, self.memory.get(burst, self._first(burst))
        for place in range(BURST_CLOCKS):
            at = clock + self.cfg.cl + 2 * PHASES + place
            assert at not in self._coming, f"clock {at}: data of two reads"
            self._coming[at] = word >> place * bits & (1 << bits) - 1

    def _data_out(self, clock, word, enabled):
        if clock in self._begins:
            burst = self._begins.pop(clock)
            for place in range(BURST_CLOCKS):
                assert clock + place not in self._stored, f"clock {clock + place}: data of two writes"
                self._stored[clock + place] = burst, place
        assert enabled == (clock in self._stored), f"clock {clock}: data must be driven exactly after a write"
        if enabled:
            burst, place = self._stored.pop(clock)
            lsb, mask = 2 * self.cfg.dq * place, (1 << 2 * self.cfg.dq) - 1
            self.memory[burst] = self.memory.get(burst, self._first(burst)) & ~(mask << lsb) | word << lsb


def run(model, surroundings, limit=1_000_000):
    """Drive a model until everything is done and the host has the DRAM again."""
    while not surroundings.finished:
        x = surroundings.inputs()
        surroundings.outputs(x, model.step(x))
        assert surroundings.cycle < limit, f"must be done after {limit} cycles"
    surroundings.check()
    return surroundings
