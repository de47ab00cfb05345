"""Units of DUET are registered at their ports, but for parts that are one piece of logic with their neighbours."""

import pytest

from golden.duet.config import PRESETS
from hdl.duet import UNITS
from tests.common.ports import assert_exceptions_are_needed, assert_registered, structure_of

#: What may pass from an input to an output in one cycle, with the most 4-input LUTs, and why.
THROUGH = {
    # A skid buffer is there to let through what is offered while it is empty.
    "duet_approximation_skid": ({"i"}, {"o"}, 1),
    # Wires with a choice: the registers are those of the stream port, the loader and the memories.
    "duet_host_bus": ({"access", "data", "loads", "map", "wdata"},
                      {"answer", "bias_addr", "bias_data", "bias_en", "projection", "request", "transfer",
                       "weight_addr", "weight_data", "weight_en", "write"}, 2),
    # A port has its turn in the cycle in which no lower one asks; all ask from registers.
    "duet_glb": ({"request", "write"}, {"request", "write"}, 2),
    # The port of the global buffer is free, or what waits for it goes: two clients behind one register.
    "duet_reader": ({"request", "rows"}, {"rows", "steps"}, 1),
    # ``job`` stands still while a job runs, ``words`` while a step is loaded.
    "duet_input_walk": ({"job", "words"}, {"last", "last_tile", "there"}, 10),
    # A step starts in the cycle in which the last PE is done: a register between them would be a cycle a step.
    "duet_step_control": ({"busy"}, {"start"}, 3),
    # The maps are registers of the unit around it, which has one for all places of a word.
    "duet_map_pick": ({"masks"}, {"rows"}, 3),
    # Shows a bench what goes on in this cycle; nothing on the chip depends on it.
    "duet_probe": ({"head", "reads", "reads_valid", "writes", "writes_valid"}, {"o"}, 5),
}
#: Outputs that are more than one LUT away from the registers, beside those above, and why.
DEEP = {
    "duet_words_to_beats": {"i__ready": 2},                             # the last beat of a word is going
    "duet_io_port": {"active": 4},                                      # any bit of what is under way
    "duet_host_bus": {"bias_en": 2, "projection__valid": 2, "transfer__payload": 2, "transfer__valid": 2,
                      "weight_en": 2, "write__payload": 2, "write__valid": 2},      # the memory that is named
    "duet_glb": {"request__3__ready": 2, "write__3__ready": 2},         # three ports go first
    "duet_row_walk": {"busy": 3},                                       # the state, and what is on its way
    "duet_groups": {"busy": 2},                                         # any stage
    "duet_input_walk": {"last": 8, "last_tile": 6, "there": 10},        # counters at their ends; block in the map
    "duet_step_loads": {"busy": 2, "memory__ready": 4, "work__ready": 4},           # the state; nothing in flight
    "duet_loader": {"busy": 4, "memory__ready": 4},                     # any part
    "duet_memory_port": {"busy": 3},                                    # any burst, beat or word
    "duet_step_control": {"active": 2, "start": 3},                     # step, tags and bank are there
    "duet_map_pick": {"columns": 2, "rows": 3},                         # a bit of the word
    "duet_tag_queue": {"instruction": 4, "issue": 2},                   # first of the tags; its step runs
    "duet_executor_pe": {"busy": 2},
    "duet_executor_row": {"busy": 2},
    "duet_executor": {"busy": 3},                                       # any part
    "duet_spec_fetch": {"busy": 3},
    "duet_reorder": {"i__ready": 3},                                    # the last count is going
    "duet_speculator": {"busy": 4},
    "duet_probe": {"o": 5},                                             # the words that are written, folded
}
#: Units by their Verilog module, those that are parts of others included.
MODULES = sorted({
    *(f"duet_{stem}" for stem in UNITS if stem not in ("top", "multicast")), "duet", "duet_adder_tree",
    "duet_approximation_skid", "duet_beats", "duet_builds", "duet_cell_lane", "duet_counters", "duet_dequantizer",
    "duet_input_walk", "duet_mfu_lane", "duet_multicast_4", "duet_probe", "duet_registers", "duet_reorder_lists",
    "duet_row_pick", "duet_steps", "duet_store_activation", "duet_store_row", "duet_systolic_row",
    "duet_words_to_beats"})


@pytest.fixture(scope="module")
def structure():
    return structure_of(UNITS["top"], "duet", PRESETS["tiny"])


def test_every_unit_is_looked_at(structure):
    assert sorted(structure.hierarchy.units) == MODULES


@pytest.mark.parametrize("unit", MODULES)
def test_ports_are_registers(unit, structure):
    assert_registered(structure, unit, THROUGH, DEEP)


@pytest.mark.parametrize("unit", sorted({*THROUGH, *DEEP}))
def test_exceptions_are_needed(unit, structure):
    assert_exceptions_are_needed(structure, unit, THROUGH, DEEP)
