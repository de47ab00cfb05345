"""Mapping to cells: large fanouts are buffered, nothing is left unmapped."""

from collections import Counter

import pytest

from hdl.common.emit import Design
from synth.common import tools
from synth.common.asic import CLOCKS, Asic
from synth.common.hierarchy import read_hierarchy
from synth.common.liberty import open_library
from synth.common.structure import Structure
from tests.synth.planted import liberty, planted

#: A register that drives the same input of 40 units.
_PARENT = """\
module planted_many(clk, rst, a, y);
  input clk, rst;
  input [7:0] a;
  output [319:0] y;
  reg [7:0] source;
  always @(posedge clk) source <= a;
  {units}
endmodule
"""


def asic_of(design, tmp_path, text):
    path = tmp_path / "cells.lib"
    path.write_text(text)
    hierarchy = read_hierarchy(design)
    return Asic(hierarchy, Structure(hierarchy), open_library(path), period=2000, sram_delay=0)


def test_large_fanouts_between_units_are_buffered(tmp_path):
    units = "\n  ".join(f"planted_unit u{k} (.clk(clk), .rst(rst), .a(source), .b(8'd0), .y(y[{8 * k + 7}:{8 * k}]));"
                        for k in range(40))
    design = Design("planted_many", {**planted().files, "planted_many.v": _PARENT.format(units=units)}, {}, {},
                    ("planted_unit", "planted_many"))
    mapped = asic_of(design, tmp_path, liberty()).mapped("planted_many")
    loads = Counter(bit for cell in mapped.module["cells"].values() for port, bits in cell["connections"].items()
                    if cell["port_directions"][port] == "input" and port not in CLOCKS
                    for bit in bits if not isinstance(bit, str))
    assert max(loads.values()) <= 12
    assert sum(cell["type"] == "BUF" for cell in mapped.module["cells"].values()) >= 8 * 4


def test_library_without_registers(tmp_path):
    text = liberty()
    start = text.index("  cell (DFF)")
    with pytest.raises(tools.ToolError, match=r"^(pyosys on planted_unit must succeed, not end with: "
                                              r"|library planted_cells must have cells for \$_DFF_P_ in planted_unit)"):
        asic_of(planted(), tmp_path, text[:start] + "}\n").mapped("planted_unit")


def test_cells_of_the_library_only(tmp_path):
    asic = asic_of(planted(), tmp_path, liberty())
    mapped = asic.mapped("planted_unit")
    assert mapped.recipe in ("small", "fast", "deep") and mapped.area > 0 and mapped.abc_ns > 0
    assert {cell["type"] for cell in mapped.module["cells"].values()} <= {"INV", "BUF", "NAND2", "DFF"}
