"""The classifier as a program sees it [Thesis 6.4.4, Fig. 6.8]::

    classifier = Classifier(w, b).fit_screener(h_samples, k=64)
    approximate, candidates, exact = classifier(h)

It runs on the equations of ``spec.py``, or on a backend that carries out compiled instructions: ``interpret.py``
without time, the cycle model, or the hardware.
"""

from typing import NamedTuple, Protocol

import numpy as np

from . import spec
from .compiler import Records, Work, decode_records, full_program, per_input, screen_program
from .config import DEFAULT_PRESET, PRESETS, EnmcConfig
from .fit import fit_screener
from .formats import Function
from .interpret import Answer, Job
from .packing import Layout, features_image, memory_of, plan_layout, unpack_scores
from .spec import LowRank, Screener, SoftmaxPart

__all__ = ["Backend", "Classifier", "Outcome", "Results", "check_classifier", "jobs_of", "outcome_of"]


class Backend(Protocol):
    """A DIMM: keeps its DRAM from one batch to the next."""

    def run(self, jobs: list[Job]) -> list[Answer]:
        """Carry out one batch: a job and an answer for every rank."""


class Results(NamedTuple):
    """Of some inputs.

    Attributes
    ----------
    approximate : float32 array, shape (inputs, classes)
        Scores of all classes, in units of the exact results.
    candidates : list of int64 arrays
        Classes of each input that were classified exactly, ascending.
    exact : list of float32 arrays
        Their results ``w . h + b``.
    """

    approximate: np.ndarray
    candidates: list
    exact: list


class Outcome(NamedTuple):
    """Everything that comes back from some inputs.

    Attributes
    ----------
    scores : int32 array, shape (inputs, classes)
        Approximate scores, or None if they were not asked for.
    records : list of Records
        Of each input, by ascending class.
    softmax : list of SoftmaxPart
        Of each input, all ranks together.
    counters : list of list of dict
        Of each batch, of each rank.
    """

    scores: np.ndarray | None
    records: list
    softmax: list
    counters: list

    @property
    def candidates(self) -> list:
        """Classes of each input."""
        return [records.label for records in self.records]

    @property
    def exact(self) -> list:
        """Their exact results."""
        return [records.exact for records in self.records]

    def probabilities(self) -> list:
        """Softmax over the candidates of each input, float64: what the host makes of the parts of all ranks."""
        return [np.exp(records.exact.astype(np.float64) - part.maximum) / part.total if part.total else np.zeros(0)
                for records, part in zip(self.records, self.softmax, strict=True)]


class Classifier:
    """A classifier in the memory of an ENMC DIMM.

    Parameters
    ----------
    w : float32 array, shape (classes, d), or LowRank
    b : float32 array, shape (classes,)
    cfg : EnmcConfig
    backend : Backend, optional
        Without it results come from the equations.
    function : Function
        What the special function unit makes of exact results; see :attr:`outcome`.

    Attributes
    ----------
    screener : Screener or None
    outcome : Outcome or None
        Of the last call: function values, softmax, counters.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a number is not finite.
    """

    def __init__(self, w, b, *, cfg: EnmcConfig = PRESETS[DEFAULT_PRESET], backend: Backend | None = None,
                 function: Function = Function.NONE):
        self.w, self.b = check_classifier(w, b)
        self.cfg, self.backend, self.function = cfg, backend, Function(function)
        self.screener = self.outcome = None
        self._loaded = None

    def fit_screener(self, h_samples, k: int | None = None, *, candidates: float = 32, seed: int = 0) -> "Classifier":
        """Make the screener from samples, see :func:`golden.enmc.fit.fit_screener`; returns the classifier."""
        return self.load_screener(fit_screener(self.w, self.b, h_samples, k, seed, candidates=candidates))

    def load_screener(self, screener: Screener) -> "Classifier":
        """Take a screener that was made elsewhere; returns the classifier."""
        if (screener.classes, screener.inputs) != self.w.shape:
            raise ValueError(f"screener must have {self.w.shape[0]} classes and d = {self.w.shape[1]}, not "
                             f"{screener.classes} and {screener.inputs}")
        self.screener, self._loaded = screener, None
        return self

    def __call__(self, h) -> Results:
        """Classify.

        Parameters
        ----------
        h : float array, shape (inputs, d) or (d,)

        Raises
        ------
        ValueError
            If there is no screener yet, or ``h`` has another shape.
        UsageError
            If it does not fit the DIMM.
        """
        h = self._inputs(h)
        outcome = self.run(h)
        return Results(self.screener.results(h, outcome.scores), outcome.candidates, outcome.exact)

    def run(self, h, scores: bool = True) -> Outcome:
        """The same with everything that comes back; ``scores``: approximate scores of all classes are wanted."""
        h = self._inputs(h)
        if self.backend is None:
            self.outcome = self._equations(h)
            return self.outcome
        layout = plan_layout(self.cfg, classes=len(self.w), elements=self.w.shape[1], size=self.screener.size,
                             inputs=len(h))
        work = Work(threshold=self.screener.threshold, function=self.function, scores=scores)
        first = self._loaded != layout
        answers = []
        for n in range(layout.batches):
            jobs = jobs_of(layout, n, work, self.screener, self.w, self.b, h, first=first and n == 0)
            answers.append(self.backend.run(jobs))
        self._loaded = layout
        self.outcome = outcome_of(layout, work, answers)
        return self.outcome

    def _inputs(self, h):
        if self.screener is None:
            raise ValueError("screener must be fitted or loaded before the classifier is called, not missing")
        h = np.atleast_2d(np.asarray(h, np.float32))
        if h.ndim != 2 or h.shape[1] != self.w.shape[1] or not len(h):
            raise ValueError(f"h must have shape (any, {self.w.shape[1]}), not {h.shape}")
        return h

    def _equations(self, h):
        scores = self.screener.scores(h)
        candidates = spec.candidates_of(scores, self.screener.threshold)
        exact = spec.classify(self.w, self.b, h, self.cfg.burst_words, candidates)
        # A rank keeps maximum and sum for the softmax alone.
        parts = [spec.softmax_part(z if self.function == Function.SOFTMAX else []) for z in exact]
        records = []
        for n, (labels, z, part) in enumerate(zip(candidates, exact, parts, strict=True)):
            if self.function == Function.SOFTMAX:
                value = np.exp(z.astype(np.float64) - part.maximum)
            else:
                value = spec.apply(self.function, z)
            records.append(Records(score=scores[n, labels], label=labels, batch=np.full(len(labels), n),
                                   exacts=np.ones(len(labels), bool), function=np.full(len(labels), int(self.function)),
                                   exact=z, value=value.astype(np.float32)))
        return Outcome(scores, records, parts, [])


