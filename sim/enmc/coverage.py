"""What the fixed runs of ENMC together must reach: ``python -m sim.coverage enmc``. See docs/coverage.md."""

from functools import partial

from golden.enmc import (
    controller,
    dispatch,
    dram_controller,
    exact_control,
    exact_dot,
    exact_finish,
    fp32_divide,
    generator,
    host_port,
    instruction,
    output_buffer,
    screen_control,
    screen_filter,
    screen_lane,
    special,
    status,
)
from sim.common import coverage

#: Units whose compiled models count events, with where their state lies in that of the ranks.
UNITS = {
    "host_port": (host_port, "port"), "controller": (controller, "controller"),
    "generator": (generator, "controller.generator"), "dispatch": (dispatch, "controller.dispatch"),
    "status": (status, "controller.status"), "dram_controller": (dram_controller, "dram"),
    "screen_control": (screen_control, "screener.control"), "screen_lane": (screen_lane, "screener.lanes"),
    "screen_filter": (screen_filter, "screener.filter"), "exact_control": (exact_control, "executor.control"),
    "exact_dot": (exact_dot, "executor.dot"), "exact_finish": (exact_finish, "executor.finish"),
    "special": (special, "executor.special"), "output_buffer": (output_buffer, "executor.output"),
}

#: Every named event, by unit.
PLAN = {unit: frozenset(module.EVENTS) for unit, (module, _) in UNITS.items()} | {
    "instruction": frozenset(instruction.EVENTS), "fp32_divide": frozenset(fp32_divide.EVENTS)}

#: Events that the runs do not reach, with the reason. All of them are reached elsewhere, and held there.
_COUNTED_THERE = "counted by the bench of the unit alone; whole ranks have no counters of it"
_NO_MISTAKES = "nothing is wrong in these runs; the bench of the unit does what a host must not"
_IN_TURN = "the host of these runs has no program while its own traffic is under way; the bench of the unit has"
_NEVER_HERE = "no other unit of a rank ever asks for it; the bench of the unit alone does"
EXCEPTIONS = {
    "instruction": dict.fromkeys(instruction.EVENTS, _COUNTED_THERE),
    "fp32_divide": dict.fromkeys(sorted(fp32_divide.EVENTS), _COUNTED_THERE),
    "host_port": {**dict.fromkeys(("overrun", "overrun_in_the_cycle", "refused", "refused_read", "two_refused"),
                                  _NO_MISTAKES),
                  **dict.fromkeys(("read_data_after_grant", "write_data_after_grant"), _IN_TURN),
                  "answer_after_read": _IN_TURN},
    "controller": dict.fromkeys(("left_out", "overrun"), _NO_MISTAKES),
    "dispatch": {"skipped": _NO_MISTAKES, "wrong_generated": _NO_MISTAKES},
    "status": dict.fromkeys(("illegal", "overflow", "refused", "unknown"), _NO_MISTAKES),
    "dram_controller": dict.fromkeys(("late_host", "waited_for_host"), _IN_TURN),
    "exact_control": dict.fromkeys(("no_bursts", "unknown_function"), _NEVER_HERE),
    "exact_dot": {"empty_row": _NEVER_HERE},
    "special": {"no_room": _NEVER_HERE},
}

#: ``raised(state)``: events that the golden ranks raised since their reset, by unit.
raised = partial(coverage.raised, UNITS)
