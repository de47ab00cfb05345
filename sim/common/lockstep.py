"""What the whole-accelerator runs share: sampling the probe port in every cycle, and a host on the AXI ports."""

import itertools
import logging
from abc import ABC, abstractmethod

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamFrame, AxiStreamSource

from sim.common.bench import PERIOD_NS

#: Cycles between two comparisons.
BLOCK = 2048


class Recorder(ABC):
    """Samples the probe port in every cycle, and compares it with the golden model block by block.

    Parameters
    ----------
    dut : handle
        With ``clk`` and ``probe``.
    model : object
        The golden accelerator, fed with the sampled pins.
    context : str
        For failure texts.
    waves : object or None
        Where the model's own waveform goes.

    Attributes
    ----------
    cycles : int
        Compared so far.
    replies : list of list of int
        Packets seen on the reply stream.
    idle, replied : Event

    Subclasses define
    -----------------
    observe(value)
        Look at a sampled value: set ``is_idle``, and hand beats of the reply stream to :meth:`reply`.
    compare(block, first_cycle)
        Step the model through the sampled values, and raise if it shows something else.
    """

    def __init__(self, dut, model, context, waves=None):
        self.dut, self.model, self.context, self.waves = dut, model, context, waves
        self.cycles = 0
        self.replies = []
        self.is_idle = True
        self.idle = Event()
        self.replied = Event()
        self._block, self._reply = [], []
        self._task = None

    @abstractmethod
    def observe(self, value: int):
        """Look at a sampled value."""

    def step(self, inputs):
        """What the model shows; it goes into the waveform, also that of a block that differs."""
        trace = self.model.step(inputs)
        if self.waves is not None:
            self.waves.trace(inputs, trace)
        return trace

    @abstractmethod
    def compare(self, block: list[int], first_cycle: int):
        """Compare a block of sampled values with the model."""

    def reply(self, data: int, last: int):
        """A beat of the reply stream was taken."""
        self._reply.append(data)
        if last:
            self.replies.append(self._reply)
            self._reply = []
            self.replied.set()

    def start(self):
        """Begin with the next cycle, the first after the reset."""
        self._task = cocotb.start_soon(self._run())

    def stop(self):
        """Compare the rest and record no more."""
        self._task.cancel()
        self.flush()

    async def _run(self):
        falling, probe = FallingEdge(self.dut.clk), self.dut.probe
        while True:
            await falling
            value = probe.value.to_unsigned()
            self._block.append(value)
            self.observe(value)
            if self.is_idle:
                self.idle.set()
            else:
                self.idle.clear()
            if len(self._block) == BLOCK:
                self.flush()

    def flush(self):
        """Compare what was sampled since the last time."""
        if self._block:
            self.compare(self._block, self.cycles)
            self.cycles += len(self._block)
            self._block = []


class BusyRecorder(Recorder):
    """Of an accelerator that shows in its probe port whether it is ``busy`` with packets, and jobs are ``active``.

    Subclasses define
    -----------------
    trace : module
        Of the probe port: ``HEAD``, the format with these fields and those of the reply stream,
        ``decode(cfg, block)`` and ``check(rtl, golden, first_cycle, context)``.
    """

    trace = None

    def observe(self, value):
        get = self.trace.HEAD.get
        self.is_idle = not get(value, "busy") and not get(value, "active")
        if get(value, "m_valid") and get(value, "m_ready"):
            self.reply(get(value, "m_data"), get(value, "m_last"))

    def compare(self, block, first_cycle):
        inputs, rtl = self.trace.decode(self.model.cfg, block)
        self.trace.check(rtl, self.step(inputs), first_cycle, self.context)


class Host:
    """Drives the AXI ports as a processor and a DMA engine would.

    Parameters
    ----------
    dut : handle
    table : sequence of Register
    recorder : Recorder
    stalls : sequence of bool
        Pattern of pauses on the command stream; empty for none.
    """

    def __init__(self, dut, table, recorder, stalls=()):
        for bus in ("s_axil", "s_axis"):
            logging.getLogger(f"cocotb.{dut._name}.{bus}").setLevel(logging.WARNING)
        self.dut, self.recorder = dut, recorder
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.offsets = {register.name: register.offset for register in table}
        if stalls:
            self.source.set_pause_generator(itertools.cycle(stalls))

    async def send(self, packet):
        """One packet of beats on the command stream."""
        await self.source.send(AxiStreamFrame(np.array(packet, np.uint64).tobytes()))

    async def ask(self, packet) -> list[int]:
        """Send a read and wait for its reply."""
        self.recorder.replied.clear()
        await self.send(packet)
        await self.recorder.replied.wait()
        return self.recorder.replies.pop()

    async def finished(self):
        """Wait until everything was sent and nothing runs."""
        await self.source.wait()
        for _ in range(4):      # what was sent last shows only then
            await RisingEdge(self.dut.clk)
        self.recorder.idle.clear()
        await self.recorder.idle.wait()

    async def write(self, register, value):
        await self.axil.write_dword(self.offsets[register], value)

    async def read(self, register) -> int:
        return await self.axil.read_dword(self.offsets[register])

    async def counters(self, names) -> dict[str, int]:
        """Counters of two registers each."""
        return {name: await self.read(f"{name}_low") | await self.read(f"{name}_high") << 32 for name in names}


async def reset(dut):
    """Start the clock and reset everything; replies are taken at once. Ends in the first cycle after it."""
    dut.m_axis_tready.value = 1
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await FallingEdge(dut.clk)


async def pause_replies(dut, stalls):
    """Take no reply in the cycles that a pattern says."""
    for stall in itertools.cycle(stalls):
        await RisingEdge(dut.clk)
        dut.m_axis_tready.value = not stall
