"""cocotb bench of hdl.enmc.controller, run by test_controller.py inside the simulator."""

import random

import cocotb

from golden.common.fields import unpack_fields
from golden.enmc import dispatch
from golden.enmc.config import EnmcConfig
from golden.enmc.controller_spec import expected
from golden.enmc.formats import Function, Screen
from golden.enmc.registers import REGISTERS, STATUS_FIELDS
from hdl.enmc.layouts import candidate_layout, request_layout
from sim.common.bench import config, signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of
from tests.enmc.controller_model import EXECUTE, INSTRUCTION, SCREEN, Inputs, Model, Run, instruction
from tests.enmc.controller_traffic import Neighbours, Programs, static_wrongs, word_of

CFG = config(EnmcConfig)
LONG = {"timeout_time": 20, "timeout_unit": "ms"}


class Bench(PinBench):
    MODEL = Model
    FORMATS = {"i": INSTRUCTION, "candidates": fields_of(candidate_layout(CFG)), "screen": SCREEN, "execute": EXECUTE,
               "request": fields_of(request_layout(CFG)), "threshold": signed(32)}
    STREAMS, QUIET = ("request", "screen", "execute"), ("request", "screen", "execute", "own", "new_batch", "clear")

    async def send(self, *words, **inputs):
        """Instructions, one a cycle."""
        for word, data in words:
            await self.cycle(Inputs(i=instruction(word, data), **inputs))

    async def wait(self, cycles=1, **inputs):
        """Outputs of the last of some cycles."""
        for _ in range(cycles):
            y = await self.cycle(Inputs(**inputs))
        return y

    async def query(self, name, **inputs):
        """A register."""
        await self.cycle(Inputs(query_valid=True, query_reg=REGISTERS[name].number, **inputs))
        return (await self.wait(**inputs)).answer

    async def flags(self, **inputs):
        """Fields of the register ``status``."""
        return unpack_fields(STATUS_FIELDS, await self.query("status", **inputs))


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


async def run(bench, rng, work, *, speed=0.7, p_return=0.3, p_send=0.8):
    """A program after CLR, with all neighbours."""
    program = [word_of("CLR"), *work.program]
    neighbours = Neighbours(CFG, rng, work.candidates, speed=speed, p_return=p_return)
    one = Run(CFG, rng, bench.model, program, neighbours, p_send=p_send)
    while not one.done:
        one.outputs(await bench.cycle(one.inputs()))
    one.check(expected(CFG, program, work.candidates))


async def setup(bench, **values):
    """INIT of some registers, ``batch`` last."""
    await bench.send(*(word_of("INIT", reg=name, data=value) for name, value in values.items()))
    await bench.wait(2 * len(values) + dispatch.SETTLED + 4)


@cocotb.test(**LONG)
@cocotb.parametrize(speed=[0.3, 1.0], wrong=[0.0, 0.3])
async def random_programs(dut, speed, wrong):
    """Every cycle of random programs equals the golden model, and the units get what the definition says."""
    bench, rng = await started(dut)
    for p_return in 0.03, 0.5:
        work = Programs(CFG, rng, wrong=wrong).anything(2)
        work.add("BARRIER")
        await run(bench, rng, work, speed=speed, p_return=p_return, p_send=rng.choice([0.3, 1.0]))
    await bench.finish()


@cocotb.test(**LONG)
async def many_candidates(dut):
    """More candidates than every buffer holds, the host slow to take records: nothing hangs, none is lost."""
    bench, rng = await started(dut)
    for mode in 0, 5:
        work = Programs(CFG, rng, density=1)
        work.setup(mode=mode, screen_bursts=2 * CFG.weights, row_bursts=2)
        work.tiles(6, store=0.5, most=3 * CFG.indices if CFG.indices < 16 else 40)
        work.add("BARRIER")
        await run(bench, rng, work, p_return=0.05)
    await bench.finish()


@cocotb.test(**LONG)
async def wrong_instructions(dut):
    """Each illegal form is skipped: it sets the flag and nothing else, and CLR resets the flag."""
    bench, _ = await started(dut)
    for wrong in static_wrongs(CFG):
        await bench.send(wrong, word_of("NOP"))
        await bench.wait(4)
        assert (await bench.flags())["illegal"], wrong
        assert await bench.query("executed") == 1
        await bench.send(word_of("CLR"))
        await bench.wait(dispatch.SETTLED + 4)
        assert not (await bench.flags())["illegal"]
    await bench.finish()


