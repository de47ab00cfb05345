"""Model and environment of the stream port, for the bench and for plain Python."""

import random
from typing import NamedTuple

import numpy as np

from golden.common.fields import unpack_fields
from golden.duet import io_port
from golden.duet.formats import BEAT_BITS, COMMAND_FIELDS, GLB_LATENCY, START_LATENCY, Op, Target, target_beats
from sim.common.bench import Source, to_signed
from tests.common.units import gaps
from tests.duet.io_port_commands import Beat, data_beats, is_legal_command

BEAT_MASK = (1 << BEAT_BITS) - 1


class Access(NamedTuple):
    """One word on the bus; ``wdata`` is None for a read."""

    target: int
    addr: int
    wdata: int | None


class Inputs(NamedTuple):
    busy: bool = False
    clear: bool = False
    i: Beat | None = None
    o_ready: bool = False
    answer: int | None = None   # None: nobody may look at it


class Outputs(NamedTuple):
    i_ready: bool
    o: Beat | None
    access: Access | None
    chain: int | None           # None: no shift
    update: bool
    active: bool
    error: bool


def beats_of_word(word, count):
    """A word as beats, two's complement, low first."""
    return np.array([to_signed(word >> BEAT_BITS * i & BEAT_MASK, BEAT_BITS) for i in range(count)], np.int64)


def word_of_beats(beats):
    """The inverse."""
    return sum((int(beat) & BEAT_MASK) << BEAT_BITS * i for i, beat in enumerate(beats))


class Model:
    """The compiled model behind the interface of a bench."""

    NAME, INPUTS, OUTPUTS = "duet_io_port", Inputs, Outputs

    def __init__(self, cfg):
        self._cfg, self.io = cfg, {}
        self._beats = target_beats(cfg)
        self._unseen = random.Random(1)     # what nobody may look at
        self.reset()

    def reset(self):
        self.s = io_port.state(self._cfg)

    @property
    def seen(self):
        return {name for name, count in zip(io_port.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self):
        return set()

    def _access(self):
        s = self.s
        target = int(s.access_target[0])
        word = word_of_beats(s.word[:self._beats[Target(target)]]) if s.access_write[0] else None
        return Access(target, int(s.access_addr[0]), word)

    def step(self, x):
        """Outputs of the current cycle; then advance by one clock edge."""
        s = self.s
        o = Beat(int(io_port.data_of(s)) & BEAT_MASK, bool(io_port.last_of(s))) if io_port.valid_of(s) else None
        y = Outputs(i_ready=bool(io_port.ready_of(s)), o=o, access=self._access() if s.access_valid[0] else None,
                    chain=int(s.chain[0]) & BEAT_MASK if s.shift[0] else None, update=bool(s.update[0]),
                    active=bool(io_port.active_of(s)), error=bool(s.error[0]))
        data, last = x.i or (self._unseen.getrandbits(BEAT_BITS), True)
        answer = self._unseen.getrandbits(self._cfg.word_bits) if x.answer is None else x.answer
        io_port.clock(s, x.busy, x.clear, x.i is not None, to_signed(data, BEAT_BITS), last, x.o_ready,
                      beats_of_word(answer, self._beats[Target.GLB]))
        return y


class Traffic:
    """Everything around the port while it carries out packets: host, memories, stages.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.

    Parameters
    ----------
    p_valid, p_ready, p_clear : float
        How often the host offers a beat, takes one, clears the error.
    longest : int
        Cycles that a stage takes at most.
    """

    def __init__(self, cfg, packets, rng, *, p_valid=1.0, p_ready=1.0, p_clear=0.0, longest=12):
        self._cfg, self._rng, self._longest = cfg, random.Random(rng.random()), longest
        self._beats = Source([beat for p in packets for beat in p], gaps(p_valid, rng), idle=None)
        self._ready, self._clear = gaps(p_ready, rng), gaps(p_clear, rng)
        self._is_disturbed, self._memory = p_clear > 0, {}
        self._answers, self._unseen, self._left = [None] * GLB_LATENCY, 0, 0
        self.accesses, self.chain, self.chains, self.replies = [], [], [], []
        self.error = self.done = False
        self._expect(packets)

    def _expect(self, packets):
        """What the packets do, without time."""
        self.wanted_accesses, self.wanted_chains, self.wanted_replies, self.wanted_error = [], [], [], False
        memory, words = {}, target_beats(self._cfg)
        for (command, ended), *rest in packets:
            c = unpack_fields(COMMAND_FIELDS, command)
            if not is_legal_command(self._cfg, c, ended):
                self.wanted_error = True
                continue
            data = [beat.data for beat in rest]
            complete = len(data) == data_beats(self._cfg, c)
            self.wanted_error |= not complete
            if c["op"] == Op.RUN:
                self.wanted_chains += [data] if complete else []
                continue
            beats = words[Target(c["target"])]
            for k in range(c["count"]):
                place = c["target"], c["addr"] + k
                if c["op"] == Op.WRITE and (k + 1) * beats <= len(data):
                    memory[place] = word_of_beats(data[k * beats:(k + 1) * beats])
                    self.wanted_accesses.append(Access(*place, memory[place]))
                elif c["op"] == Op.READ:
                    self.wanted_accesses.append(Access(*place, None))
                    word, out = memory.get(place, 0) & (1 << self._cfg.word_bits) - 1, words[Target.GLB]
                    self.wanted_replies += [Beat(word >> BEAT_BITS * i & BEAT_MASK,
                                                 (k, i) == (c["count"] - 1, out - 1)) for i in range(out)]

    def inputs(self):
        # ``busy`` of a new stage comes late, but in time.
        busy = self._left > 0 and (self._unseen == 0 or self._rng.random() < 0.5)
        return Inputs(busy, next(self._clear), self._beats.offer()[1], next(self._ready), self._answers.pop(0))

    def taken(self, x, y):
        self._beats.taken(y.i_ready)
        running, access = self._left > 0, y.access
        self._unseen = max(self._unseen - 1, 0)
        self._left = max(self._left - (self._unseen == 0), 0)
        answer = None
        if access:
            assert not running, "a stage that runs must be left alone"
            self.accesses.append(access)
            if access.wdata is None:
                answer = self._memory.get(access[:2], 0) & (1 << self._cfg.word_bits) - 1
            else:
                self._memory[access[:2]] = access.wdata
        self._answers.append(answer)
        if y.chain is not None:
            self.chain = [*self.chain, y.chain][-len(self.wanted_chains[0]) if self.wanted_chains else -1:]
        if y.update:
            assert not running, "a stage must not begin while another one runs"
            self.chains.append(self.chain)
            self._unseen, self._left = START_LATENCY - 1, self._rng.randint(1, self._longest)
        if y.o and x.o_ready:
            self.replies.append(y.o)
        self.error = y.error
        self.done = (self._beats.done and len(self.replies) == len(self.wanted_replies)
                     and not (x.i or y.active or y.o or access or self._left))

    def check(self):
        """Every word where it belongs, every chain, every reply once and in its turn, the error flag."""
        assert self.accesses == self.wanted_accesses
        assert self.chains == self.wanted_chains
        assert self.replies == self.wanted_replies
        assert self._is_disturbed or self.error == self.wanted_error


def run_model(model, traffic, limit=100_000):
    """Carry out the traffic with a model alone, in plain Python; the number of cycles."""
    for cycle in range(limit):
        if traffic.done:
            traffic.check()
            return cycle
        x = traffic.inputs()
        traffic.taken(x, model.step(x))
    raise AssertionError(f"not done after {limit} cycles: {x}")
