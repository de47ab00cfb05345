"""What unit benches share: lanes of compiled models as models, pins by name, io ports, transfers."""

import random
from typing import NamedTuple

import numpy as np
from amaranth.hdl import Shape

from sim.common.bench import Fields, Gaps, Source, UnitBench, seed, signed, to_raw, to_signed, unsigned

#: Limit of every test; simulated time, so it does not depend on the machine.
LIMIT = {"timeout_time": 1, "timeout_unit": "ms"}


def fields_of(layout) -> Fields:
    """The format of a payload, from the layout function that the hardware uses."""
    shapes = {name: Shape.cast(field.shape) for name, field in layout}
    return Fields(**{name: (signed if shape.signed else unsigned)(shape.width) for name, shape in shapes.items()})


def make(fields: Fields, **values):
    """A payload as a bench sees it. Raises ValueError if a value does not fit its field."""
    return fields.unpack(fields.pack(**values))


def gaps(p: float, rng: random.Random) -> Gaps:
    """Random bits with a generator of their own."""
    return Gaps(p, random.Random(rng.random()))


class Access(NamedTuple):
    """One access to the io port of a memory; reads have no ``wdata``."""

    addr: int
    wdata: int | None = None
    clear: bool = False

    @property
    def write(self) -> bool:
        """Whether the access writes."""
        return self.wdata is not None


