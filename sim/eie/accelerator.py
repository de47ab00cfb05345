"""Whole-accelerator runs of EIE: emit, build, simulate in lockstep."""

import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.eie.model import Run
from hdl.common.emit import emit
from hdl.eie.top import Eie
from sim.common import runner

#: Beats of matrix and pointers up to which an image goes through the stream port.
PORT_BEATS = 60_000

#: Units that occur often are compiled once. Verilator merges the code of instances only where it is the same to
#: the letter: so nothing may be optimised through their ports, and units with assertions, which print the
#: path of their instance, stand alone. Without this the model is ten times larger and builds as much longer.
_SHARED = ("eie_pe", "eie_lnzd", "eie_act_queue_fifo", "elision_sram_1r1w")
CONTROL = "".join(f'no_inline -module "{unit}"\npublic_flat_rw -module "{unit}" -port "*"\n' for unit in _SHARED)
FLAGS = ("-fno-dfg",)


@dataclass(frozen=True)
class Lockstep:
    """A run in which RTL and golden model agreed in every cycle.

    Attributes
    ----------
    runs : list of Run
        One for each vector; outputs as read back from the RTL, cycles and counters from its registers.
    checked_cycles : int
        Compared cycles, loading and reading back included.
    at_once : bool
        Matrix and pointers were written by the simulator, not through the stream port.
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
    at_once: bool
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
    design = emit(Eie(cfg), name="eie", cfg=cfg)
    return runner.build("eie", design.files, design.top, control=CONTROL, flags=FLAGS, waves=waves,
                        coverage=coverage)


def write_fill_files(image, folder: Path):
    """Contents of the sparse-matrix and pointer SRAMs of all PEs, one hex file for each SRAM."""
    for k in range(image.cfg.n_pe):
        pe = f"eie.pe_{k}"
        _write_hex(folder / f"{pe}.spmat_read.sram.hex", image.rows[k, :, ::-1])
        pointers = image.pointers[k].astype(">u4").view(np.uint8).reshape(-1, 4)
        _write_hex(folder / f"{pe}.pointer_read.even.hex", pointers[0::2])
        _write_hex(folder / f"{pe}.pointer_read.odd.hex", pointers[1::2])


def _write_hex(path: Path, words):
    """One line a word; ``words`` are bytes, uint8 [words, bytes], the highest first."""
    path.write_text(np.ascontiguousarray(words).tobytes().hex("\n", words.shape[1]))


def simulate(built, image, vectors, *, seed=1, at_once=None, stalls=(), waves_file=None,
             golden_waves=None, coverage_file=None, on_progress=None, repeat=None) -> Lockstep:
    """Run vectors through the RTL.

    Parameters
    ----------
    built : Build
        From :func:`build`, for the configuration of the image.
    image : Image
    vectors : int array, shape (batch, in)
    at_once : bool
        Let the simulator fill matrix and pointers; by default when they are more than PORT_BEATS beats.
    stalls : sequence of bool
        Pattern of pauses of the host on the command stream.
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
    if at_once is None:
        at_once = image.pointers.size + image.rows.size // 8 > PORT_BEATS
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps({"image": image, "vectors": np.asarray(vectors), "at_once": at_once,
                                      "stalls": tuple(stalls),
                                      "golden_waves": golden_waves and Path(golden_waves).resolve()}))
        plusargs = [f"+elision_fill={folder}"] if at_once else []
        if at_once:
            write_fill_files(image, Path(folder))
        ran = runner.run(built, test_module="sim.eie.lockstep", seed=seed, env={"ELISION_JOB": str(job)},
                         plusargs=plusargs, coverage_file=coverage_file,
                         waves_file=waves_file, on_progress=on_progress, repeat=repeat)
    result = pickle.loads((ran.folder / "result.pickle").read_bytes())
    runs = [Run(r["outputs"], r["saturated"], r["counters"]["cycles"], r["passes"], r["pe_entries"])
            for r in result["results"]]
    return Lockstep(runs, result["cycles"], at_once, result["seconds"], ran.wall_seconds - result["seconds"], ran.waves,
                    ran.seen)
