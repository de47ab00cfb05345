"""cocotb bench of hdl.eie.top, run by test_top.py inside the simulator: everything goes through the AXI ports.

Every cycle is compared with the golden model; every channel pauses at random.
"""

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiResp

from golden.common.axi import RegisterModel
from golden.common.fields import pack_fields
from golden.eie import host
from golden.eie.compiler import pack
from golden.eie.formats import COUNTERS, PASS_FIELDS, Mem, Walk, mem_words
from golden.eie.registers import ID, SATURATION_BASE
from golden.eie.spec import Layer
from sim.common.coverage import assert_all, seen
from sim.eie.coverage import PLAN, UNITS
from tests.eie import io_port_commands
from tests.eie.networks import expected
from tests.eie.program_traffic import legal_pass, rule_cases
from tests.eie.top_bench import CFG, CLEAR, REGISTERS, START, STATUS, Bench, Reference
from tests.eie.top_traffic import IN_PES, Shadow, big_small_codes, random_memories, random_program, random_words

LIMIT = {"timeout_time": 20, "timeout_unit": "ms"}
#: Bytes of the register map.
MAP_END = SATURATION_BASE + 0x100


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.5, 1.0])
async def memories(dut, p):
    """Every memory is written in full in every walk, and all of it comes back; programs run between."""
    bench = await Bench.started(dut, p)
    rng, shadow = bench.rng, bench.shadow
    await bench.fill()
    for walk in Walk:
        for mem in Mem:
            count = mem_words(CFG)[mem]
            if mem is Mem.PROGRAM:
                await bench.send(shadow.write(mem, random_words(rng, CFG, mem, count)))
            elif walk is Walk.ONE:
                for pe in rng.sample(range(CFG.n_pe), CFG.n_pe):
                    await bench.send(shadow.write(mem, random_words(rng, CFG, mem, count), pe=pe))
            else:
                count *= CFG.n_pe if walk is Walk.INTERLEAVED else 1
                await bench.send(shadow.write(mem, random_words(rng, CFG, mem, count), walk=walk))
        await bench.check_all_memories()
        await bench.write_program([pack_fields(PASS_FIELDS, legal_pass(CFG, rng, load=0, store=0, swap=0))])
        await bench.run_program(1)
    for mem in Mem.ACT0, Mem.ACT1:
        await bench.send(shadow.write(mem, random_words(rng, CFG, mem, 5), pe=1, addr=2))
        await bench.send(shadow.clear(mem))
        await bench.check_memory(mem, walk=Walk.INTERLEAVED)
    # Parts of a memory, and single words.
    for _ in range(40):
        mem = rng.choice(IN_PES)
        walk = rng.choice([Walk.ONE, Walk.INTERLEAVED])
        addr = rng.randrange(mem_words(CFG)[mem])
        room = (mem_words(CFG)[mem] - addr) * (CFG.n_pe if walk is Walk.INTERLEAVED else 1)
        count = rng.choice([1, room, rng.randint(1, room)])
        if count > 30:
            continue
        where = {"walk": walk, "addr": addr, "pe": rng.randrange(CFG.n_pe) if walk is Walk.ONE else 0}
        await bench.send(shadow.write(mem, random_words(rng, CFG, mem, count), **where))
        if mem in (Mem.SPMAT, Mem.PTR, Mem.CODEBOOK, Mem.ACT_SRAM):
            await bench.check_memory(mem, count=count, **where)
    assert await bench.status() == {"done"} | (await bench.status() & {"saturated", "row_error"})
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.3, 0.8, 1.0])
async def programs(dut, p):
    """Any pass after any other, over random memories whose pointers also fall."""
    bench = await Bench.started(dut, p)
    for _ in range(2):
        await bench.fill()
        for _ in range(8):
            words = random_program(bench.rng, CFG)
            await bench.write_program(words)
            await bench.run_program(len(words))
            assert await bench.status() >= {"done"}
            assert await bench.read("number") == len(words)
            await bench.check_results()
        # What stores and accumulators left: the comparison sees every reply.
        for mem in Mem.ACT0, Mem.ACT1, Mem.ACT_SRAM:
            packet, _ = bench.shadow.expected(mem, walk=Walk.INTERLEAVED)
            await bench.ask(packet)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.4, 1.0])
