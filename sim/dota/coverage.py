"""What the fixed runs of DOTA together must reach: ``python -m sim.coverage dota``. See docs/coverage.md."""

from functools import partial

from golden.dota import (
    accumulator,
    detector,
    estimate,
    exact,
    fetch,
    io_port,
    mfu,
    operands,
    output,
    rmmu,
    round_queue,
    scheduler_unit,
    sram,
)
from sim.common import coverage

#: Units whose compiled models count events, with where their state lies in that of the accelerator.
UNITS = {
    "io_port": (io_port, "io"), "accumulator": (accumulator, "accumulator"), "output": (output, "output"),
    "sram": (sram, "lanes.sram"), "exact": (exact, "lanes.exact"), "fetch": (fetch, "lanes.fetch"),
    "estimate": (estimate, "lanes.estimate"), "operands": (operands, "lanes.operands"), "rmmu": (rmmu, "lanes.rmmu"),
    "detector": (detector, "lanes.detector"), "scheduler": (scheduler_unit, "lanes.scheduler"),
    "round_queue": (round_queue, "lanes.queue"), "mfu": (mfu, "lanes.mfu"),
}

#: Every named event, by unit.
PLAN = {unit: frozenset(module.EVENTS) for unit, (module, _) in UNITS.items()}

#: Events that the runs do not reach, with the reason. All of them are reached elsewhere, and held there.
_OWN_BENCH = "reached and held by the bench of the unit alone"
_NO_MISTAKES = "nothing is wrong in these runs; the bench of the stream port does what a host must not"
EXCEPTIONS = {
    "io_port": {**dict.fromkeys(("bad_command", "bad_framing", "bad_step", "skipped"), _NO_MISTAKES),
                **dict.fromkeys(("waits_for_lane", "read_waits_for_sums", "step_waits_for_sums"), _OWN_BENCH)},
    **{unit: dict.fromkeys(events, _OWN_BENCH) for unit, events in {
        "accumulator": ("held", "lane_off", "lane_waits", "passed_held", "same_token_again"),
        "detector": ("at_least_one", "by_keys"),
        "estimate": ("short_block",),
        "exact": ("narrow_output", "send_stalled", "wait_for_weights"),
        "mfu": ("refused", "score_clipped"),
        "output": ("clipped", "one_word", "stalled"),
        "rmmu": ("all_int2", "all_int4", "all_int8", "precision_change"),
        "round_queue": ("full",),
        "scheduler": ("fifo_full", "popped_at_once", "stalled", "two_go_back"),
        "sram": ("gather_all", "read_after_write", "three_flat"),
    }.items()},
}


#: ``raised(state)``: events that the golden accelerator raised since its reset, by unit.
raised = partial(coverage.raised, UNITS)
