"""Trains the networks of the workloads ``digits-cnn`` and ``digits-lstm``, and writes them as files.

``python -m golden.duet.make_digits`` needs the dependency group ``train`` and takes three minutes. It prints how often
the networks are right in float, in 16-bit fixed point, and with their little modules. Test images are seen by no step
of the training, nor of the fit; the constants below were chosen on 300 of the training images, left out for that.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import npz
from .layers import Network
from .quantize_network import KEPT, fit_network, fixed_layer, fixed_recurrent
from .spec import forward
from .train import Cnn, Lstm, train

DATA = Path(__file__).parent / "data"
SEED = 7
#: Largest pixel of the images; it becomes the largest 16-bit number.
PIXEL_MAX = 16
#: Elements of the reduced input, and shares of insensitive outputs that are asked for, by layer.
CNN_SIZES, CNN_RATIOS = {0: 16, 1: 32}, {0: 0.55, 1: 0.6}
LSTM_SIZES, LSTM_RATIOS = {0: 48}, {0: 0.5}


def fixed_images(pixels) -> np.ndarray:
    """Images as 16-bit numbers with 15 fraction bits."""
    return np.minimum(pixels.astype(np.int64) << 11, (1 << 15) - 1)


def cnn_layers(net: Cnn, images) -> list:
    """The CNN in fixed point; ``images`` are samples."""
    v, scale, x, layers = net.weights, 2.0**15, images[:, None], []
    for name in "12":
        w, b = v[f"w{name}"], v[f"b{name}"]
        columns, out = net.convolution(x, w, b)
        sums = np.abs(columns) @ np.abs(w.reshape(len(w), -1)).T + np.abs(b)
        layer, scale = fixed_layer(w, b, scale_in=scale, largest=np.quantile(out, KEPT), sums=sums.max(), kind="conv",
                                   pad=1, relu=True)
        layers.append(layer)
        x = out
    return [*layers, classifier(v, x.reshape(len(x), -1), scale)]


def classifier(weights, x, scale):
    """The fully connected layer after everything else; ``x`` are samples of its inputs."""
    w, b = weights["w3"], weights["b3"]
    sums = (np.abs(x) @ np.abs(w).T + np.abs(b)).max()
    return fixed_layer(w, b, scale_in=scale, largest=np.abs(x @ w.T + b).max() * 1.1, sums=sums, kind="fc")[0]


def lstm_layers(net: Lstm, images) -> list:
    """The LSTM in fixed point."""
    hidden = net.hidden_states(images)
    return [fixed_recurrent("lstm", net.weights["w"], net.weights["b"]), classifier(net.weights, hidden, 2.0**15)]


def report(name, net, network, images):
    """Print what is lost."""
    rows = {"float": net.scores(images)}
    traces = {speculate: forward(network, speculate) for speculate in (False, True)}
    rows |= {"fixed point": traces[False][-1].out, "with little modules": traces[True][-1].out}
    for row, scores in rows.items():
        print(f"{name}: {row:20} {np.mean(scores.argmax(axis=1) == network.labels):.4f} of {len(images)}")
    for k, trace in enumerate(traces[True]):
        if trace.sensitive is not None:
            shares = 1 - trace.sensitive.mean(axis=(0, 1, 3) if network.layers[k].recurrent else None)
            print(f"{name}: layer {k} insensitive {np.round(np.atleast_1d(shares), 3)}, "
                  f"k {network.layers[k].low.size} of {network.layers[k].elements}")


def main():
    """Train, fit, report, write."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    parser = argparse.ArgumentParser(prog="python -m golden.duet.make_digits")
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="folder for the two files")
    args = parser.parse_args()
    pixels, labels = load_digits(return_X_y=True)
    pixels, test_pixels, labels, test_labels = train_test_split(
        pixels.astype(np.uint8).reshape(-1, 8, 8), labels, test_size=0.2, stratify=labels, random_state=SEED)
    images, test_images = pixels / PIXEL_MAX, test_pixels / PIXEL_MAX
    args.output.mkdir(parents=True, exist_ok=True)
    for name, net, layers_of, axis, epochs, rate, sizes, ratios in (
            ("digits_cnn", Cnn(SEED, sparsity=1.0), cnn_layers, (slice(None), None), 40, 2e-3, CNN_SIZES, CNN_RATIOS),
            ("digits_lstm", Lstm(SEED), lstm_layers, slice(None), 80, 5e-3, LSTM_SIZES, LSTM_RATIOS)):
        train(net, images, labels, epochs=epochs, rate=rate, seed=SEED)
        network = Network(layers=layers_of(net, images), inputs=fixed_images(pixels)[axis])
        network = fit_network(network, sizes, ratios, seed=SEED)
        network = replace(network, inputs=fixed_images(test_pixels)[axis], labels=test_labels.astype(np.int64))
        report(name, net, network, test_images)
        npz.save(args.output / f"{name}.npz", network)


if __name__ == "__main__":
    main()
