"""The registers around a unit for placement."""

import pytest

from synth.common import tools
from synth.common.ecp5 import Ecp5, wrapper
from synth.common.hierarchy import read_hierarchy
from tests.synth.planted import planted


@pytest.mark.parametrize("ports", [
    {"clk": ("input", 1), "rst": ("input", 1), "a": ("input", 8), "y": ("output", 8), "z": ("output", 1)},
    {"a": ("input", 3), "y": ("output", 1)},
    {"clk": ("input", 1), "y": ("output", 40)},
])
def test_every_port_has_a_register(ports, tmp_path, monkeypatch):
    """As many flip-flops as port bits, and those that fold the outputs; three pins."""
    monkeypatch.setattr(tools, "BUILD", tmp_path)
    unit = "module dut_unit(" + ", ".join(f"{d} [{w - 1}:0] {p}" for p, (d, w) in ports.items()) + "); endmodule\n"
    script = ("read_verilog -lib -sv unit.v\nread_verilog -sv wrapper.v\nhierarchy -check -top elision_wrapper\nproc\n"
              "splitnets -ports\nsimplemap\nstat -json\ntee -o stat.json stat -json\nwrite_json out.json\n")
    job = tools.yosys("wrap", "dut_unit", script, {"unit.v": unit, "wrapper.v": wrapper("dut_unit", ports)})
    module = job.json("out.json")["modules"]["elision_wrapper"]
    registers = sum(cell["type"].startswith("$_DFF") for cell in module["cells"].values())
    inputs = sum(w for p, (d, w) in ports.items() if d == "input" and p != "clk")
    outputs = folded = sum(w for d, w in ports.values() if d == "output")
    while outputs > 1:
        outputs = -(-outputs // 4)
        folded += outputs
    assert registers == inputs + folded
    assert set(module["ports"]) == {"clk", "i", "o"}


def test_registers_of_the_wrapper_are_not_counted():
    target = Ecp5(read_hierarchy(planted()), None, seeds=1)
    assert target.resources("planted_unit")["ffs"] <= 18
