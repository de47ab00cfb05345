"""Model and surroundings of the estimate unit, for the bench and for plain Python."""

import random
from typing import NamedTuple

import numpy as np

from golden.dota import estimate
from golden.dota.estimate import (
    A_FIRE,
    A_FIRST,
    A_KEY,
    A_PART,
    A_SLOT,
    A_WHAT,
    A_WORD,
    A_WORDS,
    LOADS,
)
from golden.dota.formats import BANKS, QUANTIZE_LATENCY, QUERIES, SRAM_LATENCY, STEP_FIELDS, Step
from hdl.dota.layouts import arrival_layout, step_layout
from tests.common.units import LaneModel, fields_of, gaps, make
from tests.dota.estimate_work import Arrival, blocks_of, events_of, expected_results, results_in
from tests.dota.exact_traffic import Port
from tests.dota.packed import pack, unpack


class Inputs(NamedTuple):
    start: bool = False
    step: tuple | None = None
    rdata: int | None = None
    sums_valid: bool = False
    sums: int | None = None
    detector_ready: bool = False


class Outputs(NamedTuple):
    busy: bool
    port: Port | None
    arrival: Arrival | None
    precision: int | None
    quantize: bool
    o: bool | None          # whether the sums are the last of a group, if they are estimates
    rows: int


def to_units(word, count):
    return np.array([word >> 32 * i & 0xFFFFFFFF for i in range(count)])


def to_word(units):
    return sum(int(unit) << 32 * i for i, unit in enumerate(units))


class Formats:
    """Formats of the pins."""

    def __init__(self, cfg):
        self.step, self.arrival = fields_of(step_layout()), fields_of(arrival_layout(cfg))


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_estimate", estimate, Inputs, Outputs

    def _port(self, x):
        s, writes, reads = self.s, estimate.write_of(self.s, 0), estimate.read_of(self.s, 0)
        if writes >= 0:
            word = to_units(x.rdata or 0, self.cfg.units_per_word)
            estimate.merge(s, 0, word)
            return Port(int(writes), to_word(word))
        return Port(int(reads), None) if reads >= 0 else None

    def _arrival(self):
        a = self.s.arrivals[0, -1]
        if not a[A_WHAT]:
            return None
        return Arrival(bool(a[A_WHAT] == LOADS), *(int(a[field]) for field in (A_PART, A_WORD, A_WORDS, A_SLOT, A_KEY)),
                       bool(a[A_FIRE]), bool(a[A_FIRST]))

    def step(self, x):
        s, cfg = self.s, self.cfg
        busy, transforms = bool(estimate.busy_of(s, 0)), s.step[0, 0] == Step.LOW
        y = Outputs(busy=busy, port=self._port(x), arrival=self._arrival(),
                    precision=x.step.precision if busy and x.step else None, quantize=bool(s.sums[0, -1]),
                    o=bool(s.last[0, -1] == 2) if x.sums_valid and not transforms else None, rows=int(s.rows[0]))
        step = np.array([getattr(x.step, name) for name in STEP_FIELDS] if x.step else [0] * len(STEP_FIELDS))
        sums = np.array(unpack(x.sums or 0, cfg.block * QUERIES, cfg.estimate_bits, signed=True))
        estimate.clock(s, 0, x.start, step, x.detector_ready, x.sums_valid, sums.reshape(cfg.block, QUERIES))
        return y


class Traffic:
    """Everything around the unit while it carries out steps: memory, quantiser, detector.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.

    Parameters
    ----------
    p_ready : float
        How often the detector is ready.
    """

    def __init__(self, cfg, steps, rng, *, p_ready=1.0):
        self._cfg, self._steps, self._ready = cfg, list(steps), gaps(p_ready, rng)
        self._rng, self._step = random.Random(rng.random()), None
        self._numbers = np.random.default_rng(self._rng.getrandbits(32))
        self._memory = self._numbers.integers(0, 1 << 32, (BANKS * cfg.bank_words, cfg.units_per_word))
        self._formats = Formats(cfg)
        self.done, self.spent = not steps, []

    def _begin(self):
        self._step = self._steps.pop(0)
        self._pins = make(self._formats.step, **{name: int(value) for name, value in self._step.items()})
        self._answers, self._quantised = [None] * SRAM_LATENCY, [None] * QUANTIZE_LATENCY
        self._busy, self._arrivals, self._events, self._started = 0, [], [], True
        self._blocks, self._sums = [], {}

    def _random_sums(self):
        """Some near the limits of the results, some of all sizes."""
        limit = 1 << self._rng.choice([2, 4, 8, self._cfg.estimate_bits - 1])
        return self._numbers.integers(-min(limit, 1 << self._cfg.estimate_bits - 1),
                                      min(limit, 1 << self._cfg.estimate_bits - 1), (self._cfg.block, QUERIES))

    def inputs(self):
        if self._step is None:
            self._begin()
            return Inputs(start=True, step=self._pins)
        self._started = False
        sums = self._quantised.pop(0)
        raw = None if sums is None else pack(sums.ravel(), self._cfg.estimate_bits)
        return Inputs(step=self._pins, rdata=self._answers.pop(0), sums_valid=sums is not None, sums=raw,
                      detector_ready=next(self._ready))

    def taken(self, x, y):
        if self._started:
            assert not y.busy
            return
        self._busy += y.busy
        answer = None
        if y.port:
            if y.port.wdata is None:
                answer = to_word(self._memory[y.port.addr])
            else:
                self._memory[y.port.addr] = to_units(y.port.wdata, self._cfg.units_per_word)
            self._events.append(("read" if y.port.wdata is None else "write", y.port.addr))
        self._answers.append(answer)
        if y.arrival:
            self._arrivals.append(y.arrival if y.arrival.loads else y.arrival._replace(key=0))
        self._quantised.append(self._random_sums() if y.quantize else None)
        if x.sums_valid:
            self._blocks.append((y.o, y.rows))
            number = len(self._blocks) - 1
            count = blocks_of(self._cfg, self._step)
            values = unpack(x.sums, self._cfg.block * QUERIES, self._cfg.estimate_bits, signed=True)
            self._sums[number // count, number % count] = np.array(values).reshape(-1, QUERIES)
        if not y.busy:
            self.spent.append(self._busy)
            self.check()
            self._step, self.done = None, not self._steps

    def check(self):
        """Reads, writes, what each word is for, sums, and results in the memory."""
        cfg, step = self._cfg, self._step
        events = events_of(cfg, step)
        assert self._events == [(event.name, event.addr) for event in events]
        assert self._arrivals == [event.arrival for event in events if event.arrival]
        sums = [event.sums for event in events if event.sums]
        rows = [(1 << min(QUERIES, step["queries"] - QUERIES * group)) - 1 for group, _, _ in sums]
        if step["step"] == Step.LOW:
            assert [one for _, one in self._blocks] == rows and all(last is None for last, _ in self._blocks)
            expected, found = expected_results(cfg, step, self._sums), results_in(cfg, step, self._memory)
            np.testing.assert_array_equal(found, expected[:, :found.shape[1]])
        else:
            assert self._blocks == [(last, one) for (_, _, last), one in zip(sums, rows, strict=True)]


def run_model(model, traffic, limit=200_000):
    """Carry out the traffic with a model alone, in plain Python."""
    for _ in range(limit):
        if traffic.done:
            return
        x = traffic.inputs()
        traffic.taken(x, model.step(x))
    raise AssertionError(f"not done after {limit} cycles: {x}")
