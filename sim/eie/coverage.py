"""What the fixed runs of EIE together must reach: ``python -m sim.coverage eie``. See docs/coverage.md."""

from functools import partial

from golden.common.fifo import FifoModel
from golden.eie import (
    act_rw,
    arithmetic,
    counters,
    io_port,
    lnzd,
    pointer_read,
    program,
    regfile,
    sequencer,
    spmat_read,
)
from sim.common import coverage

#: Units whose compiled models count events, with the field of the accelerator's state that holds them.
UNITS = {
    "io_port": (io_port, "io"), "program": (program, "program"), "sequencer": (sequencer, "sequencer"),
    "lnzd": (lnzd, "tree"), "pointer_read": (pointer_read, "pointers"), "spmat_read": (spmat_read, "entries"),
    "arithmetic": (arithmetic, "arithmetic"), "regfile": (regfile, "files"), "act_rw": (act_rw, "acts"),
}

#: Every named event, by unit.
PLAN = {unit: frozenset(module.EVENTS) for unit, (module, _) in UNITS.items()} | {
    "act_queue": FifoModel.EVENTS, "counters": frozenset(counters.EVENTS)}

#: Events that the runs do not reach, with the reason. All of them are reached elsewhere, and held there.
_OWN_BENCH = "counted by the bench of the unit alone, whose model has the counters"
_NO_MISTAKES = "nothing is wrong in these runs; tests/eie/tb_top.py does what a host must not"
EXCEPTIONS = {
    "act_queue": dict.fromkeys(sorted(PLAN["act_queue"]), _OWN_BENCH),
    "counters": dict.fromkeys(counters.EVENTS, _OWN_BENCH),
    "arithmetic": {"padding": "takes a gap of 16 rows, and these register files have 8", "row_error": _NO_MISTAKES},
    "io_port": {**dict.fromkeys(("bad_command", "bad_framing", "skipped"), _NO_MISTAKES),
                "reply_stalled": "the host of these runs takes every reply at once"},
    "program": dict.fromkeys(("illegal_length", "illegal_pass"), _NO_MISTAKES),
    "sequencer": dict.fromkeys(("refused_pass", "refused_start", "refused_undrained"), _NO_MISTAKES),
}


#: ``raised(state)``: events that the golden accelerator raised since its reset, by unit.
raised = partial(coverage.raised, UNITS)
