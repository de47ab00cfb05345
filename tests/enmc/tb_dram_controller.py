"""cocotb bench of hdl.enmc.dram_controller, run by test_dram_controller.py inside the simulator."""

import os
import random

import cocotb

from golden.common.config import from_json
from golden.enmc import dram_controller
from golden.enmc.config import EnmcConfig
from hdl.enmc.layouts import request_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of
from tests.enmc.dram_judge import Both
from tests.enmc.dram_recorder import Recorder
from tests.enmc.dram_surroundings import Surroundings
from tests.enmc.dram_traffic import Inputs, Model, Outputs, driven, mixed, request, rows_of

CFG = config(EnmcConfig)
#: Bursts of the rows of two banks.
PAGE = 2 * CFG.page_bursts
#: Long rows make long runs: fewer of them.
REQUESTS = 120 if CFG.dq < 64 else 40


class Bench(PinBench):
    """Wide payloads are compared as numbers; of the data pins, those that are driven."""

    MODEL, QUIET = Model, ("owner", "dq_oe", "load", "busy")
    FORMATS = {"request": fields_of(request_layout(CFG))}

    def drive(self, x):
        super().drive(x._replace(store=0))
        self.dut.store__valid.value = x.store is not None
        self.dut.store__payload.value = self._junk.getrandbits(8 * CFG.dq) if x.store is None else x.store

    def sample(self, x):
        dut = self.dut
        values = {name: int(getattr(dut, name).value)
                  for name in ("owner", "pins", "busy", "read", "written", "refreshed", "dq_oe")}
        load, oe = int(dut.load.value), values["dq_oe"]
        return Outputs(request_ready=int(dut.request__ready.value), store_ready=int(dut.store__ready.value),
                       load=load >> 1 if load & 1 else None,
                       dq_o=driven(int(dut.dq_o.value), oe, 2 * CFG.dq) if oe else 0, **values)


def both():
    """Both judges of commands; the host refreshes as it likes."""
    return Both(CFG, count_refreshes=False)


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


async def serve(bench, surroundings, limit=30_000):
    """Until everything is done and the host has the DRAM again; every cycle is compared, every command checked."""
    while not surroundings.finished:
        x = surroundings.inputs()
        surroundings.outputs(x, await bench.cycle(x))
        assert surroundings.cycle < limit, f"must be done after {limit} cycles"
    surroundings.check()
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_request=[0.05, 1.0], p_free=[0.15, 1.0])
async def random_traffic(dut, p_request, p_free):
    """Reads and writes of all lengths, with gaps; the host has the DRAM before and after."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    await serve(bench, Surroundings(CFG, mixed(CFG, rng, REQUESTS), rng, p_request=p_request, p_free=p_free,
                                    p_store=rng.choice([0.2, 1.0]), p_own=0.02, host=True, recorder=both()))


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_write=[0.0, 0.5])
async def many_owners(dut, p_write):
    """The DRAM goes back and forth, also in the middle of what the host does, and when refreshes are due."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    requests = mixed(CFG, rng, REQUESTS // 2, p_write=p_write, counts=(1, 2, 5))
    await serve(bench, Surroundings(CFG, requests, rng, p_request=0.05, p_own=rng.choice([0.005, 0.05]), p_release=0.2,
                                    host=True, recorder=both()))


@cocotb.test(**LIMIT)
async def single_bursts(dut):
    """One bank after the other, in rows that are open, closed, or in the way."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    await serve(bench, Surroundings(CFG, mixed(CFG, rng, 2 * REQUESTS, counts=(1,), p_write=0.2), rng))


@cocotb.test(**LIMIT)
async def one_row_after_the_other(dut):
    """Every visit is in the way of the next one: nothing can be opened ahead."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    requests = [request(CFG, row * CFG.pairs * PAGE + rng.randrange(PAGE // 2), rng.randint(1, PAGE // 2))
                for row in range(20)]
    await serve(bench, Surroundings(CFG, requests, rng, p_free=0.7))


