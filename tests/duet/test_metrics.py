"""Figures from programs: speed, work of the Speculator, quality of predictions."""

import numpy as np
import pytest

from golden.duet import paper_figures
from golden.duet.compiler import compile_network
from golden.duet.formats import SPECULATE_FIELDS, Kind
from golden.duet.interpret import Counts
from golden.duet.layers import Network
from golden.duet.metrics import accuracy, layer_counts, predictions, speculator_floor, speedup
from golden.duet.program import job
from golden.duet.spec import MODES, forward
from tests.duet.launch import CONFIGS, TINY
from tests.duet.networks import network_of

PAPER = CONFIGS["paper"]


@pytest.mark.parametrize(("changes", "cycles"), [
    ({}, 9 * 2 * 6), ({"tiles_n": 7}, 9 * 14), ({"reduced": 1, "depth": 1, "tiles_n": 5}, 9 * 10),
    ({"kind": Kind.VECTOR}, 12)])
def test_speculator_floor(changes, cycles):
    """The slowest of adder trees (6 words of windows for each of 2 of the reduced input), array and functions."""
    fields = {"kind": Kind.CONV, "height": 3, "width": 3, "windows_y": 2, "windows_x": 1, "depth": 3, "reduced": 2,
              "tiles_n": 1}
    assert speculator_floor(PAPER, job(SPECULATE_FIELDS, **fields | changes)) == cycles


def test_speedup():
    assert speedup(Counts(floor=30), Counts(floor=12)) == 2.5
    assert speedup(Counts(floor=30), Counts()) == float("inf")


def test_counts_by_layer():
    """Every layer that is executed has counts; what it skips follows from the equations."""
    network = network_of("chain")
    trace = forward(network, True)
    counts = layer_counts(compile_network(network, TINY), network.inputs[0])
    assert list(counts) == list(range(len(network.layers)))
    for k, own in counts.items():
        assert own.outputs == trace[k].out[0].size
        sensitive = trace[k].sensitive
        assert own.insensitive == (0 if sensitive is None else int((~sensitive[0]).sum()))


def test_predictions():
    """Zero outputs and lost ones of the first layer, by hand; later layers see what the ones before left."""
    network = network_of("chain")
    traces, exact = forward(network, True), forward(network, False)
    found = predictions(network, traces)
    assert list(found) == [0, 1, 3]
    zero, maps = exact[0].out == 0, traces[0].sensitive
    assert found[0] == (1 - maps.mean(), zero.mean(), (~zero & ~maps).sum() / (~zero).sum())
    own = forward(Network(layers=[network.layers[1]], inputs=traces[0].out), False)[0].out
    assert found[1].zero == (own == 0).mean()


def test_accuracy():
    network = network_of("chain")
    labelled = Network(layers=network.layers, inputs=network.inputs, labels=np.array([0, 2]))
    assert accuracy(labelled, np.array([[3, 1, 2], [3, 1, 2]])) == 0.5
    assert accuracy(network, np.zeros((2, 3))) is None


def test_figures_of_the_source():
    """By mode, in the order in which modes are shown."""
    assert tuple(paper_figures.SPEEDUP) == MODES and set(paper_figures.UTILIZATION) == set(MODES[1:])
