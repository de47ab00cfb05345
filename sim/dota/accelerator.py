"""Whole-accelerator runs of DOTA: emit, build, simulate in lockstep."""

import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hdl.common.emit import emit
from hdl.dota.top import Dota
from sim.common import runner

#: Units that occur often are compiled once. Verilator merges the code of instances only where it is the same to the
#: letter: so nothing may be optimised through their ports, and no lookup tables may be made, as they have numbers.
_SHARED = ("dota_lane", "dota_row", "dota_pe", "dota_accumulator_element", "dota_mfu_column", "dota_select_row",
           "dota_key_fifo")
CONTROL = "".join(f'no_inline -module "{unit}"\npublic_flat_rw -module "{unit}" -port "*"\n' for unit in _SHARED)
FLAGS = ("-fno-dfg", "-fno-table")


@dataclass(frozen=True, kw_only=True)
class Lockstep(runner.Lockstep):
    """A run of DOTA; ``runs`` has a result for each plan, then for each of the layers.

    Attributes
    ----------
    counters : dict of str to int
        As read over AXI.
    status : int
    """

    counters: dict
    status: int


def build(cfg, waves=None, coverage=False):
    """The simulator for ``cfg``, from the cache when it is there."""
    design = emit(Dota(cfg), name="dota", cfg=cfg)
    return runner.build("dota", design.files, design.top, control=CONTROL, flags=FLAGS, waves=waves,
                        coverage=coverage)


def simulate(built, cfg, plans, *, layers=(), seed=1, stalls=(), reply_stalls=(), waves_file=None, golden_waves=None,
             coverage_file=None, on_progress=None, repeat=None) -> Lockstep:
    """Carry out plans, and then layers, on the RTL.

    Parameters
    ----------
    built : Build
        From :func:`build`, for ``cfg``.
    plans : list of Plan
    layers : sequence of Linear or Block
    stalls : sequence of bool
        Pattern of pauses of the host on the command stream.
    reply_stalls : sequence of bool
        The same on the reply stream.
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
        job.write_bytes(pickle.dumps({"cfg": cfg, "plans": plans, "layers": layers, "stalls": tuple(stalls),
                                      "reply_stalls": tuple(reply_stalls),
                                      "golden_waves": golden_waves and Path(golden_waves).resolve()}))
        ran = runner.run(built, test_module="sim.dota.lockstep", seed=seed, env={"ELISION_JOB": str(job)},
                         coverage_file=coverage_file, waves_file=waves_file, on_progress=on_progress, repeat=repeat)
    result = pickle.loads((ran.folder / "result.pickle").read_bytes())
    return Lockstep(runs=result["runs"], checked_cycles=result["cycles"], counters=result["counters"],
                    status=result["status"], wall_seconds=result["seconds"],
                    start_seconds=ran.wall_seconds - result["seconds"], waves=ran.waves, seen=ran.seen)
