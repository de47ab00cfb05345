"""Whether what a DIMM returned is what the equations say, and how much of it is not."""

from typing import NamedTuple

import numpy as np

from .compiler import Records, decode_records, per_input
from .formats import Function
from .packing import unpack_scores
from .plan import Plan
from .spec import sigmoid
from .special import EXPONENTIAL_ERROR, SIGMOID_ERROR, SOFTMAX_ERROR, SUM_ERROR

__all__ = ["Errors", "records_of", "verify"]

#: The exponential of less is 0 or below the second number.
_DEEPEST, _SMALLEST = -87, 2e-38


class Errors(NamedTuple):
    """What differs from the equations, counted.

    Attributes
    ----------
    candidates : int
        Records that are missing, or of a class or input that is no candidate, or there twice.
    scores : int
        Approximate scores, of records or of all classes.
    exact : int
        Exact results that differ in any bit.
    values : int
        Values of the special function that are farther off than ``golden.enmc.special`` says.
    softmax : int
        Largest results that differ in any bit, and sums that are farther off.
    """

    candidates: int = 0
    scores: int = 0
    exact: int = 0
    values: int = 0
    softmax: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)


def verify(plan: Plan, answers) -> Errors:
    """Compare.

    Parameters
    ----------
    answers : list of list of Answer
        Of every batch, of every rank.
    """
    total = np.zeros(len(Errors._fields), np.int64)
    for n, batch in enumerate(answers):
        for rank, answer in enumerate(batch):
            share = plan.layout.share(rank)
            found = decode_records(answer.records)
            inputs = plan.layout.batch_of(n)
            legal = ((found.label >= share.start) & (found.label < share.stop)
                     & (found.batch >= 0) & (found.batch < len(inputs)))
            total[0] += np.count_nonzero(~legal)
            for k, number in enumerate(inputs):
                own = Records(*(values[legal & (found.batch == k)] for values in found))
                part = answer.softmax[k] if k < len(answer.softmax) else None
                total += _input(plan, number, share, own, part)
            if plan.work.scores and share and not plan.full:
                scores = unpack_scores(plan.cfg, answer.words, len(share), len(inputs))
                wanted = plan.scores[inputs.start:inputs.stop, share.start:share.stop]
                total[1] += np.count_nonzero(scores != wanted)
    return Errors(*total.tolist())


def records_of(plan: Plan, answers) -> list[Records]:
    """Records of each input of all batches by ascending class, those left out that no rank may return."""
    records = []
    for n, batch in enumerate(answers):
        inputs, parts = len(plan.layout.batch_of(n)), []
        for rank, answer in enumerate(batch):
            share, found = plan.layout.share(rank), decode_records(answer.records)
            keep = (found.label >= share.start) & (found.label < share.stop)
            # One of a class and input, should there be several.
            first = np.zeros(len(keep), bool)
            first[np.unique(found.label * 16 + found.batch, return_index=True)[1]] = True
            parts.append(Records(*(values[keep & first] for values in found)))
        records += per_input(Records(*(np.concatenate(values) for values in zip(*parts, strict=True))), inputs)
    return records


def _bits(values):
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def _input(plan, number, share, found, part):
    """Errors of an input in a rank, as an array; ``found`` in the order of arrival."""
    chosen = plan.candidates[number]
    own = (chosen >= share.start) & (chosen < share.stop)
    wanted, exact = chosen[own], plan.exact[number][own]
    place = np.searchsorted(wanted, found.label)
    known = np.zeros(len(found.label), bool)
    known[place < len(wanted)] = wanted[place[place < len(wanted)]] == found.label[place < len(wanted)]
    strangers = np.count_nonzero(~known)
    missing = len(wanted) - len(np.unique(place[known]))
    twice = np.count_nonzero(known) - len(np.unique(place[known]))
    found, place = Records(*(values[known] for values in found)), place[known]
    scores = 0 if plan.full else np.count_nonzero(found.score != plan.scores[number, found.label])
    wrong = _bits(found.exact) != _bits(exact[place])
    wrong |= ~found.exacts | (found.function != int(plan.function))
    return np.array([strangers + missing + twice, scores, np.count_nonzero(wrong),
                     np.count_nonzero(_wrong_values(plan.function, found)), _softmax(plan.function, exact, part)])


def _wrong_values(function, found):
    """Function values beyond their tolerance, of finite results."""
    z = found.exact.astype(np.float64)
    if function == Function.NONE or not np.isfinite(z).all():
        return np.zeros(len(z), bool)
    if function == Function.SIGMOID:
        right, tolerance, vanishes = sigmoid(z), SIGMOID_ERROR, z < _DEEPEST
    else:
        below = z - np.maximum.accumulate(z)
        # The difference is rounded to FP32 before its exponential is taken.
        right, tolerance, vanishes = np.exp(below), EXPONENTIAL_ERROR + 2.0**-23 * (1 - below), below < _DEEPEST
    value = found.value.astype(np.float64)
    return np.where(vanishes, value > _SMALLEST, np.abs(value - right) > right * tolerance)


def _softmax(function, exact, part):
    """Whether the register of an input is wrong."""
    if function != Function.SOFTMAX or part is None or not np.isfinite(exact).all():
        return 0
    if not len(exact):
        return int(part.total != 0 or part.maximum != -np.inf)
    right = np.exp(exact.astype(np.float64) - float(exact.max())).sum()
    slack = SOFTMAX_ERROR + len(exact) * SUM_ERROR
    return int(_bits([part.maximum])[0] != _bits([exact.max()])[0] or abs(part.total - right) > right * slack)
