"""cocotb bench of hdl.eie.io_port, run by test_io_port.py inside the simulator."""

import random

import cocotb

from golden.eie import io_port
from golden.eie.config import EieConfig
from golden.eie.formats import BEAT_BITS, Mem, Op, Walk, beats, mem_bits, mem_words
from hdl.common.axi import axi_stream_layout
from hdl.eie.io_port import port_access_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, fields_of
from tests.eie.central import CentralBench, simulate
from tests.eie.io_port_commands import (
    Beat,
    case_packet,
    cycles_of,
    legal_command,
    packet,
    packet_of,
    random_packet,
    rule_cases,
)
from tests.eie.io_port_traffic import IDLE, Access, IoPortInputs, IoPortModel, IoPortOutputs, Traffic

CFG = config(EieConfig)
BEAT, ACCESS = fields_of(axi_stream_layout(BEAT_BITS)), fields_of(port_access_layout(CFG))
WORDS = mem_words(CFG)
#: The first beat of a packet waits a cycle. After its last cycle its word goes over the bus and into the memory, or its
#: beat over the stream; in the next cycle nothing happens any more.
AROUND = {Op.WRITE: 1 + 3, Op.READ: 1 + 2}


class Bench(CentralBench):
    def __init__(self, dut):
        super().__init__(dut, IoPortModel(CFG), name="io_port", cfg=CFG, streams=["o"], idle=IDLE)
        self._announced = None

    async def started(self):
        self._announced = None
        return await super().started()

    def drive(self, x):
        for name in ("idle", "clear", "answer"):
            self.write(name, getattr(x, name))
        self.write("o__ready", x.o_ready)
        self.offer("i", BEAT, x.i and x.i._asdict())

    def sample(self, x):
        beat, access = self.payload("o", BEAT), ACCESS.unpack(self.read("access"))
        announced, self._announced = self._announced, access
        if announced and announced.valid:
            carried = Access.compared(*announced._replace(addr=access.addr, wdata=access.wdata)[1:])
        else:
            carried = None
        return IoPortOutputs(bool(self.read("i__ready")), beat and Beat(beat.data, bool(beat.last)), carried,
                             bool(self.read("active")), bool(self.read("error")))


async def run(bench, packets, rng, **options):
    """Carry out the packets with a cleared error flag and check what happens; the cycles it takes."""
    await bench.cycle(IoPortInputs(clear=True))
    return await simulate(bench, Traffic(CFG, packets, rng, **options))


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.2, 1.0], p_idle=[0.5, 1.0])
async def command_soup(dut, p_valid, p_ready, p_idle):
    """Every cycle of random packets, legal, faulty or cut, while programs come and go, equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    packets = [random_packet(CFG, rng) for _ in range(40 if CFG.n_pe < 64 else 8)]
    await run(await Bench(dut).started(), packets, rng, p_valid=p_valid, p_ready=p_ready, p_idle=p_idle)


@cocotb.test(**LIMIT)
async def soup_with_cleared_flags(dut):
    """The host clears the error flag at any time, also in the cycle of a new error."""
    rng = random.Random(cocotb.RANDOM_SEED)
    packets = [packet_of({"op": 15}, [0] * rng.randrange(4)) for _ in range(50)]
    await run(await Bench(dut).started(), packets, rng, p_valid=0.7, p_clear=0.5)


@cocotb.test(**LIMIT)
async def every_rule(dut):
    """Each rule at its last legal and its first illegal value; a legal command after each of them is carried out."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    after = packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, mem=Mem.ACT_SRAM, walk=Walk.ONE))
    for name, c, ended, is_legal in rule_cases(CFG, rng):
        if CFG.n_pe >= 64 and c["walk"] == Walk.INTERLEAVED and c["mem"] != Mem.ACT_SRAM:
            continue  # long, and the same for every memory; the small configurations run it
        await run(bench, [case_packet(CFG, rng, c, ended, is_legal), after], rng)
        assert (await bench.cycle(IDLE)).error != is_legal, name


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_ready=[0.3, 1.0])
async def every_memory(dut, p_ready):
    """Words of every memory, at both ends of it, are written by every walk and read back by every walk."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for mem in Mem:
        walks = [Walk.ONE] if mem is Mem.PROGRAM else list(Walk)
        for walk in walks:
            for addr in (0, WORDS[mem] - 2):
                place = {"mem": mem, "addr": addr, "pe": 0}
                count = 2 * CFG.n_pe if walk == Walk.INTERLEAVED else 2
                packets = [packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, walk=walk, count=count, **place))]
                for back in walks:
                    if back is not Walk.ALL:
                        count = 2 * min(CFG.n_pe, 8) if back == Walk.INTERLEAVED else 2
                        packets.append(packet(CFG, rng, legal_command(CFG, rng, op=Op.READ, walk=back, count=count,
                                                                      **place)))
                await run(bench, packets, rng, p_ready=p_ready)


@cocotb.test(**LIMIT)
async def framing(dut):
    """TLAST from the first data beat up to some beats too late: whole words are written, the rest is skipped."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    after = packet(CFG, rng, legal_command(CFG, rng, op=Op.READ, mem=Mem.PTR, walk=Walk.ONE))
    for mem in Mem:
        c = legal_command(CFG, rng, op=Op.WRITE, mem=mem, walk=Walk.ONE, addr=0, count=2)
        needed = 2 * beats(mem_bits(CFG)[mem])
        for data in range(1, needed + 4):
            await run(bench, [packet(CFG, rng, c, data - needed), after], rng)
            assert (await bench.cycle(IDLE)).error == (data != needed)


