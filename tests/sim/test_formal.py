"""The library of formal proofs: what holds, what fails, what is refused; the cache; the command line."""

import json
import textwrap

import pytest
from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.common.cli import run_main
from sim import formal as cli
from sim.common import sby
from sim.common.formal import METHODS, Harness, discover, proof
from sim.common.rules import follow, handshake


class Slot(wiring.Component):
    """A stream register; ``fault`` overwrites what waits, or loses every item that follows another."""

    def __init__(self, fault=None):
        self.fault = fault
        super().__init__({"i": In(stream.Signature(2)), "o": Out(stream.Signature(2))})

    def elaborate(self, platform):
        m = Module()
        free = Signal()
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), self.i.ready.eq(free)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(self.i.valid & ~((self.fault == "loses") & self.o.valid))
        with m.If(free | (self.fault == "overwrites")):
            m.d.sync += self.o.payload.eq(self.i.payload)
        return m


class Plain(wiring.Component):
    """Without any stream."""

    def elaborate(self, platform):
        return Module()


def one(function, **changes):
    """The only proof of a function, as discovery hands it on."""
    return type(function.proofs[0])(**{**vars(function.proofs[0]), "unit": "sim.slot", **changes})


@proof("it keeps the handshake")
def keeps(h):
    handshake(h, Slot())


@proof("it keeps the handshake, and does not", fails="o: payload stays until ready")
def overwrites(h):
    handshake(h, Slot("overwrites"))


@proof("it keeps order")
def order(h):
    slot = h.place("slot", Slot())
    follow(h, slot.i, slot.o, 1)


@proof("it keeps order, and does not", fails="the item leaves in its turn")
def loses(h):
    slot = h.place("slot", Slot("loses"))
    follow(h, slot.i, slot.o, 3)


@proof("nothing is valid, when nothing comes in")
def vacuous(h):
    slot = h.place("slot", Slot())
    h.assume(~slot.i.valid)
    h.reach(slot.o.valid, "an item")


@pytest.fixture
def run(tmp_path):
    """Prove with a cache of its own; the result of the only proof."""
    sby.prepare()
    return lambda function, **changes: sby.run([one(function, **changes)], folder=tmp_path)[0]


def test_a_true_property_holds(run):
    result = run(keeps)
    assert (result.status, result.assertion, result.trace) == ("holds", None, None)


def test_order_holds(run):
    assert run(order).status == "holds"


@pytest.mark.parametrize("function", [overwrites, loses], ids=lambda function: function.__name__)
def test_a_planted_fault_has_a_counterexample(run, function):
    result = run(function)
    assert (result.status, result.assertion) == ("fails", function.proofs[0].fails)
    with open(result.trace) as trace:
        assert "$enddefinitions" in trace.read()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_refutes(run, method):
    """Also where it was meant to hold: the assertion is named and there is a waveform."""
    result = run(overwrites, fails=None, method=method)
    assert (result.status, result.assertion) == ("fails", "o: payload stays until ready")
    assert result.trace.endswith(".vcd")


def test_assumptions_that_exclude_everything_are_noticed(run):
    result = run(vacuous)
    assert (result.status, result.assertion) == ("vacuous", "an item")


def test_cache(run):
    assert not run(keeps).cached
    assert run(keeps).cached
    assert not run(keeps, depth=9, method="bounded").cached


def test_memories_start_with_anything(run):
    @proof("a word is zero at first", fails="zero at first")
    def zero(h):
        h.m.submodules.mem = mem = memory.Memory(shape=2, depth=2, init=[])
        port = mem.read_port(domain="comb")
        h.prove(port.data == 0, "zero at first")

    assert run(zero).status == "fails"


def test_past_is_recorded_under_a_condition_too(run):
    @proof("past does not depend on where it is asked for")
    def past(h):
        now = h.free("now")
        with h.m.If(now):
            before = h.past(now, "before")
        h.prove(before == h.past(now, "before_outside"), "the same")
        h.reach(before & ~now, "a fall")

    assert run(past).status == "holds"


