"""cocotb bench of hdl.duet.io_port, run by test_io_port.py inside the simulator."""

import random

import cocotb

from golden.duet import io_port
from golden.duet.config import DuetConfig
from golden.duet.formats import BEAT_BITS, START_LATENCY, Op, Target, chain_beats, target_beats
from hdl.common.axi import axi_stream_layout
from hdl.duet.io_port import bus_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of
from tests.duet.io_port_commands import Beat, case_packet, legal_command, packet, random_packet, rule_cases
from tests.duet.io_port_traffic import Access, Inputs, Model, Traffic

CFG = config(DuetConfig)
BEAT, BUS, BEATS = fields_of(axi_stream_layout(BEAT_BITS)), fields_of(bus_layout()), target_beats(CFG)


class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"i": BEAT, "o": BEAT}, ("o",)

    def _get(self, name):
        if name == "access":
            bus = BUS.unpack(self._value("access"))
            if not bus.valid:
                return None
            bits = BEATS[Target(bus.target)] * BEAT_BITS
            return Access(bus.target, bus.addr, self._value("wdata") & (1 << bits) - 1 if bus.write else None)
        if name == "chain":
            return self._value("chain") if self._value("shift") else None
        value = super()._get(name)
        return value if value is None or name != "o" else Beat(value.data, bool(value.last))

    async def run(self, packets, rng, **options):
        """Carry out the packets with a cleared error flag and check what happens; the cycles it takes."""
        await self.cycle(Inputs(clear=True))
        traffic, start = Traffic(CFG, packets, rng, **options), self.cycle_number
        while not traffic.done:
            x = traffic.inputs()
            traffic.taken(x, await self.cycle(x))
        traffic.check()
        self.collect()
        return self.cycle_number - start


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0], p_ready=[0.4, 1.0])
async def soup(dut, p_valid, p_ready):
    """Legal and faulty packets of all kinds, with gaps and stalls, while stages of all lengths run."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(8):
        packets = [random_packet(CFG, rng) for _ in range(rng.randint(1, 12))]
        await bench.run(packets, rng, p_valid=p_valid, p_ready=p_ready, longest=rng.choice([1, 12, 80]))


@cocotb.test(**LIMIT)
async def soup_with_cleared_flags(dut):
    """The error flag is cleared at random."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.run([random_packet(CFG, rng) for _ in range(40)], rng, p_valid=0.7, p_ready=0.7, p_clear=0.1)


@cocotb.test(**LIMIT)
async def every_rule(dut):
    """Every rule at its boundary: the command does what it should, or only sets the flag."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _name, c, ended, is_legal in rule_cases(CFG):
        await bench.run([case_packet(CFG, rng, c, ended, is_legal)], rng, longest=1)


@cocotb.test(**LIMIT)
async def every_memory(dut):
    """Words of every width reach their memory, and come back where they can be read."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for target in Target:
        write = legal_command(CFG, rng, op=Op.WRITE, target=target, count=3)
        packets = [packet(CFG, rng, write)]
        if target <= Target.MAP:
            packets.append(packet(CFG, rng, write | {"op": Op.READ}))
        await bench.run(packets, rng)


@cocotb.test(**LIMIT)
async def stages_one_after_the_other(dut):
    """The next chain comes in while a stage runs, and holds when that is over; so do words."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    ops = [Op.RUN, Op.RUN, Op.RUN, Op.WRITE, Op.RUN, Op.READ, Op.RUN, Op.RUN]
    await bench.run([packet(CFG, rng, legal_command(CFG, rng, op=op)) for op in ops], rng, longest=300)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Writing takes 2 cycles and one a beat; reading max(4, beats) for each further word; RUN the chain and 7."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)

    async def cycles(**changes):
        return await bench.run([packet(CFG, rng, legal_command(CFG, rng, **changes))], rng, longest=1)

    for target in Target:
        first = await cycles(op=Op.WRITE, target=target, count=1)
        assert await cycles(op=Op.WRITE, target=target, count=5) == first + 4 * BEATS[target]
        assert first == 5 + BEATS[target]
    first = await cycles(op=Op.READ, target=Target.GLB, count=1)
    assert await cycles(op=Op.READ, target=Target.GLB, count=5) == first + 4 * max(4, BEATS[Target.GLB])
    assert await cycles(op=Op.RUN) == 1 + 2 + chain_beats(CFG) + 2 + START_LATENCY
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_mid_command(dut):
    """A reset ends a command in every state, and withdraws its reply."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for op in Op:
        for cycles in range(1, 16):
            traffic = Traffic(CFG, [packet(CFG, rng, legal_command(CFG, rng, op=op))], rng, p_ready=0)
            for _ in range(cycles):
                x = traffic.inputs()
                traffic.taken(x, await bench.cycle(x))
            await bench.start()
            y = await bench.cycle(Inputs())
            assert y.i_ready and not (y.o or y.access or y.update or y.active or y.error or y.chain is not None)
            await bench.run([packet(CFG, rng, legal_command(CFG, rng, op=Op.READ))], rng)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(io_port.EVENTS, seen(Model.NAME), f"cfg={CFG}")
