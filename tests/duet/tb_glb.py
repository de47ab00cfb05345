"""cocotb bench of hdl.duet.glb, run by test_glb.py inside the simulator."""

import random
from collections import deque
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import glb
from golden.duet.config import DuetConfig
from hdl.duet.layouts import glb_read_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps
from tests.duet.glb_words import bits_of, pack_values, unpack_values, write_fields

CFG = config(DuetConfig)
VALUES, WORDS = CFG.values, CFG.glb_words
ALL = (1 << VALUES) - 1
READ = fields_of(glb_read_layout())
WRITE = write_fields(CFG)


def read(addr, map_addr=0):
    return READ.unpack(READ.pack(addr=addr, map_addr=map_addr))


def write(addr, mask, data, map_addr=0, map_mask=0, map_=0):
    return WRITE.unpack(WRITE.pack(addr=addr, mask=mask, data=data, map_addr=map_addr, map_mask=map_mask, map=map_))


class Inputs(NamedTuple):
    request__0: tuple | None = None
    request__1: tuple | None = None
    request__2: tuple | None = None
    request__3: tuple | None = None
    write__0: tuple | None = None
    write__1: tuple | None = None
    write__2: tuple | None = None
    write__3: tuple | None = None


class Outputs(NamedTuple):
    valid: int
    data: int | None
    map: int | None
    request__0_ready: bool
    request__1_ready: bool
    request__2_ready: bool
    request__3_ready: bool
    write__0_ready: bool
    write__1_ready: bool
    write__2_ready: bool
    write__3_ready: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_glb", glb, Inputs, Outputs
    KEPT = ("data", "map", "out_data", "out_map")

    def step(self, x: Inputs) -> Outputs:
        s, requests, writes = self.s, x[:glb.PORTS], x[glb.PORTS:]
        valid = sum(1 << port for port in range(glb.PORTS) if glb.valid_of(s, 0, port))
        words = (pack_values(s.out_data[0]), bits_of(s.out_map[0])) if valid else (None, None)
        asks = [[item is not None for item in items] for items in (requests, writes)]
        y = Outputs(valid, *words, *(bool(glb.ready_of(port, *kind[:3])) for kind in asks for port in range(glb.PORTS)))
        r_port, w_port = (glb.first_of(*kind) for kind in asks)
        request, item = (items[port] if port >= 0 else None for items, port in ((requests, r_port), (writes, w_port)))
        arrays = [np.zeros(VALUES, np.int64)] * 4 if item is None else [
            *(unpack_values(mask, VALUES, 1) for mask in (item.mask, item.map_mask)),
            unpack_values(item.data, VALUES), unpack_values(item.map, VALUES, 1)]
        glb.clock(s, 0, r_port, sum(asks[0]), *(request or (0, 0)), w_port, sum(asks[1]),
                  *((item.addr, item.map_addr) if item else (0, 0)), *arrays)
        return y


class Bench(PinBench):
    MODEL = Model
    FORMATS = {f"{kind}__{port}": form for kind, form in (("request", READ), ("write", WRITE))
               for port in range(glb.PORTS)}
    GATES, QUIET = {"data": "valid", "map": "valid"}, ("valid",)

    async def fill(self, rng):
        """Every word and every map, through the port of the host; then a read, so that there is an answer before."""
        for addr in range(WORDS):
            await self.cycle(Inputs(write__3=write(addr, ALL, rng.getrandbits(CFG.word_bits), addr, ALL,
                                                   rng.getrandbits(VALUES))))
        await self.cycle(Inputs(request__3=read(0)))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    await bench.fill(random.Random(1))
    return bench


def random_write(rng, addr, map_addr):
    """Whole words, single values, no value at all."""
    masks = [rng.choice([0, ALL, 1 << rng.randrange(VALUES), rng.getrandbits(VALUES)]) for _ in range(2)]
    return write(addr, masks[0], rng.getrandbits(CFG.word_bits), map_addr, masks[1], rng.getrandbits(VALUES))


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_read=[0.2, 0.7, 1.0], p_write=[0.1, 0.6, 1.0])
async def random_accesses(dut, p_read, p_write):
    """All ports offer at random; every cycle equals the golden model, with the same few words again and again."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    offers = [gaps(p_read if port < glb.PORTS else p_write, rng) for port in range(2 * glb.PORTS)]
    items = [None] * (2 * glb.PORTS)

    def addr():
        return rng.randrange(WORDS) if rng.random() < 0.3 else rng.randrange(3)

    for _ in range(400):
        for port in range(2 * glb.PORTS):
            if items[port] is None and next(offers[port]):
                items[port] = read(addr(), addr()) if port < glb.PORTS else random_write(rng, addr(), addr())
        y = await bench.cycle(Inputs(*items))
        items = [None if taken else item for item, taken in zip(items, y[3:], strict=True)]
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A word in every cycle, while another is written; each answer exactly LATENCY cycles later."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    expected = deque()
    for cycle in range(3 * WORDS):
        port, addr = rng.randrange(glb.PORTS), cycle % WORDS
        x = Inputs(**{f"request__{port}": read(addr, addr),
                      f"write__{port}": random_write(rng, (addr + 2) % WORDS, (addr + 1) % WORDS)})
        y = await bench.cycle(x)
        expected.append(1 << port)
        if cycle >= glb.LATENCY:
            assert y.valid == expected.popleft()
    await bench.finish()


@cocotb.test(**LIMIT)
async def written_then_read(dut):
    """A request in the cycle after the transfer of a write reads it; one beside it gets the answer before."""
    bench = await ready(dut)
    await bench.cycle(Inputs(request__0=read(5, 5)))
    await bench.cycle(Inputs(request__1=read(7, 6), write__0=write(7, ALL, 1234, 7, ALL, 5)))
    before = await bench.cycle(Inputs(request__0=read(7, 7)))
    beside = await bench.cycle(Inputs())
    after = await bench.cycle(Inputs())
    assert [y.valid for y in (before, beside, after)] == [1, 2, 1]
    assert beside.data == before.data
    assert (after.data, after.map) == (1234, 5)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets requests and writes that are under way; the words stay."""
    bench = await ready(dut)
    for cycles in range(glb.LATENCY + 1):
        await bench.cycle(Inputs(request__2=read(cycles)))
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        for _ in range(glb.LATENCY + 1):
            assert not (await bench.cycle(Inputs())).valid
    for addr in range(WORDS):
        await bench.cycle(Inputs(request__0=read(addr, addr)))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(glb.EVENTS, seen(Model.NAME), f"cfg={CFG}")
