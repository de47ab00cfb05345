"""Masks without numbers: the scheduler alone in RTL, every cycle compared with its golden model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.common.cli import UsageError
from golden.common.config import to_json
from golden.dota.config import DotaConfig
from hdl.common.emit import emit
from hdl.dota.scheduler import Scheduler
from sim.common import runner
from sim.common.job import carry_out
from sim.common.waves import wave_kind

__all__ = ["Scheduled", "schedule_masks"]


@dataclass(frozen=True)
class Scheduled:
    """A run in which RTL and golden model agreed in every cycle.

    Attributes
    ----------
    rounds : list of list of list of int
        What the RTL decided for each mask, as ``golden.dota.scheduler.schedule`` gives it.
    checked_cycles : int
    wall_seconds : float
    waves : Path or None
    """

    rounds: list
    checked_cycles: int
    wall_seconds: float
    waves: Path | None


def schedule_masks(cfg: DotaConfig, masks, *, seed=1, waves_file=None, repeat=None) -> Scheduled:
    """Let the hardware schedule masks, bool [groups, 4, keys].

    Raises
    ------
    UsageError
        If a mask has more keys or connections than the hardware takes, or none.
    BenchFailure
        If RTL and golden model differ.
    """
    rows = np.asarray(masks).sum(axis=2)
    if masks.shape[2] > cfg.keys:
        raise UsageError(f"masks must have at most {cfg.keys} keys, not {masks.shape[2]}")
    if rows.max() > cfg.queue:
        raise UsageError(f"connections of a row must be at most {cfg.queue} (the queue), not {int(rows.max())}")
    if (rows.max(axis=1) == 0).any():
        raise UsageError("a mask must have at least one connection, not none")
    design = emit(Scheduler(cfg), name="dota_scheduler", cfg=cfg)
    built = runner.build("dota_scheduler", design.files, design.top, waves=wave_kind(waves_file))
    result, ran = carry_out(built, np.asarray(masks), test_module="sim.dota.masks_bench", seed=seed,
                            waves_file=waves_file, repeat=repeat, env={"DUT_CONFIG": to_json(cfg)})
    return Scheduled(result["rounds"], result["cycles"], ran.wall_seconds, ran.waves)
