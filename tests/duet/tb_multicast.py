"""cocotb bench of hdl.duet.multicast, run by test_multicast.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import multicast
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.duet.shapes import MulticastShape

COUNT = config(MulticastShape).count


class Inputs(NamedTuple):
    valid: bool = False
    tag: int | None = None
    id: int = 0


class Outputs(NamedTuple):
    match: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_multicast", multicast, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        y = Outputs(bool(multicast.match_of(self.s, 0)))
        multicast.clock(self.s, 0, x.valid, x.tag or 0, x.id, COUNT)
        return y


class Bench(PinBench):
    MODEL, QUIET = Model, ("match",)


async def started(dut):
    bench = Bench(dut, COUNT)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0])
async def every_pair(dut, p_valid):
    """Every tag with every ID, with gaps and without: a match one cycle later."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    pairs = [(tag, own) for tag in range(COUNT + 1) for own in range(COUNT)] * 2
    expected = False
    while pairs:
        offers = rng.random() < p_valid
        tag, own = pairs.pop() if offers else (None, rng.randrange(COUNT))
        y = await bench.cycle(Inputs(offers, tag, own))
        assert y.match == expected
        expected = offers and tag in (own, COUNT)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the match."""
    bench = await started(dut)
    await bench.cycle(Inputs(True, COUNT, 0))
    await bench.start()
    assert not (await bench.cycle(bench.idle)).match
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(multicast.EVENTS, seen(Model.NAME), f"count={COUNT}")
