"""Instruction set: encoder, decoder, documentation and hardware come from one table."""

import random
from pathlib import Path

import pytest

from golden.enmc import instruction
from golden.enmc.formats import ALL, INSTRUCTION_BITS, Buffer, Command, Op
from golden.enmc.instruction import Instruction, decode, encode, kind_of, pins_of, word_of
from golden.enmc.instruction_page import BLOCKS, markdown
from golden.enmc.instruction_table import INSTRUCTIONS, Data
from golden.enmc.registers import REGISTERS
from hdl.enmc.instruction import Instruction as Unit
from tests.enmc.host_port_traffic import command
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_instruction"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "enmc-instructions.md"
ADDRESSES = range(1 << INSTRUCTION_BITS + 1)


def random_fields(rng, name):
    """Any legal values of the fields of an instruction."""
    form, fields = INSTRUCTIONS[name], {}
    for field in form.operands:
        bits = {**form.word, **form.data}[field]
        fields[field] = rng.getrandbits(bits) - (1 << bits - 1 if field == "score" else 0)
    return fields


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_round_trip(name):
    """What is encoded is decoded, and encoded again, with A10 low and an opcode."""
    rng, form = random.Random(name), INSTRUCTIONS[name]
    for _ in range(200):
        fields = random_fields(rng, name)
        addr, data = encode(name, **fields)
        one = decode(addr, data)
        assert one == Instruction(name, **fields) and one.fields == fields and one.op == form.op
        assert encode(one) == encode(one.name, **one.fields) == encode(one.op, **one.fields) == (addr, data)
        assert not addr >> ALL & 1 and word_of(pins_of(addr)) >> 8 == form.op
        assert (data is not None) == (form.direction is Data.IN)


def test_every_address():
    """All 2^14: plain commands are no instructions, and no two addresses are the same instruction."""
    plain, found, refused = 0, {}, 0
    for addr in ADDRESSES:
        kind = kind_of(pins_of(addr))
        try:
            one = decode(addr, 0)
        except ValueError:
            refused += 1
            assert kind >= instruction.INSTRUCTION
            continue
        if one is None:
            plain += 1
            assert kind == instruction.ORDINARY and (addr >> ALL & 1 or addr >> 8 & 0b111011 == 0)
            continue
        assert kind == {"QUERY": instruction.QUERY, "RETURN": instruction.TAKE}.get(one.name, instruction.INSTRUCTION)
        assert encode(one)[0] == addr and found.setdefault(one, addr) == addr
    assert plain == (1 << 13) + (1 << 8)
    operands = {"reg": 32, "buffer": 16, "buffer1": 16, "buffer2": 16}
    expected = 0
    for form in INSTRUCTIONS.values():
        patterns = 1
        for operand in form.operands:
            patterns *= operands.get(operand, 1)
        expected += patterns
    assert len(found) == expected and plain + len(found) + refused == len(ADDRESSES)


def test_the_figure():
    """[Thesis Fig. 6.7]: opcode, then buffers, or the bit of RD/WT and the register."""
    def word(op, **fields):
        return word_of(pins_of(encode(op, **fields)[0]))

    assert word("MUL_ADD_FP32", buffer1=0, buffer2=1) == 0b00010_0000_0001
    assert word("QUERY", reg=7) == 0b01001_0_00111_00
    assert word("INIT", reg=7, data=1) == 0b01001_1_00111_00
    assert encode(Op.REGISTER, reg=7) == encode("QUERY", reg=7)
    assert encode(Op.REGISTER, reg=7, data=3) == encode("INIT", reg=7, data=3)


def test_the_table():
    """Every instruction of [Thesis table 6.1], every opcode once, all bits of word and data in use or 0."""
    assert set(INSTRUCTIONS) == {
        "INIT", "LDR", "STR", "MOVE", "ADD_INT4", "MUL_INT4", "ADD_FP32", "MUL_FP32", "MUL_ADD_INT4", "MUL_ADD_FP32",
        "FILTER", "SIGMOID", "SOFTMAX", "BARRIER", "NOP", "QUERY", "RETURN", "CLR"}
    assert {form.op for form in INSTRUCTIONS.values()} == set(Op) and len(INSTRUCTIONS) == len(Op) + 1
    for form in INSTRUCTIONS.values():
        assert sum(form.word.values()) == INSTRUCTION_BITS
        assert sum(form.data.values()) == (64 if form.direction is Data.IN else 0)
        assert set(form.usual) <= set(form.operands)


