"""Host of the benches of the whole accelerator: random pauses on every AXI channel, every cycle compared."""

import logging
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink

from golden.eie import host
from golden.eie.config import EieConfig
from golden.eie.formats import COUNTERS, Mem, Walk
from golden.eie.model import Eie
from golden.eie.registers import registers
from sim.common.bench import PERIOD_NS, Gaps, config, seed
from sim.common.coverage import cover
from sim.eie.coverage import raised
from sim.eie.lockstep import EieHost, EieRecorder
from tests.eie.networks import expected, random_image
from tests.eie.top_traffic import IN_PES, Shadow, random_memories

CFG = config(EieConfig)
REGISTERS = registers(CFG)
#: Bits of the status register.
STATUS = {field.name: 1 << field.lsb for r in REGISTERS if r.name == "status" for field in r.fields}
START, CLEAR = 1, 2


class Bench(EieHost):
    """The accelerator after a reset; memories keep what the test before left in them.

    Parameters
    ----------
    p : float
        Probability with which each channel moves in a cycle.
    """

    memories = None

    def __init__(self, dut, rng, p):
        self.rng = rng
        super().__init__(dut, REGISTERS, None)
        self.shadow = Shadow(CFG)
        logging.getLogger(f"cocotb.{dut._name}.m_axis").setLevel(logging.WARNING)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        write, read = self.axil.write_if, self.axil.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel,
                        self.source, self.sink):
            gaps = Gaps(p, random.Random(rng.random()))
            channel.set_pause_generator(not moves for moves in gaps)

    @classmethod
    async def started(cls, dut, p=1.0):
        """After the reset; the comparison runs."""
        rng = random.Random(cocotb.RANDOM_SEED)
        Clock(dut.clk, PERIOD_NS, unit="ns").start()
        bench = cls(dut, rng, p)
        await bench.reset()
        return bench

    async def reset(self):
        """Reset the model with the RTL; the words of the memories outlive it."""
        self.dut.rst.value = 1
        await RisingEdge(self.dut.clk)
        if self.recorder is not None:
            self.recorder.stop()
        await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.model = Eie(CFG)
        self.recorder = EieRecorder(self.dut, self.model, f"cfg={CFG}, seed={seed()}")
        s = self.model.state
        memories = (s.entries.spmat, s.pointers.ptr, s.arithmetic.codebook, s.acts.sram, s.program.words)
        if Bench.memories is not None:
            for array, words in zip(memories, Bench.memories, strict=True):
                array[...] = words
        Bench.memories = memories
        self.recorder.start()

    async def finish(self):
        """Nothing is left over; everything was compared."""
        await self.source.wait()
        await ClockCycles(self.dut.clk, 10)
        self.recorder.flush()
        assert self.sink.empty()
        for unit, events in raised(self.model.state).items():
            cover(unit, events)

    async def ask(self, packet):
        """Send a read and take its reply from the stream."""
        await self.send(packet)
        frame = await self.sink.recv()
        return np.frombuffer(bytes(frame.tdata), "<u8").tolist()

    async def check_memory(self, mem, **where):
        """Read words back: they are what was written."""
        packet, words = self.shadow.expected(mem, **where)
        assert await self.ask(packet) == words, f"{mem.name} {where}"

    async def check_all_memories(self):
        """Every word of every memory, in both walks that can read it."""
        for mem in Mem:
            for pe in range(CFG.n_pe if mem in IN_PES else 1):
                await self.check_memory(mem, pe=pe)
            if mem in IN_PES:
                await self.check_memory(mem, walk=Walk.INTERLEAVED)

    async def fill(self):
        """Random contents that make sense to a program."""
        for packet in random_memories(self.rng, self.shadow):
            await self.send(packet)

    async def write_program(self, words):
        await self.send(self.shadow.write(Mem.PROGRAM, words))
        await self.source.wait()

    async def start(self, control=START):
        """Start the program that was written last, and wait for its end; nothing is cleared unless asked for."""
        await self.source.wait()
        await ClockCycles(self.dut.clk, 4)  # for the last command to be carried out: else the start is refused
        await self.write("control", control)
        await ClockCycles(self.dut.clk, 4)
        await self.recorder.idle.wait()

    async def status(self):
        """Names of the bits that are set."""
        value = await self.read("status")
        return {name for name, bit in STATUS.items() if value & bit}

    async def check_results(self):
        """Counters and flags over AXI are those of the model."""
        counters, saturated = await self.counters(COUNTERS), await self.saturated(CFG.n_pe)
        self.recorder.flush()
        s = self.model.state
        assert counters == dict(zip(COUNTERS, s.counters.tolist(), strict=True))
        np.testing.assert_array_equal(saturated, s.arithmetic.saturated)
        assert counters["cycles"] == sum(counters[cause] for cause in COUNTERS[1:7])


class Reference:
    """A network whose outputs are known, to see that the accelerator still works."""

    def __init__(self, bench):
        rng = np.random.default_rng(bench.rng.getrandbits(32))
        while True:
            self.layers, self.activations, self.image = random_image(rng, CFG, layers=2, wide=False)
            self.outputs, _ = expected(self.layers, self.activations, CFG)
            if np.count_nonzero(self.outputs) > 3:
                break
        self.bench = bench

    async def load(self):
        for packet in host.image_packets(self.image):
            await self.bench.send(packet)

    async def check(self):
        """Write what another program may have changed, run, compare."""
        bench = self.bench
        for packet in [*host.image_packets(self.image, (Mem.SPMAT, Mem.PTR)),
                       *host.input_packets(self.image, self.activations)]:
            await bench.send(packet)
        await bench.run_program(len(self.image.program))
        assert await bench.status() - {"saturated"} == {"done"}
        reply = await bench.ask(host.output_packet(self.image))
        np.testing.assert_array_equal(host.output_vector(self.image, reply), self.outputs)
        await bench.check_results()
