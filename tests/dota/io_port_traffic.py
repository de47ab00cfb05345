"""Model and environment of the stream port, for the bench and for plain Python."""

import random
from typing import NamedTuple

import numpy as np

from golden.common.fields import pack_fields, unpack_fields
from golden.dota import io_port
from golden.dota.formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    READ_LATENCY,
    START_LATENCY,
    STEP_BITS,
    STEP_FIELDS,
    UNIT_BITS,
    Op,
)
from sim.common.bench import Source, to_signed
from tests.common.units import gaps
from tests.dota.io_port_commands import STEP_BEATS, Beat, is_legal_command, is_legal_step, word_beats

BEAT_MASK = (1 << BEAT_BITS) - 1


class Access(NamedTuple):
    """One word on the bus; ``wdata`` is None for a read."""

    lanes: int
    addr: int
    wdata: int | None


class Result(NamedTuple):
    word: int
    last: bool


class Inputs(NamedTuple):
    busy: int = 0
    clear: bool = False
    i: Beat | None = None
    results: Result | None = None
    o_ready: bool = False
    answer: int | None = None   # None: nobody may look at it


class Outputs(NamedTuple):
    i_ready: bool
    o: Beat | None
    results_ready: bool
    access: Access | None
    start: int
    step: int
    reduction: int
    active: bool
    error: bool


def to_units(word, count):
    return np.array([word >> UNIT_BITS * i & (1 << UNIT_BITS) - 1 for i in range(count)])


def reduction_of(cfg, lanes, wide, shift, relu):
    """What the port tells the accumulator and the output unit, as one number."""
    widths = {"lanes": cfg.lanes, "wide": 1, "shift": STEP_FIELDS["shift"], "relu": 1}
    return pack_fields(widths, {"lanes": lanes, "wide": wide, "shift": shift, "relu": relu})