class Memory:
    """A memory of a compiled model behind its io port.

    Parameters
    ----------
    array : array, shape (words,) or (words, bytes)
        One lane of the model's memory; bytes come low part first.
    bits : int
        Width of a word.
    is_signed : bool
        The array holds two's complement numbers.

    Attributes
    ----------
    rdata : int or None
        Answer to the read of the cycle before; None when there was none.
    """

    def __init__(self, array, bits: int, *, is_signed: bool = False):
        self._array, self._bits, self._signed = array, bits, is_signed
        self.rdata = None

    def clock(self, access: Access | None):
        """One clock edge."""
        self.rdata = None
        if access is None:
            return
        if not access.write:
            word = self._array[access.addr]
            self.rdata = int.from_bytes(word.tobytes(), "little") if word.ndim else to_raw(int(word), self._bits)
        elif self._array.ndim == 2:
            self._array[access.addr] = np.frombuffer(access.wdata.to_bytes(self._bits // 8, "little"), np.uint8)
        else:
            self._array[access.addr] = to_signed(access.wdata, self._bits) if self._signed else access.wdata


def _copy(state, fresh):
    """Overwrite the arrays of a state; a part of it may be the state of a smaller unit."""
    if isinstance(state, tuple):
        for array, other in zip(state, fresh, strict=True):
            _copy(array, other)
    else:
        state[...] = fresh


class LaneModel:
    """Lane 0 of a compiled unit model, as :class:`sim.common.bench.UnitBench` wants a model.

    Subclasses define
    -----------------
    UNIT : module
        The compiled model: ``state`` and ``EVENTS``.
    INPUTS, OUTPUTS : NamedTuple
        Pins of one cycle. ``INPUTS()`` is an idle cycle. A stream is one field: its payload, None when not valid;
        so is an io port: an :class:`Access` or None.
    KEPT : tuple of str
        Memories among the state's arrays: they outlive a reset.
    ports() -> dict of str to Memory
        The io ports by name.
    """

    KEPT = ()

    def __init__(self, cfg):
        self.cfg = cfg
        self.s = self.UNIT.state(cfg, 1)
        self.io = self.ports()

    def ports(self):
        return {}

    def reset(self):
        """Registers take their first values; memories keep their words."""
        for name, array, fresh in zip(self.s._fields, self.s, self.UNIT.state(self.cfg, 1), strict=True):
            if name not in self.KEPT:
                _copy(array, fresh)
        for memory in self.io.values():
            memory.rdata = None

    @property
    def seen(self) -> set[str]:
        """Events since the reset."""
        return {event for event, count in zip(self.UNIT.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self) -> set[str]:
        """Outputs that say nothing in this cycle: they are not compared."""
        return {f"{port}_rdata" for port, memory in self.io.items() if memory.rdata is None}

    def answers(self) -> dict[str, int | None]:
        """The ``rdata`` outputs of this cycle."""
        return {f"{port}_rdata": memory.rdata for port, memory in self.io.items()}

    def clock_io(self, x):
        """The clock edge of the io ports."""
        for port, memory in self.io.items():
            memory.clock(getattr(x, port))


class PinBench(UnitBench):
    """Unit bench whose pins follow from the names of the model's inputs and outputs.

    ``o_ready`` is the pin ``o__ready``, unless there is a pin ``o_ready``. A pin that the configuration makes zero bits
    wide does not exist and reads as zero. What an input leaves open (payloads that are not valid, addresses without
    an access) is driven with random bits, so that nobody can rely on it.

    Subclasses define
    -----------------
    MODEL : type
        Constructor of the golden model, with ``NAME``, ``INPUTS`` and ``OUTPUTS``.
    FORMATS : dict
        Format of packed fields (:class:`Fields`) and of signed ones (``signed(bits)``), by name.
    GATES : dict of str to str
        Outputs that are compared only while another output is 1.
    STREAMS : tuple of str
        Output streams whose contract is watched.
    QUIET : tuple of str
        Outputs that are 0 or None when nothing is inside.
    """

    MODEL, FORMATS, GATES, STREAMS, QUIET = None, {}, {}, (), ()

    def __init__(self, dut, cfg):
        super().__init__(dut, self.MODEL(cfg), name=self.MODEL.NAME, cfg=cfg, streams=self.STREAMS)
        self.idle = self.MODEL.INPUTS()
        self._junk, self._pins = random.Random(seed()), {}

    async def start(self):
        """Reset with idle inputs."""
        await self.reset(self.idle)

    async def finish(self, cycles: int = 6):
        """Idle cycles, after which nothing may be left over; hands the coverage on."""
        for _ in range(cycles):
            y = await self.cycle(self.idle)
        left = {name: getattr(y, name) for name in self.QUIET if getattr(y, name)}
        assert not left, f"nothing may be left over, not {left}"
        self.collect()

    async def fill(self, words, port: str = "io", *, read_back: bool = False):
        """Write words from address 0 on through an io port; with ``read_back`` also read them: the model compares."""
        for addr, word in enumerate(words):
            await self.cycle(self.idle._replace(**{port: Access(addr, word)}))
        if read_back:
            for addr in range(len(words)):
                await self.cycle(self.idle._replace(**{port: Access(addr)}))
            await self.cycle(self.idle)

    def drive(self, x):
        for name, value in zip(x._fields, x, strict=True):
            form = self.FORMATS.get(name)
            if name in self.model.io:
                self._set(f"{name}__en", value is not None)
                for part in ("write", "clear", "addr", "wdata"):
                    self._set(f"{name}__{part}", getattr(value, part, None))
            elif isinstance(form, Fields):
                is_stream = self._pin(f"{name}__valid")[0] is not None
                if is_stream:
                    self._set(f"{name}__valid", value is not None)
                raw = None if value is None else form.pack(**value._asdict())
                self._set(f"{name}__payload" if is_stream else name, raw)
            else:
                self._set(name, value)

    def sample(self, x):
        unknown = self.model.unknown()
        values = {name: None if name in unknown else self._get(name) for name in self.MODEL.OUTPUTS._fields}
        for name, gate in self.GATES.items():
            if not values[gate]:
                values[name] = None
        return self.MODEL.OUTPUTS(**values)

    def _get(self, name):
        form = self.FORMATS.get(name)
        if isinstance(form, Fields):
            return form.unpack(self._value(f"{name}__payload")) if self._value(f"{name}__valid") else None
        raw = self._value(name)
        return to_signed(raw, form.bits) if form is not None else raw

    def _value(self, name) -> int:
        handle, _width = self._pin(name)
        return 0 if handle is None else int(handle.value)

    def _set(self, name, value):
        handle, width = self._pin(name)
        if handle is not None:
            handle.value = self._junk.getrandbits(width) if value is None else int(value)
        else:
            assert not value, f"{name} must be 0 where it has no pin, not {value!r}"

    def _pin(self, name):
        """(handle, width) of a pin; (None, 0) if it does not exist."""
        if name not in self._pins:
            spellings = (name, "__".join(name.rsplit("_", 1)))
            handle = next((getattr(self.dut, pin) for pin in spellings if hasattr(self.dut, pin)), None)
            width = 0 if handle is None else len(handle) if hasattr(handle, "__len__") else 1
            self._pins[name] = handle, width
        return self._pins[name]


async def transfer(bench: PinBench, items, expected, *, i_gaps: Gaps, o_gaps: Gaps | None = None) -> int:
    """Send ``items`` to ``i`` and take from ``o`` until all ``expected`` payloads came, in this order.

    Returns the number of cycles from the first one to that in which the last payload was taken (or the last item, if
    that is later).
    """
    source, received, start = Source(items, i_gaps, idle=None), [], bench.cycle_number
    while not source.done or len(received) < len(expected):
        x = bench.idle._replace(i=source.offer()[1])
        if o_gaps is not None:
            x = x._replace(o_ready=next(o_gaps))
        y = await bench.cycle(x)
        source.taken(y.i_ready)
        if y.o is not None and (o_gaps is None or x.o_ready):
            received.append(y.o)
    assert received == list(expected)
    return bench.cycle_number - start
