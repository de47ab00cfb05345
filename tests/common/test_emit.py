"""Hierarchical emission: every unit once, readable and stable text, files, errors."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hdl.common.emit import Emission, emit, unit
from hdl.common.fifo import Fifo
from hdl.common.identity import identity, unit_name
from hdl.common.rename import readable
from hdl.common.yosys import to_verilog
from tests.common import emit_examples
from tests.common.emit_examples import Adder, Chain, ChainConfig, Fold

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chain():
    return emit(Chain(ChainConfig()), name="chain")


def test_every_unit_once_leaves_first(chain):
    assert list(chain.files) == ["elision_sram_1r1w.v", "chain_adder_increment.v", "chain_adder.v", "chain_fold.v",
                                 "chain.v"]
    for file_name, text in chain.files.items():
        assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [file_name.removesuffix(".v")]
    assert re.findall(r"^  chain_adder (\w+) ", chain.files["chain.v"], re.MULTILINE) == [
        "adder_0", "adder_1", "adder_2"]


def test_names_are_plain(chain):
    assert "\\" not in chain.text
    assert not re.search(r"\[-1:0\]|\$\d", chain.text)
    assert "wire [10:0] adder_1__o__payload;" in chain.files["chain.v"]
    assert chain.files["chain_adder.v"].splitlines()[1] == (
        "module chain_adder(clk, rst, i__payload, i__valid, i__ready, o__payload, o__valid, o__ready, "
        "always__payload);")


def test_ports(chain):
    assert chain.clocked
    assert list(chain.ports.items())[:4] == [("clk", ("input", 1)), ("rst", ("input", 1)),
                                             ("i__payload", ("input", 11)), ("i__valid", ("input", 1))]
    assert chain.ports["parity"] == ("output", 1)


def test_combinational_unit_has_no_clock(chain):
    assert "module chain_fold(a, y);" in chain.files["chain_fold.v"]
    design = emit(Fold(4))
    assert (design.top, design.clocked, design.config) == ("elision_fold", False, None)
    assert list(design.files) == ["elision_fold.v"]


def test_assertions_say_why_and_are_hidden_from_synthesis():
    text = emit(Fifo(8, 3)).text
    assert re.search(r"`ifndef SYNTHESIS\n  always @\(posedge clk\) begin\n    if \(1'h1\) begin\n"
                     r"      assert \(\w+\) else \$error\(\"%0d items exceed the depth\", \$unsigned\(level\)\);\n"
                     r"    end\n  end\n`endif\n", text)
    assert text.count("assert") == 1


def test_different_parameters_get_different_names():
    design = emit(Chain(ChainConfig(last_step=2)), name="chain")
    (other,) = [name for name in design.files if re.fullmatch(r"chain_adder_[0-9a-f]{6}\.v", name)]
    assert f"  {other.removesuffix('.v')} adder_2 (" in design.files["chain.v"]
    assert re.search(r"\+ \S*3'h2", design.files[other.replace(".v", "_increment.v")])


def test_text_does_not_depend_on_the_hash_seed():
    hashes = {emit_examples.text_hash()}
    program = "from tests.common.emit_examples import text_hash; print(text_hash())"
    for seed in "0", "1":
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True,
                              env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True)
        hashes.add(done.stdout.strip())
    assert len(hashes) == 1


def test_text_does_not_depend_on_the_checkout(chain):
    assert str(ROOT) not in chain.text
    assert ".py" not in chain.text


def test_inline_is_the_component_itself():
    adder = Adder(1)
    assert unit(None, adder) is adder
    dut = Chain(ChainConfig(stages=2))

    async def bench(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.p.value, 5)
        ctx.set(dut.o.ready, 1)
        await ctx.tick().repeat(2)
        assert (ctx.get(dut.o.valid), ctx.get(dut.o.p.value)) == (1, 7)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


def test_write_leaves_unchanged_files_alone(chain, tmp_path):
    paths = chain.write(tmp_path)
    assert [path.name for path in paths] == (tmp_path / "chain.f").read_text().split()
    assert json.loads((tmp_path / "chain.json").read_text()) == {
        "generator": "Elision 0.1.0", "top": "chain", "config": {"stages": 3, "last_step": 1}}
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    chain.write(tmp_path)
    assert {path.stat().st_mtime for path in tmp_path.iterdir()} == {1}


def test_write_hands_the_files_to_fusesoc(chain, tmp_path):
    chain.write(tmp_path)
    text = (tmp_path / "chain.core").read_text()
    assert text.startswith("CAPI=2:\nname: elision::chain:0.1.0\n")
    assert re.findall(r"^      - (\w+\.v)$", text, re.MULTILINE) == list(chain.files)


def test_units_are_told_from_their_helpers(chain):
    assert chain.units == ("chain_adder", "chain_fold", "chain")


def test_write_removes_its_own_stale_files(chain, tmp_path):
    emit(Chain(ChainConfig(last_step=2)), name="chain").write(tmp_path)
    (tmp_path / "mine.v").write_text("module mine; endmodule\n")
    chain.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*chain.files, "chain.f", "chain.json", "chain.core", "mine.v"}


def test_unit_name():
    assert unit_name(Fifo(8, 2)) == "elision_fifo"
    in_accelerator = type("SpmatRead", (wiring.Component,), {"__module__": "hdl.eie.spmat_read"})({"a": In(1)})
    assert unit_name(in_accelerator) == "eie_spmat_read"


def test_identity_sees_every_parameter():
    made = [Fifo(8, 2), Fifo(8, 3), Fifo(signed(8), 2), Adder(1), Adder(2), Fold(1), Chain(ChainConfig(2))]
    for a, b in itertools.combinations(made, 2):
        assert identity(a) != identity(b)
    assert identity(Chain(ChainConfig())) == identity(Chain(ChainConfig()))


def test_readable_keeps_names_apart():
    text = ("module \\top\n  wire width 1 \\a$1\n  wire width 1 \\a_1\n  wire width 1 \\b.c\n"
            "  connect \\a$1 \\a_1\nend\n")
    renamed, modules = readable(text)
    assert list(modules) == ["top"]
    assert re.findall(r"wire width 1 \\(\w+)", renamed) == ["a_1", "a_1_", "b__c"]
    assert "connect \\a_1 \\a_1_" in renamed


def test_readable_leaves_texts_alone():
    text = 'module \\top\n  parameter \\FORMAT "a.b \\"c$1 {3:\\\\d}"\nend\n'
    assert readable(text)[0] == text


def test_wrong_helper_names():
    with pytest.raises(ValueError, match=r"^helper modules must have distinct names, "
                                         r"not top, top\.a_b, top\.a\.b$"):
        readable("module \\top\nend\nmodule \\top.a_b\nend\nmodule \\top.a.b\nend\n")


def test_helper_named_like_a_unit():
    platform = Emission()
    platform.collect(Fold(3), "chain_adder_increment")
    with pytest.raises(ValueError, match=r"^helper modules must be named differently from units, "
                                         r"not chain_adder_increment$"):
        platform.collect(Adder(1), "chain_adder")


def test_wrong_component():
    with pytest.raises(TypeError, match=r"^unit must be a wiring\.Component, not 3$"):
        emit(3)


@pytest.mark.parametrize("name", ["a b", "0a", "", 7])
def test_wrong_name(name):
    with pytest.raises(ValueError, match=rf"^module name must be a plain identifier, not {name!r}$"):
        emit(Fold(1), name=name)


def test_wrong_cfg():
    with pytest.raises(TypeError, match=r"^cfg must be a dataclass, not 5$"):
        emit(Fold(2), cfg=5)


class OtherClock(wiring.Component):
    y: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.d.fast += self.y.eq(self.y + 1)
        return m


def test_wrong_clock_domain():
    with pytest.raises(ValueError, match=r"^clock domain of unit other must be sync, "
                                         r"not one with fast_clk, fast_rst$"):
        emit(OtherClock(), name="other")


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_wrong_parameter(value):
    component = Fold(2)
    component.extra = value
    with pytest.raises(TypeError, match=r"^Fold\.extra must be a value whose text is the same in every run, not "):
        emit(component)


def test_source_with_two_texts():
    platform = Emission()
    platform.add_source("a.v", "module a; endmodule\n")
    platform.add_source("a.v", "module a; endmodule\n")
    with pytest.raises(ValueError, match=r"^Verilog source a\.v must be added with one text, not with two$"):
        platform.add_source("a.v", "")


def test_wrong_rtlil():
    with pytest.raises(RuntimeError, match=r"^Yosys must accept the design, not fail with: "):
        to_verilog("nonsense\n")
