"""cocotb bench of hdl.dota.io_port, run by test_io_port.py inside the simulator."""

import random

import cocotb

from golden.dota import io_port
from golden.dota.config import DotaConfig
from golden.dota.formats import BEAT_BITS, INBOX_BEATS, START_LATENCY, Op
from hdl.common.axi import axi_stream_layout
from hdl.common.beats import word_layout
from hdl.dota.io_port import bus_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of, gaps
from tests.dota.io_port_commands import (
    STEP_BEATS,
    Beat,
    case_packet,
    cycles_of,
    legal_command,
    packet,
    packet_of,
    random_packet,
    rule_cases,
    step_beats,
    step_cases,
    word_beats,
)
from tests.dota.io_port_traffic import Access, Inputs, Model, Result, Traffic

CFG = config(DotaConfig)
BEAT, WORD, BUS = (fields_of(layout) for layout in (axi_stream_layout(BEAT_BITS), word_layout(CFG.word_bits),
                                                   bus_layout(CFG)))
#: The first beat of a packet waits a cycle. After its last cycle its word goes over the bus and into the lane, or its
#: beats go over the stream behind the register of a word; then nothing happens any more.
AROUND = {Op.WRITE: 1 + 3, Op.READ: 1 + 2 + word_beats(CFG)}


#: Cycles from the first beat of a command for one word, or of a step, to the access or the start.
USUAL = {Op.WRITE: 3 + word_beats(CFG), Op.READ: 4, Op.RUN: 4 + STEP_BEATS}


class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"i": BEAT, "o": BEAT, "results": WORD, "access": BUS}, ("o",)

    def _get(self, name):
        if name == "access":
            bus = BUS.unpack(self._value("access"))
            return Access(bus.lanes, bus.addr, self._value("wdata") if bus.write else None) if bus.valid else None
        value = super()._get(name)
        return value if value is None or name != "o" else Beat(value.data, bool(value.last))

    async def run(self, packets, rng, **options):
        """Carry out the packets with a cleared error flag and check what happens; the cycles it takes."""
        await self.cycle(Inputs(clear=True))
        traffic, start = Traffic(CFG, packets, rng, **options), self.cycle_number
        while not traffic.done:
            x = traffic.inputs()
            traffic.taken(x, await self.cycle(x))
        cycles = self.cycle_number - start
        traffic.check()
        self.collect()
        return cycles


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.2, 1.0], p_idle=[0.5, 1.0])
async def command_soup(dut, p_valid, p_ready, p_idle):
    """Every cycle of random packets, legal, faulty or cut, and of steps with results, equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    packets = [random_packet(CFG, rng) for _ in range(60 if word_beats(CFG) < 8 else 20)]
    await (await started(dut)).run(packets, rng, p_valid=p_valid, p_ready=p_ready, p_idle=p_idle)


@cocotb.test(**LIMIT)
async def soup_with_cleared_flags(dut):
    """The host clears the error flag at any time, also in the cycle of a new error."""
    rng = random.Random(cocotb.RANDOM_SEED)
    packets = [packet_of({"op": 15}, [0] * rng.randrange(4)) for _ in range(50)]
    packets += [packet_of({"op": Op.RUN, "lanes": 1, "count": 1}, step_beats(rng, step=0)) for _ in range(10)]
    await (await started(dut)).run(packets, rng, p_valid=0.7, p_clear=0.5)


@cocotb.test(**LIMIT)
async def every_rule(dut):
    """Each rule at its last legal and its first illegal value; a legal command after each of them is carried out."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    after = packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, count=1))
    for name, c, ended, is_legal in rule_cases(CFG):
        await bench.run([case_packet(CFG, rng, c, ended, is_legal), after], rng)
        assert (await bench.cycle(Inputs())).error != is_legal, name
    for name, changes, is_legal in step_cases():
        run = packet_of(legal_command(CFG, rng, op=Op.RUN), step_beats(rng, **changes))
        await bench.run([run, after], rng)
        assert (await bench.cycle(Inputs())).error != is_legal, name