def check_classifier(w, b):
    """``w`` and ``b`` as float32.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or a number is not finite in FP32.
    """
    if not isinstance(w, LowRank):
        spec.check_shape("w", w, (None, None))
        with np.errstate(over="ignore"):
            w = np.ascontiguousarray(w, np.float32)
        if not np.isfinite(w).all():
            raise ValueError("w must be finite numbers in FP32, not infinite ones or NaN")
    spec.check_shape("b", b, (w.shape[0],))
    with np.errstate(over="ignore"):
        b = np.ascontiguousarray(b, np.float32)
    if not np.isfinite(b).all():
        raise ValueError("b must be finite numbers in FP32, not infinite ones or NaN")
    return w, b


def jobs_of(layout: Layout, n: int, work: Work, screener: Screener | None, w, b, h, *, first: bool = True,
            rows=None) -> list[Job]:
    """Jobs of all ranks for batch ``n``.

    Parameters
    ----------
    screener : Screener or None
        None: full classification of all classes.
    h : float32 array, shape (inputs, d)
        Of all batches.
    first : bool
        The host writes the classifier, too.
    rows : int array, optional
        Classes whose exact weights are written, see :func:`golden.enmc.packing.memory_of`.
    """
    features = None if screener is None else screener.features(h)
    inputs, jobs = features_image(layout, n, features, h), []
    for rank in range(layout.cfg.ranks):
        memory = memory_of(layout, rank, screener, w, b, rows) if first else []
        read = range(0)
        if screener is None:
            program = full_program(layout, rank, n, work.function)
        else:
            program = screen_program(layout, rank, n, work)
            if work.scores:
                read = range(layout.scores_at(n, 0), layout.scores_at(n, layout.tiles_of(rank)))
        jobs.append(Job(memory + inputs if program else [], program, read))
    return jobs


def outcome_of(layout: Layout, work: Work, answers) -> Outcome:
    """Put together what all ranks returned.

    Parameters
    ----------
    answers : list of list of Answer
        Of every batch, of every rank.

    Raises
    ------
    ValueError
        If a record names a class or an input that its rank does not have, or one twice.
    """
    scores = np.zeros((layout.inputs, layout.classes), np.int32) if work.scores else None
    records, softmax = [], []
    for n, batch in enumerate(answers):
        inputs = len(layout.batch_of(n))
        parts = []
        for rank, answer in enumerate(batch):
            share = layout.share(rank)
            decoded = decode_records(answer.records)
            _check_records(decoded, share, inputs, rank)
            parts.append(decoded)
            if work.scores and share:
                own = slice(layout.batch_of(n).start, layout.batch_of(n).stop)
                scores[own, share.start:share.stop] = unpack_scores(layout.cfg, answer.words, len(share), inputs)
        together = Records(*(np.concatenate(values) for values in zip(*parts, strict=True)))
        records += per_input(together, inputs)
        softmax += [spec.combine(SoftmaxPart(*answer.softmax[k]) for answer in batch if len(answer.softmax) > k)
                    for k in range(inputs)]
    return Outcome(scores, records, softmax, [[answer.counters for answer in batch] for batch in answers])


def _check_records(records, share, inputs, rank):
    for name, values, start, stop in (("label", records.label, share.start, share.stop),
                                      ("batch", records.batch, 0, inputs)):
        bad = values[(values < start) | (values >= stop)]
        if len(bad):
            raise ValueError(f"{name} of a record of rank {rank} must be in {start}..{stop - 1}, not {int(bad[0])}")
    if len({*zip(records.label.tolist(), records.batch.tolist(), strict=True)}) != len(records.label):
        raise ValueError(f"records of rank {rank} must be of different classes or inputs, not of equal ones")