def test_partly_driven_input():
    h = Harness()
    slot = h.place("slot", Slot())
    h.m.d.comb += slot.i.payload[0].eq(1)
    with pytest.raises(ValueError, match="^input slot__i__payload must be driven whole or not at all$"):
        h.to_rtlil()


def test_texts_are_unique():
    h = Harness()
    h.prove(1, "the same text")
    with pytest.raises(ValueError, match="^text of a property must differ .*, not 'the same text'$"):
        h.reach(1, "the same text")


def test_nothing_to_reach():
    @proof("true")
    def true(h):
        h.prove(1, "true")

    with pytest.raises(ValueError, match=r"^sim\.slot\.true: property must reach\(\) something"):
        one(true).convert()


def test_unknown_assertion_that_must_fail():
    with pytest.raises(ValueError, match=r"^sim\.slot\.keeps: fails must be the text of an assertion, not 'else'$"):
        one(keeps, fails="else").convert()


def test_unknown_method():
    with pytest.raises(ValueError, match="^method must be one of pdr, induction, bounded, not 'hope'$"):
        proof("anything", method="hope")


def test_no_output_stream():
    with pytest.raises(ValueError, match="^component must have an output stream that can wait, not Plain$"):
        handshake(Harness(), Plain({"a": In(1)}))


TRUE = """
    from sim.common.formal import proof

    @proof("a bit is 0 or 1", size="{} bit", cases={"one": (1,)})
    def bit(h, width):
        value = h.free("value", width)
        h.prove(value < 2, "0 or 1")
        h.reach(value == 1, "1")
"""
WRONG = """
    @proof("wrong: a bit is 0", fails="never 1")
    def zero(h):
        h.prove(h.free("value") == 0, "never 1")
"""


@pytest.fixture
def root(tmp_path):
    """Write tests/unit/formal_bit.py from texts; the folder."""
    def write(*texts):
        path = tmp_path / "tests" / "unit" / "formal_bit.py"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(map(textwrap.dedent, texts)))
        return tmp_path

    return write


def test_discovery(root):
    proofs = discover(root(TRUE, WRONG))
    assert [one.full_name for one in proofs] == ["unit.bit.bit[one]", "unit.bit.zero"]
    assert proofs[0].size == "1 bit"


def test_a_file_without_a_wrong_property(root):
    with pytest.raises(ValueError, match=r"^formal_bit\.py must declare a proof that fails on purpose$"):
        discover(root(TRUE))


def test_command_line(root, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert run_main(cli.main, ["unit", "--root", str(root(TRUE, WRONG)), "--json", str(report)]) == 0
    assert "2 proofs in" in capsys.readouterr().out
    record = json.loads(report.read_text())
    assert record["unexpected"] == 0
    assert [entry["result"] for entry in record["proofs"]] == ["holds", "fails"]
    assert record["proofs"][1]["assertion"] == "never 1"


def test_command_line_when_a_property_fails(root, capsys):
    """The assertion and the waveform are named, and the exit code is 1."""
    unexpected = WRONG.replace(', fails="never 1"', "").replace('h.prove(', 'h.reach(1, "any")\n        h.prove(')
    assert run_main(cli.main, ["--root", str(root(TRUE, WRONG.replace("zero", "other"), unexpected))]) == 1
    out = capsys.readouterr().out
    assert "unit.bit.zero (): fails, and should hold" in out
    assert "fails: never 1" in out
    assert "trace.vcd" in out


def test_command_line_lists(root, capsys):
    assert run_main(cli.main, ["--list", "--root", str(root(TRUE, WRONG))]) == 0
    assert "must fail" in capsys.readouterr().out


def test_command_line_unknown_name(root, capsys):
    assert run_main(cli.main, ["unit.byte", "--root", str(root(TRUE, WRONG))]) == 2
    assert capsys.readouterr().err == ("error: name must be an accelerator, one of unit.bit or a proof, "
                                       "not 'unit.byte'\n")


def test_missing_package(monkeypatch, root, capsys):
    monkeypatch.setattr(sby, "PACKAGES", ("no-such-package",))
    assert run_main(cli.main, ["--root", str(root(TRUE, WRONG))]) == 2
    assert capsys.readouterr().err == "error: Python package no-such-package must be installed: run make formal\n"
