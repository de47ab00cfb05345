"""Units of DOTA are registered at their ports, but for parts that are one piece of logic with their neighbours."""

import pytest

from golden.dota.config import PRESETS
from hdl.dota import UNITS
from tests.common.ports import assert_exceptions_are_needed, assert_registered, structure_of

#: What may pass from an input to an output in one cycle, with the most 4-input LUTs, and why.
THROUGH = {
    # A skid buffer is there to let through what is offered while it is empty.
    "dota_accumulator_skid": ({"i"}, {"o"}, 1),
    # A beat is taken from all lanes that take part or from none: ``ready`` of one depends on ``valid`` of the others.
    "dota_accumulator": ({"i0", "lanes_on"}, {"i0"}, 1),
    # Algorithm 4 is logic without a clock; the scheduler has registers on both sides.
    "dota_choice": ({"some"}, {"back_0", "back_1", "back_2", "back_3", "back_next", "into", "into_next", "pop",
                               "source_0", "source_1", "source_2", "source_3"}, 8),
    # Wires between the banks and the array with a choice per PE: the registers are the banks' and the PEs'.
    "dota_operands": ({"arrival", "gather_data", "kind", "low_word", "operand", "precision", "wide"},
                      {"control", "load_bits", "operands", "take"}, 4),
    # Sequencers of a lane. ``step`` is a register of the lane that stands still while they are busy; the address and
    # enable of a memory are worked out in the cycle of the access, and the memory is the register behind them.
    "dota_exact": ({"step", "i", "o", "r_data", "result", "send_ready"},
                   {"last_sent", "port", "r_en", "release_", "select", "i"}, 17),
    "dota_fetch": ({"both", "values"}, {"gather_en", "gather_row"}, 3),
    "dota_estimate": ({"step", "port", "sums_valid"}, {"o_valid", "port", "precision"}, 12),
    # Parts of the detector, which is registered as a whole: a digit is found in the cycle that takes it, and the next
    # word is read as the mask before it goes.
    "dota_digit_count": ({"left"}, {"rest"}, 4),
    "dota_selection": ({"o", "start"}, {"r_en"}, 2),
    # Parts of the multi-function unit, which is registered as a whole: ``groups`` and ``passes`` stand still; the next
    # weights are read as soon as the output takes those before.
    "dota_mfu_normalise": ({"groups"}, {"finished"}, 5),
    "dota_mfu_send": ({"groups", "o", "passes"}, {"finished", "r_addr", "r_en"}, 9),
}
#: Outputs that are more than one LUT away from the registers, beside those above, and why.
DEEP = {
    "dota_words_to_beats": {"i__ready": 2},                    # the last beat of a word is going
    "dota_io_port": {"active": 4, "results__ready": 3},        # any bit of what is under way; the step that is served
    "dota_accumulator": {"busy": 2, "i0__ready": 3},           # any stage, and the output; also room for a sum
    "dota_output": {"i__ready": 2, "o__payload": 2},           # no words left; the half of a beat
    "dota_exact": {"busy": 2, "i__ready": 3, "last_sent": 16, "port__addr": 12, "port__en": 6, "port__write": 5,
                   "r_en": 8, "r_slot": 2, "release_": 19, "select": 5},       # by the state and by counters, see above
    "dota_fetch": {"gather_en": 5, "gather_row": 5, "i__ready": 8},            # first query that waits for each bank
    "dota_estimate": {"busy": 2, "o_valid": 3, "port__addr": 12, "port__en": 4, "port__wdata": 11, "port__write": 4},
    "dota_operands": {"control": 2, "load_bits": 4, "operands": 4, "take": 4},
    "dota_choice": dict.fromkeys(THROUGH["dota_choice"][1], 8),
    "dota_digit_count": {"digit": 4, "rest": 7},               # the digit that the counts tell, and what is left below
    "dota_count_row": {"digit": 4, "rest": 7},
    "dota_intake": {"found": 3, **{f"digit_{k}": 4 for k in range(4)}, **{f"rest_{k}": 7 for k in range(4)}},
    "dota_selection": {"free": 3, "r_en": 5},                  # a group ends; the state
    "dota_mfu_normalise": {"finished": 5, "r_en": 2, "w_data": 2, "w_en": 2},  # which slot; the state
    "dota_mfu_send": {"finished": 8, "r_addr": 6, "r_en": 9},
    "dota_lane": {"busy": 3, "o__payload": 16},                # ``last_sent`` of the exact unit
}
#: Units by their Verilog module, those that are parts of others included.
MODULES = sorted({
    "dota_registers", "dota_words_to_beats", "dota_accumulator_skid", "dota_accumulator_element", "dota_mfu_column",
    "dota_mfu_quantize", "dota_mfu_receive", "dota_mfu_normalise", "dota_mfu_send", "dota_exp", "dota_divide",
    "dota_outputs", "dota_results", "dota_estimates", "dota_digit_count", "dota_count_row", "dota_intake",
    "dota_selection", *(f"dota_{stem}" for stem in UNITS if stem != "top"), "dota"})


@pytest.fixture(scope="module")
def structure():
    return structure_of(UNITS["top"], "dota", PRESETS["tiny"])


def test_every_unit_is_looked_at(structure):
    units = [unit for unit in structure.hierarchy.units if not unit.startswith("dota_quantize_")]
    assert sorted(units) == MODULES


@pytest.mark.parametrize("unit", MODULES)
def test_ports_are_registers(unit, structure):
    assert_registered(structure, unit, THROUGH, DEEP)


@pytest.mark.parametrize("unit", sorted({*THROUGH, *DEEP}))
def test_exceptions_are_needed(unit, structure):
    assert_exceptions_are_needed(structure, unit, THROUGH, DEEP)
