"""cocotb bench of hdl.enmc.instruction, run by test_instruction.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.enmc import instruction
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import DESELECT, INSTRUCTION_BITS, PIN_FIELDS, Command
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.enmc.host_port_traffic import command, ordinary

CFG = config(EnmcConfig)
NAMES = instruction.KINDS


class Inputs(NamedTuple):
    pins: int = DESELECT


class Outputs(NamedTuple):
    ordinary: bool
    read: bool
    write: bool
    refresh: bool
    instruction: bool
    query: bool
    take: bool
    word: int | None


class Model:
    NAME, INPUTS, OUTPUTS = "enmc_instruction", Inputs, Outputs

    def __init__(self, _cfg):
        self.io, self.seen = {}, set()

    def reset(self):
        pass

    def unknown(self):
        return set()

    def step(self, x):
        kind = int(instruction.kind_of(x.pins))
        is_one = kind >= instruction.INSTRUCTION
        self.seen.add(NAMES[kind])
        flags = {name: kind == NAMES.index(name) for name in ("read", "write", "refresh", "query", "take")}
        return Outputs(ordinary=instruction.ORDINARY <= kind <= instruction.REFRESH, instruction=is_one, **flags,
                       word=int(instruction.word_of(x.pins)) if is_one else None)


class Bench(PinBench):
    MODEL, GATES = Model, {"word": "instruction"}


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def every_address(dut):
    """PRECHARGE with each of the 2^14 addresses: a plain command, or the instruction that it says."""
    bench, instructions = await started(dut), 0
    for addr in range(1 << INSTRUCTION_BITS + 1):
        y = await bench.cycle(Inputs(command(Command.PRE, addr)))
        instructions += y.instruction
        assert y.instruction != y.ordinary
    assert instructions == 31 << INSTRUCTION_BITS - 5
    await bench.finish()


@cocotb.test(**LIMIT)
async def random_pins(dut):
    """Any levels of all pins, and every command."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(3000):
        await bench.cycle(Inputs(rng.getrandbits(sum(PIN_FIELDS.values())) & ~rng.getrandbits(1)))
        y = await bench.cycle(Inputs(ordinary(rng)))
        assert not y.instruction
    await bench.finish()


@cocotb.test(**LIMIT)
async def deselected(dut):
    """With CS_n high there is nothing, whatever the other pins say."""
    bench = await started(dut)
    for name in Command:
        for addr in range(0, 1 << INSTRUCTION_BITS + 1, 7):
            assert not any((await bench.cycle(Inputs(command(name, addr) | 1)))[:-1])
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(instruction.EVENTS, seen(Model.NAME), f"cfg={CFG}")
