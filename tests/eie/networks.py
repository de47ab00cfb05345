"""Configurations, networks and images that the tests of the whole accelerator share."""

import numpy as np

from golden.eie.compiler import pack
from golden.eie.config import PRESETS
from golden.eie.corners import random_codes
from golden.eie.spec import Layer, network_outputs
from golden.eie.workloads import random_layers

TINY = PRESETS["tiny"]


def random_config(rng, **fixed):
    """Any configuration with memories of a few hundred words, but for what is ``fixed``."""
    choices = {"n_pe": (1, 2, 4, 8, 16, 64), "fifo_depth": (1, 2, 3, 8, 17), "run_ahead": (False, True),
               "run_ahead_columns": (1, 2, 8), "data_bits": (8, 13, 16, 32), "regfile_words": (2, 8, 16, 64),
               "spmat_width": (32, 64, 512), "spmat_words": (256, 512), "ptr_words": (256, 512), "act_words": (32, 128)}
    values = {name: options[rng.integers(len(options))] for name, options in choices.items()}
    return TINY.replace(**values | fixed)


def random_image(rng, cfg, **kwargs):
    """(layers, activations, image) of a random network; ``kwargs`` as of ``random_layers``."""
    layers, activations = random_layers(rng, cfg, **kwargs)
    return layers, activations, pack(layers, cfg)


def expected(layers, activations, cfg):
    """Layer 1: the outputs, and for each PE whether an accumulator of it is clipped."""
    results = network_outputs(layers, activations, cfg.data_bits)
    clipped = np.zeros(cfg.n_pe, bool)
    for _, rows in results:
        np.logical_or.at(clipped, np.flatnonzero(rows) % cfg.n_pe, True)
    return results[-1][0], clipped


def inputs_of_layers(layers, activations, cfg):
    """Input vector of every layer."""
    return [activations, *(outputs for outputs, _ in network_outputs(layers, activations, cfg.data_bits))][:-1]


def thorough_network():
    """A small network for ``tiny`` that uses everything: (layers, two input vectors, image).

    Inputs and outputs of several passes, loads, stores and swaps, bias and ReLU, several tables, sums that saturate,
    accumulators that repeat at every distance, and work enough to fill the queues.
    """
    rng = np.random.default_rng(2)
    sizes, densities, reach = (40, 24, 36, 8, 4), (0.6, 0.5, 1.0, 1.0), (3000, 3000, 900, 3000)
    layers = []
    for k, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
        codebook = np.append(0, rng.integers(-reach[k], 1.2 * reach[k], 15))
        layers.append(Layer(codes=random_codes(rng, (n_out, n_in), densities[k]), codebook=codebook,
                            bias_codes=random_codes(rng, n_out, 0.7) if k != 2 else None, weight_frac=12,
                            act_frac_in=12, act_frac_out=12, relu=k < 2))
    activations = rng.integers(-9000, 14000, (2, sizes[0]))
    activations[1, rng.random(sizes[0]) < 0.5] = 0
    return layers, activations, pack(layers, TINY)
