"""cocotb bench of hdl.eie.lnzd, run by test_lnzd.py inside the simulator."""

import itertools
import random

import cocotb

from golden.eie import lnzd
from golden.eie.config import EieConfig
from hdl.eie.layouts import element_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, fields_of
from tests.eie.central import CentralBench, Token, simulate
from tests.eie.lnzd_traffic import (
    IDLE,
    LnzdModel,
    LnzdOutputs,
    Scan,
    Traffic,
    every_ending,
    random_scan,
    scan_of,
)

CFG = config(EieConfig)
TOKEN = fields_of(element_layout(CFG))
CHILDREN = range(lnzd.CHILDREN)
EMPTY = Scan([[], [], [], []])


class Bench(CentralBench):
    def __init__(self, dut):
        super().__init__(dut, LnzdModel(CFG), name="lnzd", cfg=CFG, streams=["o"], idle=IDLE)

    def drive(self, x):
        for c, token in enumerate(x.children):
            self.offer(f"i{c}", TOKEN, token and token._asdict())
        self.write("o__ready", x.o_ready)

    def sample(self, x):
        token = self.payload("o", TOKEN)
        return LnzdOutputs(tuple(bool(self.read(f"i{c}__ready")) for c in CHILDREN),
                           token and Token.compared(*token))


async def merge(bench, scans, rng, **options):
    """Send the scans, check what comes out; the cycles from the first offer to the last element."""
    cycles = await simulate(bench, Traffic(scans, CFG, rng, **options))
    assert (await bench.rest(2)).o is None, "nothing may be left over"
    return cycles


@cocotb.test(**LIMIT)
@cocotb.parametrize(density=[0.0, 0.3, 1.0], p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_scans(dut, density, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model; elements and nulls end the scans."""
    rng = random.Random(cocotb.RANDOM_SEED)
    scans = [random_scan(CFG, rng, density) for _ in range(20)]
    await merge(await Bench(dut).started(), scans, rng, p_valid=p_valid, p_ready=p_ready)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.6, 1.0])
async def endings(dut, p):
    """Children without, with one and with two elements, ended by an element or a null, in every combination."""
    rng = random.Random(cocotb.RANDOM_SEED)
    scans = every_ending(CFG, rng)
    cycles = await merge(await Bench(dut).started(), scans, rng, p_valid=p, p_ready=p)
    if p == 1:
        assert cycles == sum(scan.cycles for scan in scans) + 1


@cocotb.test(**LIMIT)
async def interleavings(dut):
    """Five indices, belonging to four children in all 1,024 ways: one element a cycle."""
    rng = random.Random(cocotb.RANDOM_SEED)
    scans = [scan_of(owners, CFG, rng) for owners in itertools.product(CHILDREN, repeat=5)]
    assert await merge(await Bench(dut).started(), scans, rng) == 5 * len(scans) + 1


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One element a cycle, latency 1, whatever the distribution; no cycle between scans; one for an empty scan."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    n = min(1 << CFG.index_bits, 256)
    for owners in ([0] * n, [3] * n, [k * 4 // n for k in range(n)], [3 - k * 4 // n for k in range(n)],
                   [k % 4 for k in range(n)], [rng.randrange(4) for _ in range(n)]):
        assert await merge(bench, [scan_of(owners, CFG, rng)] * 3, rng) == 3 * n + 1
    assert await merge(bench, [EMPTY] * 5, rng) == 5 + 1


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.5, 1.0])
async def only_one_child(dut, p):
    """One child has elements, the others end at once; or one is there at all, the others always offer the end."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for owner in CHILDREN:
        scans = [scan_of([owner] * rng.randrange(8), CFG, rng) for _ in range(10)]
        for missing in ((), set(CHILDREN) - {owner}):
            await bench.started()
            await merge(bench, scans, rng, p_valid=p, p_ready=p, missing=missing)


@cocotb.test(**LIMIT)
async def two_children(dut):
    """The top of a tree with two children: the upper two are missing."""
    rng = random.Random(cocotb.RANDOM_SEED)
    scans = [scan_of([rng.randrange(2) for _ in range(rng.randrange(8))], CFG, rng) for _ in range(50)]
    await merge(await Bench(dut).started(), scans, rng, missing=(2, 3), p_valid=0.7, p_ready=0.7)


@cocotb.test(**LIMIT)
async def stalled_output(dut):
    """While the output stalls one token of each child is kept, and no other is taken, however long it lasts."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    traffic = Traffic([scan_of([0, 1, 2, 3], CFG, rng)], CFG, rng)
    while not traffic.done:
        for stalled in range(4):
            x = traffic.inputs()._replace(o_ready=stalled == 3)
            y = await bench.cycle(x)
            taken = [token for token, ready in zip(x.children, y.ready, strict=True) if token and ready]
            assert y.o is None or not taken or stalled == 0
            traffic.taken(x, y)
    traffic.check()
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_mid_scan(dut):
    """A reset forgets which children had ended."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for _ in range(10):
        traffic = Traffic([scan_of([0, 1, 2, 3, 0, 0], CFG, rng, (True,) * 4)], CFG, rng)
        for _ in range(rng.randrange(1, 6)):
            x = traffic.inputs()
            traffic.taken(x, await bench.cycle(x))
        await bench.started()
        await merge(bench, [random_scan(CFG, rng, 0.5)], rng)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(lnzd.EVENTS, seen("lnzd"), f"cfg={CFG}")
