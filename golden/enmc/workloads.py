"""Built-in workloads, users' files, and random classifiers for tests.

Only ``tokens`` is real; ``lstm-w33k`` to ``s1m`` have the shapes of the source's data sets and random numbers.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from golden.common.cli import UsageError
from golden.common.workload import find

from . import npz
from .config import EnmcConfig
from .fit import best_scale, fit_screener, fit_threshold, projection
from .formats import WORD_BITS, Function
from .packing import Layout, plan_layout
from .spec import HIGH, LOW, LowRank, Screener, best_unit, float_results

__all__ = ["DATA", "DEFAULT_WORKLOAD", "TOKENS_CANDIDATES", "TOKENS_K", "WORKLOADS", "Workload",
           "load", "load_tokens", "low_rank", "of_file", "random_screener"]

DATA = Path(__file__).parent / "data"
#: k of ``tokens``: a quarter of d [Thesis 6.6.1]; and candidates of an input.
TOKENS_K, TOKENS_CANDIDATES = 64, 128
#: Candidates of an input where nothing else is said; and with the shapes of the source.
CANDIDATES, SHAPE_CANDIDATES = 32, 128
#: Rank of the classifiers with random numbers, and largest element of a class's factor.
RANK, LARGEST = 64, 16
#: Thresholds that every score and no score is above.
LEAST, MOST = -1 << WORD_BITS - 1, (1 << WORD_BITS - 1) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """A classifier, its screener, and vectors to classify.

    Attributes
    ----------
    name, description : str
    w : float32 array, shape (classes, d), or LowRank
    b : float32 array, shape (classes,)
    h : float32 array, shape (inputs, d)
    screener : Screener
    function : Function
        Of exact results.
    labels : int64 array, shape (inputs,), or None
        True classes.
    samples : float32 array, shape (any, d), or None
        Vectors to fit other screeners to.
    vocabulary : list of str or None
        Names of the classes.
    before : int64 array, shape (inputs, 8), or None
        Classes of the tokens that were read before, the nearest last.
    synthetic : bool
        Made of random numbers.
    """

    name: str
    description: str
    w: np.ndarray | LowRank
    b: np.ndarray
    h: np.ndarray
    screener: Screener
    function: Function = Function.SOFTMAX
    labels: np.ndarray | None = None
    samples: np.ndarray | None = None
    vocabulary: list | None = None
    before: np.ndarray | None = None
    synthetic: bool = False

    @property
    def classes(self) -> int:
        """Rows of w."""
        return self.w.shape[0]

    @property
    def elements(self) -> int:
        """d."""
        return self.w.shape[1]

    def layout(self, cfg: EnmcConfig) -> Layout:
        """Places in a DIMM.

        Raises
        ------
        UsageError
            If it does not fit.
        """
        return plan_layout(cfg, classes=self.classes, elements=self.elements, size=self.screener.size,
                           inputs=len(self.h))

    def limited(self, inputs: int) -> "Workload":
        """The first inputs alone."""
        return replace(self, h=self.h[:inputs], labels=None if self.labels is None else self.labels[:inputs],
                       before=None if self.before is None else self.before[:inputs])

    def part(self, first: int, count: int) -> "Workload":
        """Some classes alone, counted from 0 then: what a rank of a larger system owns. Without labels and names.

        Raises
        ------
        UsageError
            If there are no such classes.
        """
        if not (count >= 1 and 0 <= first <= self.classes - count):
            raise UsageError(f"classes must be a part of 0..{self.classes - 1}, not {first}..{first + count - 1}")
        own = slice(first, first + count)
        w = self.w.part(own) if isinstance(self.w, LowRank) else self.w[own]
        return replace(self, w=w, b=self.b[own], screener=self.screener.part(own), labels=None, vocabulary=None,
                       before=None)


def load_tokens(folder: Path = DATA) -> Workload:
    """The classifier of ``make_tokens.py`` as it is stored; a screener of it is fitted by :func:`tokens`."""
    with np.load(folder / "tokens_w.npz") as file:
        w = file["w"].astype(np.float32) * file["scale"][:, None]
        b, vocabulary = file["b"], bytes(file["vocabulary"]).decode().split("\n")
    with np.load(folder / "tokens_h.npz") as file:
        h, samples = (file[name].astype(np.float32) * file[f"{name}_scale"] for name in ("h", "samples"))
        before, labels = (file[name].astype(np.int64) for name in ("before", "following"))
    path = folder / "tokens_screen.npz"
    screener = _stored_screener(path) if path.exists() else None
    return Workload(name="tokens", description=WORKLOADS["tokens"][0], w=w, b=b, h=h, screener=screener, labels=labels,
                    samples=samples, vocabulary=vocabulary, before=before)


def _stored_screener(path) -> Screener:
    with np.load(path) as file:
        signs = file["p"]
        return Screener(p=signs * np.float32(np.sqrt(3 / len(signs))), feature_scale=float(file["feature_scale"]),
                        w=file["w"], b=file["b"], threshold=int(file["threshold"]), unit=float(file["unit"]),
                        shift=file["shift"])


def tokens(_cfg: EnmcConfig, _seed: int) -> dict:
    """Does not depend on the seed."""
    stored = vars(load_tokens())
    return {key: value for key, value in stored.items() if key not in ("name", "description", "synthetic")}


def low_rank(rng, classes: int, elements: int, inputs: int) -> tuple[LowRank, np.ndarray, np.ndarray]:
    """A classifier of rank 64 at most, and inputs each of which is near to a class: (w, b, h).

    The singular values fall to a third. Of the inputs, a quarter of the length is noise in the directions that classes
    have, and a tenth noise in all directions.
    """
    rank = min(RANK, elements)
    left = rng.integers(-LARGEST, LARGEST + 1, (classes, rank), dtype=np.int8)
    falling = 24 * 3.0 ** (-np.arange(rank) / rank)
    right = np.rint(rng.standard_normal((rank, elements)) * falling[:, None]).astype(np.int64)
    w = LowRank(left, right, 2.0**-10)
    b = rng.standard_normal(classes, np.float32)
    near = rng.integers(0, classes, inputs)
    h = w[near].astype(np.float64)
    h /= np.sqrt(np.square(h).mean(axis=1, keepdims=True))
    h += 0.1 * rng.standard_normal(h.shape) + 0.25 * (rng.standard_normal((inputs, rank)) @ right) / np.sqrt(
        np.square(right).sum() / elements)
    # The result of the class that an input is near to is about 15.
    h *= 15 / np.maximum(np.abs((w[near] * h).sum(axis=1, keepdims=True)), 1e-9)
    return w, b, h.astype(np.float32)


def shape(_cfg: EnmcConfig, seed: int, *, classes: int, elements: int, function: Function = Function.SOFTMAX,
          inputs: int = 4, samples: int = 64) -> dict:
    """A shape of [Thesis table 6.2], with k a quarter of d."""
    w, b, h = low_rank(np.random.default_rng([seed, classes, elements]), classes, elements, inputs + samples)
    screener = fit_screener(w, b, h[inputs:], seed=seed, candidates=SHAPE_CANDIDATES, level=False)
    return {"w": w, "b": b, "h": h[:inputs], "screener": screener, "function": function, "samples": h[inputs:]}


def random_screener(rng, classes: int, elements: int, size: int, threshold: int) -> Screener:
    """Any INT4 weights, and biases about as large as the products."""
    return Screener(p=projection(rng, size, elements), feature_scale=2.0,
                    w=rng.integers(LOW, HIGH + 1, (classes, size), dtype=np.int8),
                    b=rng.integers(-64, 65, classes, dtype=np.int32), threshold=threshold)


def random(_cfg: EnmcConfig, seed: int, *, classes: int, elements: int, size: int, inputs: int,
           candidates: float, function: Function = Function.SOFTMAX) -> dict:
    """Random numbers everywhere: the screener knows nothing of the classifier.

    Parameters
    ----------
    candidates : float
        Wanted ones of an input; 0 for none at all, infinity for all classes.
    """
    rng = np.random.default_rng([seed, classes, elements])
    w = (rng.standard_normal((classes, elements)) / np.sqrt(elements)).astype(np.float32)
    b, h = rng.standard_normal(classes, np.float32), rng.standard_normal((inputs, elements), np.float32)
    screener = random_screener(rng, classes, elements, size, MOST if candidates == 0 else LEAST)
    if 0 < candidates < np.inf:
        threshold = fit_threshold(screener.w, screener.b, screener.features(h), candidates)
        screener = replace(screener, threshold=threshold)
    return {"w": w, "b": b, "h": h, "screener": screener, "function": function}


def of_file(path, _cfg: EnmcConfig, seed: int) -> dict:
    """A user's classifier; what it does not hold of a screener is fitted.

    Raises
    ------
    UsageError
        If the file is malformed.
    """
    file = npz.load(path)
    samples = file.h if file.samples is None else file.samples
    wanted = min(CANDIDATES, len(file.w)) if file.candidates is None else file.candidates
    try:
        if file.p is None:
            with np.errstate(over="raise", invalid="raise"):
                screener = fit_screener(file.w, file.b, samples, file.k, seed, candidates=wanted)
        else:
            screener = _given_screener(file, samples, wanted)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    except FloatingPointError:
        largest = " and ".join(f"{np.abs(values).max():.2g}" for values in (file.w, samples))
        raise UsageError(f"{path}: w and samples must have products well inside of FP32 for a screener to be fitted, "
                         f"not elements as large as {largest}") from None
    return {"w": file.w, "b": file.b, "h": file.h, "screener": screener, "labels": file.labels,
            "samples": file.samples, "function": Function.SOFTMAX if file.function is None else Function(file.function)}


def _given_screener(file: npz.File, samples, wanted: float) -> Screener:
    """The file's, with what it leaves open."""
    scale = file.feature_scale or best_scale(np.asarray(file.h, np.float64) @ file.p.T)
    screener = Screener(p=file.p, feature_scale=scale, w=file.w_screen, b=file.b_screen, threshold=file.threshold or 0)
    if file.threshold is None:
        threshold = fit_threshold(screener.w, screener.b, screener.features(samples), wanted)
        screener = replace(screener, threshold=threshold)
    some = file.h[:16]
    with np.errstate(over="ignore", invalid="ignore"):      # the executor has infinite results, too
        results = float_results(file.w, file.b, some)
    return replace(screener, unit=best_unit(screener.scores(some), results))