@cocotb.test(**LIMIT)
async def every_lane(dut):
    """Words at both ends and at the edges of the bank ranges are written to one lane, to all, and to some of them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    masks = sorted({*(1 << lane for lane in range(CFG.lanes)), (1 << CFG.lanes) - 1, 0x55 & (1 << CFG.lanes) - 1})
    for addr in 0, 4 * CFG.bank_words - 1, 8 * CFG.bank_words, CFG.words - 2:
        for mask in masks:
            place = {"addr": addr, "count": 2}
            packets = [packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, lanes=mask, **place))]
            packets += [packet(CFG, rng, legal_command(CFG, rng, op=Op.READ, lanes=1 << lane, **place))
                        for lane in range(CFG.lanes)]
            await bench.run(packets, rng)


@cocotb.test(**LIMIT)
async def framing(dut):
    """TLAST from the first data beat up to some beats too late: whole words are written, no step starts."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    after = packet(CFG, rng, legal_command(CFG, rng, op=Op.READ))
    for op, needed in (Op.WRITE, 2 * word_beats(CFG)), (Op.RUN, STEP_BEATS):
        c = legal_command(CFG, rng, op=op, **{"addr": 0, "count": 2} if op == Op.WRITE else {})
        for beats in range(1, needed + 4):
            await bench.run([packet(CFG, rng, c, beats - needed), after], rng)
            assert (await bench.cycle(Inputs())).error == (beats != needed)


@cocotb.test(**LIMIT)
async def waits_for_the_lanes(dut):
    """A command waits while one of its lanes runs, and two beats behind it; what has begun goes on."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    every = (1 << CFG.lanes) - 1
    write = packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, lanes=every, addr=0, count=2))
    sent = 0
    for cycle in range(20):
        y = await bench.cycle(Inputs(busy=1 << cycle % CFG.lanes, i=write[sent] if sent < len(write) else None))
        sent += y.i_ready and sent < len(write)
        assert y.access is None and (y.active or not cycle)
    assert sent == min(1 + INBOX_BEATS, len(write)), "the command itself, and what fits before the port"
    addresses = []
    for cycle in range(1 + 2 * word_beats(CFG) + 3):    # checked, written: what begins meanwhile does not matter
        y = await bench.cycle(Inputs(busy=every if cycle else 0, i=write[sent] if sent < len(write) else None))
        sent += y.i_ready and sent < len(write)
        addresses += [y.access.addr] if y.access else []
    assert addresses == [0, 1] and not (y.active or y.error)
    await bench.finish()


@cocotb.test(**LIMIT)
async def a_bad_command_does_not_wait(dut):
    """An illegal command is refused at once, whatever runs."""
    bench = await started(dut)
    bad, = packet_of({"op": Op.WRITE, "lanes": 1, "count": 1}, [])     # ends where its data should be
    every = (1 << CFG.lanes) - 1
    flags = [(await bench.cycle(Inputs(busy=every, i=bad if cycle == 0 else None))).error for cycle in range(5)]
    assert flags == [False, False, False, True, True]
    bench.collect()


async def first_effect(bench, beats, busy):
    """Cycles from the first beat of a packet to its first access or start; then all that it does. ``busy`` is a
    function of the cycle."""
    source, effect = Source(beats, gaps(1, random.Random(1)), idle=None), None
    for cycle in range(30 + 3 * word_beats(CFG)):
        y = await bench.cycle(Inputs(busy=busy(cycle), i=source.offer()[1], o_ready=True, answer=cycle))
        source.taken(y.i_ready)
        if effect is None and (y.access or y.start):
            effect = cycle
    assert not y.active
    return effect


@cocotb.test(**LIMIT)
async def beside_other_lanes(dut):
    """Commands for one lane are carried out in their usual time while all others run."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for lane in range(CFG.lanes):
        others = (1 << CFG.lanes) - 1 & ~(1 << lane)
        for op, cycles in USUAL.items():
            beats = packet(CFG, rng, legal_command(CFG, rng, op=op, lanes=1 << lane, count=1))
            alone = await first_effect(bench, beats, lambda _: 0)
            assert alone == await first_effect(bench, beats, lambda _, others=others: others) == cycles
    await bench.finish()


