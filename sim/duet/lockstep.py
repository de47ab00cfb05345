"""Simulator side of a whole-accelerator run: a host on the AXI ports, a memory, and every cycle compared.

Started by :mod:`sim.duet.accelerator`, which hands it a job and gets what comes of it.
"""

import itertools
import time

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from golden.common.fields import unpack_fields
from golden.duet import host, memory
from golden.duet.formats import COMMAND_FIELDS, Op
from golden.duet.model import Duet, Run, warm_up
from golden.duet.registers import COUNTERS, registers
from golden.duet.waves import Waves
from sim.common import bench, progress
from sim.common.coverage import cover
from sim.common.job import answer, take
from sim.common.lockstep import BusyRecorder, Host, pause_replies, reset
from sim.duet import trace
from sim.duet.coverage import raised


class DuetRecorder(BusyRecorder):
    """Samples and compares the probe port of DUET."""

    trace = trace


async def answer_reads(dut, cfg, words):
    """The memory off chip, on the pins of the memory port."""
    chip = memory.state(cfg, words)
    ready, valid, last = (np.zeros(1, np.int64) for _ in range(3))
    data = np.zeros((1, chip.values.shape[1]), np.int64)
    shown = None
    falling, rising = FallingEdge(dut.clk), RisingEdge(dut.clk)
    while True:
        memory.show(chip, ready, valid, last, data)
        pins = int(ready[0]), int(valid[0]), int(last[0]), data[0].astype(np.int16).tobytes() if valid[0] else b""
        if pins != shown:
            shown = pins
            dut.m_axi_arready.value, dut.m_axi_rvalid.value, dut.m_axi_rlast.value = pins[:3]
            dut.m_axi_rdata.value = int.from_bytes(pins[3], "little")
        await falling
        memory.clock(chip, bool(dut.m_axi_arvalid.value), int(dut.m_axi_araddr.value), int(dut.m_axi_arlen.value),
                     bool(dut.m_axi_rready.value))
        await rising


async def carry_out(host_port, recorder, program, x, on_command, *, ahead=False, extra=()) -> Run:
    """A loaded program on an input; ``ahead`` and ``extra`` as in sim.duet.accelerator."""
    cfg, model, counts = program.cfg, recorder.model, []
    for write in program.input_writes(x):
        await host_port.send(host.write_packet(cfg, write))
    await host_port.finished()
    recorder.flush()
    before = model.counters()
    for stage in program.stages:
        for write in stage.writes:
            await host_port.send(host.write_packet(cfg, write))
        await host_port.send(host.run_packet(cfg, stage))
        if stage is program.stages[-1]:
            await _send(host_port, extra)
        elif ahead:
            continue
        await host_port.finished()
        recorder.flush()
        after = model.counters()
        counts.append({name: count - before[name] for name, count in after.items()})
        before = after
        on_command()
    place = program.outputs[-1]
    words = host.word_of_read(cfg, await host_port.ask(host.read_packet(cfg, place.base, place.words)))
    return Run(program.result(words), counts)


async def _send(host_port, packets):
    """Packets as they are; that of a READ is answered."""
    for packet in packets:
        reads = unpack_fields(COMMAND_FIELDS, packet[0])["op"] == Op.READ
        await (host_port.ask if reads else host_port.send)(packet)


@cocotb.test(timeout_time=10, timeout_unit="sec")
async def lockstep(dut):
    """Carry out a program on all inputs; golden model and RTL agree in every cycle."""
    job = take()
    program, inputs = job["program"], job["inputs"]
    cfg = program.cfg
    waves = Waves(job["golden_waves"], cfg) if job["golden_waves"] else None
    recorder = DuetRecorder(dut, Duet(cfg), f"cfg={cfg}, seed={bench.seed()}", waves)
    dut.m_axi_rresp.value = 0
    for pin in (dut.m_axi_arready, dut.m_axi_rvalid, dut.m_axi_rlast, dut.m_axi_rdata):
        pin.value = 0
    host_port = Host(dut, registers(cfg), recorder, job["stalls"])
    await reset(dut)
    warm_up()
    recorder.start()
    await RisingEdge(dut.clk)
    cocotb.start_soon(answer_reads(dut, cfg, program.memory))
    if job["reply_stalls"]:
        cocotb.start_soon(pause_replies(dut, job["reply_stalls"]))
    started, count, total = time.perf_counter(), itertools.count(1), len(inputs) * len(program.stages)
    progress.report(0, total)
    await host_port.write("control", 1)     # as of a chip that was used before
    for write in program.load:
        await host_port.send(host.write_packet(cfg, write))
    runs = [await carry_out(host_port, recorder, program, x, lambda: progress.report(next(count), total),
                            ahead=job["ahead"], extra=job["extra"]) for x in inputs]
    await host_port.finished()
    counters = await host_port.counters(COUNTERS)
    status = await host_port.read("status")
    recorder.flush()
    expected = recorder.model.counters()
    assert counters == expected, f"counters must be {expected}, not {counters}"
    for unit, events in raised(recorder.model.state).items():
        cover(unit, events)
    answer({"runs": runs, "counters": counters, "status": status, "checked_cycles": recorder.cycles,
            "wall_seconds": time.perf_counter() - started})
