"""The API of [Thesis Fig. 6.8]: the equations and compiled programs come to the same, on any number of ranks."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.enmc.classifier import Classifier, jobs_of, outcome_of
from golden.enmc.compiler import Records, Work, decode_records, encode_records
from golden.enmc.config import PRESETS
from golden.enmc.formats import Function
from golden.enmc.interpret import Interpreter
from golden.enmc.metrics import traffic
from golden.enmc.packing import plan_layout
from golden.enmc.spec import SoftmaxPart, classify, sigmoid, softmax
from golden.enmc.workloads import LEAST, MOST, low_rank, random_screener
from tests.enmc.launch import CONFIGS, TINY, configs

every_config = configs(*CONFIGS)
SECOND = object()


def case(seed, classes=70, elements=11, size=6, inputs=5, threshold=30):
    rng = np.random.default_rng(seed)
    w, b, h = (rng.standard_normal(shape).astype(np.float32)
               for shape in ((classes, elements), classes, (inputs, elements)))
    return w, b, h, random_screener(rng, classes, elements, size, threshold)


def both(cfg, w, b, screener, function=Function.SOFTMAX):
    return [Classifier(w, b, cfg=cfg, backend=backend, function=function).load_screener(screener)
            for backend in (None, Interpreter(cfg))]


def assert_same(one, other):
    """Scores, candidates and exact results bit for bit; functions nearly."""
    assert np.array_equal(one.scores, other.scores)
    for a, b, p, q in zip(one.records, other.records, one.softmax, other.softmax, strict=True):
        for name in ("score", "label", "exacts", "function"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
        assert np.array_equal(a.exact.view(np.uint32), b.exact.view(np.uint32))
        assert p.maximum == q.maximum and np.isclose(p.total, q.total)


@every_config
@pytest.mark.parametrize("ranks", [1, 3, 8])
def test_program_equals_equations(cfg, ranks):
    """Tiles that are not full, ranks without classes, several batches, twice the same inputs and then others."""
    cfg = cfg.replace(ranks=ranks)
    w, b, h, screener = case(ranks, classes=3 * cfg.classes + 5)
    plain, compiled = both(cfg, w, b, screener)
    for inputs in (h, h, h[:2] * 2):
        assert_same(plain.run(inputs), compiled.run(inputs))
    assert 0 < sum(map(len, plain.outcome.candidates)) < 2 * len(w)
    found = sum(rank["found"] for rank in compiled.outcome.counters[-1])
    assert found >= sum(map(len, plain.outcome.candidates[-compiled.cfg.batch:]))


@pytest.mark.parametrize("seed", range(40))
def test_random_cases(seed):
    """Any sizes that fit, thresholds at both ends, one class, one element."""
    rng = np.random.default_rng(seed)
    cfg = CONFIGS["tiny" if seed % 2 else "middle"].replace(ranks=int(rng.integers(1, 4)))
    w, b, h, screener = case(seed, classes=int(rng.integers(1, 90)), elements=int(rng.integers(1, 30)),
                             size=int(rng.integers(1, 20)), inputs=int(rng.integers(1, 7)),
                             threshold=int(rng.choice([LEAST, -50, 0, 50, 200, MOST])))
    plain, compiled = both(cfg, w, b, screener, Function(seed % 3))
    assert_same(plain.run(h), compiled.run(h))


def test_three_results():
    """(approximate, candidates, exact), as a program of Fig. 6.8 uses them; one vector or several."""
    w, b, h, screener = case(1)
    for classifier in both(TINY, w, b, screener):
        approximate, candidates, exact = classifier(h)
        assert approximate.shape == (5, 70) and approximate.dtype == np.float32
        assert np.array_equal(approximate, screener.results(h, screener.scores(h)))
        for row, classes, z, wanted in zip(screener.scores(h), candidates, exact, classify(w, b, h, 4, candidates),
                                           strict=True):
            assert np.array_equal(classes, np.flatnonzero(row > 30)) and np.array_equal(z, wanted)
        assert np.array_equal(classifier(h[0]).exact[0], exact[0]) and len(classifier(h[0]).exact) == 1


def test_fitted():
    """From weights and samples to results, on the equations and on programs."""
    w, b, h = low_rank(np.random.default_rng(2), 400, 24, 60)
    for backend in (None, Interpreter(CONFIGS["middle"])):
        classifier = Classifier(w, b, cfg=CONFIGS["middle"], backend=backend).fit_screener(h[10:], k=16, candidates=20)
        _, candidates, _ = classifier(h[:10])
        best = (h[:10] @ w[:].T + b).argmax(axis=1)
        assert np.mean([top in classes for top, classes in zip(best, candidates, strict=True)]) >= 0.9
        assert 5 < np.mean([len(classes) for classes in candidates]) < 60


@pytest.mark.parametrize("function", list(Function))
def test_function_values(function):
    """Sigmoid of every candidate, or its part of a softmax over the candidates of all ranks."""
    w, b, h, screener = case(3)
    for classifier in both(TINY.replace(ranks=3), w, b, screener, function):
        outcome = classifier.run(h)
        for records, p in zip(outcome.records, outcome.probabilities(), strict=True):
            assert len(records.label) > 1
            if function == Function.SIGMOID:
                assert np.allclose(records.value, sigmoid(records.exact))
            elif function == Function.NONE:
                assert np.array_equal(records.value, records.exact)
            else:
                assert np.allclose(p, softmax(records.exact), rtol=1e-5) and np.isclose(p.sum(), 1)
                assert ((records.value > 0) & (records.value <= 1)).all()


def test_no_candidates():
    w, b, h, screener = case(4, threshold=MOST)
    for classifier in both(TINY, w, b, screener):
        outcome = classifier.run(h)
        assert not any(map(len, outcome.candidates)) and outcome.softmax == [SoftmaxPart(-np.inf, 0.0)] * 5
        assert [len(p) for p in outcome.probabilities()] == [0] * 5


def test_scores_alone():
    """Without exact results, and without scores of all classes."""
    w, b, h, screener = case(5)
    layout = plan_layout(TINY, classes=70, elements=11, size=6, inputs=5)
    work, dimm = Work(threshold=30, exact=False), Interpreter(TINY)
    answers = [dimm.run(jobs_of(layout, n, work, screener, w, b, h, first=n == 0)) for n in range(layout.batches)]
    outcome = outcome_of(layout, work, answers)
    assert outcome.scores is None
    for records, row in zip(outcome.records, screener.scores(h), strict=True):
        assert np.array_equal(records.label, np.flatnonzero(row > 30)) and not records.exacts.any()
        assert np.array_equal(records.score, row[records.label]) and not records.function.any()


@every_config
def test_full_classification(cfg):
    """The baseline: every class of every input, bit for bit."""
    cfg = cfg.replace(ranks=2)
    w, b, h, _ = case(6, classes=cfg.classes + 3)
    layout, dimm = plan_layout(cfg, classes=len(w), elements=11, size=2, inputs=5), Interpreter(cfg)
    work = Work(threshold=0, function=Function.SOFTMAX)
    answers = [dimm.run(jobs_of(layout, n, work, None, w, b, h, first=n == 0)) for n in range(layout.batches)]
    outcome = outcome_of(layout, work, answers)
    for labels, z, wanted in zip(outcome.candidates, outcome.exact, classify(w, b, h, cfg.burst_words), strict=True):
        assert np.array_equal(labels, np.arange(len(w))) and np.array_equal(z, wanted)
    assert np.allclose(outcome.probabilities(), softmax(outcome.exact), rtol=1e-5)


def test_only_some_rows():
    """A run needs no exact weights but those of its candidates."""
    w, b, h, screener = case(7)
    layout = plan_layout(TINY, classes=70, elements=11, size=6, inputs=5)
    plain = Classifier(w, b, cfg=TINY).load_screener(screener).run(h)
    rows, work = np.unique(np.concatenate(plain.candidates)), Work(threshold=30, scores=True)
    dimm = Interpreter(TINY)
    answers = [dimm.run(jobs_of(layout, n, work, screener, w, b, h, first=n == 0, rows=rows))
               for n in range(layout.batches)]
    for ours, theirs in zip(plain.exact, outcome_of(layout, work, answers).exact, strict=True):
        assert np.array_equal(ours, theirs)
    assert 0 < len(rows) < 70


def test_bytes_are_those_of_the_counters():
    """What is said of the traffic is what the ranks read."""
    w, b, h, screener = case(8)
    for ranks in (1, 3):
        cfg = TINY.replace(ranks=ranks)
        classifier = both(cfg, w, b, screener)[1]
        outcome = classifier.run(h)
        read = sum(rank["bursts_read"] for rank in outcome.counters[-1]) * cfg.dq
        layout = plan_layout(cfg, classes=70, elements=11, size=6, inputs=5)
        counted = traffic(layout, outcome.candidates)
        assert read == counted.screening + counted.candidates + counted.features
        assert 0 < counted.share and counted.full == layout.batches * 70 * layout.row_bursts * cfg.dq


def wrong_answers(**changes):
    w, b, h, screener = case(9)
    layout = plan_layout(TINY, classes=70, elements=11, size=6, inputs=1)
    work, dimm = Work(threshold=30), Interpreter(TINY)
    (answer,) = dimm.run(jobs_of(layout, 0, work, screener, w, b, h[:1]))
    records = decode_records(answer.records)._asdict()
    for name, (place, value) in changes.items():
        records[name] = records[name].copy()
        records[name][place] = records[name][1] if value is SECOND else value
    return layout, work, [[answer._replace(records=encode_records(Records(**records)))]]


@pytest.mark.parametrize(("changes", "message"), [
    ({"label": (0, 70)}, r"label of a record of rank 0 must be in 0\.\.69, not 70"),
    ({"batch": (0, 1)}, r"batch of a record of rank 0 must be in 0\.\.0, not 1"),
    ({"label": (0, SECOND)}, "records of rank 0 must be of different classes or inputs, not of equal ones"),
])
def test_wrong_records(changes, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        outcome_of(*wrong_answers(**changes))
    outcome_of(*wrong_answers())


def test_wrong_use():
    w, b, h, screener = case(10)
    with pytest.raises(ValueError, match="^screener must be fitted or loaded before the classifier is called, not .*$"):
        Classifier(w, b)(h)
    with pytest.raises(ValueError, match=r"^screener must have 69 classes and d = 11, not 70 and 11$"):
        Classifier(w[:69], b[:69]).load_screener(screener)
    classifier = Classifier(w, b, cfg=TINY, backend=Interpreter(TINY)).load_screener(screener)
    for wrong in (np.ones((2, 12)), np.ones((0, 11)), np.ones((1, 2, 11))):
        with pytest.raises(ValueError, match=r"^h must have shape \(any, 11\), not \(.*\)$"):
            classifier(wrong)
    with pytest.raises(ValueError, match=r"^w must be finite numbers in FP32, not infinite ones or NaN$"):
        Classifier(w * np.inf, b)
    with pytest.raises(ValueError, match=r"^b must be finite numbers in FP32, not infinite ones or NaN$"):
        Classifier(w, b.astype(float) * 1e300)
    with pytest.raises(ValueError, match=r"^b must have shape \(70,\), not \(69,\)$"):
        Classifier(w, b[:69])
    wide = np.ones((70, 200), np.float32)
    large = Classifier(wide, b, cfg=TINY, backend=Interpreter(TINY)).fit_screener(wide[:3], 4)
    with pytest.raises(UsageError, match=r"^d must be in 1\.\.127 in this configuration, not 200$"):
        large(wide[:1])
    assert Classifier(w, b).cfg == PRESETS["paper"]
