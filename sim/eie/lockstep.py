"""Simulator side of a whole-accelerator run: a host on the AXI ports, and every cycle compared.

Started by :mod:`sim.eie.accelerator`, which hands it a job and gets what comes of it.
"""

import time

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden.eie import host, sequencer
from golden.eie.formats import COUNTERS, Mem
from golden.eie.model import Eie, Run, warm_up
from golden.eie.registers import registers
from golden.eie.waves import Waves
from sim.common import bench, progress
from sim.common.coverage import cover
from sim.common.job import answer, take
from sim.common.lockstep import Host, Recorder, reset
from sim.eie.coverage import raised
from sim.eie.trace import compare, decode, field


class EieRecorder(Recorder):
    """Samples and compares the probe port of EIE; it is idle while no program runs."""

    def observe(self, value):
        self.is_idle = field(value, "state") == sequencer.IDLE
        if self.is_idle and field(value, "m_valid") and field(value, "m_ready"):
            self.reply(field(value, "m_data"), field(value, "m_last"))

    def compare(self, block, first_cycle):
        inputs, rtl = decode(self.model.cfg, block)
        compare(rtl, self.step(inputs), first_cycle, self.context)


class EieHost(Host):
    """A host that runs programs."""

    async def run_program(self, passes):
        """Start the program and wait for its end."""
        await self.source.wait()
        await self.write("length", passes)
        await self.write("control", 0b11)
        await RisingEdge(self.dut.clk)
        await RisingEdge(self.dut.clk)
        await self.recorder.idle.wait()

    async def saturated(self, n_pe) -> np.ndarray:
        """The sticky flag of every PE, bool [n_pe]."""
        words = [await self.read(f"saturation_{k}") for k in range(-(-n_pe // 32))]
        return np.array([words[pe // 32] >> pe % 32 & 1 != 0 for pe in range(n_pe)])


@cocotb.test(timeout_time=10, timeout_unit="sec")
async def lockstep(dut):
    """Load, run every vector, read every output back; golden model and RTL agree in every cycle."""
    job = take()
    image, vectors = job["image"], job["vectors"]
    cfg = image.cfg
    model = Eie(cfg)
    waves = Waves(job["golden_waves"], cfg) if job["golden_waves"] else None
    recorder = EieRecorder(dut, model, f"cfg={cfg}, seed={bench.seed()}", waves)
    host_port = EieHost(dut, registers(cfg), recorder, job["stalls"])
    await reset(dut)
    skip = (Mem.SPMAT, Mem.PTR) if job["at_once"] else ()
    if skip:
        model.load_matrix(image)
    warm_up()
    recorder.start()
    started = time.perf_counter()

    for packet in host.image_packets(image, skip):
        await host_port.send(packet)
    runs = []
    for number, vector in enumerate(vectors):
        progress.report(number, len(vectors))
        for packet in host.input_packets(image, vector):
            await host_port.send(packet)
        await host_port.run_program(len(image.program))
        counters = await host_port.counters(COUNTERS)
        status = await host_port.read("status")
        saturated = await host_port.saturated(cfg.n_pe)
        outputs = host.output_vector(image, await host_port.ask(host.output_packet(image)))
        recorder.flush()
        golden = model.result(image)
        expected = dict(zip(COUNTERS, map(int, model.state.counters), strict=True))
        assert counters == expected, f"counters must be {expected}, not {counters}"
        assert np.array_equal(saturated, golden.saturated), \
            f"saturated must be PEs {np.flatnonzero(golden.saturated)}, not {np.flatnonzero(saturated)}"
        assert status == 0b10 | bool(saturated.any()) << 2, f"status must be done and no error, not {status:#b}"
        runs.append(Run(outputs, saturated, counters["cycles"], golden.passes, golden.pe_entries))
    progress.report(len(vectors), len(vectors))
    recorder.flush()
    for unit, events in raised(model.state).items():
        cover(unit, events)
    answer({"runs": runs, "at_once": job["at_once"], "checked_cycles": recorder.cycles,
            "wall_seconds": time.perf_counter() - started})