def contexts():
    """Instructions that are illegal as things are: what comes before, and the instruction."""
    tag = {"score": 0, "label": 0}
    row = word_of("LDR", buffer="WEIGHT_FP32", addr=0, count=1)
    multiply, finish = word_of("MUL_ADD_FP32", **tag, batch=0), word_of("SIGMOID", **tag, batch=0)
    passed, filter_ = word_of("MOVE", buffer1="INDEX", buffer2="OUTPUT", **tag, batch=0), word_of("FILTER")
    exact = word_of("INIT", reg="mode", data=4)
    no_row = word_of("INIT", reg="row_bursts", data=0)
    psums = word_of("LDR", buffer="PSUM_INT4", addr=0, count=4)
    tile, screen = word_of("LDR", buffer="WEIGHT_INT4", addr=0, count=1), word_of("MUL_ADD_INT4")
    features, exact_features = (word_of("LDR", buffer=f"FEATURE_{kind}", addr=0, count=1) for kind in ("INT4", "FP32"))
    store = word_of("STR", buffer="PSUM_INT4", addr=0, count=4 * CFG.batch)
    asking = psums, features, filter_, store, passed, tile, row, exact_features, finish
    waiting = word_of("BARRIER"), word_of("CLR"), exact
    return [
        ([], multiply), ([], finish), ([], screen), ([row, multiply, finish], finish), ([row, multiply], multiply),
        ([tile, screen], screen), ([tile], multiply), ([row], screen),
        *(([load], one) for load in (tile, row) for one in (*asking, *waiting)),
        ([row, multiply], filter_), ([filter_], row), ([filter_], passed), ([filter_], exact_features),
        ([row], word_of("MUL_FP32", **tag, batch=CFG.batch)), ([row, multiply], word_of("MOVE", **tag, batch=15)),
        ([], word_of("MOVE", buffer1="INDEX", buffer2="OUTPUT", **tag, batch=CFG.batch)), ([exact, no_row], filter_),
        *(([], word_of("LDR", buffer=f"WEIGHT_{kind}", addr=0, count=2)) for kind in ("INT4", "FP32")),
        ([], word_of("STR", buffer="PSUM_INT4", addr=0, count=4 * CFG.batch + 4)),
        *(([word_of("CLR")], one) for one in (*asking, screen, multiply)),
    ]


@cocotb.test(**LONG)
async def wrong_as_things_are(dut):
    """Instructions that need a batch, a row, a barrier before them, and do not have it."""
    for before, wrong in contexts():
        bench, _ = await started(dut)
        await setup(bench, screen_bursts=1, row_bursts=1, batch=CFG.batch)
        await bench.send(*before)
        await bench.wait(dispatch.SETTLED + 8)
        assert not (await bench.flags())["illegal"], before
        executed = await bench.query("executed")
        await bench.send(wrong)
        await bench.wait(4)
        assert (await bench.flags())["illegal"], (before, wrong)
        assert await bench.query("executed") == executed
    bench.collect()


@cocotb.test(**LIMIT)
async def overflow(dut):
    """Instructions that find no place are left out and flagged; ``free`` and ``level`` say how many find one."""
    bench, _ = await started(dut)
    stuck = {"screen_busy": True}
    await bench.send(word_of("BARRIER"), *[word_of("NOP")] * (CFG.instructions - 1), **stuck)
    flags = await bench.flags(**stuck)
    assert flags["busy"] and not flags["overflow"] and flags["free"] == 0
    assert await bench.query("level", **stuck) == CFG.instructions
    await bench.send(*[word_of("INIT", reg="batch", data=1)] * 3, **stuck)
    assert (await bench.flags(**stuck))["overflow"]
    y = await bench.wait(CFG.instructions + dispatch.SETTLED + 6)
    assert y.batch == 0 and await bench.query("received") == await bench.query("executed") == CFG.instructions
    flags = await bench.flags()
    assert not flags["busy"] and flags["free"] == CFG.instructions
    await bench.send(word_of("CLR"))
    await bench.wait(4)
    assert not (await bench.flags())["overflow"]
    await bench.wait(overrun=True)
    assert (await bench.flags())["overflow"] and not (await bench.flags())["refused"]
    await bench.wait(refused=True)
    assert (await bench.flags())["refused"]
    await bench.finish()


@cocotb.test(**LIMIT)
async def flags_and_counters(dut):
    """Each event has its counter; ``status`` says what the inputs say; registers of the softmax, and unknown ones."""
    bench, rng = await started(dut)
    events = {"finished": "finished", "read": "bursts_read", "written": "bursts_written", "refreshed": "refreshes",
              "owner": "active", "screening": "screening", "executing": "executing"}
    for event, name in events.items():
        await bench.wait(3, **{event: True})
        await bench.wait(2)
        assert await bench.query(name) == 3, name
    words = [rng.getrandbits(32 * CFG.batch) for _ in range(2)]
    for b in range(8):
        value = await bench.query(f"softmax_{b}", largest=words[0], sums=words[1])
        part = [word >> 32 * b & 0xFFFFFFFF for word in words]
        assert value == (part[0] | part[1] << 32 if b < CFG.batch else 0)
    flags = await bench.flags(owner=True, ready=CFG.results)
    assert flags["owner"] and flags["ready"] == CFG.results
    await bench.wait(2)
    assert await bench.query("classes") == 0
    await bench.finish()


