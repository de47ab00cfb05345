"""Simulator side of a whole-accelerator run: a host on the AXI ports, and every cycle compared.

Started by :mod:`sim.eie.accelerator`, which leaves a job in the working folder and reads the result there.
"""

import itertools
import logging
import os
import pickle
import time
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import Event, FallingEdge, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamFrame, AxiStreamSource

from golden.eie import host, sequencer
from golden.eie.formats import COUNTERS, Mem
from golden.eie.model import Eie, warm_up
from golden.eie.registers import registers
from golden.eie.waves import Waves
from sim.common import bench, progress
from sim.common.coverage import cover
from sim.eie.coverage import raised
from sim.eie.trace import compare, decode, field

#: Cycles between two comparisons.
BLOCK = 2048


class Recorder:
    """Samples the trace port in every cycle, and compares it with the golden model block by block.

    Attributes
    ----------
    model : Eie
        Fed with the sampled pins.
    waves : Waves or None
        Where the model's own waveform goes.
    cycles : int
        Compared so far.
    replies : list of list of int
        Packets seen on the reply stream.
    """

    def __init__(self, dut, model, context, waves=None):
        self.dut, self.model, self.context, self.waves = dut, model, context, waves
        self.cycles = 0
        self.replies = []
        self.idle = Event()
        self.replied = Event()
        self._block, self._reply = [], []
        self._task = None

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
            if field(value, "state") == sequencer.IDLE:
                self.idle.set()
                if field(value, "m_valid") and field(value, "m_ready"):
                    self._reply.append(field(value, "m_data"))
                    if field(value, "m_last"):
                        self.replies.append(self._reply)
                        self._reply = []
                        self.replied.set()
            else:
                self.idle.clear()
            if len(self._block) == BLOCK:
                self.flush()

    def flush(self):
        """Compare what was sampled since the last time."""
        if self._block:
            inputs, rtl = decode(self.model.cfg, self._block)
            golden = self.model.step(inputs)
            if self.waves is not None:
                self.waves.trace(inputs, golden)    # also of a block that differs
            compare(rtl, golden, self.cycles, self.context)
            self.cycles += len(self._block)
            self._block = []


class Host:
    """Drives the AXI ports as a processor and a DMA engine would."""

    def __init__(self, dut, cfg, recorder, stalls):
        for bus in ("s_axil", "s_axis"):
            logging.getLogger(f"cocotb.{dut._name}.{bus}").setLevel(logging.WARNING)
        self.dut, self.cfg, self.recorder = dut, cfg, recorder
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.offsets = {r.name: r.offset for r in registers(cfg)}
        if stalls is not None:
            self.source.set_pause_generator(stalls)

    async def send(self, packet):
        """One packet of beats on the command stream."""
        await self.source.send(AxiStreamFrame(np.array(packet, np.uint64).tobytes()))

    async def ask(self, packet) -> list[int]:
        """Send a read and wait for its reply."""
        self.recorder.replied.clear()
        await self.send(packet)
        await self.recorder.replied.wait()
        return self.recorder.replies.pop()

    async def write(self, register, value):
        await self.axil.write_dword(self.offsets[register], value)

    async def read(self, register) -> int:
        return await self.axil.read_dword(self.offsets[register])

    async def run_program(self, passes):
        """Start the program and wait for its end."""
        await self.source.wait()
        await self.write("length", passes)
        await self.write("control", 0b11)
        await RisingEdge(self.dut.clk)
        await RisingEdge(self.dut.clk)
        await self.recorder.idle.wait()

    async def counters(self) -> dict[str, int]:
        """All counters of the last program."""
        return {name: await self.read(f"{name}_low") | await self.read(f"{name}_high") << 32 for name in COUNTERS}

    async def saturated(self) -> np.ndarray:
        """The sticky flag of every PE, bool [n_pe]."""
        words = [await self.read(f"saturation_{k}") for k in range(-(-self.cfg.n_pe // 32))]
        return np.array([words[pe // 32] >> pe % 32 & 1 != 0 for pe in range(self.cfg.n_pe)])


@cocotb.test(timeout_time=10, timeout_unit="sec")
async def lockstep(dut):
    """Load, run every vector, read every output back; golden model and RTL agree in every cycle."""
    job = pickle.loads(Path(os.environ["ELISION_JOB"]).read_bytes())
    image, vectors = job["image"], job["vectors"]
    cfg = image.cfg
    model = Eie(cfg)
    waves = Waves(job["golden_waves"], cfg) if job["golden_waves"] else None
    recorder = Recorder(dut, model, f"cfg={cfg}, seed={bench.seed()}", waves)
    dut.m_axis_tready.value = 1
    dut.rst.value = 1
    Clock(dut.clk, bench.PERIOD_NS, unit="ns").start()
    host_port = Host(dut, cfg, recorder, itertools.cycle(job["stalls"]) if job["stalls"] else None)
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await FallingEdge(dut.clk)
    skip = (Mem.SPMAT, Mem.PTR) if job["at_once"] else ()
    if skip:
        model.load_matrix(image)
    warm_up()
    recorder.start()
    started = time.perf_counter()

    for packet in host.image_packets(image, skip):
        await host_port.send(packet)
    results = []
    for number, vector in enumerate(vectors):
        progress.report(number, len(vectors))
        for packet in host.input_packets(image, vector):
            await host_port.send(packet)
        await host_port.run_program(len(image.program))
        counters, status = await host_port.counters(), await host_port.read("status")
        saturated = await host_port.saturated()
        outputs = host.output_vector(image, await host_port.ask(host.output_packet(image)))
        recorder.flush()
        golden = model.result(image)
        expected = dict(zip(COUNTERS, map(int, model.state.counters), strict=True))
        assert counters == expected, f"counters must be {expected}, not {counters}"
        assert np.array_equal(saturated, golden.saturated), \
            f"saturated must be PEs {np.flatnonzero(golden.saturated)}, not {np.flatnonzero(saturated)}"
        results.append({"outputs": outputs, "counters": counters, "status": status, "passes": golden.passes,
                        "saturated": saturated, "pe_entries": golden.pe_entries})
    progress.report(len(vectors), len(vectors))
    recorder.flush()
    for unit, events in raised(model.state).items():
        cover(unit, events)
    Path("result.pickle").write_bytes(pickle.dumps({"cycles": recorder.cycles, "results": results,
                                                    "seconds": time.perf_counter() - started}))
