"""cocotb bench of hdl.eie.io_tap, run by test_io_tap.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.eie.config import EieConfig
from golden.eie.formats import Mem, Op, mem_bits, mem_words
from hdl.eie.io_tap import PORTS
from hdl.eie.layouts import access_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of, make

CFG = config(EieConfig)
ACCESS = fields_of(access_layout(CFG))
BITS, DEPTH = mem_bits(CFG), mem_words(CFG)
BUS_BITS = max(BITS[mem] for mem in PORTS)
IDLE = ACCESS.unpack(0)
#: Cycles from a read on the bus to its answer.
LATENCY = 3


class Seen(NamedTuple):
    """What a memory gets; ``wdata`` only when it is written."""

    write: bool
    clear: bool
    addr: int
    wdata: int | None


class Inputs(NamedTuple):
    pe_id: int = 0
    access: tuple = IDLE
    spmat_rdata: int = 0
    ptr_rdata: int = 0
    codebook_rdata: int = 0
    act0_rdata: int = 0
    act1_rdata: int = 0
    sram_rdata: int = 0


class Outputs(NamedTuple):
    rdata: int
    spmat: Seen | None
    ptr: Seen | None
    codebook: Seen | None
    act0: Seen | None
    act1: Seen | None
    sram: Seen | None


class Model:
    """The tap selects a memory of this PE a cycle after the bus asks for it, and shows its answer two cycles later."""

    NAME, INPUTS, OUTPUTS = "eie_io_tap", Inputs, Outputs
    EVENTS = frozenset({"other_pe", "every_pe", *(f"{op.name}_{mem.name}" for op in Op for mem in PORTS)})
    io = {}

    def __init__(self, cfg):
        self.seen = set()
        self.reset()

    def reset(self):
        self._selected, self._read, self._rdata = None, None, 0

    def unknown(self):
        return ()

    def step(self, x: Inputs) -> Outputs:
        a = x.access
        mine = a.valid and (a.every or a.pe == x.pe_id)
        port = PORTS.get(Mem(a.mem)) if mine else None
        if a.valid and not mine:
            self.seen.add("other_pe")
        if port is not None:
            self.seen.add("every_pe" if a.every else f"{Op(a.op).name}_{Mem(a.mem).name}")
        ports = dict.fromkeys(PORTS.values())
        selected, op = self._selected or (None, None)
        if selected is not None:
            mem = next(mem for mem, name in PORTS.items() if name == selected)
            wdata = a.wdata & (1 << BITS[mem]) - 1 if op == Op.WRITE else None
            ports[selected] = Seen(op == Op.WRITE, op == Op.CLEAR, a.addr % DEPTH[mem], wdata)
        y = Outputs(rdata=self._rdata, **ports)
        self._rdata = getattr(x, f"{self._read}_rdata") if self._read else 0
        self._read = selected if op == Op.READ else None
        self._selected = (port, a.op) if port is not None else None
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"access": ACCESS}

    def __init__(self, dut, cfg, pe_id=0):
        super().__init__(dut, cfg)
        self.idle = Inputs(pe_id=pe_id)

    def _get(self, name):
        if name == "rdata":
            return super()._get(name)
        if not self._value(f"{name}__en"):
            return None
        write, clear, addr = (self._value(f"{name}__{part}") for part in ("write", "clear", "addr"))
        return Seen(bool(write), bool(clear), addr, self._value(f"{name}__wdata") if write else None)


def access(rng, pe, *, op, mem, every=False):
    """An access to a random word, with data as wide as the bus."""
    return make(ACCESS, valid=1, op=op, mem=mem, every=every, pe=pe, addr=rng.randrange(DEPTH[mem]),
                wdata=rng.getrandbits(BUS_BITS))


def answers(rng):
    """What the memories show in one cycle."""
    return {f"{port}_rdata": rng.getrandbits(BITS[mem]) for mem, port in PORTS.items()}


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], p_mine=[0.3, 1.0])
async def random_accesses(dut, p_valid, p_mine):
    """Every cycle of random accesses equals the model, for PEs at both ends; answers overlap with new reads."""
    rng = random.Random(cocotb.RANDOM_SEED)
    for pe_id in sorted({0, CFG.n_pe // 2, CFG.n_pe - 1}):
        bench = Bench(dut, CFG, pe_id)
        await bench.start()
        for _ in range(300):
            x = bench.idle._replace(**answers(rng))
            if rng.random() < p_valid:
                pe = pe_id if rng.random() < p_mine else rng.randrange(CFG.n_pe)
                x = x._replace(access=access(rng, pe, op=rng.choice(list(Op)), mem=rng.choice(list(PORTS)),
                                             every=rng.random() < 0.2))
            await bench.cycle(x)
        await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A read in every cycle, memories in turn: every answer comes 2 cycles later, none twice, zeros around them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    mems, shown, expected = list(PORTS) * 4, [], []
    for cycle in range(len(mems) + LATENCY + 1):
        x = bench.idle._replace(**answers(rng))
        if cycle < len(mems):
            x = x._replace(access=access(rng, 0, op=Op.READ, mem=mems[cycle]))
        if 2 <= cycle <= len(mems) + 1:
            expected.append(getattr(x, f"{PORTS[mems[cycle - 2]]}_rdata"))
        shown.append((await bench.cycle(x)).rdata)
    assert shown == [0] * LATENCY + expected + [0]
    await bench.finish()


@cocotb.test(**LIMIT)
async def program_memory_is_elsewhere(dut):
    """Accesses to the program memory, idle or for another PE, reach nothing."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    somewhere = access(rng, 0, op=Op.WRITE, mem=Mem.ACT0)
    silent = [somewhere._replace(mem=Mem.PROGRAM), somewhere._replace(mem=Mem.PROGRAM, op=Op.READ),
              somewhere._replace(valid=0)]
    if CFG.n_pe > 1:
        silent += [somewhere._replace(pe=CFG.n_pe - 1), somewhere._replace(pe=1, op=Op.READ)]
    for item in silent:
        y = await bench.cycle(bench.idle._replace(access=item))
        assert y == Outputs(0, *[None] * len(PORTS))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset drops the answer that is on its way."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    for cycles in range(LATENCY + 1):
        await bench.cycle(bench.idle._replace(access=access(rng, 0, op=Op.READ, mem=Mem.SPMAT)))
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        await bench.start()
        for _ in range(LATENCY + 1):
            assert (await bench.cycle(bench.idle)).rdata == 0


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; a single PE has no other one."""
    assert_all(Model.EVENTS - ({"other_pe"} if CFG.n_pe == 1 else set()), seen(Model.NAME), f"cfg={CFG}")