#: Name -> (one line, factory(cfg, seed) that gives the other fields of :class:`Workload`, whether it is random).
WORKLOADS = {
    "tokens": ("real: which of 4,096 tokens of Python source comes next, d 256, 512 inputs; not for tiny", tokens,
               False),
    "random": ("synthetic: 203 classes of random numbers, d 23, k 7, 5 inputs, about 9 candidates of each; for tiny",
               partial(random, classes=203, elements=23, size=7, inputs=5, candidates=9), True),
    "lstm-w33k": ("synthetic: the shape of LSTM-W33K, 33,278 classes, d 1500, k 376, rank 64, 4 inputs",
                  partial(shape, classes=33_278, elements=1500), True),
    "transformer-w268k": ("synthetic: the shape of Transformer-W268K, 267,744 classes, d 512, k 128, rank 64, 4 inputs",
                          partial(shape, classes=267_744, elements=512), True),
    "gnmt-e32k": ("synthetic: the shape of GNMT-E32K, 32,317 classes, d 1024, k 256, rank 64, 4 inputs",
                  partial(shape, classes=32_317, elements=1024), True),
    "xmlcnn-670k": ("synthetic: the shape of XMLCNN-670K, 670,091 classes, d 512, k 128, rank 64, sigmoid, 4 inputs",
                    partial(shape, classes=670_091, elements=512, function=Function.SIGMOID), True),
    "s1m": ("synthetic: the shape of S1M, 1,000,000 classes, d 512, k 128, rank 64, 4 inputs",
            partial(shape, classes=1_000_000, elements=512), True),
    "every-class": ("corner case: every class of every input is a candidate, 75 classes, d 12, k 5, 3 inputs",
                    partial(random, classes=75, elements=12, size=5, inputs=3, candidates=np.inf), True),
    "no-class": ("corner case: no class is a candidate, 75 classes, d 12, k 5, 3 inputs",
                 partial(random, classes=75, elements=12, size=5, inputs=3, candidates=0), True),
}
DEFAULT_WORKLOAD = "tokens"


def load(name_or_path: str, cfg: EnmcConfig, seed: int) -> Workload:
    """A built-in workload, or a file in the format of :mod:`golden.enmc.npz`.

    Raises
    ------
    UsageError
        If there is no such workload, or the file is malformed.
    """
    return Workload(**find(name_or_path, WORKLOADS, of_file, cfg, seed))
