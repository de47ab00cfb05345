"""Logic on gates and LUTs: depth, paths by the names of the Verilog, what ports depend on."""

import re

import pytest

from golden.common.cli import Parser
from hdl.common.cli import parse_choice
from hdl.common.emit import Design
from synth.common import tools
from synth.common.graph import CombinationalLoop, Graph
from synth.common.hierarchy import Sram, read_hierarchy
from synth.common.structure import Structure
from tests.synth.planted import pair, planted


def structure_of(design):
    return Structure(read_hierarchy(design))


def emitted(*argv):
    return parse_choice(Parser(), list(argv))[1].emit()


def test_units_helpers_and_instances():
    hierarchy = read_hierarchy(emitted("eie.pe", "--preset", "tiny"))
    assert hierarchy.top == "eie_pe" and hierarchy.units[-1] == "eie_pe"
    assert hierarchy.helpers("eie_act_queue") == ["eie_act_queue", "eie_act_queue_fifo"]
    assert hierarchy.children("eie_act_rw") == {"eie_regfile": 2}
    assert hierarchy.instances("eie_pe")["eie_regfile"] == 2
    assert hierarchy.srams("eie_pe")[Sram("elision_sram_1r1w", 8, 16)] == 2


def test_shape_of_an_sram_with_a_write_mask():
    """Two of one size that differ in their parts are two shapes, each an empty module of its own."""
    pins = ".clk(clk), .r_en(a), .r_addr(3'd0), .w_en(a), .w_addr(3'd1), .w_data(16'd0)"
    instances = "".join(f"  elision_sram_1r1w_masked #(.DEPTH(8), .WIDTH(16), .PARTS({parts})) of_{parts} "
                        f"({pins}, .w_mask({parts}'d1), .r_data(y{parts}));\n" for parts in (2, 4))
    parent = f"module masked_pair(clk, a, y2, y4);\n  input clk, a;\n  output [15:0] y2, y4;\n{instances}endmodule\n"
    sram = emitted("duet.glb", "--preset", "tiny").files["elision_sram_1r1w_masked.v"]
    files = {"elision_sram_1r1w_masked.v": sram, "masked_pair.v": parent}
    structure = structure_of(Design("masked_pair", files, {}, None, ("masked_pair",)))
    shapes = [Sram("elision_sram_1r1w_masked", 8, 16, parts) for parts in (2, 4)]
    assert structure.hierarchy.own_srams("masked_pair") == dict.fromkeys(shapes, 1)
    cells = structure.graph("masked_pair", "gates").cells.values()
    assert {shape.module for shape in shapes} <= {cell["type"] for cell in cells}


def test_planted_long_path_by_its_names():
    structure = structure_of(planted())
    path = structure.critical_path("planted_unit")
    assert path[0] == "first" and path[-1] in ("last", "y")
    assert {"chain_1", "chain_2"} & set(path) and not {"near", "far"} & set(path)
    assert structure.depth("planted_unit", "gates") > structure.depth("planted_unit", "luts") > 3


def test_registered_ports_are_clean():
    assert structure_of(planted()).ports("planted_unit") == {"comb_paths": [], "unregistered_outputs": {}}


@pytest.mark.parametrize(("through", "paths", "depth"), [
    ("a", {"a"}, 0),                                 # a wire from port to port
    ("a & b", {"a", "b"}, 1),
    ("last ^ {a[0], 7'd0}", {"a"}, 1),               # register and port mixed
    ("last & first", set(), 1),                      # registers alone, but logic
])
def test_planted_output_logic(through, paths, depth):
    found = structure_of(planted(through=through)).ports("planted_unit")
    assert {pair["from"] for pair in found["comb_paths"]} == paths
    assert {pair["to"] for pair in found["comb_paths"]} <= {"t"}
    assert found["unregistered_outputs"] == {"t": depth}


def test_paths_through_the_hierarchy():
    """Two combinational units in a row: their parent's port path is as deep as both together."""
    unit = ("module comb_unit(a, y);\n  input [3:0] a;\n  output y;\n  assign y = ^a;\nendmodule\n")
    parent = ("module comb_pair(clk, a, y);\n  input clk;\n  input [15:0] a;\n  output y;\n  wire [3:0] middle;\n"
              + "".join(f"  comb_unit first_{k} (.a(a[{4 * k + 3}:{4 * k}]), .y(middle[{k}]));\n" for k in range(4))
              + "  comb_unit second (.a(middle), .y(y));\nendmodule\n")
    design = Design("comb_pair", {"comb_unit.v": unit, "comb_pair.v": parent}, {}, None, ("comb_unit", "comb_pair"))
    structure = structure_of(design)
    assert structure.ports("comb_pair") == {"comb_paths": [{"from": "a", "to": "y", "lut4": 2}],
                                            "unregistered_outputs": {"y": 2}}
    assert structure.depth("comb_pair", "luts") == 2
    assert structure.critical_path("comb_pair")[-1] in ("y", "second.y")


def test_deepest_path_inside_a_unit_below():
    structure = structure_of(pair())
    assert structure.depth("planted_pair", "gates") == structure.depth("planted_unit", "gates")
    path = structure.critical_path("planted_pair")
    assert all(name.startswith(("one.", "two.")) for name in path) and path[0].endswith(".first")


def test_sram_outputs_count_as_registers():
    structure = structure_of(emitted("eie.regfile", "--preset", "tiny"))
    assert "r_value" not in structure.ports("eie_regfile")["unregistered_outputs"]


def test_names_that_tools_made_are_left_out():
    path = structure_of(emitted("eie.lnzd", "--preset", "tiny")).critical_path("eie_lnzd")
    assert path and not [name for name in path if "$" in name or name.strip("_").isdigit()]


def test_locate_follows_the_units_of_a_path():
    structure = structure_of(pair())
    nets = [[("one.last", 3), ("between", 3), ("two.a", 3)], [("two.first", 3)]]
    assert structure.locate("planted_pair", nets) == [
        (("one",), [("last", 3)]), (("two",), [("a", 3)]), (("two",), [("first", 3)])]


def test_combinational_loop():
    def gate(a, y):
        return {"type": "$_NOT_", "port_directions": {"A": "input", "Y": "output"}, "connections": {"A": [a], "Y": [y]}}

    module = {"ports": {}, "cells": {"g": gate(2, 3), "h": gate(3, 2)},
              "netnames": {"p": {"bits": [2]}, "q": {"bits": [3]}}}
    with pytest.raises(CombinationalLoop, match=r"^combinational logic must not depend on itself, as "):
        Graph(module)


@pytest.mark.parametrize(("design", "kind"), [(planted(), "gates"), (planted(through="last & first"), "luts")])
def test_depth_is_that_of_yosys(design, kind):
    """Yosys measures the longest path by itself."""
    structure = structure_of(design)
    netlist = structure.job("planted_unit").text(f"{kind}.json")
    job = tools.yosys("longest", "planted_unit", "read_json a.json\nltp -noff\n", {"a.json": netlist})
    length = re.search(r"Longest topological path in planted_unit \(length=(\d+)\)", job.text("log"))[1]
    assert structure.depth("planted_unit", kind) == int(length)
