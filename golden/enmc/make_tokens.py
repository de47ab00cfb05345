"""Makes the files of the workload ``tokens``: python -m golden.enmc.make_tokens [-o DIR].

The text is the source code of Python's own standard library, without its tests. A classifier reads 8 tokens and says
which of 4,095 comes next. Embeddings of the tokens at each place before it come from a truncated SVD of the
co-occurrence counts (positive pointwise mutual information); the hidden state is their sum, weighted by place. The
classifier's weights are those of a softmax regression, by Adam. A linear map is then shared out evenly between weights
and hidden states, as training with weight decay would do it: ``h`` has the singular values of ``W h`` as its variances.

A tenth of the files, chosen by their names, is seen by no step: from them come the queries. A token that is not in the
vocabulary may be among the eight, but never is what comes next.

Needs SciPy, which is in the dependency group ``train``. Takes about four minutes on one core. Another version of Python
has another text, and the last digits depend on the linear algebra library: figures come out alike, files need not come
out equal.
"""

import argparse
import collections
import hashlib
import io
import platform
import sysconfig
import tokenize
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .fit import fit_screener
from .metrics import quality
from .workloads import DATA, TOKENS_CANDIDATES, TOKENS_K, load_tokens

#: Folders of the library that are left out: tests, an editor, a converter, demonstrations, and what is installed later.
SKIP = {"site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo"}
OTHER, STRING = "<other>", "<string>"
CLASSES, ELEMENTS = 4096, 256
#: Weight of the embedding of each of the tokens before, the nearest last.
WEIGHTS = np.array([0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.8, 1.0], np.float32)
CONTEXT = len(WEIGHTS)
#: Training: steps, examples of a step, largest step size, decay of the weights.
STEPS, EXAMPLES, RATE, DECAY = 1600, 512, 0.01, 1e-6
QUERIES, SAMPLES, FIT_SAMPLES = 512, 1024, 8192
SEED = 7
#: What is reported: k, and candidates an input.
SIZES, WANTED = (32, 48, 64, 128), (32, 64, 128)


class Text(NamedTuple):
    """Examples: int64 [examples, CONTEXT] tokens, and int64 [examples] the one that follows."""

    before: np.ndarray
    following: np.ndarray


def tokens_of(path: Path) -> list[str]:
    """Tokens of a source file; long strings are all alike, comments are left out."""
    tokens = []
    with tokenize.open(path) as stream:
        text = stream.read()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            tokens.append("<newline>")
        elif token.type in (tokenize.INDENT, tokenize.DEDENT):
            tokens.append("<indent>" if token.type == tokenize.INDENT else "<dedent>")
        elif token.type == tokenize.STRING and ("\n" in token.string or len(token.string) > 12):
            tokens.append(STRING)
        elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER):
            tokens.append(token.string)
    return tokens


def read_library() -> dict[str, list[str]]:
    """Tokens of every file of the standard library, by its path."""
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(path for path in root.rglob("*.py") if not SKIP & set(path.relative_to(root).parts))
    files = {path.relative_to(root).as_posix(): tokens_of(path) for path in paths}
    return {name: tokens for name, tokens in files.items() if tokens}


