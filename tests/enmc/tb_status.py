"""cocotb bench of hdl.enmc.status, run by test_status.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.enmc import status
from golden.enmc.config import EnmcConfig
from golden.enmc.registers import REGISTERS
from hdl.enmc.status import amounts_layout, init_layout
from sim.common.bench import config, signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.enmc.controller_model import words_of_inputs

CFG = config(EnmcConfig)
AMOUNTS, INIT = fields_of(amounts_layout(CFG)), fields_of(init_layout())
WRITTEN = {name: r.number for name, r in REGISTERS.items() if r.access == "rw"}


class Inputs(NamedTuple):
    query_valid: bool = False
    query_reg: int = 0
    init: tuple = INIT.unpack(0)
    clear: bool = False
    amounts: tuple = AMOUNTS.unpack(0)
    refused: bool = False
    overflow: bool = False
    illegal: bool = False
    busy: bool = False
    owner: bool = False
    ready: int = 0
    free: int = 0
    level: int = 0
    largest: int = 0
    sums: int = 0


class Outputs(NamedTuple):
    answer: int
    batch: int
    classes: int
    first_class: int
    screen_bursts: int
    threshold: int
    row_base: int
    row_bursts: int
    mode: int
    new_batch: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_status", status, Inputs, Outputs

    def step(self, x):
        s = self.s
        values = {name: int(s.registers[0, number]) for name, number in WRITTEN.items()}
        values["threshold"] = int(status.threshold_of(s, 0))
        y = Outputs(answer=int(s.answer[0, 0]) | int(s.answer[0, 1]) << 32, new_batch=bool(s.new_batch[0]), **values)
        status.clock(s, 0, int(x.query_valid), x.query_reg, int(x.init.valid), x.init.reg, x.init.data, int(x.clear),
                     words_of_inputs(sum(v << 8 * n for n, v in enumerate(x.amounts)), len(x.amounts), 8),
                     int(x.refused), int(x.overflow), int(x.illegal), int(x.busy), int(x.owner), x.ready, x.free,
                     x.level, words_of_inputs(x.largest, CFG.batch), words_of_inputs(x.sums, CFG.batch))
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"init": INIT, "amounts": AMOUNTS, "threshold": signed(32)}


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


def random_cycle(rng, density, clear=0.02):
    """Everything that may happen in a cycle; INIT and CLR do not come together."""
    def some():
        return rng.random() < density

    def amount(name):
        return rng.randint(0, CFG.records) if name == "returned" else rng.randint(0, 1)

    now = rng.random() < clear
    init = make(INIT, valid=int(some() and not now), reg=rng.choice(list(WRITTEN.values())), data=rng.getrandbits(32))
    amounts = make(AMOUNTS, **{name: amount(name) * some() for name in status.COUNTERS})
    words = 32 * CFG.batch
    return Inputs(some(), rng.randrange(32), init, now, amounts, rng.random() < 0.01, rng.random() < 0.01,
                  rng.random() < 0.01, some(), some(), rng.getrandbits(16), rng.getrandbits(16), rng.getrandbits(16),
                  rng.getrandbits(words), rng.getrandbits(words))


@cocotb.test(**LIMIT)
@cocotb.parametrize(density=[0.0, 0.2, 1.0])
async def random_cycles(dut, density):
    """Every cycle equals the golden model."""
    bench, rng = await started(dut)
    for _ in range(600):
        await bench.cycle(random_cycle(rng, density))
    bench.collect()


@cocotb.test(**LIMIT)
async def exact_sums(dut):
    """The counters are the sums of all amounts."""
    bench, rng = await started(dut)
    cycles = [random_cycle(rng, 0.5, clear=0) for _ in range(200)]
    for x in cycles:
        await bench.cycle(x)
    await bench.cycle(Inputs())
    for n, name in enumerate(status.COUNTERS):
        await bench.cycle(Inputs(True, REGISTERS[name].number))
        assert (await bench.cycle(Inputs())).answer == sum(x.amounts[n] for x in cycles), name
    bench.collect()


@cocotb.test(**LIMIT)
async def one_register_alone(dut):
    """INIT of a register changes it and no other one; CLR resets all."""
    bench, _ = await started(dut)
    zero = await bench.cycle(Inputs())
    for name, number in WRITTEN.items():
        width = REGISTERS[name].width
        await bench.cycle(Inputs(init=make(INIT, valid=1, reg=number, data=0xFFFFFFFF)))
        value = -1 if name == "threshold" else (1 << width) - 1
        y = await bench.cycle(Inputs(True, number))
        assert y == zero._replace(**{name: value}, new_batch=name == "batch")
        assert (await bench.cycle(Inputs(clear=True))).answer == (1 << width) - 1
        assert await bench.cycle(Inputs(True, number)) == zero._replace(answer=(1 << width) - 1)
        assert await bench.cycle(Inputs()) == zero
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_drops_all(dut):
    """A reset clears registers, counters, flags and the answer."""
    bench, rng = await started(dut)
    for _ in range(4):
        for _ in range(20):
            await bench.cycle(random_cycle(rng, 1.0, clear=0))
        await bench.start()
        for number in range(32):
            await bench.cycle(Inputs(True, number))
            assert (await bench.cycle(Inputs())) == Outputs(*[0] * 10)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(status.EVENTS, seen(Model.NAME), f"cfg={CFG}")
