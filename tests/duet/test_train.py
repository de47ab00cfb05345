"""Training: gradients are those of the loss, and a step makes it smaller."""

import numpy as np
import pytest

from golden.duet.train import Cnn, Lstm, train


def loss(net, images, labels):
    """Cross-entropy."""
    scores = net.scores(images)
    scores = scores - scores.max(axis=1, keepdims=True)
    return (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(labels)), labels]).mean()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    return rng.random((6, 8, 8)), rng.integers(0, 10, 6)


@pytest.mark.parametrize("make", [Cnn, Lstm])
def test_gradients(make, data):
    net, rng = make(2), np.random.default_rng(3)
    gradients = net.gradients(*data)
    assert gradients.keys() == net.weights.keys()
    for key, values in net.weights.items():
        assert gradients[key].shape == values.shape
        for _ in range(3):
            where = tuple(int(rng.integers(n)) for n in values.shape)
            before = values[where]
            found = []
            for change in (1e-7, -1e-7):     # so small that hardly ever a ReLU switches
                values[where] = before + change
                found.append(loss(net, *data))
            values[where] = before
            assert abs((found[0] - found[1]) / 2e-7 - gradients[key][where]) < 1e-6


@pytest.mark.parametrize("make", [Cnn, Lstm])
def test_training_learns(make, data):
    net = make(4)
    before = loss(net, *data)
    train(net, *data, epochs=100, batch=6, rate=1e-2)
    assert loss(net, *data) < 0.5 * before


def test_sparsity_makes_outputs_small(data):
    means = []
    for sparsity in (0.0, 100.0):
        net = Cnn(5, sparsity=sparsity)
        train(net, *data, epochs=60, batch=6)
        means.append(net.convolution(data[0][:, None], net.weights["w1"], net.weights["b1"])[1].mean())
    assert means[1] < 0.8 * means[0]
