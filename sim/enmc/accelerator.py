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


def simulate(built, cfg, batches, *, seed=1, ports=False, stalls=(), dram_trace=None, waves_file=None,
             golden_waves=None, coverage_file=None, on_progress=None, repeat=None) -> Lockstep:
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
    waves_file : Path
        The RTL's waveform, if ``built`` traces.
    golden_waves : Path
        The golden model's, a VCD file with the same cycles.
    coverage_file : Path
        Code coverage, if ``built`` counts it.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere, or a rule of DDR4 is broken.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps({"cfg": cfg, "batches": batches, "ports": ports, "stalls": tuple(stalls),
                                      "dram_trace": dram_trace and Path(dram_trace).resolve(),
                                      "golden_waves": golden_waves and Path(golden_waves).resolve()}))
        ran = runner.run(built, test_module="sim.enmc.lockstep", seed=seed, env={"ELISION_JOB": str(job)},
                         coverage_file=coverage_file, waves_file=waves_file, on_progress=on_progress, repeat=repeat)
    result = pickle.loads((ran.folder / "result.pickle").read_bytes())
    return Lockstep(runs=result["answers"], batches=result["batches"], activity=result["activity"],
                    violations=result["violations"], checked_cycles=result["cycles"],
                    wall_seconds=result["seconds"], start_seconds=ran.wall_seconds - result["seconds"],
                    waves=ran.waves, seen=ran.seen)
