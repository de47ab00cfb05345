"""AXI4-Lite register block: rules of the bus, and what a write and a read do."""

from amaranth import *

from golden.common.axi import OKAY, SLVERR, Field, Register
from hdl.common.axi import AxiLiteRegisters
from sim.common.formal import proof
from sim.common.rules import axi_lite_rules

#: One register of each kind, a hole between the offsets and between the bits.
TABLE = (
    Register("status", 0x00, "ro", fields=(Field("busy", 0, 1), Field("level", 4, 3))),
    Register("control", 0x04, "pulse", fields=(Field("start", 0, 1), Field("high", 31, 1))),
    Register("length", 0x0C, "rw", fields=(Field("rows", 0, 12),), reset=3),
)
SIZE = "3 registers, 4 address bits"


def registers(h):
    """The block with a master that keeps the rules."""
    block = h.place("registers", AxiLiteRegisters(TABLE))
    axi_lite_rules(h, block.bus, waiting=2, latency=2)
    return block


def held(h, stream, *payload):
    """What was accepted on a channel last."""
    signals = [Signal.like(value, name=f"{value.name}_taken") for value in payload]
    with h.m.If(stream):
        h.m.d.sync += [signal.eq(value) for signal, value in zip(signals, payload, strict=True)]
    return signals


@proof("answers stay until taken, follow accepted requests one to one and in time", size=SIZE)
def rules(h):
    registers(h)


@proof("a write changes exactly the bytes, fields and register it names, together with its answer", size=SIZE)
def writes(h):
    m, block = h.m, registers(h)
    bus = block.bus
    addr, = held(h, bus.awvalid & bus.awready, bus.awaddr)
    data, strobe = held(h, bus.wvalid & bus.wready, bus.wdata, bus.wstrb)
    lanes = Cat(bit.replicate(8) for bit in strobe)
    # Address and data were accepted in an earlier cycle and nothing else has been since: slots are full until then.
    addr, data, lanes = h.past(addr, "addr"), h.past(data, "data"), h.past(lanes, "lanes")
    answer = Signal()
    m.d.comb += answer.eq(bus.bvalid & ~h.past(bus.bvalid & ~bus.bready, "b_waits"))
    is_length, is_control = answer & (addr[2:] == 3), answer & (addr[2:] == 1)
    before = h.past(block.length, "length_before", init=3)
    h.prove(~answer | (bus.bresp == Mux(is_length | is_control, OKAY, SLVERR)), "OKAY exactly for what can be written")
    h.prove(block.length == Mux(is_length, ((before & ~lanes) | (data & lanes)) & 0xFFF, before), "a value is kept")
    h.prove(block.control == Mux(is_control, data & lanes & 0x8000_0001, 0), "a strobe lasts one cycle")
    h.reach(is_length & (block.length == 0xABC), "a value arrives")
    h.reach(is_control & (block.control == 0x8000_0001), "both strobes")


@proof("a read returns the fields of the register it names, as they were the cycle before its answer", size=SIZE)
def reads(h):
    m, block = h.m, registers(h)
    bus = block.bus
    addr, = held(h, bus.arvalid & bus.arready, bus.araddr)
    addr = h.past(addr, "addr")
    answer = Signal()
    m.d.comb += answer.eq(bus.rvalid & ~h.past(bus.rvalid & ~bus.rready, "r_waits"))
    expected = Signal(32)
    with m.Switch(addr[2:]):
        with m.Case(0):
            m.d.comb += expected.eq(h.past(block.status & 0x71, "status_before"))
        with m.Case(3):
            m.d.comb += expected.eq(h.past(block.length, "length_before", init=3))
    h.prove(~answer | (bus.rdata == expected), "the register, or 0")
    h.prove(~answer | (bus.rresp == Mux(addr[2:] == 2, SLVERR, OKAY)), "SLVERR exactly for a hole")
    h.reach(answer & (bus.rdata == 0x51), "a status arrives")


@proof("wrong: only one write can be under way", size=SIZE, fails="b: at most 1 of aw unanswered")
def one_write(h):
    block = h.place("registers", AxiLiteRegisters(TABLE))
    axi_lite_rules(h, block.bus, waiting=1, latency=2)


@proof("wrong: a master that changes its address while it waits is served as well", size=SIZE,
       fails="the address that was offered first")
def fickle_master(h):
    block = h.place("registers", AxiLiteRegisters(TABLE))
    bus = block.bus
    accepted = bus.awvalid & bus.awready
    offered = h.past(bus.awvalid & ~bus.awready, "offered")
    h.prove(~(offered & accepted) | (bus.awaddr == h.past(bus.awaddr, "first")), "the address that was offered first")