async def register_map(dut, p):
    """Every register answers, every other address is refused; what is written is kept where it may be."""
    bench = await Bench.started(dut, p)
    reference = Reference(bench)
    await reference.load()
    await reference.check()
    table = RegisterModel(REGISTERS)
    counters = bench.model.state.counters
    table.values |= {"id": ID, "size": CFG.n_pe | CFG.data_bits << 16 | CFG.run_ahead << 24,
                     "length": len(reference.image.program), "number": len(reference.image.program),
                     "status": await bench.read("status"),
                     "saturation_0": sum(int(f) << k for k, f in enumerate(bench.model.state.arithmetic.saturated))}
    for name, value in zip(COUNTERS, counters.tolist(), strict=True):
        table.values |= {f"{name}_low": value & 2**32 - 1, f"{name}_high": value >> 32}
    assert table.values["status"] & ~STATUS["saturated"] == STATUS["done"]
    for offset in range(0, MAP_END, 4):
        answer = await bench.axil.read(offset, 4)
        assert (answer.resp, int.from_bytes(answer.data, "little")) == table.read(offset), hex(offset)
    for offset in range(0, MAP_END, 4):
        if offset != bench.offsets["control"]:
            data = bench.rng.getrandbits(32)
            answer = await bench.axil.write(offset, data.to_bytes(4, "little"))
            assert answer.resp == table.write(offset, data)[0], hex(offset)
            assert answer.resp == (AxiResp.OKAY if offset == bench.offsets["length"] else AxiResp.SLVERR)
    await bench.axil.write(bench.offsets["length"] + 1, b"\x5a")
    table.write(bench.offsets["length"], 0x5A00, 0b0010)
    for register in REGISTERS:
        assert await bench.read(register.name) == table.read(register.offset)[1], register.name
    await reference.check()
    await bench.finish()


