"""Instructions on PRECHARGE: none is taken for a plain command, nor the other way round; no two look the same."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import INSTRUCTION_BITS, Command, Op
from hdl.enmc.instruction import Instruction
from sim.common.formal import proof

CFG = PRESETS["tiny"]
SIZE = "all command pins of a clock"


def command_of(pins):
    """{RAS_n, CAS_n, WE_n}."""
    return Cat(pins.a[14], pins.a[15], pins.a[16])


def opcode_of(pins):
    """Five pins of the row's address, A10 left out."""
    return Cat(pins.a[8], pins.a[9], pins.a[11], pins.a[12], pins.a[13])


def is_precharge(pins):
    return ~pins.cs_n & pins.act_n & (command_of(pins) == Command.PRE)


def is_instruction(pins):
    """The definition, from single pins."""
    return is_precharge(pins) & ~pins.a[10] & (opcode_of(pins) != 0)


@proof("PRECHARGE with an opcode while A10 is low is an instruction; every other command goes to the DRAM", size=SIZE)
def kinds(h):
    unit = h.place("unit", Instruction(CFG))
    pins = unit.pins
    idle = pins.cs_n | (pins.act_n & (command_of(pins) == Command.NOP))
    h.prove(unit.instruction == is_instruction(pins), "an instruction is one")
    h.prove(unit.ordinary == ~(idle | is_instruction(pins)), "everything else is an ordinary command")
    plain = is_precharge(pins) & (opcode_of(pins) == 0)
    h.prove(~plain | (unit.ordinary & ~unit.instruction), "a plain PRECHARGE is no instruction")
    h.prove(~(is_precharge(pins) & pins.a[10]) | (unit.ordinary & ~unit.instruction), "nor is one of all banks")
    for flag, name in (unit.read, Command.RD), (unit.write, Command.WR), (unit.refresh, Command.REF):
        h.prove(flag == (~pins.cs_n & pins.act_n & (command_of(pins) == name)), f"{name.name} is one")
    h.prove(unit.query == (is_instruction(pins) & (opcode_of(pins) == Op.REGISTER) & ~pins.a[7]), "QUERY is one")
    h.prove(unit.take == (is_instruction(pins) & (opcode_of(pins) == Op.RETURN)), "RETURN is one")
    h.reach(unit.query, "a QUERY")
    h.reach(unit.take, "a RETURN")
    h.reach(plain & (unit.word != 0), "a plain PRECHARGE with other pins high")


@proof("each word with an opcode is carried by exactly one address, and read from it", size=SIZE)
def one_to_one(h):
    one, other = h.place("one", Instruction(CFG)), h.place("other", Instruction(CFG))
    low = INSTRUCTION_BITS + 1
    both = one.instruction & other.instruction
    h.prove(~both | ((one.word == other.word) == (one.pins.a[:low] == other.pins.a[:low])), "one address each")
    word = h.constant("word", INSTRUCTION_BITS)
    sent = ~one.pins.cs_n & one.pins.act_n & (one.pins.a == Cat(word[:10], C(0, 1), word[10:], C(Command.PRE, 3)))
    h.prove(~sent | (word[8:] == 0) | (one.instruction & (one.word == word)), "what is sent is read")
    h.reach(both & (one.word != other.word), "two instructions")


@proof("wrong: PRECHARGE of all banks may carry an opcode", size=SIZE, fails="A10 has no meaning")
def a10(h):
    unit = h.place("unit", Instruction(CFG))
    h.prove(unit.instruction == (is_precharge(unit.pins) & (opcode_of(unit.pins) != 0)), "A10 has no meaning")
