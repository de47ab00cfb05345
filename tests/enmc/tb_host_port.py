"""cocotb bench of hdl.enmc.host_port, run by test_host_port.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.enmc import host_port
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import BURST_CLOCKS, DESELECT, PHASES, PIN_FIELDS, Command
from golden.enmc.host_port import ANSWER_LATENCY, SPACING, handed_on
from golden.enmc.instruction import decode, encode, pins_of
from hdl.enmc.layouts import instruction_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of
from tests.enmc.host_port_traffic import INIT, QUERY, RETURN, HostTraffic, command, ordinary, words_of

CFG = config(EnmcConfig)
PIN_BITS, CLOCK_BITS = sum(PIN_FIELDS.values()), 2 * CFG.dq
DATA_BITS, BURST_BITS = PHASES * CLOCK_BITS, BURST_CLOCKS * CLOCK_BITS
INSTRUCTION = fields_of(instruction_layout())
READ, STORE = command(Command.RD, 8), command(Command.WR, 16)


def pack(values, bits):
    """The first value lowest."""
    return sum(int(value) << bits * k for k, value in enumerate(values))


IDLE = pack([DESELECT] * PHASES, PIN_BITS)


class Inputs(NamedTuple):
    pins: int = IDLE
    dq_i: int = 0
    dram_dq_i: int = 0
    owner: bool = False
    enmc_pins: int = IDLE
    enmc_dq_o: int = 0
    enmc_dq_oe: int = 0
    answer: int = 0
    record_burst: int = 0


class Outputs(NamedTuple):
    dram_pins: int
    dram_dq_o: int          # 0 in the clocks in which nothing is driven
    dram_dq_oe: int
    dq_o: int               # likewise
    dq_oe: int
    alert_n: bool
    enmc_dq_i: int
    host_command: bool
    host_refresh: bool
    refused: bool
    overrun: bool
    o: tuple | None
    query: int | None
    take: bool


def phases(value):
    return words_of(value, PHASES, CFG.phase_words)


def packed(array):
    return pack(array.reshape(-1), 32)


def driven(value, oe):
    """Data of the clocks in which they are driven."""
    mask = sum((1 << CLOCK_BITS) - 1 << CLOCK_BITS * slot for slot in range(PHASES) if oe >> slot & 1)
    return value & mask


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_host_port", host_port, Inputs, Outputs

    def step(self, x):
        s = self.s
        dram_dq_oe, dq_oe = int(s.dram_dq_oe[0]), int(s.dq_oe[0])
        o = int(s.word[0]) | packed(s.data[0]) << 13
        y = Outputs(pack(s.dram_pins[0], PIN_BITS), driven(packed(s.dram_dq_o[0]), dram_dq_oe), dram_dq_oe,
                    driven(packed(s.dq_o[0]), dq_oe), dq_oe, not s.refused[0], packed(s.enmc_dq_i[0]),
                    bool(s.host_command[0]), bool(s.host_refresh[0]), bool(s.refused[0]), bool(s.overrun[0]),
                    INSTRUCTION.unpack(o) if s.valid[0] else None, int(s.reg[0]) if s.query[0] else None,
                    bool(s.take[0]))
        answer = words_of(x.answer, 2)
        host_port.clock(s, 0, CFG.cl, CFG.cwl, x.owner, slots(x.pins), phases(x.dq_i), slots(x.enmc_pins),
                        phases(x.enmc_dq_o), x.enmc_dq_oe, phases(x.dram_dq_i), answer[0], answer[1],
                        words_of(x.record_burst, CFG.burst_words))
        return y


def slots(value):
    """Pins of the three clocks."""
    return np.array([value >> PIN_BITS * slot & (1 << PIN_BITS) - 1 for slot in range(PHASES)])


class Bench(PinBench):
    MODEL, QUIET = Model, ("o", "query", "take", "refused", "overrun", "dq_oe", "dram_dq_oe", "host_command")

    def sample(self, x):
        oes = self._value("dram_dq_oe"), self._value("dq_oe")
        values = {name: self._value(name) for name in Outputs._fields if name not in ("o", "query")}
        values |= {"dram_dq_o": driven(values["dram_dq_o"], oes[0]), "dq_o": driven(values["dq_o"], oes[1])}
        o = INSTRUCTION.unpack(self._value("o__payload")) if self._value("o__valid") else None
        return Outputs(o=o, query=self._value("query__reg") if self._value("query__valid") else None, **values)

    async def run(self, commands, clocks, rng, owner=lambda _cycle: False, **others):
        """``clocks`` clocks with pins by clock, random data everywhere; the inputs and outputs of the cycles."""
        trace = []
        for cycle in range(-(-clocks // PHASES)):
            pins = [commands.get(PHASES * cycle + slot, DESELECT) for slot in range(PHASES)]
            x = random_data(rng, pins=pack(pins, PIN_BITS), owner=owner(cycle), **others)
            trace.append((x, await self.cycle(x)))
        return trace


def random_data(rng, **others):
    """Inputs with random data, so that every word can be told from the others."""
    return Inputs(dq_i=rng.getrandbits(DATA_BITS), dram_dq_i=rng.getrandbits(DATA_BITS),
                  enmc_dq_o=rng.getrandbits(DATA_BITS), answer=rng.getrandbits(64),
                  record_burst=rng.getrandbits(BURST_BITS), **others)


def by_clock(trace, side, name, bits=CLOCK_BITS):
    """Values of a port in each clock; side 0 are the inputs, 1 the outputs."""
    return [getattr(pair[side], name) >> bits * slot & (1 << bits) - 1 for pair in trace for slot in range(PHASES)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(instructions=[0.1, 1.0], commands=[0.0, 0.6], changes=[0.0, 0.02, 0.3])
async def random_traffic(dut, instructions, commands, changes):
    """Every cycle of instructions among ordinary traffic, while ENMC comes and goes, equals the golden model."""
    bench, rng = await started(dut)
    traffic = HostTraffic(CFG, random.Random(rng.random()), instructions=instructions, commands=commands,
                          changes=changes)
    for _ in range(200):
        owner, pins, enmc_pins, enmc_dq_oe = traffic.cycle()
        await bench.cycle(random_data(rng, owner=owner, pins=pack(pins, PIN_BITS), enmc_pins=pack(enmc_pins, PIN_BITS),
                                      enmc_dq_oe=enmc_dq_oe))
    await bench.finish(20)


@cocotb.test(**LIMIT)
async def pass_through(dut):
    """Ordinary traffic in every clock comes out exactly three clocks later, NOP and what is deselected too."""
    bench, rng = await started(dut)
    commands = {t: ordinary(rng) | (rng.random() < 0.2) for t in range(300)}
    trace = await bench.run(commands, 306, rng)
    out = by_clock(trace, 1, "dram_pins", PIN_BITS)
    assert out[PHASES:303] == [commands[t] for t in range(300)] and set(out[:PHASES]) == {DESELECT}
    await bench.finish(20)


@cocotb.test(**LIMIT)
@cocotb.parametrize(slot=[0, 1, 2])
async def latencies(dut, slot):
    """From one read, write, instruction, QUERY and RETURN: the data in exactly the right clocks, and only there."""
    bench, rng = await started(dut)
    span = PHASES * (CFG.answer // PHASES + 4)
    for pins in READ, STORE, INIT, QUERY, RETURN:
        trace = await bench.run({slot: pins}, span, rng)
        oe, dram_oe = by_clock(trace, 1, "dq_oe", 1), by_clock(trace, 1, "dram_dq_oe", 1)
        answer, stored = slot + CFG.answer, slot + CFG.cwl + PHASES
        dq, dram_dq = by_clock(trace, 1, "dq_o"), by_clock(trace, 1, "dram_dq_o")
        dq_i, dram_dq_i = by_clock(trace, 0, "dq_i"), by_clock(trace, 0, "dram_dq_i")
        assert [t for t, one in enumerate(oe) if one] == [answer + n for n in range(4) if pins in (READ, QUERY, RETURN)]
        assert [t for t, one in enumerate(dram_oe) if one] == [stored + n for n in range(4) if pins == STORE]
        asked = (slot + CFG.cl) // PHASES
        assert [(c, y.query) for c, (_x, y) in enumerate(trace) if y.query is not None] == (
            [(asked, 7)] if pins == QUERY else [])
        assert [c for c, (_x, y) in enumerate(trace) if y.take] == ([asked] if pins == RETURN else [])
        handed = [(c, y.o) for c, (_x, y) in enumerate(trace) if y.o]
        if pins == READ:
            assert dq[answer:answer + 4] == dram_dq_i[answer - PHASES:answer - PHASES + 4]
        elif pins == STORE:
            assert dram_dq[stored:stored + 4] == dq_i[stored - PHASES:stored - PHASES + 4]
        elif pins == INIT:
            data = pack(dq_i[slot + CFG.cwl:slot + CFG.cwl + 4], CLOCK_BITS) & (1 << 64) - 1
            assert handed == [(handed_on(CFG), handed[0][1])] and handed[0][1].data == data
        else:
            given = trace[asked + ANSWER_LATENCY][0]
            assert pack(dq[answer:answer + 4], CLOCK_BITS) == (given.answer if pins == QUERY else given.record_burst)
        assert bool(handed) == (pins == INIT)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """An instruction every four clocks with its data, all handed on in order; then answers without a gap."""
    bench, rng = await started(dut)
    sent = [encode(*one) if isinstance(one, tuple) else encode(one) for one in ["BARRIER", "NOP", "MUL_ADD_INT4"] * 30]
    sent = [encode("LDR", buffer=k % 6, addr=k, count=k + 1) if k % 2 else one for k, one in enumerate(sent)]
    trace = await bench.run({SPACING * k: pins_of(addr) for k, (addr, _data) in enumerate(sent)}, SPACING * 90 + 60,
                            rng)
    handed = [(cycle, y.o) for cycle, (_x, y) in enumerate(trace) if y.o]
    assert [cycle for cycle, _o in handed] == [SPACING * k // PHASES + handed_on(CFG) for k in range(90)]
    words = [o.op << 8 | o.a << 4 | o.b for _cycle, o in handed]
    assert words == [addr & 1023 | addr >> 11 << 10 for addr, _data in sent]
    await bench.finish(20)

    trace = await bench.run({SPACING * k: RETURN if k % 3 else QUERY for k in range(90)}, SPACING * 90 + 60, rng)
    busy = [t for t, one in enumerate(by_clock(trace, 1, "dq_oe", 1)) if one]
    assert busy == list(range(CFG.answer, CFG.answer + SPACING * 90))
    await bench.finish(20)


@cocotb.test(**LIMIT)
async def data_of_instructions(dut):
    """The fields of an instruction arrive as they were encoded, from every slot; decoding gives them back."""
    bench, rng = await started(dut)
    for k in range(9):
        addr, data = encode("LDR", buffer="WEIGHT_FP32", addr=rng.getrandbits(32), count=rng.getrandbits(16))
        found = []
        for cycle in range(handed_on(CFG) + 1):
            lsb = (PHASES * cycle - k % PHASES - CFG.cwl) * CLOCK_BITS
            on_pins = (data << -lsb if lsb < 0 else data >> lsb) & (1 << DATA_BITS) - 1
            pins = [pins_of(addr) if (cycle, slot) == (0, k % PHASES) else DESELECT for slot in range(PHASES)]
            y = await bench.cycle(Inputs(pins=pack(pins, PIN_BITS), dq_i=on_pins))
            found += [y.o] if y.o else []
        word = found[0].op << 8 | found[0].a << 4 | found[0].b
        assert decode(word & 1023 | word >> 10 << 11, found[0].data) == decode(addr, data)
    await bench.finish()


@cocotb.test(**LIMIT)
async def too_soon(dut):
    """Instructions 1 to 7 clocks apart: one that is too near to the last accepted one is left out and flagged."""
    bench, rng = await started(dut)
    for first in range(PHASES):
        for distance in range(1, 8):
            sent = [first + distance * k for k in range(8)]
            kept = []
            for t in sent:
                kept += [t] if not kept or t - kept[-1] >= SPACING else []
            trace = await bench.run({t: INIT if t % 2 else QUERY for t in sent}, 90 + CFG.answer, rng)
            handed = [cycle for cycle, (_x, y) in enumerate(trace) if y.o]
            assert handed == [t // PHASES + handed_on(CFG) for t in kept if t % 2]
            assert sum(y.query is not None for _x, y in trace) == sum(t % 2 == 0 for t in kept)
            flagged = {cycle for cycle, (_x, y) in enumerate(trace) if y.overrun}
            assert flagged == {t // PHASES + 1 for t in sent if t not in kept}
    await bench.finish(20)


@cocotb.test(**LIMIT)
async def owner_changes(dut):
    """A command is passed on if ENMC is not the owner in its cycle, and flagged if it is: never both, never neither."""
    bench, rng = await started(dut)
    for start in range(2 * PHASES):
        commands = {t: READ if t % 8 else STORE for t in range(start, 60, 4)}
        trace = await bench.run(commands, 90 + CFG.answer, rng, owner=lambda cycle: cycle // 4 % 2 == 1)
        out = by_clock(trace, 1, "dram_pins", PIN_BITS)
        passed = [t for t in commands if t // PHASES // 4 % 2 == 0]
        assert [t - PHASES for t, pins in enumerate(out) if pins != DESELECT] == passed
        assert [c - 1 for c, (_x, y) in enumerate(trace) if y.host_command] == sorted({t // PHASES for t in passed})
        refused = sorted({t // PHASES for t in commands if t not in passed})
        assert [c - 1 for c, (_x, y) in enumerate(trace) if y.refused] == refused
        assert [c - 1 for c, (_x, y) in enumerate(trace) if not y.alert_n] == refused
        data = {t + CFG.answer + n for t in passed if commands[t] == READ for n in range(4)}
        assert {t for t, one in enumerate(by_clock(trace, 1, "dq_oe", 1)) if one} == data
    await bench.finish(20)


@cocotb.test(**LIMIT)
async def other_ranks(dut):
    """With CS_n high everything is ignored: no data pin is driven, nothing is flagged, handed on or asked."""
    bench, rng = await started(dut)
    for owner in False, True:
        commands = {t: rng.choice([INIT, QUERY, RETURN, READ, STORE, ordinary(rng)]) | 1 for t in range(300)}
        trace = await bench.run(commands, 300 + CFG.answer, rng, owner=lambda _cycle, owner=owner: owner)
        for _x, y in trace:
            assert not (y.dq_oe or y.dram_dq_oe or y.host_command or y.refused or y.overrun or y.take)
            assert y.o is None and y.query is None and y.alert_n
    await bench.finish(20)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets instructions, answers and data on their way, and deselects the DRAM."""
    bench, rng = await started(dut)
    for cycles in range(1, 20):
        commands = {t: (INIT, QUERY, READ, RETURN, STORE)[t // 4 % 5] for t in range(0, 60, 4)}
        await bench.run(commands, PHASES * cycles, rng)
        await bench.start()
        assert (await bench.cycle(Inputs())).dram_pins == IDLE
        await bench.finish(15)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(host_port.EVENTS, seen(Model.NAME), f"cfg={CFG}")
