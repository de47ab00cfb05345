"""Random configurations, networks and images that the tests of the whole accelerator share."""

import numpy as np

from golden.eie.compiler import pack
from golden.eie.config import PRESETS
from golden.eie.spec import network_outputs
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
