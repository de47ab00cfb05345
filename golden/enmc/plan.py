"""What is to be run: a workload cut into programs, and what the equations say comes out of them."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from golden.common.cli import UsageError

from . import spec
from .classifier import jobs_of
from .compiler import Work
from .config import EnmcConfig
from .fit import fit_threshold
from .formats import Function
from .interpret import Job
from .packing import Layout, plan_layout
from .spec import LowRank
from .workloads import Workload

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A run.

    Attributes
    ----------
    cfg : EnmcConfig
    workload : Workload
    layout : Layout
    work : Work
    full : bool
        All classes are classified exactly, without screening.
    """

    cfg: EnmcConfig
    workload: Workload
    layout: Layout
    work: Work
    full: bool = False

    @property
    def batches(self) -> int:
        """Programs of each rank."""
        return self.layout.batches

    @property
    def function(self) -> Function:
        """Of exact results."""
        return self.work.function

    @cached_property
    def scores(self) -> np.ndarray:
        """Approximate scores, int32 [inputs, classes]."""
        return self.workload.screener.scores(self.workload.h)

    @cached_property
    def candidates(self) -> list:
        """Classes of each input that are classified exactly, ascending."""
        if self.full:
            return [np.arange(self.workload.classes)] * len(self.workload.h)
        return spec.candidates_of(self.scores, self.work.threshold)

    @cached_property
    def exact(self) -> list:
        """Results of the candidates, in the order of the executor's additions: float32 arrays."""
        w = self.workload
        return spec.classify(w.w, w.b, w.h, self.cfg.burst_words, self.candidates)

    def jobs(self, n: int) -> list[Job]:
        """Of batch ``n``: one for each rank. The first one writes the classifier, too.

        Of a classifier that is never whole in memory, the host writes the rows that are asked for.
        """
        w, rows = self.workload, None
        if isinstance(w.w, LowRank) and not self.full:
            rows = np.unique(np.concatenate(self.candidates))
        screener = None if self.full else w.screener
        return jobs_of(self.layout, n, self.work, screener, w.w, w.b, w.h, first=n == 0, rows=rows)


def plan(cfg: EnmcConfig, workload: Workload, *, inputs: int | None = None, batch: int | None = None,
         classes: int | None = None, candidates: float | None = None, scores: bool = False, full: bool = False,
         deal: bool = True) -> Plan:
    """Cut a workload to size.

    Parameters
    ----------
    inputs : int, optional
        The first ones alone.
    batch : int, optional
        Inputs that share a reading of the weights; as many as fit unless given.
    classes : int, optional
        The first ones alone, as if the others belonged to other DIMMs.
    candidates : float, optional
        Another threshold: so many candidates of an input on average.
    scores : bool
        Approximate scores of all classes are written into the DRAM, and the host reads them.
    full : bool
        No screening: every class exactly.
    deal : bool
        Classes are dealt to the tiles in turn. Otherwise neighbours, such as the most frequent classes, lie in one
        rank, which then has all the work.

    Raises
    ------
    UsageError
        If it does not fit.
    """
    if full and (scores or candidates is not None):
        raise UsageError(f"{'scores' if scores else 'candidates'} must be left out with full, which does not screen")
    if inputs is not None:
        workload = workload.limited(inputs)
    if classes is not None:
        workload = workload.part(0, classes)
    if candidates is not None:
        if not 0 < candidates <= workload.classes:
            raise UsageError(f"candidates must be above 0 and at most {workload.classes}, not {candidates:g}")
        screener = workload.screener
        threshold = fit_threshold(screener.w, screener.b, screener.features(workload.h), candidates)
        workload = dataclasses.replace(workload, screener=dataclasses.replace(screener, threshold=threshold))
    if deal:
        workload = _dealt(workload, -(-workload.classes // cfg.classes))
    layout = plan_layout(cfg, classes=workload.classes, elements=workload.elements, size=workload.screener.size,
                         inputs=len(workload.h), batch=batch)
    work = Work(threshold=workload.screener.threshold, function=workload.function, scores=scores)
    return Plan(cfg=cfg, workload=workload, layout=layout, work=work, full=full)


def _dealt(workload: Workload, tiles: int) -> Workload:
    """The same with its classes in another order: class n is among those of tile ``n % tiles``, or of one beside it."""
    order = np.concatenate([np.arange(tile, workload.classes, tiles) for tile in range(tiles)])
    place = np.argsort(order)
    w = workload.w.part(order) if isinstance(workload.w, LowRank) else workload.w[order]
    return dataclasses.replace(
        workload, w=w, b=workload.b[order], screener=workload.screener.part(order),
        labels=None if workload.labels is None else place[workload.labels],
        before=None if workload.before is None else place[workload.before],
        vocabulary=None if workload.vocabulary is None else [workload.vocabulary[n] for n in order])