@cocotb.test(**LIMIT)
async def filters_that_are_unfinished(dut):
    """With two of them the screener's loads wait, with three another FILTER; a store waits for all; others pass."""
    bench, _ = await started(dut)
    await setup(bench, screen_bursts=1, batch=1)
    busy = {"dram_busy": True}

    async def sent(*words):
        """Requests and commands of the next cycles."""
        outputs = [await bench.cycle(Inputs(i=instruction(*word), **busy)) for word in words]
        outputs += [await bench.wait(**busy) for _ in range(10)]
        return sum(y.request is not None for y in outputs), [y.screen.kind for y in outputs if y.screen is not None]

    filter_, done = word_of("FILTER"), {"filtered": True, **busy}
    for buffer, count, kinds in ("PSUM_INT4", 4, [Screen.PSUMS]), ("WEIGHT_INT4", 1, []), \
            ("FEATURE_INT4", 1, [Screen.FEATURES]):
        load = word_of("LDR", buffer=buffer, addr=0, count=count)
        kinds = [*kinds, Screen.MULTIPLY] if buffer == "WEIGHT_INT4" else kinds
        then = [word_of("MUL_INT4")] if buffer == "WEIGHT_INT4" else []
        assert await sent(filter_, filter_, load, *then) == (0, [Screen.FILTER] * 2)
        await bench.wait(**done)
        assert await sent() == (1, kinds)
        await bench.wait(**done)
    assert await sent(*[filter_] * 5) == (0, [Screen.FILTER] * 3)
    for _ in range(2):
        await bench.wait(**done)
        assert await sent() == (0, [Screen.FILTER])
    assert await sent(word_of("STR", buffer="PSUM_INT4", addr=0, count=4)) == (0, [])
    for left in 2, 1, 0:
        await bench.wait(**done)
        assert await sent() == ((1, [Screen.STORE]) if left == 0 else (0, []))
    bench.collect()


@cocotb.test(**LIMIT)
async def batch_waits(dut):
    """INIT waits until nothing has moved for a while; ``new_batch`` comes with the new value."""
    bench, _ = await started(dut)
    for busy in "screen_busy", "execute_busy", "dram_busy":
        await bench.send(word_of("INIT", reg="batch", data=1), **{busy: True})
        for _ in range(20):
            assert not (await bench.wait(**{busy: True})).new_batch
        for cycle in range(dispatch.SETTLED + 3):
            y = await bench.wait()
            assert y.new_batch == (cycle == dispatch.SETTLED + 2)
        assert y.batch == 1
        await bench.send(word_of("CLR"))
        await bench.wait(10)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """An instruction a cycle, two cycles from the first to its command; a candidate in 4 cycles."""
    bench, _ = await started(dut)
    await setup(bench, screen_bursts=3, row_bursts=2, batch=1, mode=4 | Function.SIGMOID)
    commands, cycles, load = [], [], word_of("LDR", buffer="WEIGHT_INT4", addr=0, count=3)
    for number in range(20):
        y = await bench.cycle(Inputs(i=instruction(*(word_of("MUL_INT4") if number % 2 else load))))
        if y.screen is not None or y.request is not None:
            commands += [tuple(y.screen or ())]
            cycles.append(number)
    assert cycles == list(range(2, 20))
    assert commands == [(), (Screen.MULTIPLY, 3, 1, 0)] * 9
    await bench.wait(8)
    cycles, taken, popped = [], [], 0
    offered = fields_of(candidate_layout(CFG)).unpack(0)
    for number in range(60):
        y = await bench.cycle(Inputs(candidates=offered, popped=popped))
        popped = int(y.request is not None)
        taken += [number] * y.candidates_ready
        cycles += [number] * (y.request is not None)
    assert taken == list(range(0, 60, 4)) and cycles == list(range(4, 60, 4))
    bench.collect()


@cocotb.test(**LONG)
async def reset_mid_flight(dut):
    """A reset forgets instructions, candidates and commands."""
    bench, rng = await started(dut)
    for cycles in 10, 40, 90, 200:
        work = Programs(CFG, rng).anything(1)
        neighbours = Neighbours(CFG, rng, work.candidates)
        one = Run(CFG, rng, bench.model, work.program, neighbours)
        for _ in range(cycles):
            one.outputs(await bench.cycle(one.inputs()))
        await bench.start()
        await bench.finish()
    await run(bench, rng, Programs(CFG, rng).anything(1))
    await bench.finish()


@cocotb.test(**LIMIT)
async def wrong_row_of_a_candidate(dut):
    """A row beyond the end of the rank: the candidate is finished all the same, and flagged."""
    bench, _ = await started(dut)
    await setup(bench, row_base=CFG.bursts - 1, row_bursts=2, batch=1, mode=4)
    requests, commands = [], []
    for number in range(16):
        candidate = fields_of(candidate_layout(CFG)).unpack(0) if number == 0 else None
        y = await bench.cycle(Inputs(candidates=candidate))
        requests += [y.request] if y.request else []
        commands += [y.execute] if y.execute else []
    assert [(one.addr, one.count) for one in requests] == [(CFG.bursts - 1, 2)] and len(commands) == 2
    assert (await bench.flags())["illegal"]
    bench.collect()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(Model.events(), seen(Model.NAME), f"cfg={CFG}")
