"""Whole-DIMM runs of ENMC: emit, build, simulate in lockstep."""

import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.common.emit import emit
from hdl.enmc.dimm import Dimm
from sim.common import runner

#: Units that occur often are compiled once; see sim.dota.accelerator.
_SHARED = ("enmc_rank", "enmc_screen_lane", "enmc_fp32_multiply", "enmc_fp32_add")
CONTROL = "".join(f'no_inline -module "{unit}"\npublic_flat_rw -module "{unit}" -port "*"\n' for unit in _SHARED)
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


def simulate(built, cfg, batches, *, seed=1, ports=False, dram_trace=None, waves_file=None, coverage_file=None,
             on_progress=None, repeat=None) -> Lockstep:
    """Carry out batches on the RTL.

    Parameters
    ----------
    built : Build
        From :func:`build`, for ``cfg``.
    batches : list of list of Job
        A job for each rank.
    ports : bool
        The host writes memory images by DDR4 commands; otherwise they are there at once.
    dram_trace : Path
        Where the commands of the DRAM go, as CSV.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere, or a rule of DDR4 is broken.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps({"cfg": cfg, "batches": batches, "ports": ports,
                                      "dram_trace": dram_trace and Path(dram_trace).resolve()}))
        ran = runner.run(built, test_module="sim.enmc.lockstep", seed=seed, env={"ELISION_JOB": str(job)},
                         coverage_file=coverage_file, waves_file=waves_file, on_progress=on_progress, repeat=repeat)
    result = pickle.loads((ran.folder / "result.pickle").read_bytes())
    return Lockstep(runs=result["answers"], batches=result["batches"], activity=result["activity"],
                    violations=result["violations"], checked_cycles=result["cycles"],
                    wall_seconds=result["seconds"], start_seconds=ran.wall_seconds - result["seconds"],
                    waves=ran.waves, seen=ran.seen)
