"""What a run of EIE took and whether it was right; :mod:`golden.eie.tables` prints it.

The cycle model alone and the hardware in the simulator use the same report; the latter adds a :class:`Rtl`.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from golden.common.report import figures

from .compiler import Image, layer_floors
from .config import EieConfig
from .spec import network_outputs
from .workloads import Workload

#: Fields of ``model.PassStats`` that are added up over the passes of a layer and over all vectors.
SUMMED = ("cycles", "broadcasts", "stall_queue", "stall_lnzd", "stall_drain", "stall_store", "control",
          "entries", "padding", "spmat_reads", "ptr_reads", "act_reads", "act_writes")


class Rtl(NamedTuple):
    """What the simulator adds: the hardware's outputs and how much of it was compared.

    ``outputs``: int64 array (vectors, out). ``checked_cycles``: cycles in which every output was compared
    with the model, ``mismatches`` of them with a difference. ``wall_seconds``: time of the simulation without
    building.
    """

    outputs: np.ndarray
    checked_cycles: int
    mismatches: int
    wall_seconds: float


class LayerReport(NamedTuple):
    """Sums over the passes of one layer and over all vectors; see ``model.PassStats`` for the counters.

    ``floor``: cycles below which no EIE can be, see :func:`golden.eie.compiler.layer_floors`. ``saturated``:
    outputs with at least one clipped sum. ``density``: share of weights that are not pruned.
    """

    n_in: int
    n_out: int
    passes: int
    density: float
    floor: int
    saturated: int
    counters: dict

    def busy(self, n_pe: int) -> float:
        """Share of all PEs' cycles in which they retired an entry."""
        return self.counters["entries"] / max(self.counters["cycles"] * n_pe, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Everything about one run; make it with :func:`evaluate`.

    Attributes
    ----------
    preset : str
    image : Image
    workload : Workload
        All of it, also vectors that did not run.
    seed : int
    layers : list of LayerReport
    cycles : int
        Of the model, over all vectors. The hardware has the same number or ``rtl.mismatches`` is not 0.
    outputs : int64 array, shape (vectors, out)
        Of the model.
    functional_errors : int
        Outputs (of the model, of the hardware, and expected ones of the workload) that differ from layer 1,
        and PEs whose saturation flag does.
    accuracy : dict
        Name of an arithmetic -> share of right classes among the vectors that ran. Empty without labels.
    test_accuracy : dict
        The same over all vectors of the workload, by layer 1.
    wall_seconds : float
        Of the model.
    rtl : Rtl or None
    """

    preset: str
    image: Image
    workload: Workload
    seed: int
    layers: list
    cycles: int
    outputs: np.ndarray
    functional_errors: int
    accuracy: dict
    test_accuracy: dict
    wall_seconds: float
    rtl: Rtl | None = None

    @property
    def cfg(self) -> EieConfig:
        """Of the image."""
        return self.image.cfg

    @property
    def utilization(self) -> float:
        """Share of all PEs' cycles in which they retired an entry."""
        return self.total.busy(self.cfg.n_pe)

    @property
    def total(self) -> LayerReport:
        """Sum of :attr:`layers`; ``n_in`` and ``n_out`` are those of the network."""
        counters = {name: sum(x.counters[name] for x in self.layers) for name in SUMMED}
        return LayerReport(self.layers[0].n_in, self.layers[-1].n_out, sum(x.passes for x in self.layers),
                           self.image.total.density, sum(x.floor for x in self.layers),
                           sum(x.saturated for x in self.layers), counters)


def evaluate(image: Image, workload: Workload, runs: Sequence, *, preset: str, seed: int, wall_seconds: float,
             rtl: Rtl | None = None) -> Report:
    """Compare runs with layer 1 and add them up.

    Parameters
    ----------
    runs : list of model.Run
        For the first ``len(runs)`` vectors of the workload.
    """
    n_pe, bits = image.cfg.n_pe, image.cfg.data_bits
    counters = [dict.fromkeys(SUMMED, 0) for _ in workload.layers]
    floors, saturated = [0] * len(workload.layers), [0] * len(workload.layers)
    errors, reference = 0, []
    for activations, run in zip(workload.activations, runs, strict=False):
        results = network_outputs(workload.layers, activations, bits)
        reference.append(results[-1][0])
        errors += int(np.count_nonzero(run.outputs != reference[-1]))
        clipped = np.zeros(n_pe, bool)
        for k, (_, rows) in enumerate(results):
            saturated[k] += int(np.count_nonzero(rows))
            clipped[np.flatnonzero(rows) % n_pe] = True
        errors += int(np.count_nonzero(clipped != run.saturated))
        todo = layer_floors(image, [activations, *(outputs for outputs, _ in results[:-1])])
        floors = [before + more for before, more in zip(floors, todo, strict=True)]
        for info, done in zip(image.pass_info, run.passes, strict=True):
            for name in SUMMED:
                counters[info.layer][name] += getattr(done, name)
    reference = np.stack(reference)
    if workload.expected is not None:
        errors += int(np.count_nonzero(reference != workload.expected[:len(runs)]))
    if rtl is not None:
        errors += int(np.count_nonzero(rtl.outputs != reference))
    layers = [LayerReport(x.n_in, x.n_out, sum(i.layer == k for i in image.pass_info), image.stats[k].density,
                          floors[k], saturated[k], counters[k]) for k, x in enumerate(workload.layers)]
    outputs = np.stack([run.outputs for run in runs])
    return Report(preset=preset, image=image, workload=workload, seed=seed, layers=layers,
                  cycles=sum(run.cycles for run in runs), outputs=outputs, functional_errors=errors,
                  accuracy=_accuracy(workload, _computed(outputs, rtl)),
                  test_accuracy=_accuracy(workload, {"fixed_point": _all_outputs(workload, bits)}),
                  wall_seconds=wall_seconds, rtl=rtl)


def _computed(outputs, rtl):
    """Outputs of the vectors that ran, by name of what computed them."""
    return {"fixed_point": outputs} if rtl is None else {"fixed_point": outputs, "rtl": rtl.outputs}


def _all_outputs(workload, bits):
    """Layer 1 on every vector of a workload with labels: its stored outputs where it has them."""
    if workload.labels is None or workload.expected is not None:
        return workload.expected
    return np.stack([network_outputs(workload.layers, a, bits)[-1][0] for a in workload.activations])


def _accuracy(workload, outputs):
    """Share of right classes for the float forms of the network and for ``outputs``, on as many vectors."""
    if workload.labels is None:
        return {}
    count = len(next(iter(outputs.values())))
    right = {name: values[:count].argmax(axis=1) == workload.labels[:count]
             for name, values in (workload.logits | outputs).items()}
    return {name: float(values.mean()) for name, values in right.items()}


def to_dict(report: Report) -> dict:
    """The JSON object of the run; counts are sums over all vectors."""
    total, stored = report.total, report.image.total
    return figures("eie", report, {
        "vectors": len(report.outputs),
        "floor": total.floor,
        "cycles_over_floor": report.cycles / max(total.floor, 1),
        **{name: total.counters[name] for name in SUMMED if name != "cycles"},
        "saturated": total.saturated,
        "compression": report.image.compression,
        "stored": stored._asdict() | {"density": stored.density,
                                      "largest_pe": int(report.image.entries.max())},
        "layers": [x._asdict() | {"utilization": x.busy(report.cfg.n_pe)} for x in report.layers],
        "accuracy": report.accuracy,
        "test_accuracy": report.test_accuracy,
        "test_vectors": len(report.workload.activations),
        "classes": classes(report),
    })


def classes(report):
    """True and predicted class of every vector; None without labels."""
    labels, count = report.workload.labels, len(report.outputs)
    if labels is None:
        return None
    outputs = report.workload.logits | _computed(report.outputs, report.rtl)
    return {"true": labels[:count].tolist()} | {name: values[:count].argmax(axis=1).tolist()
                                                for name, values in outputs.items()}
