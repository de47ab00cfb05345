"""Every unit of EIE is registered at its ports: no path leads through two of them."""

import pytest

from golden.eie.config import PRESETS
from hdl.common.emit import emit
from hdl.eie import UNITS
from synth.common.hierarchy import read_hierarchy
from synth.common.structure import Structure

TINY = PRESETS["tiny"]

#: What may pass from an input to an output in one cycle, with the most 4-input LUTs, and why.
THROUGH = {
    "eie_skid": ({"i"}, {"o"}, 1),                               # that is what it is for; inside of other units
    "eie_act_rw": ({"command", "pe_id"}, {"o", "r_live", "r_value"}, 1),   # the role selects a register file
    "eie_pe": ({"command", "pe_id"}, {"o"}, 1),                  # the same, seen from outside
    "eie_io_tap": ({"access"}, {"spmat", "ptr", "codebook", "act0", "act1", "sram"}, 0),   # wires
    "eie_ccu": ({"saturated", "row_error"}, {"status"}, 1),      # one bit of all PEs
}
#: Outputs that are more than one LUT away from the registers: a state and what is on its way.
DEEP = {"eie_sequencer": {"passes__ready": 3}, "eie_io_port": {"active": 5}, "eie_spmat_read": {"busy": 2},
        "eie_ccu": {"status": 2}}


@pytest.fixture(scope="module")
def structure():
    return Structure(read_hierarchy(emit(UNITS["top"](TINY), name="eie", cfg=TINY)))


def test_every_unit_is_looked_at(structure):
    assert {f"eie_{stem}" for stem in UNITS} - {"eie_top"} <= set(structure.hierarchy.units)


@pytest.mark.parametrize("unit", ["eie_skid", "eie_registers", *sorted(f"eie_{s}" for s in UNITS if s != "top"), "eie"])
def test_ports_are_registers(unit, structure):
    ports = structure.ports(unit)
    sources, sinks, most = THROUGH.get(unit, (set(), set(), 0))
    for path in ports["comb_paths"]:
        source, sink = path["from"].split("__")[0], path["to"].split("__")[0]
        assert sink == "probe" or (source in sources and sink in sinks and path["lut4"] <= most), path
    for output, lut4 in ports["unregistered_outputs"].items():
        assert output == "probe" or lut4 <= DEEP.get(unit, {}).get(output, 1), output
