"""cocotb bench of hdl.common.axi, run by test_axi.py inside the simulator."""

import itertools
import logging
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from golden.common.axi import OKAY, SLVERR, RegisterModel
from sim.common.bench import Gaps, config
from sim.common.check import StreamContract
from tests.common.axi_example import ID, REGISTERS, AxiConfig

CFG = config(AxiConfig)
#: Every mapped word, holes, and the last word.
ADDRESSES = [*(register.offset for register in REGISTERS), 0x0C, 0x10, 0x28, 0x40, (1 << CFG.addr_bits) - 4]


class Bench:
    """Clock, reset, the model, and monitors of the answer channels and of the strobes."""

    def __init__(self, dut):
        self.dut, self.model = dut, RegisterModel(REGISTERS)
        self.strobes = {"control": [], "doorbell": []}
        self.cycle = 0
        self._contracts = [(StreamContract(f"axi.{name[0]}"), name[0], name) for name in ("bresp", "rdata")]

    async def start(self):
        dut = self.dut
        for name in ("awaddr", "awprot", "awvalid", "wdata", "wstrb", "wvalid", "bready", "araddr", "arprot",
                     "arvalid", "rready"):
            getattr(dut, f"s_axil_{name}").value = 0
        for name in ("s_axis_tdata", "s_axis_tlast", "s_axis_tvalid", "m_axis_tready", "status"):
            getattr(dut, name).value = 0
        self.model.values |= {"id": ID, "status": 0}
        dut.rst.value = 1
        Clock(dut.clk, 10, unit="ns").start()
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        cocotb.start_soon(self._monitor())

    async def _monitor(self):
        while True:
            await FallingEdge(self.dut.clk)
            for contract, channel, name in self._contracts:
                contract.check(self.cycle, *(int(getattr(self.dut, f"s_axil_{pin}").value)
                                             for pin in (f"{channel}valid", f"{channel}ready", name)))
            for name, seen in self.strobes.items():
                if bits := int(getattr(self.dut, name).value):
                    seen.append(bits)
            self.cycle += 1

    def expect_write(self, addr, data, strb):
        """Response of a write; the strobes that it must make are checked against those that were seen."""
        resp, strobes = self.model.write(addr, data, strb)
        for name, seen in self.strobes.items():
            expected = [strobes[name]] if strobes.get(name) else []
            assert seen == expected, f"strobes of {name}: {seen} instead of {expected}"
            seen.clear()
        return resp

    def check_ports(self):
        for name in ("size", "scratch"):
            value = int(getattr(self.dut, name).value)
            assert value == self.model.values[name], f"port {name}: {value:#x} not {self.model.values[name]:#x}"


