"""Simulator side of a whole-DIMM run: a host and DRAM on the pins, and every cycle compared.

Started by :mod:`sim.enmc.accelerator`, which hands it a job and gets what comes of it.
"""

import itertools
import time

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from golden.enmc.dram import Dram
from golden.enmc.formats import DESELECT, PHASES, PIN_FIELDS, trace_of
from golden.enmc.host import QUANTUM, Host
from golden.enmc.model import Dimm, bus_of, warm_up
from golden.enmc.rank import RanksInputs
from golden.enmc.waves import Waves
from sim.common import bench, progress
from sim.common.coverage import cover
from sim.common.job import answer, take
from sim.enmc.coverage import raised
from sim.enmc.ddr4_device import Ddr4Device
from sim.enmc.dram_trace import TraceWriter
from sim.enmc.trace import check, decode, format_of

PIN_BITS = sum(PIN_FIELDS.values())
_PINS = (1 << PIN_BITS) - 1
_IDLE = sum((DESELECT >> 1) << slot * (PIN_BITS - 1) for slot in range(PHASES))


class Bench:
    """The DIMM between a host and its DRAM.

    Parameters
    ----------
    dut : handle
    cfg : EnmcConfig
    trace_file : Path or None
        Where the commands of the DRAM go.
    context : str
        For failure texts.
    stalls : sequence of bool
        Pattern of pauses of the host, a quantum each.
    waves : Waves or None
        Where the model's own waveform goes.
    """

    def __init__(self, dut, cfg, trace_file=None, context="", stalls=(), waves=None):
        self.dut, self.cfg, self.context, self.waves = dut, cfg, context, waves
        self._stalls = itertools.cycle(stalls or (False,))
        self.host, self.model, self.memory = Host(cfg), Dimm(cfg), Dram(cfg, cfg.ranks)
        self._file = open(trace_file, "w", newline="") if trace_file else None
        writer = TraceWriter(self._file) if trace_file else None
        self.devices = [Ddr4Device(cfg, memory=self.memory, lane=k, trace=writer and writer.rank(k))
                        for k in range(cfg.ranks)]
        self.cycles = 0
        form = format_of(cfg)
        self._record_bits = 64 * form.words
        lsbs = dict(zip(trace_of(cfg), np.cumsum([0, *trace_of(cfg).values()]).tolist(), strict=False))
        self._pins = [lsbs[f"dram_pins_{slot}"] for slot in range(PHASES)]
        self._oe = lsbs["dram_oe"]
        self._head = (self._oe + PHASES - 1) // 8 + 1      # bytes of a record with the pins
        self._octets = min(2 * cfg.dq, 64) // 8
        self._data = [[lsbs[f"dram_dq_o_{slot}_{part}"] // 8 for part in range(cfg.dq // 4 // self._octets)]
                      for slot in range(PHASES)]
        # What was driven last: data of the DRAM, pins of the host.
        self._last = [0] * cfg.ranks + [None] * 3
        self._inputs = [getattr(dut, f"dram_{k}_dq_i") for k in range(cfg.ranks)]

    async def reset(self):
        """Idle pins, reset, compiled models."""
        dut = self.dut
        dut.rst.value = 1
        for handle, value in (dut.cs_n, (1 << PHASES * self.cfg.ranks) - 1), (dut.ca, _IDLE), (dut.dq_i, 0):
            handle.value = value
        for handle in self._inputs:
            handle.value = 0
        Clock(dut.clk, bench.PERIOD_NS, unit="ns").start()
        for _ in range(2):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        warm_up()

    async def carry_out(self, task):
        """Carry out a task of the host; returns its result."""
        self.host.begin(self._paused(task))
        while not self.host.done:
            pins = self.host.plan()
            block, data = await self._drive(pins)
            rtl = decode(self.cfg, block)
            inputs = RanksInputs(pins.pins, pins.dq, data)
            golden = self.model.step(inputs)
            if self.waves is not None:
                self.waves.trace(inputs, golden)    # also of a block that differs
            # The first row is shown before the clock edge that begins cycle 0 of a waveform.
            check(self.cfg, rtl, golden, self.cycles - 1, self.context)
            self.cycles += QUANTUM
            self.host.see(*bus_of(self.cfg, rtl))
        return self.host.result

    def _paused(self, task):
        """The task with the pauses of the host."""
        while True:
            if not next(self._stalls):
                try:
                    next(task)
                except StopIteration as end:
                    return end.value
            yield

    async def _drive(self, pins):
        """Drive a quantum; returns sampled values of the probe and the data of the DRAM as words."""
        cfg, dut = self.cfg, self.dut
        falling, probe = FallingEdge(dut.clk), dut.probe
        buses = list(zip((dut.cs_n, dut.ca, dut.dq_i), _packed(cfg, pins), strict=True))
        block, driven, last = [], [[] for _ in self.devices], self._last
        size = self._record_bits // 8
        for t in range(QUANTUM):
            await falling
            value = probe.value.to_unsigned()
            block.append(value)
            shown = value.to_bytes(size * cfg.ranks, "little")
            for k, device in enumerate(self.devices):
                dq, drives = device.step(*self._shown(shown[k * size:(k + 1) * size]))
                if not drives:
                    dq = last[k]    # the pins keep what they had: fewer of them change
                driven[k].append(dq)
                if dq != last[k]:
                    self._inputs[k].value = last[k] = dq
            for place, (handle, values) in enumerate(buses, cfg.ranks):
                if values[t] != last[place]:
                    handle.value = last[place] = values[t]
        octets = PHASES * cfg.dq // 4
        words = [np.frombuffer(b"".join(dq.to_bytes(octets, "little") for dq in column), "<u4") for column in driven]
        data = np.stack([column.reshape(QUANTUM, PHASES, cfg.phase_words) for column in words], axis=1)
        return block, data.astype(np.int64)

    def _shown(self, record):
        """Commands, data and enables that a rank shows its DRAM."""
        value = int.from_bytes(record[:self._head], "little")
        first, second, third = self._pins
        pins = value >> first & _PINS | (value >> second & _PINS) << PIN_BITS | (value >> third & _PINS) << 2 * PIN_BITS
        oe, dq = value >> self._oe & 7, 0
        if oe:
            for slot in range(PHASES):
                if oe >> slot & 1:
                    for part, first in enumerate(self._data[slot]):
                        word = int.from_bytes(record[first:first + self._octets], "little")
                        dq |= word << slot * 2 * self.cfg.dq + 8 * part * self._octets
        return pins, dq, oe

    def close(self) -> int:
        """The DRAM checks what is left; raises DdrError if a rule was broken. Returns how many were."""
        if self._file:
            self._file.close()
        for device in self.devices:
            device.check()
        return sum(device.rules.total for device in self.devices)


def _packed(cfg, pins):
    """Pins of a quantum as one number a cycle each: chip selects, commands, data."""
    ca_bits = PIN_BITS - 1
    slots = np.arange(PHASES)
    # All ranks share all pins but CS_n, the lowest.
    commands = (pins.pins[:, 0] >> 1).tolist()
    commands = [sum(value << slot * ca_bits for slot, value in enumerate(row)) for row in commands]
    shifts = slots * cfg.ranks + np.arange(cfg.ranks)[:, None]
    selects = ((pins.pins & 1) << shifts).sum(axis=(1, 2)).tolist()
    buses = [int.from_bytes(words.tobytes(), "little") for words in pins.dq.astype("<u4")]
    return selects, commands, buses


@cocotb.test(timeout_time=100, timeout_unit="sec")
async def lockstep(dut):
    """Carry out all batches; golden model and RTL agree in every cycle, and the DRAM has nothing to complain of."""
    job = take()
    cfg, ports = job["cfg"], job["ports"]
    waves = Waves(job["golden_waves"], cfg) if job["golden_waves"] else None
    dimm = Bench(dut, cfg, job["dram_trace"], f"cfg={cfg}, seed={bench.seed()}", job["stalls"], waves)
    await dimm.reset()
    started, answers, batches = time.perf_counter(), [], []
    for number, jobs in enumerate(job["batches"]):
        progress.report(number, len(job["batches"]))
        for k, each in enumerate(jobs):
            for segment in each.memory:
                if ports:
                    await dimm.carry_out(dimm.host.write(k, segment.addr, segment.words))
                else:
                    dimm.memory.load(segment.addr, segment.words, k)
        answers.append(await dimm.carry_out(dimm.host.batch(jobs)))
        batches.append(dimm.host.worked)
    violations = dimm.close()
    for unit, events in raised(dimm.model.state).items():
        cover(unit, events)
    answer({"runs": answers, "batches": batches, "activity": dimm.model.activity, "violations": violations,
            "checked_cycles": dimm.cycles, "wall_seconds": time.perf_counter() - started})
