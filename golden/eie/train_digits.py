"""Makes the files of the workload ``digits``: python -m golden.eie.train_digits [-o DIR].

A multilayer perceptron 64-300-100-10 on the UCI handwritten digits that come with scikit-learn (1797 images
of 8 x 8 pixels, 0..16). It is trained, pruned step by step while training goes on, its weights are shared by
k-means, and the shared weights are trained further. 20 % of the images, split by class, are never seen by any
of these steps: they are the test images. Needs the dependency group ``train``.
"""

import argparse
import copy
import functools
import warnings
from pathlib import Path

import numpy as np

from . import npz
from .fit import SharedLayer, prune, quantize, share, to_fixed
from .formats import CODEBOOK_SIZE
from .spec import network_outputs
from .workloads import DATA, PIXEL_MAX

HIDDEN = (300, 100)
#: Share of the weights that each layer keeps.
DENSITY = (0.10, 0.09, 0.30)
DATA_BITS = 16
SEED = 7


def train(images, labels, epochs):
    """(float network, pruned network): scikit-learn classifiers that began as the same one."""
    from sklearn.neural_network import MLPClassifier
    net = MLPClassifier(HIDDEN, alpha=1e-3, learning_rate_init=1e-3, batch_size=50, random_state=SEED)
    classes = np.unique(labels)
    rng = np.random.default_rng(SEED)
    for _ in range(epochs):
        net.partial_fit(images, labels, classes=classes)
    dense = copy.deepcopy(net)
    for _ in range(4 * epochs):     # as long as the compressed one in total
        dense.partial_fit(images, labels)
    for epoch in range(3 * epochs):
        done = min(1.0, epoch / (2 * epochs))       # the last third trains at the final density
        for k, density in enumerate(DENSITY):
            net.coefs_[k][:] = prune(net.coefs_[k], density + (1 - density) * (1 - done) ** 3)
        masks = [w != 0 for w in net.coefs_]
        steps(net, images, labels, rng, functools.partial(_mask, net, masks))
    return dense, net


def _mask(net, masks):
    for weights, mask in zip(net.coefs_, masks, strict=True):
        weights *= mask


def steps(net, images, labels, rng, project, batch=50):
    """One epoch of gradient steps, ``project()`` after each."""
    order = rng.permutation(len(images))
    for start in range(0, len(order), batch):
        part = order[start:start + batch]
        net.partial_fit(images[part], labels[part])
        project()


def share_and_train(net, images, labels, epochs):
    """Share the weights of every layer, then train on: after each step a cluster takes its mean."""
    rng = np.random.default_rng(SEED + 1)
    last = len(net.coefs_) - 1
    layers = [share(w.T, v, relu=k < last, seed=SEED)
              for k, (w, v) in enumerate(zip(net.coefs_, net.intercepts_, strict=True))]

    def project():
        for layer, weights, bias in zip(layers, net.coefs_, net.intercepts_, strict=True):
            codes = np.concatenate((layer.codes.T.ravel(), layer.bias_codes))
            sums = np.bincount(codes, np.concatenate((weights.ravel(), bias)), CODEBOOK_SIZE)
            layer.centroids[1:] = (sums / np.maximum(np.bincount(codes, minlength=CODEBOOK_SIZE), 1))[1:]
            weights[:] = layer.centroids[layer.codes.T]
            bias[:] = layer.centroids[layer.bias_codes]

    project()
    for _ in range(epochs):
        steps(net, images, labels, rng, project)
    return layers


def main():
    """Train; write ``digits.npz`` (what the accelerator needs) and ``digits_float.npz`` (for the report)."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    parser = argparse.ArgumentParser(prog="python -m golden.eie.train_digits")
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="folder for the two files")
    parser.add_argument("--epochs", type=int, default=40,
                        help="before pruning; three times as many during it, and as many again after")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message="Got `batch_size`")
    pixels, labels = load_digits(return_X_y=True)
    pixels, test_pixels, labels, test_labels = train_test_split(
        pixels.astype(np.uint8), labels.astype(np.uint8), test_size=0.2, stratify=labels, random_state=SEED)
    images = pixels / PIXEL_MAX
    dense, net = train(images, labels, args.epochs)
    shared = share_and_train(net, images, labels, args.epochs)
    shared = [SharedLayer(codes=x.codes, centroids=x.centroids.astype(np.float32), bias_codes=x.bias_codes,
                          relu=x.relu) for x in shared]
    calibration = pixels[:300]
    layers = quantize(shared, calibration / PIXEL_MAX, DATA_BITS)
    activations = to_fixed(test_pixels / PIXEL_MAX, layers[0].act_frac_in, DATA_BITS)
    expected = np.stack([network_outputs(layers, a, DATA_BITS)[-1][0] for a in activations])
    args.output.mkdir(parents=True, exist_ok=True)
    npz.save(args.output / "digits.npz", layers, activations, expected)
    extra = {"labels": test_labels, "calibration": calibration}
    for k, (weights, bias) in enumerate(zip(dense.coefs_, dense.intercepts_, strict=True)):
        extra |= {f"l{k}_weights": weights.T.astype(np.float32), f"l{k}_bias": bias.astype(np.float32),
                  f"l{k}_centroids": shared[k].centroids}
    np.savez_compressed(args.output / "digits_float.npz", **extra)
    report(dense, shared, expected, test_pixels / PIXEL_MAX, test_labels)


def report(dense, shared, expected, images, labels):
    """Print what compression cost."""
    outputs = images
    for layer in shared:
        outputs = layer.output(outputs)
        n_out, n_in = layer.codes.shape
        print(f"{n_in} in, {n_out} out: density {np.count_nonzero(layer.codes) / layer.codes.size:.3f}")
    for name, predicted in (("float", dense.predict(images)), ("shared", outputs.argmax(axis=1)),
                            ("fixed point", expected.argmax(axis=1))):
        print(f"{name:12} {np.mean(predicted == labels):.4f} of {len(labels)} test images")


if __name__ == "__main__":
    main()