@cocotb.test(**LIMIT)
async def clear_command(dut):
    """A register file that is cleared reads as zero in every PE; the other one keeps its words."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    files, count = (Mem.ACT0, Mem.ACT1), min(CFG.n_pe, 16)
    for cleared in files:
        packets = [packet(CFG, rng, legal_command(CFG, rng, op=op, mem=mem, walk=Walk.INTERLEAVED, addr=0, count=count))
                   for op in (Op.WRITE, Op.READ) for mem in files]
        packets.insert(2, packet(CFG, rng, legal_command(CFG, rng, op=Op.CLEAR, mem=cleared)))
        await run(bench, packets, rng)


@cocotb.test(**LIMIT)
async def waits_for_the_program(dut):
    """While a program runs no command is taken, two beats wait; one that is taken goes on."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    command, data = packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE, mem=Mem.PTR, walk=Walk.ONE, addr=0, count=1))
    for beat in command, data:  # both places in front of the port
        assert (await bench.cycle(IoPortInputs(idle=False, i=beat))).i_ready
    for _ in range(20):
        y = await bench.cycle(IoPortInputs(idle=False, i=command))
        assert not y.i_ready and y.active and y.access is None
    y = await bench.cycle(IDLE)
    assert not y.i_ready
    # Taken, checked, written, on the bus: a program that starts meanwhile does not matter.
    for _ in range(3):
        y = await bench.cycle(IoPortInputs(idle=False))
        assert y.active and y.access is None
    y = await bench.cycle(IDLE)
    assert y.access is not None and y.active
    y = await bench.cycle(IDLE)
    assert not (y.active or y.error)
    bench.collect()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Writing takes 2 cycles and one a beat, reading 2 cycles and 5 + beats a word; commands follow at once."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    packets = []
    for mem in Mem:
        for op in (Op.WRITE, Op.READ):
            for count in (1, 2):
                c = legal_command(CFG, rng, op=op, mem=mem, walk=Walk.ONE, addr=0, count=count)
                packets.append(packet(CFG, rng, c))
                size = beats(mem_bits(CFG)[mem])
                assert cycles_of(CFG, packets[-1]) == 2 + count * (size if op == Op.WRITE else 5 + size)
                assert await run(bench, packets[-1:], rng) == cycles_of(CFG, packets[-1]) + AROUND[op]
    packets.append(packet(CFG, rng, legal_command(CFG, rng, op=Op.CLEAR)))
    packets.append(packet_of({"op": 3}, [1, 2, 3]))
    rng.shuffle(packets)
    # The last packet is one that ends with a word on the bus.
    packets.append(packet(CFG, rng, legal_command(CFG, rng, op=Op.WRITE)))
    assert await run(bench, packets, rng) == sum(cycles_of(CFG, p) for p in packets) + AROUND[Op.WRITE]


@cocotb.test(**LIMIT)
async def reset_mid_command(dut):
    """A reset ends a command in every state, and withdraws its reply."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for op in (Op.WRITE, Op.READ, 3):
        c = legal_command(CFG, rng, op=Op.WRITE, mem=Mem.PROGRAM, addr=0, count=1) | {"op": op}
        beats_of_packet = packet(CFG, rng, c) if op != 3 else packet_of(c, [1, 2, 3])
        for cycles in range(1, 12):
            traffic = Traffic(CFG, [beats_of_packet], rng, p_ready=0)
            for _ in range(cycles):
                x = traffic.inputs()
                traffic.taken(x, await bench.cycle(x))
            await bench.started()
            assert (await bench.cycle(IDLE)) == IoPortOutputs(True, None, None, False, False)
            await run(bench, [packet(CFG, rng, legal_command(CFG, rng, op=Op.READ, walk=Walk.ONE))], rng)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(io_port.EVENTS, seen("io_port"), f"cfg={CFG}")
