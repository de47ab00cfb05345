"""cocotb bench of the design in tests/sim/dut.py, run by test_runner.py inside the simulator."""

import os
import random
from typing import NamedTuple

import cocotb

from sim.common import bench, progress
from sim.common.coverage import assert_all, seen

LIMIT = {"timeout_time": 1, "timeout_unit": "ms"}


class SlotInputs(NamedTuple):
    i_valid: bool
    i_payload: int
    o_ready: bool


class SlotOutputs(NamedTuple):
    i_ready: bool
    o_valid: bool
    o_payload: int | None


class SlotModel:
    """One-place buffer that adds 1."""

    EVENTS = frozenset({"refill", "stall"})

    def __init__(self):
        self.seen = set()
        self.reset()

    def reset(self):
        self._slot = None

    def step(self, x):
        y = SlotOutputs(self._slot is None or x.o_ready, self._slot is not None, self._slot)
        if y.o_valid:
            self.seen.add("refill" if x.o_ready and x.i_valid else "stall")
        if y.i_ready:
            self._slot = (x.i_payload + 1) % 256 if x.i_valid else None
        return y


class SlotBench(bench.UnitBench):
    def __init__(self, dut):
        super().__init__(dut, SlotModel(), name="slot", cfg="slot8", streams=["o"])

    def drive(self, x):
        self.dut.i__valid.value, self.dut.i__payload.value = int(x.i_valid), x.i_payload
        self.dut.o__ready.value = int(x.o_ready)

    def sample(self, x):
        o_valid = bool(self.dut.o__valid.value)
        return SlotOutputs(bool(self.dut.i__ready.value), o_valid,
                           self.dut.o__payload.value.to_unsigned() if o_valid else None)


async def run_items(dut, items, p_valid, p_ready):
    rng = random.Random(cocotb.RANDOM_SEED)
    slot = SlotBench(dut)
    await slot.reset(SlotInputs(True, 7, False))
    source = bench.Source(items, bench.Gaps(p_valid, random.Random(rng.random())))
    ready = bench.Gaps(p_ready, random.Random(rng.random()))
    out = []
    while len(out) < len(items):
        valid, payload = source.offer()
        x = SlotInputs(valid, payload, next(ready))
        y = await slot.cycle(x)
        source.taken(y.i_ready)
        if y.o_valid and x.o_ready:
            out.append(y.o_payload)
    slot.collect()
    progress.report(len(out), len(items))
    return out, slot.cycle_number


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], p_ready=[0.4, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle of a random stream equals the model."""
    items = [random.Random(cocotb.RANDOM_SEED).randrange(255) for _ in range(200)]
    out, _ = await run_items(dut, items, p_valid, p_ready)
    assert out == [item + 1 for item in items]


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Without gaps and stalls: one item a cycle, one cycle of latency."""
    _, cycles = await run_items(dut, list(range(100)), 1.0, 1.0)
    assert cycles == 101


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(SlotModel.EVENTS, seen("slot"))


@cocotb.test(skip="DRIVE_255" not in os.environ, **LIMIT)
async def forbidden_value(dut):
    """Stops the simulation by an assertion in the hardware; run on request only."""
    await run_items(dut, [1, 255, 2], 1.0, 1.0)