@cocotb.test(**LIMIT)
async def waits_for_the_accumulator(dut):
    """Beside a step with ``reduce`` other lanes are written and run steps; a READ and another ``reduce`` wait."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    begins, ends, alone = USUAL[Op.RUN], 20, CFG.lanes == 1
    checked = ends if alone else 2      # with one lane everything waits for it
    for op, reduce, cycles in ((Op.WRITE, 0, checked + 1 + word_beats(CFG)), (Op.RUN, 0, checked + 2 + STEP_BEATS),
                               (Op.READ, 0, ends + 2), (Op.RUN, 1, ends + (2 + STEP_BEATS if alone else 1))):
        await bench.start()
        first = packet_of(legal_command(CFG, rng, op=Op.RUN, lanes=1), step_beats(rng, reduce=1))
        assert await first_effect(bench, first, lambda cycle: cycle >= begins + START_LATENCY) == begins
        c = legal_command(CFG, rng, op=op, lanes=1 if alone else 2, count=1)
        beats = packet_of(c, step_beats(rng, reduce=reduce)) if op == Op.RUN else packet(CFG, rng, c)
        assert await first_effect(bench, beats, lambda cycle: cycle < ends) == cycles, (op, reduce)
    await bench.finish()


@cocotb.test(**LIMIT)
async def settles(dut):
    """A RUN behind a RUN is not looked at before START_LATENCY is over, even if ``busy`` stays 0 that long."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    run = packet(CFG, rng, legal_command(CFG, rng, op=Op.RUN, lanes=1))
    beats = [*run, *run]
    started_at = None
    for cycle in range(60):
        busy = started_at is not None and cycle >= started_at + START_LATENCY
        y = await bench.cycle(Inputs(busy=busy, i=beats[0] if beats else None))
        beats = beats[1:] if y.i_ready else beats
        if y.start:
            assert started_at is None, "the second step must wait"
            started_at = cycle
    assert started_at == 1 + 2 + STEP_BEATS + 1 and len(beats) == len(run) - 1 - INBOX_BEATS


@cocotb.test(**LIMIT)
async def read_waits_for_its_turn(dut):
    """Results that come during a READ wait until its last word is handed on, and follow it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    read, = packet(CFG, rng, legal_command(CFG, rng, op=Op.READ, count=2))
    await bench.cycle(Inputs(i=read))
    result, taken, replies = Result(rng.getrandbits(CFG.word_bits), True), None, []
    for cycle in range(80):
        x = Inputs(results=result if cycle >= 3 and taken is None else None, o_ready=rng.random() < 0.7, answer=5)
        y = await bench.cycle(x)
        if x.results and y.results_ready:
            taken = cycle
        if y.o and x.o_ready:
            replies.append(y.o)
    beats = word_beats(CFG)
    assert taken is not None and len(replies) == 3 * beats
    assert [beat.last for beat in replies] == [k + 1 in (2 * beats, 3 * beats) for k in range(3 * beats)]
    bench.collect()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Writing takes 2 cycles and one a beat, reading 10 and max(7, beats) for each further word."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    packets, beats = [], word_beats(CFG)
    for count in (1, 2, 5):
        for op, cycles in (Op.WRITE, 2 + count * beats), (Op.READ, 10 + (count - 1) * max(7, beats)):
            packets.append(packet(CFG, rng, legal_command(CFG, rng, op=op, count=count)))
            assert cycles_of(CFG, packets[-1]) == cycles
            assert await bench.run(packets[-1:], rng) == cycles + AROUND[op]
    writes = packets[::2] * 3
    assert await bench.run(writes, rng) == sum(cycles_of(CFG, p) for p in writes) + AROUND[Op.WRITE]


@cocotb.test(**LIMIT)
async def results_leave_without_a_gap(dut):
    """One beat a cycle for results, the first one two cycles after its word."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    words = [Result(rng.getrandbits(CFG.word_bits), k == 4) for k in range(5)]
    left, leaves = list(words), []
    for cycle in range(5 * word_beats(CFG) + 4):
        y = await bench.cycle(Inputs(busy=1, results=left[0] if left else None, o_ready=True))
        if left and y.results_ready:
            left.pop(0)
        if y.o:
            leaves.append(cycle)
    assert leaves == list(range(2, 2 + 5 * word_beats(CFG)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_command(dut):
    """A reset ends a command in every state, and withdraws its reply."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind in (*Op, 3):
        beats = packet(CFG, rng, legal_command(CFG, rng, op=kind)) if kind != 3 else packet_of({"op": 3}, [1, 2, 3])
        for cycles in range(1, 16):
            traffic = Traffic(CFG, [beats], rng, p_ready=0)
            for _ in range(cycles):
                x = traffic.inputs()
                traffic.taken(x, await bench.cycle(x))
            await bench.start()
            y = await bench.cycle(Inputs())
            assert y.i_ready and not (y.o or y.access or y.start or y.active or y.error)
            await bench.run([packet(CFG, rng, legal_command(CFG, rng, op=Op.READ))], rng)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; a single lane has no other beside it."""
    impossible = {"beside_others", "read_waits_for_sums", "step_waits_for_sums"} if CFG.lanes == 1 else set()
    assert_all(set(io_port.EVENTS) - impossible, seen(Model.NAME), f"cfg={CFG}")