@cocotb.test(**LIMIT)
async def around_the_end(dut):
    """After the last burst of the rank comes the first; rows of a request may end anywhere."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    requests = [request(CFG, CFG.bursts - before, count, write, 1)
                for write in (1, 0) for before, count in ((1, 2), (2, 2), (3, 5), (PAGE, PAGE), (1, PAGE))]
    await serve(bench, Surroundings(CFG, requests, rng))


@cocotb.test(**LIMIT)
async def slow_reader(dut):
    """A reader that takes its time: no credit is overdrawn, refreshes come in time, nothing is lost."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    requests = [request(CFG, rng.randrange(CFG.bursts), CFG.weights + 8, 0, dest) for dest in (0, 1, 0)]
    surroundings = Surroundings(CFG, requests, rng, p_free=0.01)
    await serve(bench, surroundings)
    assert surroundings.recorder.refreshes


@cocotb.test(**LIMIT)
async def full_bandwidth(dut):
    """Sequential reads: three bursts in four cycles, exactly, from row to row, between two refreshes."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    bursts = (CFG.trefi - 200) // 4
    surroundings = Surroundings(CFG, [request(CFG, PAGE // 2, bursts)], rng)
    reads = []
    while not surroundings.finished:
        x = surroundings.inputs()
        y = await bench.cycle(x)
        surroundings.outputs(x, y)
        if y.read:
            reads.append(surroundings.cycle)
    assert len(reads) == bursts
    assert reads[-1] - reads[0] == (bursts - 1) * 4 // 3
    bench.collect()


@cocotb.test(**LIMIT)
async def first_activation(dut):
    """The latency of the docstring: six cycles from the request to the pins."""
    bench = await ready(dut)
    for _ in range(CFG.trefi // 3 - 100):
        await bench.cycle(Inputs(own=True))
    assert (await bench.cycle(Inputs(own=True, request=request(CFG, 0, 1)))).request_ready
    commands = [not (await bench.cycle(Inputs(own=True))).pins & 1 for _ in range(10)]
    assert commands.index(True) + 1 == 6


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets requests, rows, data and credits, and gives the DRAM back."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in (20, 60, 63, 66, 80, 130, 260):
        surroundings = Surroundings(CFG, mixed(CFG, rng, 30), rng, p_free=0.5)
        while surroundings.cycle < cycles:
            x = surroundings.inputs()
            surroundings.outputs(x, await bench.cycle(x))
        await bench.start()
    await serve(bench, Surroundings(CFG, rows_of(CFG, rng, 10, 9), rng))


@cocotb.test(**LIMIT)
async def refresh_when_the_owner_changes(dut):
    """One that is due: done by the host; by ENMC before it works; by ENMC before it gives the DRAM back."""
    bench = await ready(dut)
    owner = bench.model.s.owner

    async def wait(condition, x):
        while not condition():
            await bench.cycle(x)

    await wait(lambda: owner.owed[0] == 1, Inputs())
    await bench.cycle(Inputs(host_command=True, host_refresh=True))
    assert owner.owed[0] == 0
    await wait(lambda: owner.owed[0] == 1, Inputs())
    await bench.cycle(Inputs(own=True))
    for _ in range(2):
        await bench.cycle(Inputs(own=True, host_command=True))
    refreshed = [(await bench.cycle(Inputs(own=True))).refreshed for _ in range(100)]
    assert sum(refreshed) == 1
    await wait(lambda: owner.timer[0] >= CFG.trefi - 6, Inputs(own=True))
    refreshed, y = 0, await bench.cycle(Inputs())
    while y.owner:
        y = await bench.cycle(Inputs())
        refreshed += y.refreshed
    assert refreshed == 1
    await bench.finish()


@cocotb.test(**LIMIT)
async def shortened_rule(dut):
    """For test_dram_rules.py: this controller may believe in other rules than the DRAM."""
    true = from_json(EnmcConfig, os.environ["DRAM_RULES"]) if "DRAM_RULES" in os.environ else CFG
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    await serve(bench, Surroundings(CFG, mixed(CFG, rng, 150), rng, recorder=Recorder(true)))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(dram_controller.EVENTS, seen(Model.NAME), f"cfg={CFG}")