def test_names():
    """Buffers and registers by name; what may be left out; negative numbers."""
    assert encode("LDR", buffer="PSUM_INT4", addr=5) == encode("LDR", buffer=Buffer.PSUM_INT4, addr=5, count=1)
    assert encode("FILTER") == encode("FILTER", buffer=Buffer.PSUM_INT4)
    for name, register in REGISTERS.items():
        assert encode("QUERY", reg=name) == encode("QUERY", reg=register.number)
    assert encode("INIT", reg="threshold", data=-2)[1] == 2**64 - 2
    assert decode(*encode("MOVE", score=-3, label=4, batch=1))[-3:] == (-3, 4, 1)
    assert repr(decode(*encode("FILTER")).buffer) == repr(Buffer.PSUM_INT4)


def test_other_commands():
    """Only PRECHARGE carries instructions; with CS_n high there is nothing."""
    addr = encode("BARRIER")[0]
    for name in Command:
        kind = kind_of(command(name, addr))
        assert (kind >= instruction.INSTRUCTION) == (name == Command.PRE)
        assert kind_of(command(name, addr) | 1) == instruction.NONE
        assert kind_of(command(name, addr) & ~2) == instruction.ORDINARY    # a row's address


@pytest.mark.parametrize(("op", "fields", "message"), [
    ("JUMP", {}, r"op must be one of INIT, .*, CLR, not 'JUMP'"),
    (0, {}, r"op must be one of INIT, .*, CLR, not 0"),
    (None, {}, r"op must be one of INIT, .*, CLR, not None"),
    ("LDR", {"addr": 1}, r"buffer of LDR must be given, not left out"),
    ("LDR", {"addr": 1, "buffer": 1, "reg": 2}, r"fields of LDR must be buffer, addr, count, not 'reg'"),
    ("NOP", {"buffer": 1}, r"fields of NOP must be none, not 'buffer'"),
    ("LDR", {"addr": 1 << 32, "buffer": 1}, r"addr of LDR must be in 0\.\.4294967295, not 4294967296"),
    ("LDR", {"addr": 1, "buffer": 16}, r"buffer of LDR must be in 0\.\.15, not 16"),
    ("LDR", {"addr": 1, "buffer": "W"}, r"buffer of LDR must be a number or a name that it has, not 'W'"),
    ("LDR", {"addr": "0", "buffer": 1}, r"addr of LDR must be a number or a name that it has, not '0'"),
    ("LDR", {"addr": 1.0, "buffer": 1}, r"addr of LDR must be an integer, not 1\.0"),
    ("QUERY", {"reg": -1}, r"reg of QUERY must be in 0\.\.31, not -1"),
    ("QUERY", {"reg": "rx0"}, r"reg of QUERY must be a number or a name that it has, not 'rx0'"),
    ("MOVE", {"score": 1 << 32}, r"score of MOVE must be in -2147483648\.\.4294967295, not 4294967296"),
])
def test_wrong_fields(op, fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        encode(op, **fields)


@pytest.mark.parametrize(("addr", "data", "message"), [
    (1 << 14, 0, r"addr must be in 0\.\.16383, not 16384"),
    (encode("NOP")[0] | 1, None, r"unused bits of NOP must be 0, not those of 0x0f01"),
    (18 << 8 & 0x3FF | 18 << 9 & 0x3800, None, r"opcode must be in 1\.\.17, not 18"),
    (encode("LDR", buffer=0, addr=0)[0], None, r"data of LDR must be an integer, not None"),
    (encode("LDR", buffer=0, addr=0)[0], 1 << 64, r"data of LDR must be in 0\.\.18446744073709551615, not .*"),
    (encode("LDR", buffer=0, addr=0)[0], 1 << 48, r"unused bits of the data of LDR must be 0, not those of 0x0001.*"),
])
def test_wrong_words(addr, data, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        decode(addr, data)


def test_page():
    """The tables of the page are made from the table of instructions."""
    page = PAGE.read_text()
    assert page == markdown(page), "write golden.enmc.instruction_page.markdown(page) to the page"


def test_page_without_a_place():
    with pytest.raises(ValueError, match=r"^page must have one place for the table 'instructions', not 0$"):
        markdown("".join(f"<!-- {name} -->\n<!-- /{name} -->" for name in list(BLOCKS)[1:]))


@configs("tiny")
def test_rtl_equals_model(cfg):
    """The format is the same in every configuration."""
    run_bench(Unit, cfg, BENCH)


def test_bench_notices_that_a10_is_not_looked_at():
    assert_mutant_noticed(Unit, TINY, BENCH, old="~ pins[16]", new="1'h1", match="differ", testcase="every_address")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Unit)