def is_held_out(name: str) -> bool:
    """A tenth of the files, the same ones everywhere."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10 == 0


def vocabulary_of(files) -> list[str]:
    """The most frequent tokens of the training files; the first entry stands for all others."""
    counts = collections.Counter(token for name, tokens in files.items() if not is_held_out(name) for token in tokens)
    return [OTHER, *sorted(counts, key=lambda token: (-counts[token], token))[:CLASSES - 1]]


def examples_of(files, vocabulary, held_out: bool) -> Text:
    """All examples whose following token is in the vocabulary."""
    number = {token: n for n, token in enumerate(vocabulary)}
    windows = [np.lib.stride_tricks.sliding_window_view(
        np.array([0] * CONTEXT + [number.get(token, 0) for token in tokens]), CONTEXT + 1)
        for name, tokens in sorted(files.items()) if is_held_out(name) == held_out]
    windows = np.concatenate(windows)
    windows = windows[windows[:, -1] != 0]
    return Text(windows[:, :-1], windows[:, -1])


def embeddings_of(text: Text) -> np.ndarray:
    """Of every token at every place, float32 [CONTEXT * CLASSES, ELEMENTS]."""
    from scipy import sparse
    from scipy.sparse.linalg import svds
    place = (text.before + CLASSES * np.arange(CONTEXT)).ravel()
    counts = sparse.csr_matrix((np.ones(place.size), (place, np.repeat(text.following, CONTEXT))),
                               shape=(CONTEXT * CLASSES, CLASSES)).tocoo()
    rows = np.bincount(place, minlength=CONTEXT * CLASSES)
    columns = np.bincount(text.following, minlength=CLASSES)
    information = np.log(counts.data * len(text.following) / (rows[counts.row] * columns[counts.col]))
    matrix = sparse.csr_matrix((np.maximum(information, 0), (counts.row, counts.col)), shape=counts.shape)
    left, values, _ = svds(matrix, k=ELEMENTS, v0=np.ones(CLASSES))
    order = np.argsort(-values)
    left = left[:, order] * np.sign(left[np.abs(left).argmax(axis=0), np.arange(ELEMENTS)])[order]
    return (left * np.sqrt(values[order])).astype(np.float32)


def hidden(embeddings, before) -> np.ndarray:
    """Weighted sum of the embeddings of the tokens before, float32 [examples, ELEMENTS]."""
    states = np.zeros((len(before), ELEMENTS), np.float32)
    for place, weight in enumerate(WEIGHTS):
        states += weight * embeddings[before[:, place] + CLASSES * place]
    return states


def moments(embeddings, text: Text) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the hidden states of a tenth of the examples, float64."""
    states = hidden(embeddings, text.before[::10]).astype(np.float64)
    mean = states.mean(axis=0)
    return mean, (states - mean).T @ (states - mean) / len(states)


def train(embeddings, text: Text, mean, covariance) -> tuple[np.ndarray, np.ndarray]:
    """Weights [CLASSES, ELEMENTS] and biases of the softmax regression, float64."""
    rng = np.random.default_rng(SEED)
    values, vectors = np.linalg.eigh(covariance)
    # Directions with little variance are made larger, but not all equal: what is rare is also less reliable.
    turn = (2 * vectors / (values[-1] * values) ** 0.25).astype(np.float32)
    parameters = [np.zeros((CLASSES, ELEMENTS), np.float32),
                  np.log(np.bincount(text.following, minlength=CLASSES) + 1).astype(np.float32)]
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    order = rng.permutation(len(text.following))
    for step in range(1, STEPS + 1):
        chosen = order[np.arange(step * EXAMPLES, (step + 1) * EXAMPLES) % len(order)]
        x = (hidden(embeddings, text.before[chosen]) - mean.astype(np.float32)) @ turn
        p = softmax(x @ parameters[0].T + parameters[1])
        p[np.arange(EXAMPLES), text.following[chosen]] -= 1
        p /= EXAMPLES
        rate = RATE * min(1, step / 50) * (1 - step / STEPS)
        for n, gradient in enumerate((p.T @ x + DECAY * parameters[0], p.sum(axis=0))):
            first[n] += 0.1 * (gradient - first[n])
            second[n] += 0.01 * (gradient * gradient - second[n])
            parameters[n] -= rate * first[n] / (1 - 0.9**step) / (np.sqrt(second[n] / (1 - 0.99**step)) + 1e-8)
    w = parameters[0].astype(np.float64) @ turn.T
    return w, parameters[1] - w @ mean


def softmax(z):
    """Over the last axis, in place."""
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def balance(w, b, mean, covariance):
    """(w, b, map) of hidden states ``(h - mean) @ map``, between which and w the singular values are shared."""
    root = np.linalg.cholesky(covariance)
    left, values, right = np.linalg.svd(w @ root, full_matrices=False)
    change = np.linalg.solve(root.T, right.T) * np.sqrt(values)
    return left * np.sqrt(values), b + w @ mean, change


