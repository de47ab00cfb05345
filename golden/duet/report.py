"""What a run of DUET took and whether it was right; :mod:`golden.duet.tables` prints it.

The cycle model alone and the hardware in the simulator use the same report; the latter adds an :class:`Rtl`.
"""

from typing import NamedTuple

import numpy as np

from golden.common.report import Rtl, figures

from . import interpret
from .config import DuetConfig
from .interpret import Counts
from .metrics import accuracy
from .program import Program
from .spec import forward
from .workloads import Workload

__all__ = ["LayerReport", "Report", "Rtl", "evaluate", "to_dict"]


class LayerReport(NamedTuple):
    """A layer, over all inputs.

    ``counts``: of the interpreter. ``execute``, ``speculate``: cycles of its jobs, those with their own stage alone
    told by ``exposed``. ``cell_cycles``: of the cell unit. ``utilization``: MACs over those that all PEs could make in
    the Executor's cycles.
    """

    name: str
    counts: Counts
    execute: int
    speculate: int
    exposed: int
    cell_cycles: int
    weight_bytes: int
    utilization: float


class Report(NamedTuple):
    """A run."""

    cfg: DuetConfig
    preset: str
    mode: str
    workload: Workload
    seed: int
    inputs: int
    layers: list
    cycles: int
    base_cycles: int | None
    accuracies: dict
    functional_errors: int
    wall_seconds: float
    rtl: Rtl | None

    @property
    def utilization(self) -> float:
        """MACs over those that all PEs could make in the Executor's cycles, of all layers."""
        slots = sum(layer.execute for layer in self.layers) * self.cfg.rows * self.cfg.columns
        return sum(layer.counts.macs for layer in self.layers) / slots if slots else 0.0


def evaluate(program: Program, workload: Workload, runs, *, preset, seed, wall_seconds, base_cycles=None,
             rtl=None) -> Report:
    """Compare runs, one for each input, with the interpreter, and sum up.

    Parameters
    ----------
    runs : list of golden.duet.model.Run
    base_cycles : int or None
        Cycles of the same inputs in mode ``base``.
    """
    cfg, network = program.cfg, workload.network
    outputs, counts, _ = interpret.run(program, network.inputs)
    errors = 0
    total = dict.fromkeys(range(len(network.layers)))
    spent = {k: dict.fromkeys(("execute", "speculate", "exposed", "cell_cycles"), 0) for k in total}
    for run, expected, own in zip(runs, outputs, counts, strict=True):
        errors += int(np.count_nonzero(run.output != expected))
        for stage, counters, each in zip(program.stages, run.counts, own, strict=True):
            executes, speculates = stage.layers
            errors += (counters["macs"], counters["steps"]) != (each.macs, each.steps)
            if executes is not None:
                total[executes] = each if total[executes] is None else total[executes].plus(each)
                spent[executes]["execute"] += counters["execute"]
                spent[executes]["cell_cycles"] += counters["cell_cycles"]
            if speculates is not None:
                spent[speculates]["speculate"] += counters["speculate"]
                spent[speculates]["exposed"] += counters["speculate"] - counters["hidden"]
    layers = [_layer(cfg, k, layer.kind, total[k] or Counts(), spent[k]) for k, layer in enumerate(network.layers)]
    return Report(cfg, preset, program.mode, workload, seed, len(runs), layers,
                  sum(counters["cycles"] for run in runs for counters in run.counts), base_cycles,
                  _accuracies(workload, program.mode, runs, rtl), errors, wall_seconds, rtl)


def _layer(cfg, k, kind, counts, spent):
    slots = spent["execute"] * cfg.rows * cfg.columns
    return LayerReport(f"{k}: {kind}", counts, spent["execute"], spent["speculate"], spent["exposed"],
                       spent["cell_cycles"], counts.weight_words * cfg.word_bits // 8,
                       counts.macs / slots if slots else 0.0)


def _accuracies(workload, mode, runs, rtl):
    """By name: share of the inputs that are told right."""
    network = workload.network
    if network.labels is None:
        return {}
    found = {"fixed point": accuracy(network, _last(forward(network, False))),
             "with little modules": accuracy(network, _last(forward(network, mode != "base")))}
    name = "cycle model" if rtl is None else "rtl"
    return found | {name: accuracy(network, np.stack([run.output for run in runs]))}


def _last(traces):
    out = traces[-1].out
    return out.reshape(len(out), -1)


def to_dict(report: Report) -> dict:
    """The JSON object of the run."""
    return figures("duet", report, {
        "mode": report.mode,
        "inputs": report.inputs,
        "base_cycles": report.base_cycles,
        "accuracies": report.accuracies,
        "layers": [layer._asdict() | {"counts": layer.counts._asdict()} for layer in report.layers],
        "counters": {} if report.rtl is None else report.rtl.counters,
    })
