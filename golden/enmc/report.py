"""What a run of ENMC took and whether it was right; :mod:`golden.enmc.tables` prints it.

The cycle model alone and the hardware in the simulator use the same report; the latter adds an :class:`Rtl`.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from golden.common.report import figures

from .activity import QUANTITIES, STAGES, Occupation, occupation
from .config import EnmcConfig
from .metrics import Quality, Traffic, quality_of, traffic
from .plan import Plan
from .registers import REGISTERS
from .spec import float_results
from .verify import Errors, records_of, verify
from .workloads import Workload

#: Registers that count.
COUNTERS = tuple(name for name, register in REGISTERS.items() if register.width == 48)


class Run(NamedTuple):
    """What came of the programs, from the model or the hardware.

    Attributes
    ----------
    answers : list of list of Answer
        Of every batch, of every rank.
    batches : list of int
        Cycles of every batch, from its first instruction until the host had all records.
    activity : int64 array, shape (ranks, stages, quantities)
        See :mod:`golden.enmc.activity`.
    """

    answers: list
    batches: list
    activity: np.ndarray


class Rtl(NamedTuple):
    """What the simulator adds.

    ``checked_cycles``: cycles in which every output was compared with the model, ``mismatches`` of them with a
    difference. ``violations``: of the rules of DDR4. ``wall_seconds``: time of the simulation without building.
    """

    checked_cycles: int
    mismatches: int
    violations: int
    wall_seconds: float


class RankReport(NamedTuple):
    """A rank; ``counters``: what its registers counted in the whole run."""

    classes: int
    counters: dict
    stages: dict
    screening: Occupation
    executing: Occupation
    whole: Occupation


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Everything about one run; make it with :func:`evaluate`.

    Attributes
    ----------
    preset : str
    plan : Plan
    seed : int
    ranks : list of RankReport
        Of the ranks with classes.
    batches : list of int
        Cycles of each.
    quality : Quality
    traffic : Traffic
        Bytes that the programs need.
    bytes_read : int
        By the counters of all ranks.
    errors : Errors
    wall_seconds : float
        Of the model.
    rtl : Rtl or None
    """

    preset: str
    plan: Plan
    seed: int
    ranks: list
    batches: list
    quality: Quality
    traffic: Traffic
    bytes_read: int
    errors: Errors
    wall_seconds: float
    rtl: Rtl | None = None

    @property
    def cfg(self) -> EnmcConfig:
        """Of the plan."""
        return self.plan.cfg

    @property
    def workload(self) -> Workload:
        """Of the plan."""
        return self.plan.workload

    @property
    def functional_errors(self) -> int:
        """Of all kinds."""
        return self.errors.total

    @property
    def cycles(self) -> int:
        """Of all batches."""
        return sum(self.batches)

    @property
    def utilization(self) -> float:
        """Share of the clocks that refresh leaves in which the data pins carry data, while ENMC has the DRAM."""
        return _mean([rank.whole for rank in self.ranks], "possible")


def _mean(parts: Sequence[Occupation], name: str) -> float:
    """Weighted by cycles; 0 without any."""
    weights = [part.cycles for part in parts]
    return float(np.average([getattr(part, name) for part in parts], weights=weights)) if sum(weights) else 0.0


def _likelihood(results):
    """Results in the order of their likelihood: what is no number is the least likely."""
    return np.where(np.isnan(results), np.float32(-np.inf), results)


def evaluate(plan: Plan, run: Run, *, preset: str, seed: int, wall_seconds: float, rtl: Rtl | None = None) -> Report:
    """Compare a run with the equations and describe it."""
    cfg, layout, w = plan.cfg, plan.layout, plan.workload
    records = records_of(plan, run.answers)
    with np.errstate(over="ignore", invalid="ignore"):      # the executor has infinite results, too
        approximate = np.zeros(plan.scores.shape, np.float32) if plan.full else w.screener.results(w.h, plan.scores)
        full = float_results(w.w, w.b, w.h)
    quality = quality_of(approximate, [r.label for r in records], [_likelihood(r.exact) for r in records],
                         _likelihood(full), w.screener, w.labels)
    ranks = []
    for k in range(cfg.ranks):
        if layout.share(k):
            own = run.activity[k]
            ranks.append(RankReport(
                len(layout.share(k)), {name: run.answers[-1][k].counters[name] for name in COUNTERS},
                {stage: dict(zip(QUANTITIES, values, strict=True))
                 for stage, values in zip(STAGES, own.tolist(), strict=True)},
                occupation(cfg, own, ("screening",)), occupation(cfg, own, ("executing",)),
                occupation(cfg, own, [stage for stage in STAGES if stage != "resting"])))
    return Report(preset=preset, plan=plan, seed=seed, ranks=ranks, batches=list(run.batches), quality=quality,
                  traffic=traffic(layout, plan.candidates),
                  bytes_read=sum(rank.counters["bursts_read"] for rank in ranks) * cfg.dq,
                  errors=verify(plan, run.answers), wall_seconds=wall_seconds, rtl=rtl)


def to_dict(report: Report) -> dict:
    """The JSON object of the run."""
    plan = report.plan
    return figures("enmc", report, {
        "classes": plan.workload.classes, "elements": plan.workload.elements,
        "size": plan.workload.screener.size, "inputs": len(plan.workload.h), "batch": plan.layout.batch,
        "full": plan.full,
        "batches": report.batches,
        "quality": report.quality._asdict(),
        "errors": report.errors._asdict(),
        "traffic": report.traffic._asdict() | {"read": report.bytes_read},
        "violations": None if report.rtl is None else report.rtl.violations,
        "ranks": [rank._asdict() | {name: getattr(rank, name)._asdict()
                                    for name in ("screening", "executing", "whole")} for rank in report.ranks],
    })