@cocotb.test(**LIMIT)
async def refused_starts(dut):
    """A start while a program runs, or while a stream command is active, changes nothing but a flag."""
    bench = await Bench.started(dut)
    reference = Reference(bench)
    await reference.load()
    await reference.check()
    await bench.fill()
    # A column of many entries, so that the program runs for a while.
    await bench.send(bench.shadow.write(Mem.PTR, [0, CFG.spmat_entries], pe=2))
    await bench.send(bench.shadow.write(Mem.ACT0, [5]))
    await bench.write_program([pack_fields(PASS_FIELDS, {"clear": 1, "finish": 1})])
    await bench.write("length", 1)
    await bench.write("control", START)
    assert await bench.status() >= {"running"}
    assert not await bench.status() & {"done", "start_error"}
    await bench.write("control", START)
    assert await bench.status() >= {"running", "start_error"}
    await bench.write("control", CLEAR)
    assert not await bench.status() & {"start_error"}
    await bench.write("control", START | CLEAR)
    assert await bench.status() >= {"running", "start_error"}
    # A command that comes meanwhile waits for the end of the program.
    word = bench.rng.getrandbits(CFG.data_bits)
    await bench.send(bench.shadow.write(Mem.ACT_SRAM, [word], pe=3, addr=7))
    assert await bench.status() >= {"running", "start_error"}
    await bench.recorder.idle.wait()
    await bench.check_memory(Mem.ACT_SRAM, pe=3, addr=7, count=1)
    assert await bench.status() >= {"done", "start_error"}
    await bench.check_results()
    await bench.write("control", CLEAR)
    assert not await bench.status() & {"start_error", "saturated", "row_error"}

    # Half of a packet.
    number = await bench.read("number")
    words = random_words(bench.rng, CFG, Mem.ACT_SRAM, CFG.act_words)
    packet = bench.shadow.write(Mem.ACT_SRAM, words, pe=1)
    await bench.send(packet)
    await ClockCycles(dut.clk, len(packet) // 2)
    bench.source.clear_pause_generator()
    bench.source.pause = True
    await bench.write("control", START)
    await ClockCycles(dut.clk, 30)
    assert await bench.status() == {"done", "start_error"}
    assert await bench.read("number") == number
    bench.source.pause = False
    await bench.check_memory(Mem.ACT_SRAM, pe=1)
    await bench.write("control", CLEAR)
    assert await bench.status() == {"done"}
    await reference.load()
    await reference.check()
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.6, 1.0])
async def illegal_programs(dut, p):
    """Every rule of a pass through the ports: the program ends before it, and the next one runs as ever."""
    bench = await Bench.started(dut, p)
    reference = Reference(bench)
    await reference.load()
    for packet in random_memories(bench.rng, bench.shadow):
        await bench.send(packet)
    await reference.load()
    cases = rule_cases(CFG, bench.rng)
    bench.rng.shuffle(cases)
    refused = 0
    for index, (name, values, is_legal) in enumerate(cases):
        before = [legal_pass(CFG, bench.rng, load=0, store=0) for _ in range(bench.rng.randrange(3))]
        for fields in before:
            if bench.rng.random() < 0.5:
                fields.update(finish=0, swap=0)
        await bench.write_program([pack_fields(PASS_FIELDS, fields) for fields in [*before, values]])
        await bench.run_program(len(before) + 1)
        assert await bench.read("number") == len(before) + is_legal, name
        errors = set() if is_legal else {"program_error"}
        assert await bench.status() - {"saturated", "row_error"} == {"done"} | errors, name
        refused += not is_legal
        if index % 20 == 0:
            await reference.check()
    assert refused > 20
    for length in 0, CFG.program_words + 1, 2**32 - 1:
        await bench.run_program(length)
        assert await bench.read("number") == 0
        assert await bench.status() - {"saturated", "row_error"} == {"done", "program_error"}
    await bench.write("control", CLEAR)
    assert await bench.status() == {"done"}
    await reference.check()
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.5, 1.0])
async def malformed_commands_are_skipped(dut, p):
    """Every rule of a command: an error, nothing is written, and the next command is understood."""
    bench = await Bench.started(dut, p)
    rng, shadow = bench.rng, bench.shadow
    await bench.fill()
    await bench.send(shadow.write(Mem.PROGRAM, random_words(rng, CFG, Mem.PROGRAM, CFG.program_words)))
    cases = [case for case in io_port_commands.rule_cases(CFG, rng) if not case[-1]]
    assert len(cases) > 50
    for index, (name, *case) in enumerate(cases):
        await bench.send([beat.data for beat in io_port_commands.case_packet(CFG, rng, *case)])
        await bench.source.wait()
        await ClockCycles(dut.clk, 3)
        assert await bench.status() == {"io_error"}, name
        await bench.write("control", CLEAR)
        assert not await bench.status(), name
        if index % 10 == 0:
            await bench.check_memory(Mem.ACT_SRAM, walk=Walk.INTERLEAVED, count=9)
    await bench.check_all_memories()

    # TLAST too early: what came is written. Too late: the rest is skipped.
    words = random_words(rng, CFG, Mem.ACT_SRAM, 6)
    for cut in range(1, 6):
        shadow.write(Mem.ACT_SRAM, words[:cut], pe=2, addr=9)
        packet = Shadow(CFG).write(Mem.ACT_SRAM, words, pe=2, addr=9)
        await bench.send(packet[:cut + 1])
        await bench.check_memory(Mem.ACT_SRAM, pe=2)
        assert await bench.status() == {"io_error"}
        await bench.write("control", CLEAR)
    for excess in 1, 2, 5:
        packet = shadow.write(Mem.ACT_SRAM, random_words(rng, CFG, Mem.ACT_SRAM, 3), addr=1)
        await bench.send(packet + [rng.getrandbits(64) for _ in range(excess)])
        await bench.check_memory(Mem.ACT_SRAM)
        assert await bench.status() == {"io_error"}
        await bench.write("control", CLEAR)
    # A program word of three beats that ends early is not written.
    packet = Shadow(CFG).write(Mem.PROGRAM, random_words(rng, CFG, Mem.PROGRAM, 1), addr=3)
    for cut in 1, 2:
        await bench.send(packet[:cut + 1])
        await bench.check_memory(Mem.PROGRAM)
        assert await bench.status() == {"io_error"}
        await bench.write("control", CLEAR)
    await bench.check_all_memories()
    reference = Reference(bench)
    await reference.load()
    await reference.check()
    await bench.finish()


