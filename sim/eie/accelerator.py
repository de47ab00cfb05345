"""Whole-accelerator runs of EIE: emit, build, simulate in lockstep."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.common.emit import emit
from hdl.eie.top import Eie
from sim.common import runner
from sim.common.build import once
from sim.common.job import lockstep

#: Beats of matrix and pointers up to which an image goes through the stream port.
PORT_BEATS = 60_000

#: Units that occur often.
CONTROL = once("eie_pe", "eie_lnzd", "eie_act_queue_fifo", "elision_sram_1r1w")
FLAGS = ("-fno-dfg",)


@dataclass(frozen=True, kw_only=True)
class Lockstep(runner.Lockstep):
    """A run of EIE; ``runs`` has a :class:`golden.eie.model.Run` for each vector, with cycles and counters as read.

    Attributes
    ----------
    at_once : bool
        Matrix and pointers were written by the simulator, not through the stream port.
    """

    at_once: bool


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


def simulate(built, image, vectors, *, at_once=None, stalls=(), **options) -> Lockstep:
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
    options
        Of :func:`sim.common.job.lockstep`: ``seed``, ``waves_file``, ``golden_waves``, ...

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere.
    """
    if at_once is None:
        at_once = image.pointers.size + image.rows.size // 8 > PORT_BEATS
    job = {"image": image, "vectors": np.asarray(vectors), "at_once": at_once, "stalls": tuple(stalls)}
    with tempfile.TemporaryDirectory() as folder:
        if at_once:
            write_fill_files(image, Path(folder))
        return lockstep(Lockstep, built, job, test_module="sim.eie.lockstep",
                        plusargs=[f"+elision_fill={folder}"] if at_once else [], **options)
