"""cocotb bench of hdl.eie.act_queue, run by test_act_queue.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.common.fifo import FifoInputs, FifoModel, fifo_front, fifo_ready, fifo_step, fifo_valid
from golden.eie import act_queue
from golden.eie.config import EieConfig
from hdl.eie.layouts import broadcast_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.eie.units import LIMIT, PinBench, fields_of, gaps, make, transfer

CFG = config(EieConfig)
BROADCAST = fields_of(broadcast_layout(CFG))


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None


class Model:
    """Lane 0 of the queue. The common FIFO model runs beside it: both agree, and it knows the coverage plan."""

    NAME, INPUTS, OUTPUTS = "eie_act_queue", Inputs, Outputs
    io = {}

    def __init__(self, cfg):
        self.cfg, self._twin = cfg, FifoModel(cfg.fifo_depth)
        self.reset()

    def reset(self):
        self._s = act_queue.state(self.cfg, 1)
        self._twin.reset()

    @property
    def seen(self):
        return self._twin.seen

    def unknown(self):
        return ()

    def step(self, x: Inputs) -> Outputs:
        s = self._s
        column, value = (int(fifo_front(s, 0, field)) for field in (act_queue.COLUMN, act_queue.VALUE))
        y = Outputs(bool(fifo_ready(s, 0)), make(BROADCAST, column=column, value=value) if fifo_valid(s, 0) else None)
        i = x.i or BROADCAST.unpack(0)
        fifo_step(s, 0, x.i is not None, i.column, i.value, 0, x.o_ready)
        twin = self._twin.step(FifoInputs(x.i is not None, BROADCAST.pack(**i._asdict()), x.o_ready))
        assert (twin.i_ready, twin.o_valid) == (y.i_ready, y.o is not None)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": BROADCAST, "o": BROADCAST}, ("o",), ("o",)


def broadcasts(rng, count):
    """Random activations, both ends of the range among them."""
    half = 1 << CFG.data_bits - 1
    values = [-half, half - 1, *(rng.randrange(-half, half) for _ in range(count - 2))]
    return [make(BROADCAST, column=rng.randrange(CFG.ptr_words), value=value) for value in values]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.2, 0.7, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model, and all activations arrive in order."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    items = broadcasts(rng, 150)
    await transfer(bench, items, items, i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Latency 1 cycle, then one activation a cycle; one in two cycles at depth 1."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    items = broadcasts(rng, 100)
    interval = 1 if CFG.fifo_depth > 1 else 2
    cycles = await transfer(bench, items, items, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    assert cycles == (len(items) - 1) * interval + 2
    await bench.finish()


@cocotb.test(**LIMIT)
async def usable_entries(dut):
    """Exactly fifo_depth activations wait, however often the queue fills."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    for _ in range(3):
        items = broadcasts(rng, CFG.fifo_depth + 2)
        for item in items[:CFG.fifo_depth]:
            assert (await bench.cycle(Inputs(item))).i_ready
        assert not (await bench.cycle(Inputs(items[-1]))).i_ready
        for item in items[:CFG.fifo_depth]:
            assert (await bench.cycle(Inputs(o_ready=True))).o == item
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what waits."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    for item in broadcasts(rng, CFG.fifo_depth + 1):
        await bench.cycle(Inputs(item))
    await bench.start()
    items = broadcasts(rng, 5)
    await transfer(bench, items, items, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    plan = FifoModel.EVENTS if CFG.fifo_depth > 1 else FifoModel.EVENTS - {"take_and_give"}
    assert_all(plan, seen(Model.NAME), f"cfg={CFG}")