def accuracy(w, b, h, following) -> tuple[float, float]:
    """Share of queries whose following token is the likeliest one, and one of the five likeliest."""
    order = np.argsort(-(h @ w.T + b), axis=1)[:, :5] == following[:, None]
    return float(order[:, 0].mean()), float(order.any(axis=1).mean())


def shortened(values, axis):
    """int8 with a float32 scale for each row or column: (integers, scales)."""
    scales = (np.abs(values).max(axis=axis) / 127).astype(np.float32)
    return np.rint(values / np.expand_dims(scales, axis)).astype(np.int8), scales


def export(folder, vocabulary, w, b, test: Text, h, samples):
    """Write ``tokens_w.npz`` and ``tokens_h.npz``."""
    w_low, w_scale = shortened(w, 1)
    np.savez_compressed(folder / "tokens_w.npz", w=w_low, scale=w_scale, b=b.astype(np.float32),
                        vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8))
    (h_low, h_scale), (s_low, s_scale) = shortened(h, 0), shortened(samples, 0)
    np.savez_compressed(folder / "tokens_h.npz", h=h_low, h_scale=h_scale, samples=s_low, samples_scale=s_scale,
                        before=test.before.astype(np.int16), following=test.following.astype(np.int16))


def export_screener(folder, screener):
    """Write ``tokens_screen.npz``."""
    np.savez_compressed(folder / "tokens_screen.npz", p=np.sign(screener.p).astype(np.int8),
                        feature_scale=screener.feature_scale, w=screener.w, b=screener.b, threshold=screener.threshold,
                        unit=screener.unit, shift=screener.shift)


def report(w, b, h, samples, following):
    """Print what screeners of several sizes find."""
    print("k, candidates wanted: candidates, bytes, top-1 and top-5 agreement, tokens right")
    for size in SIZES:
        for wanted in WANTED:
            q = quality(w, b, h, fit_screener(w, b, samples, size, SEED, candidates=wanted), labels=following)
            print(f"{size:4} {wanted:4}: {q.candidates:6.1f} {q.bytes_share:6.1%} {q.top1:7.1%} {q.top5:7.1%} "
                  f"{q.accuracy:6.1%}", flush=True)


def main():
    """Read, train, fit; write the files, report."""
    parser = argparse.ArgumentParser(prog="python -m golden.enmc.make_tokens")
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="folder for the files")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    files = read_library()
    vocabulary = vocabulary_of(files)
    text, test = (examples_of(files, vocabulary, held_out) for held_out in (False, True))
    print(f"Python {platform.python_version()}: {len(files)} files, {sum(map(len, files.values()))} tokens; examples: "
          f"{len(text.following)} to learn from, {len(test.following)} held out", flush=True)
    embeddings = embeddings_of(text)
    mean, covariance = moments(embeddings, text)
    w, b = train(embeddings, text, mean, covariance)
    w, b, change = balance(w, b, mean, covariance)
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(text.following))[:FIT_SAMPLES]
    samples = (hidden(embeddings, text.before[chosen]) - mean) @ change
    states = (hidden(embeddings, test.before) - mean) @ change
    picked = rng.permutation(len(states))[:QUERIES]
    print("right, one of five: all held out {:.1%} {:.1%}".format(*accuracy(w, b, states, test.following)), flush=True)
    print("queries {:.1%} {:.1%}".format(*accuracy(w, b, states[picked], test.following[picked])), flush=True)
    export(folder, vocabulary, w, b, Text(*(part[picked] for part in test)), states[picked], samples[:SAMPLES])
    stored = load_tokens(folder)
    print("queries as stored {:.1%} {:.1%}".format(*accuracy(stored.w, stored.b, stored.h, stored.labels)), flush=True)
    export_screener(folder, fit_screener(stored.w, stored.b, samples, TOKENS_K, SEED, candidates=TOKENS_CANDIDATES))
    report(stored.w, stored.b, stored.h, samples, stored.labels)


if __name__ == "__main__":
    main()
