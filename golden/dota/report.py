"""What a run of DOTA took and whether it was right; :mod:`golden.dota.tables` prints it.

The cycle model alone and the hardware in the simulator use the same report; the latter adds an :class:`Rtl`.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from golden.common.report import Rtl, figures

from . import metrics
from .config import DotaConfig
from .detection import Detection, measure
from .encoder import lanes_of
from .layers import Block
from .scheduler import in_order, loads, row_by_row, schedule
from .spec import attention, masked_attention
from .workloads import Workload

#: Phases of a head, in the order in which they come.
PHASES = ("project", "transform", "attend")
#: Phases of layers besides.
LAYER_PHASES = ("linear", "project_out", "ffn")


class HeadReport(NamedTuple):
    """One head.

    ``cycles``: of its lane, by phase. ``floor_dense``: cycles of dense attention if every PE of the lane made a
    multiplication in every cycle. ``recall``, ``mass`` and ``error`` as in :mod:`golden.dota.metrics`; ``best_error``
    is that of the truly largest scores in place of the estimated ones. ``utilization``: share of the PEs for exact work
    that make a useful multiplication, over the cycles of attention. ``detection``: that of its first groups, by
    themselves.
    """

    lane: int
    queries: int
    keys: int
    dim: int
    connections: int
    retention: float
    recall: float
    mass: float
    error: float
    best_error: float
    largest_error: float
    loads: metrics.Loads
    macs: metrics.Macs
    rounds: int
    cycles: dict
    floor_dense: int
    utilization: float
    detection: Detection


class StageReport(NamedTuple):
    """A phase of a linear layer or of an encoder block.

    ``cycles`` of the lanes, ``macs`` in FX16 of all of them together. ``utilization``: share of the PEs that make a
    useful multiplication; in attention of those for exact work, and 0 where the work is not in FX16.
    """

    phase: str
    lanes: int
    cycles: int
    macs: int
    utilization: float


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Everything about one run; make it with :func:`evaluate`.

    Attributes
    ----------
    preset : str
    cfg : DotaConfig
    workload : Workload
    seed : int
    heads : list of HeadReport
    stages : list of StageReport
        Of layers.
    mask_loads : list of metrics.Loads
        Of the workload's masks.
    cycles : int
        Of the lane that takes longest: the sum over its heads and their phases, or over the stages.
    functional_errors : int
        Elements of outputs that differ from layer 1 or from those expected.
    wall_seconds : float
        Of the model.
    rtl : Rtl or None
    """

    preset: str
    cfg: DotaConfig
    workload: Workload
    seed: int
    heads: list
    stages: list
    mask_loads: list
    cycles: int
    functional_errors: int
    wall_seconds: float
    rtl: Rtl | None = None

    @property
    def utilization(self) -> float:
        """Mean of the heads', or of the stages' in FX16, weighted by their cycles; 0 without."""
        parts = [(head.utilization, head.cycles["attend"]) for head in self.heads]
        parts += [(stage.utilization, stage.cycles) for stage in self.stages if stage.macs]
        return float(np.average([share for share, _ in parts], weights=[n for _, n in parts])) if parts else 0.0


def mask_loads(mask, rounds=None) -> metrics.Loads:
    """Key loads of one group."""
    rounds = schedule(mask) if rounds is None else rounds
    return metrics.Loads(row_by_row(mask), loads(in_order(mask)), loads(rounds), int(mask.any(axis=0).sum()))


