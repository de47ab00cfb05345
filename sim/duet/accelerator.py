"""Whole-accelerator runs of DUET: emit, build, simulate in lockstep."""

import functools

from hdl.common.emit import emit
from hdl.duet.top import Duet
from sim.common import runner
from sim.common.build import once
from sim.common.job import lockstep
from sim.common.runner import CountedLockstep

#: Units that occur often.
CONTROL = once("duet_executor_pe", "duet_executor_row", "duet_adder_tree", "duet_systolic_row", "duet_cell_lane")
FLAGS = ("-fno-dfg", "-fno-table")


@functools.cache
def design(cfg):
    """The hardware for ``cfg``: emitting takes seconds, and fixed runs share it."""
    return emit(Duet(cfg), name="duet", cfg=cfg)


def build(cfg, waves=None, coverage=False):
    """The simulator for ``cfg``, from the cache when it is there."""
    return runner.build("duet", design(cfg).files, design(cfg).top, control=CONTROL, flags=FLAGS, waves=waves,
                        coverage=coverage)


def simulate(built, program, inputs, *, stalls=(), reply_stalls=(), ahead=False, extra=(),
             **options) -> CountedLockstep:
    """Carry out a program on inputs, on the RTL.

    Parameters
    ----------
    built : Build
        From :func:`build`, for the program's configuration.
    program : golden.duet.program.Program
    inputs : sequence of int64 array
    stalls, reply_stalls : sequence of bool
        Patterns of pauses of the host on the command stream and on the reply stream.
    ahead : bool
        The host sends all stages of an input without waiting for any, so the result has the counters of all together.
    extra : sequence of list of int
        Packets that it sends behind the last stage of every input, also bad ones; a READ among them must be good.
    options
        Of :func:`sim.common.job.lockstep`: ``seed``, ``waves_file``, ``golden_waves``, ...

    Returns
    -------
    CountedLockstep
        ``runs`` has a result for each input.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere.
    """
    job = {"program": program, "inputs": list(inputs), "stalls": tuple(stalls), "reply_stalls": tuple(reply_stalls),
           "ahead": ahead, "extra": list(extra)}
    return lockstep(CountedLockstep, built, job, test_module="sim.duet.lockstep", **options)
