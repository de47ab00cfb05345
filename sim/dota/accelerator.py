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


@dataclass(frozen=True)
class Lockstep:
    """A run in which RTL and golden model agreed in every cycle.

    Attributes
    ----------
    runs : list of HeadRun, ProgramRun
        One for each plan, then for each of the layers; outputs as read back from the RTL.
    checked_cycles : int
        Compared cycles, loading and reading back included.
    counters : dict of str to int
        As read over AXI.
    status : int
    wall_seconds : float
        Time of the simulation from the first compared cycle on, golden model included.
    start_seconds : float
        Time before it: starting the simulator, importing, loading the compiled model.
    waves : Path or None
    seen : dict of str to set of str
        Coverage events that the golden model raised, by unit.
    """

    runs: list
    checked_cycles: int
    counters: dict
    status: int
    wall_seconds: float
    start_seconds: float
    waves: Path | None
    seen: dict[str, set[str]]

    @property
    def cycles_per_second(self) -> float:
        """Compared cycles a second."""
        return self.checked_cycles / self.wall_seconds


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
    return Lockstep(result["runs"], result["cycles"], result["counters"], result["status"], result["seconds"],
                    ran.wall_seconds - result["seconds"], ran.waves, ran.seen)
