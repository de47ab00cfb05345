"""The memory port as its benches see it, and a memory and a loader around it."""

from typing import NamedTuple

import numpy as np

from golden.duet import memory_port
from golden.duet.config import DuetConfig
from hdl.duet.load_layouts import fetch_layout
from hdl.duet.memory_port import address_layout, beat_layout
from sim.common.bench import Fields, unsigned
from tests.common.units import LaneModel, fields_of, make

__all__ = ["Inputs", "Memory", "Model", "Outputs", "fields", "random_requests", "word_at"]


class Inputs(NamedTuple):
    i: tuple | None = None
    ar_ready: bool = False
    r: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    ar: tuple | None
    r_ready: bool
    o: tuple | None
    busy: bool


def fields(cfg: DuetConfig) -> dict:
    """Formats of the payloads."""
    layouts = {"i": fetch_layout(), "ar": address_layout(cfg), "r": beat_layout(cfg)}
    return {name: fields_of(layout) for name, layout in layouts.items()} | {"o": Fields(word=unsigned(cfg.word_bits))}


def random_requests(cfg, rng, count) -> list:
    """(word address, words): anywhere, at the end of a page, one after the other."""
    page, found = memory_port.PAGE * 8 // cfg.word_bits, []
    for _ in range(count):
        addr = int(rng.integers(1 << 32) >> rng.integers(28))
        if rng.random() < 0.4:
            addr = addr // page * page + page - int(rng.integers(1, 4))
        words = int(rng.integers(1, rng.choice([2, 5, 20])))
        found.append((min(addr, (1 << 32) - words), words))
    return found


def word_at(cfg, addr: int) -> int:
    """Contents of the memory: different in every word and value."""
    values = (np.arange(cfg.values, dtype=np.uint64) * np.uint64(40503) + np.uint64(addr * 2654435761 % (1 << 40)))
    return int.from_bytes((values >> np.uint64(5)).astype(np.uint16).tobytes(), "little")


def values_of(word: int, bits: int) -> np.ndarray:
    """Signed values of 16 bits of a word or beat."""
    return np.frombuffer(word.to_bytes(bits // 8, "little"), np.int16).astype(np.int64)


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_memory_port", memory_port, Inputs, Outputs

    def __init__(self, cfg):
        super().__init__(cfg)
        self._form, self._beat = fields(cfg), memory_port.beat_bits(cfg)

    def step(self, x: Inputs) -> Outputs:
        s, ar, o = self.s, None, None
        if memory_port.ar_valid_of(s, 0):
            ar = make(self._form["ar"], addr=int(s.ar_addr[0]), len=int(s.ar_len[0]))
        if memory_port.valid_of(s, 0):
            o = make(self._form["o"], word=int.from_bytes(s.word[0].astype(np.int16).tobytes(), "little"))
        y = Outputs(bool(memory_port.burst_ready_of(s, 0)), ar, bool(memory_port.r_ready_of(s, 0)), o,
                    bool(memory_port.busy_of(s, 0)))
        i, r = x.i or (0, 0), x.r
        memory_port.clock(s, 0, x.i is not None, *i, bool(x.ar_ready), r is not None, bool(r.last) if r else False,
                          values_of(r.data if r else 0, self._beat), bool(x.o_ready))
        return y


class Memory:
    """Sends requests, answers bursts after ``latency`` cycles, checks both and the words.

    Parameters
    ----------
    cfg, requests
    rng : random.Random
    p_request, p_beat, p_word : float
        Probability that a request, a beat is offered, that a burst and a word is taken.
    """

    def __init__(self, cfg, requests, rng, *, p_request=1.0, p_beat=1.0, p_word=1.0, latency=1):
        self.cfg, self.rng, self._form = cfg, rng, fields(cfg)
        self.p_request, self.p_beat, self.p_word, self.latency = p_request, p_beat, p_word, latency
        self._requests = list(requests)
        self._expected = [burst for request in requests for burst in memory_port.bursts(cfg, *request)]
        self._words = [addr + n for addr, count in requests for n in range(count)]
        self._beats = []            # (cycle from which on it is there, beat)
        self._cycle = self.bursts = 0
        self._offered = self._answers = False

    @property
    def done(self):
        """All words were taken."""
        return not self._words

    def offer(self) -> Inputs:
        """The inputs of this cycle."""
        self._offered = self._offered or bool(self._requests) and self._chance(self.p_request)
        there = bool(self._beats) and self._beats[0][0] <= self._cycle
        self._answers = self._answers or there and self._chance(self.p_beat)
        request = make(self._form["i"], **dict(zip(("addr", "count"), self._requests[0], strict=True))) \
            if self._offered else None
        beat = self._beats[0][1] if self._answers else None
        return Inputs(request, self._chance(self.p_word), beat, self._chance(self.p_word))

    def taken(self, x: Inputs, y: Outputs):
        """End of the cycle."""
        cfg, beat = self.cfg, memory_port.beat_bits(self.cfg)
        if x.i and y.i_ready:
            self._requests.pop(0)
            self._offered = False
        if x.r and y.r_ready:
            self.bursts -= self._beats.pop(0)[1].last
            self._answers = False
        if y.ar and x.ar_ready:
            assert (y.ar.addr, y.ar.len + 1) == self._expected.pop(0)
            assert y.ar.addr // memory_port.PAGE == (y.ar.addr + (y.ar.len + 1) * beat // 8 - 1) // memory_port.PAGE
            self.bursts += 1
            for n in range(y.ar.len + 1):
                word, part = divmod(y.ar.addr * 8 // beat + n, memory_port.beats_of_word(cfg))
                bits = word_at(cfg, word) >> part * beat & (1 << beat) - 1
                last = int(n == y.ar.len)
                self._beats.append((self._cycle + self.latency, make(self._form["r"], data=bits, last=last)))
        if y.o and x.o_ready:
            assert y.o.word == word_at(cfg, self._words.pop(0))
        self._cycle += 1

    def _chance(self, p) -> bool:
        return p == 1 or self.rng.random() < p
