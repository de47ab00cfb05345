"""Whole-accelerator runs of DUET: emit, build, simulate in lockstep."""

import functools
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hdl.common.emit import emit
from hdl.duet.top import Duet
from sim.common import runner

#: Units that occur often are compiled once. Verilator merges the code of instances only where it is the same to the
#: letter: so nothing may be optimised through their ports, and no lookup tables may be made, as they have numbers.
_SHARED = ("duet_executor_pe", "duet_executor_row", "duet_adder_tree", "duet_systolic_row",
           "duet_cell_lane")
CONTROL = "".join(f'no_inline -module "{unit}"\npublic_flat_rw -module "{unit}" -port "*"\n' for unit in _SHARED)
FLAGS = ("-fno-dfg", "-fno-table")


@dataclass(frozen=True, kw_only=True)
class Lockstep(runner.Lockstep):
    """A run of DUET; ``runs`` has a result for each input.

    Attributes
    ----------
    counters : dict of str to int
        As read over AXI.
    status : int
    """

    counters: dict
    status: int


@functools.cache
def design(cfg):
    """The hardware for ``cfg``: emitting takes seconds, and fixed runs share it."""
    return emit(Duet(cfg), name="duet", cfg=cfg)


def build(cfg, waves=None, coverage=False):
    """The simulator for ``cfg``, from the cache when it is there."""
    return runner.build("duet", design(cfg).files, design(cfg).top, control=CONTROL, flags=FLAGS, waves=waves,
                        coverage=coverage)


def simulate(built, program, inputs, *, seed=1, stalls=(), reply_stalls=(), ahead=False, extra=(), waves_file=None,
             golden_waves=None, coverage_file=None, on_progress=None, repeat=None) -> Lockstep:
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
    waves_file : Path
        The RTL's waveform, if ``built`` traces.
    golden_waves : Path
        The golden model's, a VCD file with the same cycles.
    coverage_file : Path
        Code coverage, if ``built`` counts it.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps({"program": program, "inputs": list(inputs), "stalls": tuple(stalls),
                                      "reply_stalls": tuple(reply_stalls), "ahead": ahead, "extra": list(extra),
                                      "golden_waves": golden_waves and Path(golden_waves).resolve()}))
        ran = runner.run(built, test_module="sim.duet.lockstep", seed=seed, env={"ELISION_JOB": str(job)},
                         coverage_file=coverage_file, waves_file=waves_file, on_progress=on_progress, repeat=repeat)
    result = pickle.loads((ran.folder / "result.pickle").read_bytes())
    return Lockstep(runs=result["runs"], checked_cycles=result["cycles"], counters=result["counters"],
                    status=result["status"], wall_seconds=result["seconds"],
                    start_seconds=ran.wall_seconds - result["seconds"], waves=ran.waves, seen=ran.seen)
