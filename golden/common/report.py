"""What the reports of all accelerators have in common."""

import dataclasses
from typing import NamedTuple

__all__ = ["Rtl", "figures"]


class Rtl(NamedTuple):
    """What the simulator adds.

    ``checked_cycles``: cycles in which every output was compared with the model, ``mismatches`` of them with a
    difference. ``counters``: as read over AXI; empty where nothing was read. ``wall_seconds``: time of the simulation
    without building.
    """

    checked_cycles: int
    mismatches: int
    counters: dict
    wall_seconds: float


def figures(accelerator: str, report, metrics: dict) -> dict:
    """The JSON object of a run.

    Parameters
    ----------
    report : object
        With ``preset``, ``cfg``, ``workload``, ``seed``, ``cycles``, ``functional_errors``, ``utilization``,
        ``wall_seconds`` and ``rtl``: None, or with at least ``checked_cycles``, ``mismatches`` and ``wall_seconds``.
    metrics : dict
        What this accelerator alone has.
    """
    rtl = report.rtl
    seconds = report.wall_seconds if rtl is None else rtl.wall_seconds
    cycles = report.cycles if rtl is None else rtl.checked_cycles
    return {
        "accelerator": accelerator,
        "preset": report.preset,
        "config": dataclasses.asdict(report.cfg),
        "workload": report.workload.name,
        "seed": report.seed,
        "cycles": report.cycles,
        "checked_cycles": 0 if rtl is None else rtl.checked_cycles,
        "mismatches": 0 if rtl is None else rtl.mismatches,
        "functional_errors": report.functional_errors,
        "utilization": report.utilization,
        "wall_seconds": seconds,
        "cycles_per_second": cycles / max(seconds, 1e-9),
        "metrics": {"description": report.workload.description, "synthetic": report.workload.synthetic} | metrics,
    }