def layer(codes, codebook):
    """A layer of one input whose products are the weights themselves."""
    return Layer(codes=codes, codebook=codebook, weight_frac=0, act_frac_in=0, act_frac_out=0, relu=False)


@cocotb.test(**LIMIT)
async def sticky_flags(dut):
    """Saturation by PE, rows out of range; they stay until they are cleared."""
    bench = await Bench.started(dut)
    codebook = np.array([0, 1, *range(2, 15), 300])
    activation = 1 << CFG.data_bits - 6
    total = 0
    for big in ({2}, {0, 3}, {1}):
        layers = [layer(big_small_codes(2 * CFG.n_pe + 1, CFG.n_pe, big), codebook)]
        image = pack(layers, CFG)
        outputs, clipped = expected(layers, [activation], CFG)
        assert set(np.flatnonzero(clipped)) == big
        for packet in host.image_packets(image) + host.input_packets(image, [activation]):
            await bench.send(packet)
        await bench.write("length", 1)
        await bench.start()
        np.testing.assert_array_equal(host.output_vector(image, await bench.ask(host.output_packet(image))), outputs)
        total |= sum(1 << pe for pe in big)
        assert await bench.read("saturation_0") == total
        assert await bench.status() == {"done", "saturated"}
    await bench.write("control", CLEAR)
    assert await bench.read("saturation_0") == 0
    assert await bench.status() == {"done"}

    # An entry of PE 1 that runs past its register file is dropped, and all behind it.
    row = int.from_bytes(bytes([1 << 4, 15 << 4 | CFG.regfile_words - 1, 15 << 4, 15 << 4]), "little")
    await bench.send(bench.shadow.write(Mem.SPMAT, [row], pe=1))
    await bench.send(bench.shadow.write(Mem.PTR, [0, 4], pe=1))
    await bench.start()
    assert await bench.status() == {"done", "row_error"}
    assert await bench.read("saturation_0") == 0
    counters = await bench.counters(COUNTERS)
    assert counters["entries"] == image.entries.sum() - image.entries[1] + 1
    reply = await bench.ask(host.output_packet(image))
    assert host.output_vector(image, reply)[1:2] == activation
    await bench.write("control", CLEAR)
    assert await bench.status() == {"done"}
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut):
    """A reset ends a program and a command; afterwards everything works."""
    bench = await Bench.started(dut)
    await bench.fill()
    await bench.write_program([pack_fields(PASS_FIELDS, {"clear": 1, "finish": 1, "load": 1, "in_rows": 8})])
    await bench.write("length", 1)
    await bench.write("control", START)
    await ClockCycles(dut.clk, 25)
    assert await bench.status() >= {"running"}
    for during in ("program", "command"):
        if during == "command":
            await bench.send(bench.shadow.write(Mem.ACT_SRAM, [1] * 20))
            await ClockCycles(dut.clk, 9)
        await bench.reset()
        assert not await bench.status()
        assert await bench.read("length") == 0
        reference = Reference(bench)
        await bench.fill()
        await reference.load()
        await reference.check()
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(_dut):
    """The tests above reached every situation of every unit's plan."""
    for unit in UNITS:
        assert_all(PLAN[unit], seen(unit), unit)
