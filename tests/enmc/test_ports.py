"""Units of ENMC are registered at their ports, but for parts that are one piece of logic with their neighbours."""

import pytest

from golden.enmc.config import PRESETS
from hdl.enmc import UNITS
from tests.common.ports import assert_exceptions_are_needed, assert_registered, structure_of

#: What may pass from an input to an output in one cycle, with the most 4-input LUTs, and why.
THROUGH = {
    # Tells apart what the host's pins hold; they are registers of the host, and the host port has some behind it.
    "enmc_instruction": ({"pins"}, {"instruction", "ordinary", "query", "read", "refresh", "take", "word", "write"}, 3),
    # From the registers of host port or generator into a queue.
    "enmc_decoder": ({"i"}, {"o"}, 9),
    # Which of two instructions goes depends on both, and on the registers, which stand still until one of them goes.
    # All come out of registers, and both ``ready`` end in the queues.
    "enmc_dispatch": ({"batch", "generated", "host", "mode", "row_bursts", "screen_bursts"}, {"generated", "host"}, 12),
    # What goes out in this cycle decides about the next one, so the loop through rows and rules has one register:
    # inputs and outputs are those of the other parts of the DRAM controller.
    "enmc_dram_commands": ({"act", "close", "has_data", "may_act", "may_pre", "may_pre_all", "may_read", "may_ref",
                            "may_write", "open", "pre", "refresh", "run", "visit"},
                           {"act_taken", "cas", "pre_taken", "row", "visit"}, 12),
    # ``batch`` is a register that stands still while a command runs: a burst is taken with the last input.
    "enmc_screen_control": ({"batch"}, {"front"}, 5),
    "enmc_screener": ({"batch"}, {"freed"}, 6),
}
#: Outputs that are more than one LUT away from the registers, beside those above, and why.
DEEP = {
    "enmc_instruction": {"instruction": 2, "ordinary": 3, "query": 3, "read": 2, "refresh": 2, "take": 2, "write": 2},
    "enmc_decoder": {"o": 9},
    "enmc_dispatch": {"generated__ready": 5, "host__ready": 12, "settled": 3},     # also: cycles since anything moved
    "enmc_dram_rows": {"act": 3, "busy": 2, "i__ready": 8, "pre": 8},   # first bank to do; the row of the visit's pair
    "enmc_dram_owner": {"refresh": 4},                                  # the state, and refreshes that are due
    # All banks and all rules; of one bank at most three of them.
    "enmc_dram_timing": {"idle": 4, "may_act": 2, "may_pre_all": 3, "may_read": 2, "may_ref": 4},
    "enmc_dram_commands": {"act_taken": 6, "cas": 10, "pre_taken": 11, "row": 12, "visit__ready": 11},
    "enmc_dram_data": {"busy": 2},                                      # any level
    "enmc_dram_controller": {"busy": 3},                                # any part
    "enmc_screen_control": {"at": 2, "front__ready": 5},                # the set; kind, and the last input
    "enmc_screener": {"busy": 2, "freed": 6},
    "enmc_exact_control": {"busy": 4, "front__ready": 4, "tag": 2},     # any stage; spacing of marks; the function
    "enmc_exact_dot": {"busy": 3},                                      # a counter is not 0
    "enmc_executor": {"busy": 6, "freed": 5},
}
#: Units by their Verilog module, those that are parts of others included.
MODULES = sorted({
    *(f"enmc_{stem}" for stem in UNITS if stem != "top"), "enmc", "enmc_instruction_fifo", "enmc_generated_fifo",
    "enmc_request_queue", "enmc_screen_queue", "enmc_execute_queue", "enmc_weight_buffer", "enmc_index_buffer",
    "enmc_exact_queue", "enmc_tag_queue", "enmc_result_queue"})


@pytest.fixture(scope="module")
def structure():
    return structure_of(UNITS["top"], "enmc", PRESETS["tiny"])


def test_every_unit_is_looked_at(structure):
    units = [unit for unit in structure.hierarchy.units if not unit.startswith("enmc_dram_rule_")]
    assert sorted(units) == MODULES


@pytest.mark.parametrize("unit", MODULES)
def test_ports_are_registers(unit, structure):
    assert_registered(structure, unit, THROUGH, DEEP)


@pytest.mark.parametrize("unit", sorted({*THROUGH, *DEEP}))
def test_exceptions_are_needed(unit, structure):
    assert_exceptions_are_needed(structure, unit, THROUGH, DEEP)
