"""Host port: what goes to the DRAM, what the host gets when, and that every instruction arrives with its data."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import BURST_CLOCKS, DATA_BITS, DESELECT, INSTRUCTION_BITS, PHASES, Command, Op
from hdl.enmc.host_port import HostPort
from sim.common.formal import proof

CASES = {f"{cl}-{cwl}": (PRESETS["tiny"].replace(cl=cl, cwl=cwl), cl, cwl) for cl, cwl in ((5, 5), (9, 7))}
SIZE = "16 data pins, cl {1}, cwl {2}"


def command_of(pins):
    """{RAS_n, CAS_n, WE_n} of a command that is not ACTIVATE; 7, which is NOP, if there is none."""
    return Mux(~pins.cs_n & pins.act_n, Cat(pins.a[14], pins.a[15], pins.a[16]), 7)


def is_instruction(pins):
    return (command_of(pins) == Command.PRE) & ~pins.a[10] & Cat(pins.a[8:10], pins.a[11:14]).any()


def bits(signal):
    return Value.cast(signal)


def placed(h, cfg):
    """A unit whose DRAM controller sends no instruction and does not write where the host does."""
    unit = h.place("unit", HostPort(cfg))
    for slot in range(PHASES):
        h.assume(~is_instruction(unit.enmc_pins[slot]))
    return unit


@proof("ordinary commands go out three clocks later unchanged, or are refused; instructions never go out", size=SIZE,
       cases=CASES)
def commands(h, cfg, _cl, _cwl):
    unit = placed(h, cfg)
    h.trust_units()
    ordinary = Cat((~unit.pins[s].cs_n & ~unit.pins[s].act_n)
                   | ((command_of(unit.pins[s]) != Command.NOP) & ~is_instruction(unit.pins[s])) for s in range(PHASES))
    for s in range(PHASES):
        plain = Mux(is_instruction(unit.pins[s]), DESELECT, bits(unit.pins[s]))
        expected = Mux(unit.owner, bits(unit.enmc_pins[s]), plain)
        out = unit.dram_pins[s]
        h.prove(bits(out) == h.past(expected, f"pins_{s}", init=DESELECT), f"slot {s} is what came in slot {s}")
        h.prove(~is_instruction(out), f"no instruction in slot {s}")
        h.reach(~out.cs_n & (command_of(out) == Command.PRE) & ~out.a[10], f"a plain PRECHARGE in slot {s}")
    h.prove(unit.refused == h.past(ordinary.any() & unit.owner, "left_out"), "what is left out is flagged")
    h.prove(unit.alert_n == ~unit.refused, "on ALERT_n too")
    h.prove(unit.host_command == h.past(ordinary.any() & ~unit.owner, "passed"), "the DRAM controller is told")


@proof("commands of other ranks, and those that are refused, drive no data pin, ask nothing and are not handed on",
       size=SIZE, cases=CASES)
def left_out(h, cfg, _cl, _cwl):
    unit = placed(h, cfg)
    deselected = Cat(unit.pins[s].cs_n for s in range(PHASES))
    for s in range(PHASES):
        h.assume(deselected[s] | (unit.owner & ~is_instruction(unit.pins[s])))
    h.prove(unit.dq_oe == 0, "nothing is driven to the host")
    h.prove(unit.dram_dq_oe == h.past(unit.enmc_dq_oe, "enmc_dq_oe"), "nothing of the host goes to the DRAM")
    h.prove(~(unit.o.valid | unit.query.valid | unit.take | unit.overrun | unit.host_command), "silent")
    h.prove(~unit.refused | h.past(~deselected.all(), "selected"), "what other ranks do is not refused")
    h.reach((unit.dram_dq_oe == 7) & unit.refused, "ENMC writes while the host is refused")


def chosen(h, unit, accepts):
    """One command of the host that the solver picks: (its slot, cycles since then, one hot).

    ``accepts(pins)`` says what it is; no instruction comes in the three clocks before it.
    """
    slot = h.constant("slot", range(PHASES))
    choose = h.free("choose")
    done = Signal(name="done")
    age = Signal(14, name="age")
    h.assume(slot != 3)
    h.assume(~choose | ~done)
    with h.m.If(choose):
        h.m.d.sync += done.eq(1)
    h.m.d.sync += age.eq(Cat(choose, age))
    now = [is_instruction(unit.pins[s]) for s in range(PHASES)]
    clocks = [*(h.past(one, f"instruction_{s}") for s, one in enumerate(now)), *now]
    for s in range(PHASES):
        mine = choose & (slot == s)
        h.assume(~mine | (accepts(unit.pins[s]) & ~Cat(clocks[s:s + PHASES]).any()))
    return slot, Cat(choose, age)


@proof("an instruction is handed on once, at its time, with its word and the data that came with it", size=SIZE,
       cases=CASES)
def handed_on(h, cfg, _cl, cwl):
    unit = placed(h, cfg)
    h.trust_units()
    word, data = h.constant("word", INSTRUCTION_BITS), h.constant("data", DATA_BITS)
    opcode = word[8:]
    h.assume((opcode != 0) & (opcode != Op.RETURN) & ~((opcode == Op.REGISTER) & ~word[7]))
    slot, age = chosen(h, unit, lambda pins: is_instruction(pins) & (Cat(pins.a[:10], pins.a[11:14]) == word))
    for s in range(PHASES):
        for part in range(DATA_BITS // (2 * cfg.dq)):
            cycle, at = divmod(s + cwl + part, PHASES)
            h.assume(~(age[cycle] & (slot == s)) | (unit.dq_i[at] == data.word_select(part, 2 * cfg.dq)))
    arrives = age[cwl // PHASES + 2]
    h.prove(~arrives | (unit.o.valid & (bits(unit.o.payload) == Cat(word, data))), "it arrives with its data")
    sent = Cat(is_instruction(unit.pins[s]) for s in range(PHASES)).any()
    for cycle in range(unit.handed_on):
        sent = h.past(sent, f"sent_{cycle}")
    h.prove(~unit.o.valid | sent, "nothing is handed on that was not sent")
    h.reach(arrives & (slot == 2), "one from the last slot arrives")


@proof("QUERY and RETURN are asked once, and their answers are on the host's pins in clocks cl + 6 to cl + 9",
       size=SIZE, cases=CASES)
def answers(h, cfg, cl, _cwl):
    unit = placed(h, cfg)
    h.trust_units()
    burst = h.constant("burst", 8 * cfg.dq)
    query = h.constant("query")
    reg = h.constant("reg", 5)
    word = Mux(query, Cat(C(0, 2), reg, C(0, 1), C(Op.REGISTER, 5)), C(Op.RETURN << 8, INSTRUCTION_BITS))
    h.assume(~query | (burst[DATA_BITS:] == 0))
    slot, age = chosen(h, unit, lambda pins: is_instruction(pins) & (Cat(pins.a[:10], pins.a[11:14]) == word))
    for s in range(PHASES):
        asked = age[(s + cl) // PHASES] & (slot == s)
        h.prove(~asked | Mux(query, unit.query.valid & (unit.query.reg == reg), unit.take), f"asked, from slot {s}")
        given = age[(s + cl) // PHASES + unit.ANSWER_LATENCY] & (slot == s)
        h.assume(~(given & query) | (unit.answer == burst[:DATA_BITS]))
        h.assume(~(given & ~query) | (bits(unit.record_burst) == burst))
        for number in range(BURST_CLOCKS):
            cycle, at = divmod(s + cfg.answer + number, PHASES)
            due = age[cycle] & (slot == s)
            h.prove(~due | (unit.dq_oe[at] & (unit.dq_o[at] == burst.word_select(number, 2 * cfg.dq))),
                    f"clock {number} of the answer, from slot {s}")
    h.reach(age[(cfg.answer + PHASES) // PHASES] & query & (slot == 1), "an answer to a QUERY")


@proof("a read that was passed on gets what the DRAM drives, and a write's data reach the DRAM, whoever owns it then",
       size=SIZE, cases=CASES)
def data(h, cfg, cl, cwl):
    unit = placed(h, cfg)
    h.trust_units()
    read = h.constant("read")
    slot, age = chosen(h, unit, lambda pins: (command_of(pins) == Mux(read, Command.RD, Command.WR)) & ~unit.owner)
    answered = Signal(name="answered")
    h.m.d.sync += answered.eq(answered | Cat(is_instruction(unit.pins[s]) for s in range(PHASES)).any())
    back = [h.past(unit.dram_dq_i[s], f"dram_dq_i_{s}") for s in range(PHASES)]
    there = [h.past(unit.dq_i[s], f"dq_i_{s}") for s in range(PHASES)]
    mine = [h.past(unit.enmc_dq_oe[s], f"enmc_dq_oe_{s}") for s in range(PHASES)]
    for s in range(PHASES):
        for number in range(BURST_CLOCKS):
            cycle, at = divmod(s + cl + 2 * PHASES + number, PHASES)
            due = age[cycle] & (slot == s) & read
            h.prove(~due | (unit.dq_oe[at] & (answered | (unit.dq_o[at] == back[at]))), f"read {number}, from slot {s}")
            cycle, at = divmod(s + cwl + PHASES + number, PHASES)
            due = age[cycle] & (slot == s) & ~read
            h.prove(~due | (unit.dram_dq_oe[at] & (mine[at] | (unit.dram_dq_o[at] == there[at]))),
                    f"write {number}, from slot {s}")
    h.reach(age[(cl + 2 * PHASES) // PHASES] & read & unit.owner & (unit.dq_oe != 0), "data of a read, ENMC the owner")


@proof("wrong: an instruction three clocks after another is handed on as well", size=SIZE,
       cases={"5-5": CASES["5-5"]}, fails="two in two cycles")
def three_apart(h, cfg, _cl, _cwl):
    unit = placed(h, cfg)
    h.trust_units()
    sends = Signal(name="sends")
    h.m.d.comb += sends.eq(is_instruction(unit.pins[0]) & (command_of(unit.pins[0]) == Command.PRE))
    both = sends & h.past(sends, "sent_before")
    h.prove(~h.past(both, "both") | ~unit.overrun, "two in two cycles")
