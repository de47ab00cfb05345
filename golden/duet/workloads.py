"""Built-in workloads, and users' files.

``digits-cnn`` and ``digits-lstm`` are real networks on real images; the figures are the source's worked examples; all
others have the shapes of real layers and random numbers, or are random altogether.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from golden.common.cli import UsageError
from golden.common.workload import find

from . import npz
from .config import DuetConfig
from .fit import fit_low
from .formats import SUM_BITS
from .layers import Layer, Low, Network
from .quantize_network import KEPT, MOST
from .random_network import random_conv, random_fc, random_inputs, random_recurrent
from .spec import columns_of, product

__all__ = ["DATA", "DEFAULT_WORKLOAD", "WORKLOADS", "Workload", "load"]

DATA = Path(__file__).parent / "data"
#: Share of insensitive outputs and of inputs that are not zero, of the layers that have the shapes of real ones:
#: CONV5 of AlexNet leaves out 65.5 % [Thesis 5.3.3], and after ReLU somewhat less than half of a map is not zero.
INSENSITIVE, DENSITY = 0.655, 0.45
#: Of these layers: causes that all channels have in common, pixels over which they are alike (standard deviation), and
#: how far the biases of channels are apart, over the spread of the outputs of one. The last two make the work of
#: channels differ; the source has no figures for them, so they are chosen such that the speed of ``os`` comes out as
#: there. What the other modes come to is then no choice any more.
CAUSES, NEAR, SPREAD = 24, 0.5, 0.4


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """A network and its inputs.

    Attributes
    ----------
    name, description : str
    network : Network
    limits : list of int or None
        Interval thresholds of the reorder unit; None: at equal distances.
    synthetic : bool
        Made of random numbers.
    """

    name: str
    description: str
    network: Network
    limits: list | None = None
    synthetic: bool = False

    def limited(self, inputs: int) -> "Workload":
        """The first inputs alone."""
        n = self.network
        labels = None if n.labels is None else n.labels[:inputs]
        return replace(self, network=replace(n, inputs=n.inputs[:inputs], labels=labels))

    def part(self, cfg: DuetConfig, tiles: int | None = None, channels: int | None = None) -> "Workload":
        """A part of a network that is one convolution: the first ``channels`` outputs, and of the map ``tiles`` tiles,
        or as many more as make a rectangle.

        Raises
        ------
        UsageError
            If the network is not one convolution.
        """
        n = self.network
        if len(n.layers) != 1 or n.layers[0].kind != "conv":
            raise UsageError(f"tiles and channels must be for a workload of one convolution, not for {self.name!r}")
        layer = n.layers[0]
        if channels is not None:
            own = slice(channels)
            low = layer.low and replace(layer.low, w=layer.low.w[:, own], b=layer.low.b[:, own])
            layer = replace(layer, w=layer.w[own], b=layer.b[own], low=low)
        inputs = n.inputs
        if tiles is not None:
            across = min(tiles, -(-n.shapes[1][2] // cfg.side))
            size = [count * cfg.side * layer.stride for count in (-(-tiles // across), across)]
            inputs = inputs[:, :, :max(size[0], layer.w.shape[2]), :max(size[1], layer.w.shape[3])]
        return replace(self, network=Network(layers=[layer], inputs=inputs))


def fig_5_3(_cfg: DuetConfig, _seed: int) -> dict:
    """3 x 5 inputs of one channel, a third of them not zero, a 3 x 3 filter, three outputs of which the first counts.

    The little module looks at the upper left pixel of a window alone.
    """
    x = np.zeros((1, 1, 3, 5), np.int64)
    for n, (row, column) in enumerate(((0, 0), (1, 1), (2, 2), (0, 3), (1, 4))):
        x[0, 0, row, column] = 0x7000 - n
    one = np.zeros((1, 9), np.int64)
    one[0, 0] = 1
    low = Low(p=one, w=np.ones((1, 1, 1), np.int64), b=np.zeros((1, 1), np.int64), threshold=np.ones(1, np.int64),
              reduce_shift=0, low_shift=np.zeros(1, np.int64))
    layer = Layer(kind="conv", w=np.arange(1, 10).reshape(1, 1, 3, 3), b=np.zeros(1, np.int64), shift=4, relu=True,
                  low=low)
    return {"network": Network(layers=[layer], inputs=x)}


def fig_5_4(cfg: DuetConfig, _seed: int) -> dict:
    """Channels with 4, 1, 2 and 4 sensitive outputs of a 2 x 2 tile, threshold 2: {0, 3} and {1, 2}. With more than two
    rows of PEs there are as many more channels.

    Input channel p is not zero at pixel p alone, so a row of W_low says which pixels are sensitive.
    """
    patterns = np.array([[1, 1, 1, 1], [0, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 1]])
    channels = 2 * cfg.rows
    low = Low(p=np.eye(4, dtype=np.int64), w=np.tile(patterns, (channels // 4, 1))[None],
              b=np.zeros((1, channels), np.int64), threshold=np.ones(1, np.int64), reduce_shift=0,
              low_shift=np.zeros(1, np.int64))
    layer = Layer(kind="conv", w=np.arange(1, 4 * channels + 1).reshape(channels, 4, 1, 1), relu=True, shift=8,
                  b=np.zeros(channels, np.int64), low=low)
    x = (np.eye(4, dtype=np.int64) * 0x7000).reshape(1, 4, 2, 2)
    return {"network": Network(layers=[layer], inputs=x), "limits": [2] * (cfg.buckets - 1)}


def of_file(path, _cfg: DuetConfig, _seed: int) -> dict:
    """A network as it is stored."""
    return {"network": npz.load(path)}


def shaped(_cfg: DuetConfig, seed: int, *, channels: int, outputs: int, height: int, size: int) -> dict:
    """A 3 x 3 convolution with padding and a little module, on maps as they come out of a ReLU.

    Maps are mixtures of a few random fields, of which everything below a level is 0. Weights are random; the little
    module is fitted to this layer on these maps, and its threshold such that ``INSENSITIVE`` of the outputs are.
    """
    rng = np.random.default_rng([seed, channels, outputs, height])
    maps = np.tensordot(rng.standard_normal((channels, CAUSES)), _fields(rng, height), 1)
    maps -= np.quantile(maps, 1 - DENSITY)
    x = np.clip(np.rint(maps * (MOST / np.quantile(maps, KEPT))), 0, MOST).astype(np.int64)[None]
    w = rng.integers(-2047, 2048, (outputs, channels, 3, 3))
    columns = columns_of(x, (3, 3), 1, 1).reshape(-1, channels * 9)
    sums = product(columns, w.reshape(outputs, -1))
    spread = float(sums.std(axis=0).mean())
    b = np.rint(rng.standard_normal(outputs) * SPREAD * spread - sums.mean(axis=0)).astype(np.int64)
    sums = sums + b
    assert np.abs(sums).max() < 1 << SUM_BITS - 1
    shift = int(np.ceil(np.log2(np.abs(sums).max() / MOST)))
    layer = Layer(kind="conv", w=w, b=b, shift=shift, pad=1, relu=True)
    return {"network": Network(layers=[fit_low(layer, columns, size, INSENSITIVE, seed=seed)], inputs=x)}


def _fields(rng, height):
    """Smooth random fields [CAUSES, height, height]: noise of which near pixels are averaged."""
    noise = rng.standard_normal((CAUSES, height + 4, height + 4))
    windows = np.lib.stride_tricks.sliding_window_view(noise, (5, 5), axis=(1, 2))
    near = np.exp(-0.5 * (np.arange(-2, 3) / NEAR) ** 2)
    return np.einsum("fyxij,i,j->fyx", windows, near, near)


def random(_cfg: DuetConfig, seed: int, *, shape: tuple, make) -> dict:
    """Layers ``make(rng)`` and an input of that shape."""
    rng = np.random.default_rng([seed, *shape])
    layers = make(rng)
    return {"network": Network(layers=layers, inputs=random_inputs(rng, (1, *shape)))}


def _random_layers(rng):
    """Odd shapes: stride, padding, kernels of 3 x 3, 1 x 1 and 5 x 5."""
    return [random_conv(rng, 3, 13, stride=2, pad=1, size=7), random_conv(rng, 13, 20, (1, 1), size=5),
            random_conv(rng, 20, 9, (5, 5), pad=2, size=9), random_fc(rng, 9 * 5 * 4, 21, relu=True, size=11),
            random_fc(rng, 21, 10)]


def _random_stack(kind):
    return lambda rng: [random_recurrent(rng, kind, 19, 5, size=9), random_recurrent(rng, kind, 11, 19, size=9),
                        random_fc(rng, 11, 4)]


#: Name -> (one line, factory(cfg, seed) that gives the other fields of :class:`Workload`, whether it is random).
WORKLOADS = {
    "digits-cnn": ("real: a CNN on images of digits, two convolutions with little modules and a classifier",
                   partial(of_file, DATA / "digits_cnn.npz"), False),
    "digits-lstm": ("real: an LSTM of 64 that reads the rows of the same images, little modules for all gates",
                    partial(of_file, DATA / "digits_lstm.npz"), False),
    "fig-5-3": ("worked example: 27 MACs of Fig. 5.3, 9 with the output map, 3 with the input map too", fig_5_3, False),
    "fig-5-4": ("worked example: channels with 4, 1, 2 and 4 sensitive outputs, reordered as in Fig. 5.4", fig_5_4,
                False),
    "alexnet-conv3": ("synthetic: shape of AlexNet's third convolution, 256 channels of 13 x 13 to 384; for paper",
                      partial(shaped, channels=256, outputs=384, height=13, size=32), True),
    "resnet18-block": ("synthetic: shape of a convolution of ResNet18, 128 channels of 28 x 28 to 128; for paper",
                       partial(shaped, channels=128, outputs=128, height=28, size=64), True),
    "random": ("synthetic: five random layers of odd shapes", partial(random, shape=(3, 9, 8), make=_random_layers),
               True),
    "random-lstm": ("synthetic: two LSTMs of 19 and 11 over 3 steps, and a classifier",
                    partial(random, shape=(3, 5), make=_random_stack("lstm")), True),
    "random-gru": ("synthetic: two GRUs of 19 and 11 over 3 steps, and a classifier",
                   partial(random, shape=(3, 5), make=_random_stack("gru")), True),
}
DEFAULT_WORKLOAD = "digits-cnn"


def load(name_or_path: str, cfg: DuetConfig, seed: int) -> Workload:
    """A built-in workload, or a file in the format of :mod:`golden.duet.npz`.

    Raises
    ------
    UsageError
        If there is no such workload, or the file is malformed.
    """
    return Workload(**find(name_or_path, WORKLOADS, of_file, cfg, seed))
