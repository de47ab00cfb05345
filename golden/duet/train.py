"""Training of the small networks of the workloads in numpy: a CNN and an LSTM, with Adam.

scikit-learn, which brings the images, has neither convolutions nor recurrent layers, and a framework that has them is
hundreds of megabytes for two networks of ten thousand weights: so their gradients are written out here. Nothing of
DUET's is in this file.
"""

import numpy as np

__all__ = ["Cnn", "Lstm", "train"]


def train(net, images, labels, *, epochs: int, batch: int = 32, rate: float = 2e-3, decay: float = 1e-3, seed: int = 0):
    """Adam on the cross-entropy, the rate falling along a cosine; weights decay. The images are shifted at random by a
    pixel at most."""
    rng = np.random.default_rng(seed)
    moments = {key: (np.zeros_like(value), np.zeros_like(value)) for key, value in net.weights.items()}
    count = 0
    for epoch in range(epochs):
        step = rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(images))
        for start in range(0, len(order), batch):
            part = order[start:start + batch]
            count += 1
            for key, gradient in net.gradients(_shifted(rng, images[part]), labels[part]).items():
                first, second = moments[key]
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                change = first / (1 - 0.9**count) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
                net.weights[key] -= step * (change + decay * net.weights[key] * (net.weights[key].ndim > 1))


def _shifted(rng, images):
    dy, dx = rng.integers(-1, 2, (2, len(images)))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return np.stack([image[1 + y:9 + y, 1 + x:9 + x] for image, y, x in zip(padded, dy, dx, strict=True)])


def _softmax_gradient(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    e[np.arange(len(labels)), labels] -= 1
    return e / len(labels)


def _normal(rng, *shape):
    return rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))


class Cnn:
    """8 x 8 pixels, two convolutions 3 x 3 with as many channels, ten scores; ReLU between them.

    ``sparsity`` is the weight of the mean output of both convolutions beside the cross-entropy.
    """

    def __init__(self, seed: int = 0, channels=(32, 64), sparsity: float = 0.0):
        rng = np.random.default_rng(seed)
        self.sparsity = sparsity
        self.weights = {"w1": _normal(rng, channels[0], 1, 3, 3), "b1": np.zeros(channels[0]),
                        "w2": _normal(rng, channels[1], channels[0], 3, 3), "b2": np.zeros(channels[1]),
                        "w3": _normal(rng, 10, channels[1] * 64), "b3": np.zeros(10)}

    @staticmethod
    def convolution(x, w, b):
        """im2col [count, height, width, d] and outputs [count, channels, height, width] of a convolution with ReLU."""
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        columns = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        columns = columns.transpose(0, 2, 3, 1, 4, 5)
        columns = columns.reshape(*columns.shape[:3], -1)
        return columns, np.maximum(columns @ w.reshape(len(w), -1).T + b, 0).transpose(0, 3, 1, 2)

    def _forward(self, images):
        v = self.weights
        columns1, h1 = self.convolution(images[:, None], v["w1"], v["b1"])
        columns2, h2 = self.convolution(h1, v["w2"], v["b2"])
        return columns1, h1, columns2, h2, h2.reshape(len(h2), -1) @ v["w3"].T + v["b3"]

    def scores(self, images):
        """[count, 8, 8] to [count, 10]."""
        return self._forward(images)[-1]

    def gradients(self, images, labels):
        """Of the cross-entropy, by weight."""
        v = self.weights
        columns1, h1, columns2, h2, scores = self._forward(images)
        d3 = _softmax_gradient(scores, labels)
        d2 = (d3 @ v["w3"]).reshape(h2.shape) + self.sparsity / h2.size
        d2 = (d2 * (h2 > 0)).transpose(0, 2, 3, 1)
        back = (d2 @ v["w2"].reshape(len(v["w2"]), -1)).reshape(*d2.shape[:3], *v["w2"].shape[1:])
        d1 = np.zeros((len(h1), h1.shape[1], 10, 10))
        for y in range(3):
            for x in range(3):
                d1[:, :, y:y + 8, x:x + 8] += back[..., y, x].transpose(0, 3, 1, 2)
        d1 = d1[:, :, 1:9, 1:9] + self.sparsity / h1.size
        d1 = (d1 * (h1 > 0)).transpose(0, 2, 3, 1)
        return {"w3": d3.T @ h2.reshape(len(h2), -1), "b3": d3.sum(axis=0),
                "w2": np.tensordot(d2, columns2, ([0, 1, 2], [0, 1, 2])).reshape(v["w2"].shape),
                "b2": d2.sum(axis=(0, 1, 2)),
                "w1": np.tensordot(d1, columns1, ([0, 1, 2], [0, 1, 2])).reshape(v["w1"].shape),
                "b1": d1.sum(axis=(0, 1, 2))}


class Lstm:
    """Reads 8 rows of 8 pixels, 64 hidden, ten scores of the last hidden state. Gates i, f, g, o; weights [h | x]."""

    def __init__(self, seed: int = 0, hidden: int = 64):
        rng = np.random.default_rng(seed)
        self.hidden = hidden
        bias = np.zeros((4, hidden))
        bias[1] = 1     # a cell remembers at first
        self.weights = {"w": rng.standard_normal((4, hidden, hidden + 8)) / np.sqrt(hidden + 8), "b": bias,
                        "w3": _normal(rng, 10, hidden), "b3": np.zeros(10)}

    def _forward(self, images):
        v, h, c, steps = self.weights, np.zeros((len(images), self.hidden)), np.zeros((len(images), self.hidden)), []
        for t in range(8):
            x = np.concatenate([h, images[:, t]], axis=1)
            z = np.einsum("ghd,nd->gnh", v["w"], x) + v["b"][:, None]
            i, f, o = (1 / (1 + np.exp(-z[k])) for k in (0, 1, 3))
            g = np.tanh(z[2])
            before, c = c, f * c + i * g
            h = o * np.tanh(c)
            steps.append((x, i, f, g, o, before, c))
        return steps, h, h @ v["w3"].T + v["b3"]

    def scores(self, images):
        """[count, 8, 8] to [count, 10]."""
        return self._forward(images)[-1]

    def hidden_states(self, images):
        """Last hidden states, [count, hidden]."""
        return self._forward(images)[1]

    def gradients(self, images, labels):
        """Of the cross-entropy, by weight: through all time steps."""
        v = self.weights
        steps, h, scores = self._forward(images)
        d3 = _softmax_gradient(scores, labels)
        gradients = {"w3": d3.T @ h, "b3": d3.sum(axis=0), "w": np.zeros_like(v["w"]), "b": np.zeros_like(v["b"])}
        dh, dc = d3 @ v["w3"], np.zeros_like(h)
        for x, i, f, g, o, before, c in reversed(steps):
            top = np.tanh(c)
            dc = dc + dh * o * (1 - top**2)
            dz = np.stack([dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g**2),
                           dh * top * o * (1 - o)])
            gradients["w"] += np.einsum("gnh,nd->ghd", dz, x)
            gradients["b"] += dz.sum(axis=1)
            dh, dc = np.einsum("gnh,ghd->nd", dz, v["w"])[:, :self.hidden], dc * f
        return gradients