class Pins:
    """The slave's pins, driven one by one: what a ready-made master never does."""

    def __init__(self, dut):
        self._dut, self._clk = dut, dut.clk

    async def send(self, channel, delay, **values):
        """Offer a transfer on aw, w or ar after a delay, and hold it until it is taken."""
        for _ in range(delay):
            await RisingEdge(self._clk)
        for name, value in values.items():
            self._pin(f"{channel[0]}{name}" if channel == "w" else f"{channel}{name}").value = value
        self._pin(f"{channel}valid").value = 1
        await self._handshake(channel)
        self._pin(f"{channel}valid").value = 0

    async def receive(self, channel, delay, *names):
        """Take a transfer on b or r, ready only after a delay."""
        for _ in range(delay):
            await RisingEdge(self._clk)
        self._pin(f"{channel}ready").value = 1
        values = await self._handshake(channel, *names)
        self._pin(f"{channel}ready").value = 0
        return values

    async def _handshake(self, channel, *names):
        while True:
            await FallingEdge(self._clk)
            done = int(self._pin(f"{channel}valid").value) and int(self._pin(f"{channel}ready").value)
            values = [int(self._pin(f"{channel}{name}").value) for name in names]
            await RisingEdge(self._clk)
            if done:
                return values

    def _pin(self, name):
        return getattr(self._dut, f"s_axil_{name}")

    async def write(self, addr, data, strb, delays):
        """Address, data and answer each with a delay of its own; returns the response."""
        tasks = [cocotb.start_soon(self.send("aw", delays[0], addr=addr)),
                 cocotb.start_soon(self.send("w", delays[1], data=data, strb=strb)),
                 cocotb.start_soon(self.receive("b", delays[2], "resp"))]
        for task in tasks:
            result = await task
        return result[0]

    async def read(self, addr, delays):
        """Returns response and data."""
        tasks = [cocotb.start_soon(self.send("ar", delays[0], addr=addr)),
                 cocotb.start_soon(self.receive("r", delays[1], "resp", "data"))]
        for task in tasks:
            result = await task
        return tuple(result)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_order(dut):
    """Address before data, data before address, both at once; answers taken at once or late."""
    bench, pins = Bench(dut), Pins(dut)
    await bench.start()
    rng = random.Random(cocotb.RANDOM_SEED)
    for addr, delays in itertools.product([0x14, 0x04, 0x00, 0x0C], itertools.product([0, 1, 4], repeat=3)):
        data = rng.getrandbits(32) | 1
        beside = cocotb.start_soon(pins.read(0x00, delays[1:]))
        resp = await pins.write(addr, data, 0xF, delays)
        assert resp == bench.expect_write(addr, data, 0xF)
        assert await beside == (OKAY, ID)
        bench.check_ports()
        assert await pins.read(addr, delays[:2]) == bench.model.read(addr)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_strobe(dut):
    """All byte strobes on each kind of register, reset values first."""
    bench, pins = Bench(dut), Pins(dut)
    await bench.start()
    for register in REGISTERS:
        assert await pins.read(register.offset, (0, 0)) == bench.model.read(register.offset)
    writes = [(0x14, 0x1234_5678), (0x08, 0xFFFF_FFFF), (0x24, 0xA5A5_A5A5), (0x14, 0xFEDC_BA98), (0x08, 0),
              (0x04, 0xFFFF_FFFF)]
    for strb, (addr, data) in itertools.product(range(16), writes):
        assert await pins.write(addr, data, strb, (0, 0, 0)) == bench.expect_write(addr, data, strb)
        bench.check_ports()
        assert await pins.read(addr, (0, 0)) == bench.model.read(addr)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def unmapped_and_read_only(dut):
    """Errors are answered and change nothing."""
    bench, pins = Bench(dut), Pins(dut)
    await bench.start()
    for addr in (0x0C, 0x10, 0x28, 0x40, 0xFC, 0x00, 0x20):
        assert await pins.write(addr, 0xFFFF_FFFF, 0xF, (0, 0, 0)) == SLVERR
        bench.expect_write(addr, 0xFFFF_FFFF, 0xF)
        bench.check_ports()
    for addr in (0x0C, 0x10, 0x28, 0x40, 0xFC):
        assert await pins.read(addr, (0, 0)) == (SLVERR, 0)
    for addr in (0x00, 0x04, 0x24):
        assert (await pins.read(addr, (0, 0)))[0] == OKAY


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_throughput(dut):
    """Answers 2 cycles after the request; one write and one read every 2 cycles."""
    bench = Bench(dut)
    await bench.start()
    dut.s_axil_awvalid.value = dut.s_axil_wvalid.value = dut.s_axil_arvalid.value = 1
    dut.s_axil_bready.value = dut.s_axil_rready.value = 1
    dut.s_axil_awaddr.value, dut.s_axil_araddr.value = 0x14, 0x00
    answers = []
    for cycle in range(20):
        await FallingEdge(dut.clk)
        answers.append((int(dut.s_axil_bvalid.value), int(dut.s_axil_rvalid.value)))
        assert answers[-1] == ((1, 1) if cycle >= 2 and cycle % 2 == 0 else (0, 0)), cycle
        await RisingEdge(dut.clk)


def pauses(rng, p):
    """Pause pattern of a cocotbext-axi channel: it moves with probability ``p``."""
    return (not ready for ready in Gaps(p, random.Random(rng.random())))


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(p=[0.15, 0.6, 1.0])
async def random_traffic(dut, p):
    """A ready-made master with random stalls on every channel against the model."""
    bench, rng = Bench(dut), random.Random(cocotb.RANDOM_SEED)
    await bench.start()
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
    write, read = master.write_if, master.read_if
    for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
        channel.log.setLevel(logging.WARNING)
        channel.set_pause_generator(pauses(rng, p))
    for interface in (write, read):
        interface.log.setLevel(logging.WARNING)
    for _ in range(150):
        addr = rng.choice(ADDRESSES)
        if rng.random() < 0.5:
            first, count = rng.choice([(0, 4), (0, 4), (0, 1), (1, 2), (2, 2), (3, 1)])
            word = rng.getrandbits(32)
            payload = word.to_bytes(4, "little")[first:first + count]
            answer = await master.write(addr + first, payload)
            assert answer.resp == bench.expect_write(addr, word, ((1 << count) - 1) << first)
            bench.check_ports()
        else:
            status = rng.getrandbits(32)
            dut.status.value = bench.model.values["status"] = status
            await RisingEdge(dut.clk)
            answer = await master.read(addr, 4)
            resp, data = bench.model.read(addr)
            assert (answer.resp, int.from_bytes(answer.data, "little")) == (resp, data), hex(addr)


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def streams(dut, p_valid, p_ready):
    """Frames pass from the slave stream to the master stream unchanged, with their ends."""
    bench, rng = Bench(dut), random.Random(cocotb.RANDOM_SEED)
    await bench.start()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
    for end, p in (source, p_valid), (sink, p_ready):
        end.log.setLevel(logging.WARNING)
        end.set_pause_generator(pauses(rng, p))
    size = CFG.stream_bits // 8
    frames = [rng.randbytes(size * rng.randint(1, 12)) for _ in range(20)]
    for frame in frames:
        await source.send(AxiStreamFrame(frame))
    for frame in frames:
        received = await sink.recv()
        assert bytes(received.tdata) == frame
    assert sink.empty()
