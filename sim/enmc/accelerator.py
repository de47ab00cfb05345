"""Whole-DIMM runs of ENMC: emit, build, simulate in lockstep."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.common.emit import emit
from hdl.enmc.dimm import Dimm
from sim.common import runner
from sim.common.build import once
from sim.common.job import lockstep

#: Units that occur often.
CONTROL = once("enmc_rank", "enmc_screen_lane", "enmc_fp32_multiply", "enmc_fp32_add")
#: Where coverage is counted, a wire whose upper bits repeat its sign looks like a loop.
CONTROL += 'lint_off -rule UNOPTFLAT -file "enmc_controller.v" -match "*status__free*"\n'
FLAGS = ("-fno-dfg", "-fno-table")


@dataclass(frozen=True, kw_only=True)
class Lockstep(runner.Lockstep):
    """A run of ENMC; ``runs`` has a list of Answer for each batch.

    Attributes
    ----------
    batches : list of int
        Cycles of each batch, see :class:`golden.enmc.report.Run`.
    activity : int64 array
        See :mod:`golden.enmc.activity`.
    violations : int
        Of the rules of DDR4.
    """

    batches: list
    activity: np.ndarray
    violations: int


def build(cfg, waves=None, coverage=False):
    """The simulator for ``cfg``, from the cache when it is there."""
    design = emit(Dimm(cfg), name="enmc", cfg=cfg)
    return runner.build("enmc", design.files, design.top, control=CONTROL, flags=FLAGS, waves=waves, coverage=coverage)


def simulate(built, cfg, batches, *, ports=False, stalls=(), dram_trace=None, **options) -> Lockstep:
    """Carry out batches on the RTL.

    Parameters
    ----------
    built : Build
        From :func:`build`, for ``cfg``.
    batches : list of list of Job
        A job for each rank.
    ports : bool
        The host writes memory images by DDR4 commands; otherwise they are there at once.
    stalls : sequence of bool
        Pattern of pauses of the host; in each it plans nothing for ``golden.enmc.host.QUANTUM`` cycles.
    dram_trace : Path
        Where the commands of the DRAM go, as CSV.
    options
        Of :func:`sim.common.job.lockstep`: ``seed``, ``waves_file``, ``golden_waves``, ...

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere, or a rule of DDR4 is broken.
    """
    job = {"cfg": cfg, "batches": batches, "ports": ports, "stalls": tuple(stalls),
           "dram_trace": dram_trace and Path(dram_trace).resolve()}
    return lockstep(Lockstep, built, job, test_module="sim.enmc.lockstep", **options)
