"""Base of unit benches: clock, reset, one compared cycle, random gaps, packed payloads.

A unit bench is a subclass of :class:`UnitBench` with two short methods, ``drive`` and ``sample``;
everything about time and comparison is here. Pins are driven after the rising edge and sampled
at the falling edge, which is right on every simulator.
"""

import json
import os
import random
from collections import namedtuple
from collections.abc import Iterable
from typing import NamedTuple

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from golden.common.config import from_json
from sim.common.check import CycleChecker, StreamContract
from sim.common.coverage import cover

#: Clock period of all benches [ns].
PERIOD_NS = 10


def config(cls):
    """The configuration under test, as the runner handed it over."""
    return from_json(cls, os.environ["DUT_CONFIG"])


def seed() -> int:
    """The seed that repeats the whole run (cocotb derives another one for each test)."""
    return int(os.environ.get("COCOTB_RANDOM_SEED") or 0)


class UnitBench:
    """Drives one unit, samples it and compares every cycle with its golden model.

    Parameters
    ----------
    dut : handle
        The simulated top module; ``clk`` and ``rst`` may be missing if it is combinational.
    model : object
        Golden model: ``reset()``, ``step(inputs) -> outputs`` and, where it has a coverage plan,
        the set ``seen``.
    name : str
        The unit, in failure texts and coverage.
    cfg : object
        Configuration, for failure texts.
    streams : sequence of str
        Output streams whose contract is watched, e.g. ``("o",)`` for ``o__valid`` etc.

    Subclasses define
    -----------------
    drive(x)
        Write one cycle's inputs to the pins.
    sample(x) -> outputs
        Read one cycle's outputs from the pins, as the NamedTuple that the model returns; payloads
        that are not valid are None.
    """

    def __init__(self, dut, model, *, name: str, cfg=None, streams: Iterable[str] = ()):
        self.dut, self.model, self.name = dut, model, name
        self.checker = CycleChecker(name, f"cfg={cfg}, seed={seed()}")
        self._streams = [Watched(dut, stream, StreamContract(f"{name}.{stream}")) for stream in streams]
        self._clock = None
        if hasattr(dut, "clk"):
            self._falling, self._rising = FallingEdge(dut.clk), RisingEdge(dut.clk)
        else:  # a combinational unit: same cycles, without a pin
            self._falling = self._rising = Timer(PERIOD_NS // 2, unit="ns")

    @property
    def cycle_number(self) -> int:
        """Cycles compared so far."""
        return self.checker.cycle

    def drive(self, x):
        raise NotImplementedError

    def sample(self, x):
        raise NotImplementedError

    async def reset(self, x, *, cycles: int = 2):
        """Hold the inputs ``x`` and the reset for some cycles; reset the model with it."""
        self.collect()
        if self._clock is None and hasattr(self.dut, "clk"):
            self._clock = Clock(self.dut.clk, PERIOD_NS, unit="ns")
            self._clock.start()
        self.drive(x)
        if hasattr(self.dut, "rst"):
            self.dut.rst.value = 1
            for _ in range(cycles):
                await self._rising
            self.dut.rst.value = 0
        self.model.reset()
        for stream in self._streams:
            stream.contract.reset()

    async def cycle(self, x):
        """One clock cycle: drive ``x``, sample, compare; the outputs of this cycle."""
        self.drive(x)
        await self._falling
        rtl = self.sample(x)
        for stream in self._streams:
            stream.check(self.checker.cycle)
        self.checker.check(x, rtl, self.model.step(x))
        await self._rising
        return rtl

    def collect(self):
        """Hand the model's coverage events on; at every reset and at the end of a test."""
        cover(self.name, getattr(self.model, "seen", ()))


class Watched:
    """The pins of one output stream and its contract."""

    def __init__(self, dut, stream: str, contract: StreamContract):
        self.contract = contract
        self._valid, self._ready = getattr(dut, f"{stream}__valid"), getattr(dut, f"{stream}__ready")
        self._payload = getattr(dut, f"{stream}__payload", None)

    def check(self, cycle: int):
        """Look at the pins, at the falling edge of this cycle."""
        valid = bool(self._valid.value)
        payload = int(self._payload.value) if valid and self._payload is not None else 0
        self.contract.check(cycle, valid, bool(self._ready.value), payload)


class Gaps:
    """An endless row of random bits: when a producer offers, or a consumer is ready.

    Parameters
    ----------
    p : float
        Probability of a 1, in 0..1. At 0 and 1 the row is constant.
    rng : random.Random
        A generator of its own, so that adding another row does not change this one.
    """

    def __init__(self, p: float, rng: random.Random):
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability in 0..1, not {p!r}")
        self._p, self._rng = p, rng

    def __iter__(self):
        return self

    def __next__(self) -> bool:
        return self._rng.random() < self._p


class Source:
    """Offers the items of a list with random gaps; an offered item stays until it is taken.

    Each cycle: ``valid, payload = source.offer()``, then ``source.taken(ready)`` when the cycle's
    ready is known. An idle source offers ``(False, idle)``.
    """

    def __init__(self, items: Iterable, gaps: Gaps, *, idle=0):
        self._items, self._gaps, self._idle = list(items)[::-1], gaps, idle
        self._offered = False

    @property
    def done(self) -> bool:
        """Whether every item was taken."""
        return not self._items

    def offer(self):
        """(valid, payload) of this cycle."""
        if self._items and not self._offered:
            self._offered = next(self._gaps)
        return (True, self._items[-1]) if self._offered else (False, self._idle)

    def taken(self, ready: bool):
        """End of the cycle: the item is gone if the other side was ready."""
        if self._offered and ready:
            self._items.pop()
            self._offered = False


class _Field(NamedTuple):
    bits: int
    signed: bool


def unsigned(bits: int) -> _Field:
    """An unsigned field of :class:`Fields`."""
    return _Field(bits, False)


def signed(bits: int) -> _Field:
    """A two's complement field of :class:`Fields`."""
    return _Field(bits, True)


def to_signed(raw: int, bits: int) -> int:
    """The value of a two's complement bit pattern."""
    return raw - ((raw >> (bits - 1)) << bits)


def to_raw(value: int, bits: int) -> int:
    """The bit pattern of a value. Raises ValueError if it does not fit: nothing is cut off."""
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise ValueError(f"value must fit into {bits} bits, not {value!r}")
    return value & ((1 << bits) - 1)


class Fields:
    """A packed payload: named fields, the first in the lowest bits.

    >>> entry = Fields(index=unsigned(3), value=signed(4))
    >>> entry.unpack(entry.pack(index=5, value=-2))
    Fields(index=5, value=-2)
    """

    def __init__(self, **fields: _Field):
        self._fields = fields
        self._type = namedtuple("Fields", fields)  # noqa: PYI024 - the names are known only now
        self.bits = sum(field.bits for field in fields.values())

    def pack(self, **values: int) -> int:
        """The bit pattern. Raises ValueError if a value does not fit."""
        raw = shift = 0
        for name, (bits, is_signed) in self._fields.items():
            lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
            if not lo <= values[name] <= hi:
                raise ValueError(f"{name} must be in {lo}..{hi}, not {values[name]!r}")
            raw |= (values[name] & ((1 << bits) - 1)) << shift
            shift += bits
        return raw

    def unpack(self, raw: int):
        """A NamedTuple of the fields' values."""
        values = []
        for bits, is_signed in self._fields.values():
            value = raw & ((1 << bits) - 1)
            values.append(to_signed(value, bits) if is_signed and bits else value)
            raw >>= bits
        return self._type(*values)


def environment_json(name: str, default=None):
    """A JSON value that the test handed over in the environment."""
    return json.loads(os.environ[name]) if name in os.environ else default
