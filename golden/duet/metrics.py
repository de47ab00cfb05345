"""What dual-module processing saves and costs, from a program, its counts and the equations [Thesis 5.3]."""

from typing import NamedTuple

import numpy as np

from .config import DuetConfig
from .formats import Kind
from .interpret import Counts, Machine
from .layers import Network
from .program import Program
from .spec import Trace, forward

__all__ = ["Prediction", "accuracy", "layer_counts", "predictions", "speculator_floor", "speedup"]


class Prediction(NamedTuple):
    """How well a little module finds the outputs that matter.

    Attributes
    ----------
    insensitive : float
        Share of the outputs that are not computed.
    zero : float or None
        Share of the outputs that would be zero; None for gates.
    lost : float or None
        Share of the outputs that are not zero, but taken for insensitive.
    """

    insensitive: float
    zero: float | None
    lost: float | None


def layer_counts(program: Program, x) -> dict[int, Counts]:
    """Counts of the Executor for an input, by layer."""
    machine, counts = Machine(program.cfg, program.memory), {}
    for write in (*program.load, *program.input_writes(x)):
        machine.write(write)
    for stage in program.stages:
        own, layer = machine.stage(stage), stage.layers[0]
        if layer is not None:
            counts[layer] = counts.get(layer, Counts()).plus(own)
    return counts


def speedup(base: Counts, other: Counts) -> float:
    """Cycles over cycles, of the floors."""
    return base.floor / other.floor if other.floor else float("inf")


def speculator_floor(cfg: DuetConfig, job: dict) -> int:
    """Cycles that the slowest of the Speculator's three parts needs: adder trees, systolic array, functions."""
    pixels = job["height"] * job["width"] if job["kind"] == Kind.CONV else 1
    windows = job["windows_y"] * job["windows_x"] * job["depth"]
    return pixels * max(job["reduced"] * windows, job["tiles_n"] * job["reduced"],
                        job["tiles_n"] * (cfg.systolic_columns // cfg.columns))


def predictions(network: Network, traces: list[Trace]) -> dict[int, Prediction]:
    """By layer that has a little module; ``traces`` of :func:`golden.duet.spec.forward` with them.

    What an output of a layer would be is worked out from the inputs that the layers before have left it.
    """
    found, x = {}, network.inputs
    for k, (layer, trace) in enumerate(zip(network.layers, traces, strict=True)):
        if trace.sensitive is not None:
            zero = lost = None
            if not layer.recurrent:
                exact = forward(Network(layers=[layer], inputs=x), False)[0].out
                zero, matters = float((exact == 0).mean()), int((exact != 0).sum())
                lost = float(((exact != 0) & ~trace.sensitive).sum() / max(1, matters))
            found[k] = Prediction(1 - float(trace.sensitive.mean()), zero, lost)
        x = trace.out
        if layer.recurrent and not (k + 1 < len(network.layers) and network.layers[k + 1].recurrent):
            x = x[:, -1]
        elif k + 1 < len(network.layers) and network.layers[k + 1].kind == "fc":
            x = x.reshape(len(x), -1)
    return found


def accuracy(network: Network, outputs) -> float | None:
    """Share of the inputs whose largest output is the labelled one; None without labels."""
    return None if network.labels is None else float(np.mean(outputs.argmax(axis=1) == network.labels))
