"""Whole-accelerator runs of DOTA: emit, build, simulate in lockstep."""

from hdl.common.emit import emit
from hdl.dota.top import Dota
from sim.common import runner
from sim.common.build import once
from sim.common.job import lockstep
from sim.common.runner import CountedLockstep

#: Units that occur often.
CONTROL = once("dota_lane", "dota_row", "dota_pe", "dota_accumulator_element", "dota_mfu_column", "dota_select_row",
               "dota_key_fifo")
FLAGS = ("-fno-dfg", "-fno-table")


def build(cfg, waves=None, coverage=False):
    """The simulator for ``cfg``, from the cache when it is there."""
    design = emit(Dota(cfg), name="dota", cfg=cfg)
    return runner.build("dota", design.files, design.top, control=CONTROL, flags=FLAGS, waves=waves,
                        coverage=coverage)


def simulate(built, cfg, plans, *, layers=(), stalls=(), reply_stalls=(), **options) -> CountedLockstep:
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
    options
        Of :func:`sim.common.job.lockstep`: ``seed``, ``waves_file``, ``golden_waves``, ...

    Returns
    -------
    CountedLockstep
        ``runs`` has a result for each plan, then for each of the layers.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere.
    """
    job = {"cfg": cfg, "plans": plans, "layers": layers, "stalls": tuple(stalls), "reply_stalls": tuple(reply_stalls)}
    return lockstep(CountedLockstep, built, job, test_module="sim.dota.lockstep", **options)