def evaluate(cfg: DotaConfig, workload: Workload, runs: Sequence, *, preset: str, seed: int, wall_seconds: float,
             rounds: Sequence | None = None, rtl: Rtl | None = None) -> Report:
    """Compare runs with layer 1 and describe them.

    Parameters
    ----------
    runs : list of model.HeadRun, or of one model.ProgramRun
        One for each head, or that of the layers.
    rounds : list of rounds, optional
        What the hardware decided for each mask of a workload without heads.
    """
    if workload.layers is not None:
        stages, errors = _layers(cfg, workload.layers, runs[0])
        if workload.expected is not None:
            errors += int(np.count_nonzero(runs[0].results["y"] != workload.expected))
        return Report(preset=preset, cfg=cfg, workload=workload, seed=seed, heads=[], stages=stages, mask_loads=[],
                      cycles=sum(stage.cycles for stage in stages), functional_errors=errors,
                      wall_seconds=wall_seconds, rtl=rtl)
    heads, errors = [], 0
    lanes = [0] * cfg.lanes
    for n, (head, run) in enumerate(zip(workload.heads, runs, strict=True)):
        result = attention(head, cfg.estimate_bits, cfg.balance)
        errors += int(np.count_nonzero(run.z != result.z))
        if workload.expected is not None:
            errors += int(np.count_nonzero(run.z != workload.expected[n]))
        if workload.masks is not None:
            errors += int(np.count_nonzero(np.concatenate(result.masks) != np.concatenate(workload.masks)))
        lanes[run.lane] += sum(run.cycles.values())
        heads.append(_describe(cfg, head, run, result))
    mask_figures = []
    if not workload.heads:
        for n, mask in enumerate(workload.masks):
            wanted = schedule(mask, cfg.balance)
            decided = wanted if rounds is None else rounds[n]
            errors += decided != wanted
            mask_figures.append(mask_loads(mask, decided))
    return Report(preset=preset, cfg=cfg, workload=workload, seed=seed, heads=heads, stages=[],
                  mask_loads=mask_figures, cycles=max(lanes), functional_errors=errors, wall_seconds=wall_seconds,
                  rtl=rtl)


def _layers(cfg, layers, run):
    """Stages and the number of elements that differ from layer 1."""
    wanted = layers.results(cfg)
    errors = sum(int(np.count_nonzero(values != wanted[name])) for name, values in run.results.items())
    lanes = lanes_of(layers, cfg) if isinstance(layers, Block) else 1
    work, stages = layers.work(wanted), []
    for phase in (*PHASES, *LAYER_PHASES):
        if phase in run.cycles:
            cycles, macs = run.cycles[phase], work.get(phase, 0)
            pes = lanes * cfg.pes // (2 if phase == "attend" else 1)
            stages.append(StageReport(phase, lanes, cycles, macs, macs / (cycles * pes)))
    return stages, errors


def _describe(cfg, head, run, result):
    best = masked_attention(head, metrics.true_top(head, result.mask.sum(axis=1)))
    error, macs = metrics.output_error(head, run.z), metrics.macs(head, result.mask)
    attend = run.cycles["attend"]
    return HeadReport(
        lane=run.lane, queries=head.queries, keys=head.keys, dim=head.dim, connections=int(result.mask.sum()),
        retention=metrics.retention(result.mask), recall=metrics.recall(head, result.mask),
        mass=metrics.mass(head, result.mask), error=error.relative,
        best_error=metrics.output_error(head, best.z).relative, largest_error=error.largest,
        loads=metrics.key_loads(result.masks, result.rounds), macs=macs, rounds=sum(map(len, result.rounds)),
        cycles=dict(run.cycles), floor_dense=-(-macs.dense // cfg.pes),
        utilization=macs.sparse / (attend * cfg.pes / 2), detection=measure(head, cfg))


def to_dict(report: Report) -> dict:
    """The JSON object of the run."""
    return figures("dota", report, {
        "heads": [_head_dict(head) for head in report.heads],
        "stages": [stage._asdict() for stage in report.stages],
        "masks": [loads._asdict() for loads in report.mask_loads],
        "counters": {} if report.rtl is None else report.rtl.counters,
    })


def _head_dict(head):
    return head._asdict() | {"loads": head.loads._asdict(), "macs": head.macs._asdict(),
                             "detection": head.detection._asdict() | {"ratio": head.detection.ratio}}
