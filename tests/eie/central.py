"""What the benches of the central units and of the LNZD tree share."""

import random
from typing import NamedTuple

import numpy as np

from golden.eie.formats import BEAT_BITS, PASS_FIELDS
from sim.common.bench import Fields, Source, UnitBench, seed, to_signed, unsigned
from tests.common.units import gaps


class CompiledModel:
    """A compiled unit model behind the interface of a bench.

    Subclasses define ``step(x) -> outputs``: the outputs of this cycle, then one clock of ``self.s``.

    Parameters
    ----------
    unit : module
        ``golden.eie.<unit>`` with its ``EVENTS``.
    make_state : callable
        Makes the state after reset.
    """

    def __init__(self, unit, make_state):
        self._unit, self._make_state = unit, make_state
        self.reset()

    def reset(self):
        self.s = self._make_state()

    @property
    def seen(self):
        """Names of the events since the reset."""
        return {name for name, count in zip(self._unit.EVENTS, self.s.seen, strict=True) if count}


class CentralBench(UnitBench):
    """Bench of a central unit: reads packed payloads, and starts itself.

    Parameters
    ----------
    dut, model, name, cfg, streams
        As in :class:`sim.common.bench.UnitBench`.
    idle : NamedTuple
        Inputs that ask for nothing.
    """

    def __init__(self, dut, model, *, name, cfg, streams, idle):
        super().__init__(dut, model, name=name, cfg=cfg, streams=streams)
        self._idle, self._junk = idle, random.Random(seed())

    async def started(self):
        """The bench itself, after a reset."""
        await self.reset(self._idle)
        return self

    async def rest(self, cycles):
        """Cycles in which nothing is asked for; the outputs of the last one."""
        for _ in range(cycles):
            y = await self.cycle(self._idle)
        return y

    def write(self, pin, value):
        """Drive a pin; None drives random bits, so that nobody can rely on what does not count."""
        handle = getattr(self.dut, pin)
        if value is None:
            value = self._junk.getrandbits(len(handle) if hasattr(handle, "__len__") else 1)
        handle.value = value

    def offer(self, stream, fields, values):
        """Offer ``values`` (a dict) as the payload of a stream, or nothing."""
        self.write(f"{stream}__valid", values is not None)
        self.write(f"{stream}__payload", None if values is None else fields.pack(**values))

    def read(self, pin):
        """A pin as an unsigned integer."""
        return int(getattr(self.dut, pin).value)

    def payload(self, stream, fields):
        """What a stream offers, as a tuple of ``fields``; None if it offers nothing."""
        return fields.unpack(self.read(f"{stream}__payload")) if self.read(f"{stream}__valid") else None


class Token(NamedTuple):
    """Element of the LNZD tree. Of a ``null`` only ``last`` counts; its index and value are None when compared."""

    index: int | None
    value: int | None
    null: bool
    last: bool

    @classmethod
    def compared(cls, index, value, null, last):
        """As it stands in the outputs of benches and models."""
        return cls(None, None, True, bool(last)) if null else cls(int(index), int(value), False, bool(last))


class Fetched(NamedTuple):
    """A pass between program reader and sequencer; ``fields`` in the order of PASS_FIELDS."""

    fields: tuple[int, ...]
    last: bool
    illegal: bool

    @classmethod
    def of_payload(cls, payload):
        """From the unpacked payload of the stream."""
        return cls(tuple(payload[:-2]), bool(payload.last), bool(payload.illegal))

    def payload(self):
        """The values for :data:`FETCHED`."""
        return dict(zip(PASS_FIELDS, self.fields, strict=True)) | {"last": self.last, "illegal": self.illegal}


#: Payload of the stream between program reader and sequencer.
FETCHED = Fields(**{name: unsigned(bits) for name, bits in PASS_FIELDS.items()}, last=unsigned(1), illegal=unsigned(1))


def scan_tokens(elements, null_end, rng, cfg):
    """What a child offers in one scan: its ``elements`` (index, value), ended by the last one or by a null."""
    tokens = [Token(index, value, False, False) for index, value in elements]
    if tokens and not null_end:
        tokens[-1] = tokens[-1]._replace(last=True)
    else:  # what stands in a null does not matter
        low, high = value_range(cfg)
        tokens.append(Token(rng.randrange(1 << cfg.index_bits), rng.randint(low, high), True, True))
    return tokens


async def simulate(bench, traffic):
    """Run the traffic through the hardware until it is done, and check it; the number of cycles."""
    start = bench.cycle_number
    while not traffic.done:
        x = traffic.inputs()
        traffic.taken(x, await bench.cycle(x))
    cycles = bench.cycle_number - start
    traffic.check()
    bench.collect()
    return cycles


def run_model(model, traffic, limit=100_000):
    """The same with a model alone, in plain Python."""
    for cycle in range(limit):
        if traffic.done:
            traffic.check()
            return cycle
        x = traffic.inputs()
        traffic.taken(x, model.step(x))
    raise AssertionError(f"not done after {limit} cycles: {x}")


def value_range(cfg):
    """Lowest and highest activation."""
    return -(1 << cfg.data_bits - 1), (1 << cfg.data_bits - 1) - 1


def nonzero_values(cfg, rng, count):
    """Random activations that are not zero, the ends of the range among them."""
    low, high = value_range(cfg)
    return [rng.choice([low, high, -1, 1, rng.randint(low, -1), rng.randint(1, high)]) for _ in range(count)]


def to_beats(word, count):
    """A word as beats, low one first, int64 as the models take them."""
    return np.array([to_signed(word >> BEAT_BITS * i & (1 << BEAT_BITS) - 1, BEAT_BITS) for i in range(count)])


def from_beats(beats):
    """Inverse of :func:`to_beats`."""
    return sum((int(beat) & (1 << BEAT_BITS) - 1) << BEAT_BITS * i for i, beat in enumerate(beats))


def source(items, p, rng):
    """Offers the items with gaps; nothing is None."""
    return Source(items, gaps(p, rng), idle=None)