class Model:
    """The compiled model behind the interface of a bench."""

    NAME, INPUTS, OUTPUTS = "dota_io_port", Inputs, Outputs

    def __init__(self, cfg):
        self._cfg, self._units, self.io = cfg, cfg.units_per_word, {}
        self._unseen = random.Random(1)     # what nobody may look at
        self.reset()

    def reset(self):
        self.s = io_port.state(self._cfg)

    @property
    def seen(self):
        return {name for name, count in zip(io_port.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self):
        return set()

    def step(self, x):
        """Outputs of the current cycle; then advance by one clock edge."""
        s = self.s
        o = Beat(int(io_port.data_of(s)) & BEAT_MASK, bool(io_port.last_of(s))) if io_port.valid_of(s) else None
        word = sum(int(unit) << UNIT_BITS * i for i, unit in enumerate(s.word))
        access = Access(int(s.access_lanes[0]), int(s.access_addr[0]), word if s.access_write[0] else None)
        step = sum((int(beat) & BEAT_MASK) << BEAT_BITS * i for i, beat in enumerate(s.step))
        y = Outputs(i_ready=bool(io_port.ready_of(s)), o=o, results_ready=bool(io_port.results_ready_of(s)),
                    access=access if s.access_valid[0] else None, start=int(s.start[0]), step=step,
                    reduction=reduction_of(self._cfg, *map(int, s.reduction)), active=bool(io_port.active_of(s)),
                    error=bool(s.error[0]))
        data, last = x.i or (self._unseen.getrandbits(BEAT_BITS), True)
        result = x.results or Result(self._unseen.getrandbits(self._cfg.word_bits), True)
        answer = self._unseen.getrandbits(self._cfg.word_bits) if x.answer is None else x.answer
        io_port.clock(s, x.busy, x.clear, x.i is not None, to_signed(data, BEAT_BITS), last, x.results is not None,
                      to_units(result.word, self._units), result.last, x.o_ready, to_units(answer, self._units))
        return y


class Lanes:
    """The memories behind the bus, all words 0 at first."""

    def __init__(self, cfg):
        self._cfg, self._words = cfg, {}

    def carry_out(self, access):
        """One access; the word, if it is a read."""
        if access.wdata is None:
            return self._words.get((access.lanes, access.addr), 0)
        for lane in range(self._cfg.lanes):
            if access.lanes >> lane & 1:
                self._words[1 << lane, access.addr] = access.wdata
        return None


class Expected:
    """What packets do, without time.

    Attributes
    ----------
    accesses : list of Access
    reads : list of Result
        The words of the reads among them, and whether TLAST follows.
    steps : list of (mask, step, list of Result)
    error : bool
    """

    def __init__(self, cfg, packets, rng):
        self._cfg, self._rng, self._lanes = cfg, rng, Lanes(cfg)
        self.accesses, self.reads, self.steps, self.error = [], [], [], False
        for (command, ended), *data in packets:
            c = unpack_fields(COMMAND_FIELDS, command)
            if not is_legal_command(cfg, c, ended):
                self.error = True
            elif c["op"] == Op.READ:
                self._read(c)
            elif c["op"] == Op.WRITE:
                self._write(c, data)
            else:
                self._run(c, data)

    @property
    def replies(self):
        """Beats that leave."""
        return word_beats(self._cfg) * (len(self.reads) + sum(len(results) for _, _, results in self.steps))

    def _read(self, c):
        for k in range(c["count"]):
            self.accesses.append(Access(c["lanes"], c["addr"] + k, None))
            self.reads.append(Result(self._lanes.carry_out(self.accesses[-1]), k == c["count"] - 1))

    def _write(self, c, data):
        beats = word_beats(self._cfg)
        self.error |= len(data) != c["count"] * beats
        for k in range(min(c["count"], len(data) // beats)):
            word = sum(beat.data << BEAT_BITS * i for i, beat in enumerate(data[k * beats:(k + 1) * beats]))
            word &= (1 << self._cfg.word_bits) - 1
            self.accesses.append(Access(c["lanes"], c["addr"] + k, word))
            self._lanes.carry_out(self.accesses[-1])

    def _run(self, c, data):
        step = sum(beat.data << BEAT_BITS * i for i, beat in enumerate(data)) & (1 << STEP_BITS) - 1
        if len(data) != STEP_BEATS or not is_legal_step(step):
            self.error = True
            return
        results = [Result(self._rng.getrandbits(self._cfg.word_bits), self._rng.random() < 0.3)
                   for _ in range(self._rng.choice([0, 0, 1, 4]) if is_reducing(step) else 0)]
        self.steps.append((c["lanes"], step, results))


def is_reducing(step):
    """It uses the accumulator and the way out."""
    return bool(unpack_fields(STEP_FIELDS, step)["reduce"])


class Running:
    """A step in some lanes: ``busy`` does not count at first, then it stays until the time is over and the results
    are away."""

    def __init__(self, lanes, step, results, result_gaps, rng, longest):
        self.lanes, self.step, self.results = lanes, step, Source(results, result_gaps, idle=None)
        self._unseen, self._left = rng.randint(0, START_LATENCY - 1), rng.randint(0, longest)

    @property
    def begins(self):
        return self._unseen > 0

    @property
    def ended(self):
        return not (self._unseen or self._left) and self.results.done

    def clock(self):
        if self._unseen:
            self._unseen -= 1
        else:
            self._left = max(0, self._left - 1)


class Traffic:
    """Everything around the port while it carries out packets: host, memories, lanes that run steps.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.

    Parameters
    ----------
    p_valid, p_ready, p_idle, p_clear : float
        How often the host offers a beat, takes one, finds a lane idle that runs no step of ours, clears the error.
    longest : int
        Cycles that a step takes at most beside its results.
    """

    def __init__(self, cfg, packets, rng, *, p_valid=1.0, p_ready=1.0, p_idle=1.0, p_clear=0.0, longest=12):
        self._cfg, self._rng, self._longest = cfg, random.Random(rng.random()), longest
        self._beats = Source([beat for p in packets for beat in p], gaps(p_valid, rng), idle=None)
        self._ready, self._idle, self._clear = gaps(p_ready, rng), gaps(p_idle, rng), gaps(p_clear, rng)
        self._result_gaps = gaps(p_valid, rng)
        self._lanes, self._answers = Lanes(cfg), [None] * READ_LATENCY
        self.expected, self._is_disturbed = Expected(cfg, packets, rng), p_clear > 0
        self._accesses, self._steps, self.replies, self.error, self.done = [], [], [], False, False
        self._running, self._offers = [], None
        # Words in the order in which they must leave: of reads as they are asked for, of steps as they are taken.
        self._words, self._reads = [], list(self.expected.reads)

    def inputs(self):
        busy = 0
        for lane in range(self._cfg.lanes):
            here = [step for step in self._running if step.lanes >> lane & 1]
            if here and here[0].begins:
                busy |= (self._rng.random() < 0.5) << lane  # not asked for yet
            else:
                busy |= (bool(here) or not next(self._idle)) << lane
        self._offers = next((step for step in self._running if not (step.begins or step.results.done)), None)
        offer = self._offers.results.offer()[1] if self._offers else None
        return Inputs(busy, next(self._clear), self._beats.offer()[1], offer, next(self._ready), self._answers.pop(0))

    def taken(self, x, y):
        self._beats.taken(y.i_ready)
        if self._offers:
            step = unpack_fields(STEP_FIELDS, self._offers.step)
            assert y.reduction == reduction_of(self._cfg, self._offers.lanes, step["wide"], step["shift"],
                                               step["relu"]), "what belongs to the step must stay while it runs"
        if x.results and y.results_ready:
            self._words.append(x.results)
        if self._offers:
            self._offers.results.taken(y.results_ready)
        for step in self._running:
            step.clock()
        self._running = [step for step in self._running if not step.ended]
        self._answers.append(self._lanes.carry_out(y.access) if y.access else None)
        if y.access:
            self._access(y.access)
        if y.start:
            self._start(y)
        if y.o and x.o_ready:
            self.replies.append(y.o)
        self.error = y.error
        self.done = (self._beats.done and len(self.replies) == self.expected.replies
                     and not (x.i or y.active or y.o or y.access or self._running))

    def _access(self, access):
        assert not self._busy(access.lanes), "lanes that run must be left alone"
        self._accesses.append(access)
        if access.wdata is None:
            assert not self._reduces(), "a READ must not come between the results of a step"
            self._words.append(self._reads.pop(0))

    def _busy(self, lanes):
        return any(step.lanes & lanes for step in self._running)

    def _reduces(self):
        return any(is_reducing(step.step) for step in self._running)

    def _start(self, y):
        """Lanes begin a step; ``busy`` tells so at the latest when START_LATENCY is over."""
        assert not self._busy(y.start), "a step must not start where another one runs"
        assert not (is_reducing(y.step) and self._reduces()), "there is one accumulator"
        number = len(self._steps)
        results = self.expected.steps[number][2] if number < len(self.expected.steps) else []
        self._steps.append((y.start, y.step, results))
        self._running.append(Running(y.start, y.step, results, self._result_gaps, self._rng, self._longest))

    def check(self):
        """Every word where it belongs, every step, every reply once and in its turn, the error flag."""
        beats = word_beats(self._cfg)
        assert self._accesses == self.expected.accesses
        assert self._steps == self.expected.steps
        assert self.replies == [Beat(word >> BEAT_BITS * i & BEAT_MASK, last and i == beats - 1)
                                for word, last in self._words for i in range(beats)]
        assert self._is_disturbed or self.error == self.expected.error


def run_model(model, traffic, limit=100_000):
    """Carry out the traffic with a model alone, in plain Python; the number of cycles."""
    for cycle in range(limit):
        if traffic.done:
            traffic.check()
            return cycle
        x = traffic.inputs()
        traffic.taken(x, model.step(x))
    raise AssertionError(f"not done after {limit} cycles: {x}")
