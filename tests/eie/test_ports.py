"""Every unit of EIE is registered at its ports: no path leads through two of them."""

import pytest

from golden.eie.config import PRESETS
from hdl.eie import UNITS
from tests.common.ports import assert_exceptions_are_needed, assert_registered, structure_of

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
#: Units by their Verilog module; the skid buffer and the registers are parts of others.
MODULES = ["eie_skid", "eie_registers", *sorted(f"eie_{stem}" for stem in UNITS if stem != "top"), "eie"]


@pytest.fixture(scope="module")
def structure():
    return structure_of(UNITS["top"], "eie", PRESETS["tiny"])


def test_every_unit_is_looked_at(structure):
    assert set(MODULES) <= set(structure.hierarchy.units)


@pytest.mark.parametrize("unit", MODULES)
def test_ports_are_registers(unit, structure):
    assert_registered(structure, unit, THROUGH, DEEP)


@pytest.mark.parametrize("unit", sorted({*THROUGH, *DEEP}))
def test_exceptions_are_needed(unit, structure):
    assert_exceptions_are_needed(structure, unit, THROUGH, DEEP)
