"""Networks for tests: odd shapes of all kinds of layers."""

import numpy as np

from golden.duet.random_network import random_conv, random_fc, random_network, random_recurrent

__all__ = ["SHAPES", "conv_network", "network_of", "recurrent_network"]


def conv_network(rng, *, channels, outputs, size, kernel=(3, 3), stride=1, pad=0, low=5, count=1):
    """One convolution."""
    return random_network(rng, (channels, *size), [random_conv(rng, channels, outputs, kernel, stride=stride, pad=pad,
                                                               size=low)], count)


def recurrent_network(rng, kind, *, hidden, features, steps=2, low=5, count=1):
    """One recurrent layer."""
    return random_network(rng, (steps, features), [random_recurrent(rng, kind, hidden, features, size=low)], count)


#: Name -> network(rng).
SHAPES = {
    "one-pixel": lambda rng: conv_network(rng, channels=1, outputs=1, size=(1, 1), kernel=(1, 1), low=1),
    "one-pixel-5x5": lambda rng: conv_network(rng, channels=2, outputs=3, size=(1, 1), kernel=(5, 5), pad=2),
    "1x1": lambda rng: conv_network(rng, channels=17, outputs=9, size=(5, 6), kernel=(1, 1)),
    "1x1-stride": lambda rng: conv_network(rng, channels=3, outputs=2, size=(7, 6), kernel=(1, 1), stride=2),
    "3x3": lambda rng: conv_network(rng, channels=5, outputs=11, size=(7, 4), pad=1, count=2),
    "3x3-stride": lambda rng: conv_network(rng, channels=6, outputs=7, size=(9, 8), stride=2, pad=1),
    "3x3-stride-3": lambda rng: conv_network(rng, channels=2, outputs=4, size=(10, 11), stride=3),
    "5x5": lambda rng: conv_network(rng, channels=3, outputs=4, size=(6, 9), kernel=(5, 5), pad=2),
    "5x3": lambda rng: conv_network(rng, channels=3, outputs=4, size=(6, 9), kernel=(5, 3), pad=1),
    "far-padding": lambda rng: conv_network(rng, channels=1, outputs=4, size=(2, 3), kernel=(2, 2), pad=3),
    "64-channels": lambda rng: conv_network(rng, channels=64, outputs=64, size=(4, 3), pad=1, low=9),
    "no-low": lambda rng: conv_network(rng, channels=3, outputs=5, size=(3, 5), pad=1, low=0),
    "fc": lambda rng: random_network(rng, (37,), [random_fc(rng, 37, 29, relu=True, size=6), random_fc(rng, 29, 5)]),
    "fc-one": lambda rng: random_network(rng, (1,), [random_fc(rng, 1, 1, relu=True, size=1)]),
    "chain": lambda rng: random_network(rng, (3, 7, 5), [
        random_conv(rng, 3, 10, pad=1, size=6), random_conv(rng, 10, 6, stride=2, pad=1, size=8),
        random_conv(rng, 6, 5, (1, 1)), random_fc(rng, 5 * 4 * 3, 18, relu=True, size=7),
        random_fc(rng, 18, 12, relu=True), random_fc(rng, 12, 3)], 2),
    "lstm-1": lambda rng: recurrent_network(rng, "lstm", hidden=1, features=1, low=2, count=2),
    "lstm-37": lambda rng: recurrent_network(rng, "lstm", hidden=37, features=3, steps=3),
    "lstm-128": lambda rng: recurrent_network(rng, "lstm", hidden=128, features=30, low=12),
    "lstm-no-low": lambda rng: recurrent_network(rng, "lstm", hidden=6, features=5, low=0),
    "gru-1": lambda rng: recurrent_network(rng, "gru", hidden=1, features=2, low=2),
    "gru-37": lambda rng: recurrent_network(rng, "gru", hidden=37, features=8, steps=3, count=2),
    "gru-128": lambda rng: recurrent_network(rng, "gru", hidden=128, features=5, steps=2),
    "stack": lambda rng: random_network(rng, (3, 5), [
        random_recurrent(rng, "gru", 9, 5, size=4), random_recurrent(rng, "lstm", 6, 9, size=5),
        random_recurrent(rng, "gru", 7, 6, size=3), random_fc(rng, 7, 8, relu=True, size=4), random_fc(rng, 8, 2)], 2),
}


def network_of(name, seed=1):
    """A network of ``SHAPES``."""
    return SHAPES[name](np.random.default_rng([seed, len(name)]))
