"""cocotb bench of hdl.eie.act_queue, run by test_act_queue.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.common.fifo import FifoInputs, FifoModel, fifo_front, fifo_step, fifo_valid
from golden.eie import act_queue
from golden.eie.config import EieConfig
from hdl.eie.layouts import broadcast_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of, gaps, make

CFG = config(EieConfig)
BROADCAST = fields_of(broadcast_layout(CFG))


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    o: tuple | None
    room: int


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
        room = sum(bool(act_queue.has_room(s, 0, count)) << count - 1 for count in (1, 2))
        y = Outputs(make(BROADCAST, column=column, value=value) if fifo_valid(s, 0) else None, room)
        i = x.i or BROADCAST.unpack(0)
        fifo_step(s, 0, x.i is not None, i.column, i.value, 0, x.o_ready)
        twin = self._twin.step(FifoInputs(x.i is not None, BROADCAST.pack(**i._asdict()), x.o_ready))
        assert (twin.i_ready, twin.o_valid) == (bool(y.room & 1), y.o is not None)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": BROADCAST, "o": BROADCAST}, ("o",), ("o",)


def broadcasts(rng, count):
    """Random activations, both ends of the range among them."""
    half = 1 << CFG.data_bits - 1
    values = [-half, half - 1, *(rng.randrange(-half, half) for _ in range(count - 2))]
    return [make(BROADCAST, column=rng.randrange(CFG.ptr_words), value=value) for value in values]


async def broadcast(bench, items, *, i_gaps, o_gaps) -> int:
    """Send items as the sequencer does, a cycle after there is room, and check their order; the cycles it took."""
    waiting, received, start, arriving = list(items)[::-1], [], bench.cycle_number, None
    while len(received) < len(items):
        x = Inputs(arriving, next(o_gaps))
        y = await bench.cycle(x)
        if y.o is not None and x.o_ready:
            received.append(y.o)
        may = y.room >> (arriving is not None) & 1
        arriving = waiting.pop() if may and waiting and next(i_gaps) else None
    assert received == list(items)
    return bench.cycle_number - start


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.2, 0.7, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model, and all activations arrive in order."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    items = broadcasts(rng, 150)
    await broadcast(bench, items, i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Latency 1 cycle, then one activation a cycle; two in three cycles at depth 2, one at depth 1."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    items = broadcasts(rng, 100)
    cycles = await broadcast(bench, items, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    # Room is seen, the first activation arrives and leaves.
    assert cycles == 3 + {1: 3 * 99, 2: 3 * 99 // 2}.get(CFG.fifo_depth, 99)
    await bench.finish()


@cocotb.test(**LIMIT)
async def usable_entries(dut):
    """Exactly fifo_depth activations wait, and the room that is shown is right, however often the queue fills."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    depth = CFG.fifo_depth
    for _ in range(3):
        items = broadcasts(rng, depth)[:depth]
        for number, item in enumerate(items):
            assert (await bench.cycle(Inputs(item))).room == (number < depth) + 2 * (number < depth - 1)
        assert (await bench.cycle(Inputs())).room == 0
        for item in items:
            assert (await bench.cycle(Inputs(o_ready=True))).o == item
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what waits."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    for item in broadcasts(rng, CFG.fifo_depth)[:CFG.fifo_depth]:
        await bench.cycle(Inputs(item))
    await bench.start()
    items = broadcasts(rng, 5)
    await broadcast(bench, items, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    impossible = {"offer_while_full"} | ({"take_and_give"} if CFG.fifo_depth == 1 else set())
    assert_all(FifoModel.EVENTS - impossible, seen(Model.NAME), f"cfg={CFG}")
