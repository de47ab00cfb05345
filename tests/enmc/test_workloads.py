"""Built-in workloads: the real one is what it claims to be, shapes are the source's, corners bite."""

import re

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.enmc import npz
from golden.enmc.config import PRESETS
from golden.enmc.fit import fit_screener
from golden.enmc.formats import Function
from golden.enmc.metrics import agreement, quality, top_of, traffic
from golden.enmc.spec import LowRank, candidates_of, classify, float_results
from golden.enmc.workloads import (
    DATA,
    LEAST,
    TOKENS_CANDIDATES,
    TOKENS_K,
    WORKLOADS,
    load,
    of_file,
)

PAPER, TINY, RANK = PRESETS["paper"], PRESETS["tiny"], PRESETS["rank"]
#: Classes and d [Thesis table 6.2, 6.5.1].
SHAPES = {"lstm-w33k": (33_278, 1500), "transformer-w268k": (267_744, 512), "gnmt-e32k": (32_317, 1024),
          "xmlcnn-670k": (670_091, 512), "s1m": (1_000_000, 512)}
SMALL = ("random", "every-class", "no-class")


@pytest.fixture(scope="module")
def tokens():
    return load("tokens", PAPER, 1)


def counts_of(workload):
    """Candidates of each input."""
    return [len(c) for c in candidates_of(workload.screener.scores(workload.h), workload.screener.threshold)]


def test_registry():
    assert set(WORKLOADS) == {"tokens", *SMALL, *SHAPES}
    for name, (line, _, _) in WORKLOADS.items():
        assert line and "\n" not in line and len(line) < 120
        assert line.startswith(("real: ", "synthetic: ", "corner case: "))
        assert (WORKLOADS[name][2] is False) == line.startswith("real: ")
    for name, (classes, elements) in SHAPES.items():
        assert f"{classes:,} classes, d {elements}," in WORKLOADS[name][0]


@pytest.mark.parametrize("name", SMALL)
def test_seeds(name):
    """The same seed gives the same numbers, another one others."""
    one, same, other = (load(name, PAPER, seed) for seed in (1, 1, 2))
    assert one.name == name and one.synthetic and one.description == WORKLOADS[name][0]
    for key in ("w", "b", "h"):
        assert np.array_equal(getattr(one, key), getattr(same, key))
        assert not np.array_equal(getattr(one, key), getattr(other, key))
    assert np.array_equal(one.screener.w, same.screener.w) and one.screener.threshold == same.screener.threshold


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("preset", ["tiny", "rank", "paper"])
def test_small_ones_fit(name, preset):
    workload = load(name, PRESETS[preset], 1)
    layout = workload.layout(PRESETS[preset])
    counts = counts_of(workload)
    assert layout.bursts <= PRESETS[preset].bursts and layout.classes == workload.classes
    wanted = {"every-class": [75] * 3, "no-class": [0] * 3}
    assert counts == wanted.get(name, counts) and (name != "random" or 5 < np.mean(counts) <= 9)


def test_tokens(tokens):
    """Shape, names and origin; a quarter of the parameters [Thesis 6.6.1]."""
    assert (tokens.classes, tokens.elements, len(tokens.h)) == (4096, 256, 512) and not tokens.synthetic
    assert tokens.function == Function.SOFTMAX and tokens.screener.size == TOKENS_K == tokens.elements // 4
    assert tokens.w.dtype == tokens.b.dtype == tokens.h.dtype == np.float32
    assert len(set(tokens.vocabulary)) == 4096 and {"def", "self", "(", "<newline>", "import"} < set(tokens.vocabulary)
    assert tokens.before.shape == (512, 8) and tokens.labels.min() >= 1 and tokens.labels.max() < 4096
    assert set(np.unique(np.sign(tokens.screener.p))) == {-1, 0, 1}
    assert len(np.unique(np.abs(tokens.screener.p))) == 2
    assert len(np.unique(tokens.w)) > 100_000     # real numbers, not a few steps


def test_tokens_quality(tokens):
    """What INT4 screening with a quarter of the parameters finds, against the whole classifier."""
    q = quality(tokens.w, tokens.b, tokens.h, tokens.screener, tokens.labels)
    assert 0.97 * TOKENS_CANDIDATES < q.candidates < 1.03 * TOKENS_CANDIDATES and q.fewest > 40 and q.most < 800
    assert q.top1 > 0.975 and q.top5 > 0.955 and q.bytes_share < 0.07
    assert q.full_accuracy > 0.5 and q.accuracy > q.full_accuracy - 0.015


def test_tokens_can_be_fitted_again(tokens):
    """From the stored samples, smaller and larger."""
    screeners = [fit_screener(tokens.w, tokens.b, tokens.samples[:512], k, candidates=64) for k in (32, 128)]
    qualities = [quality(tokens.w, tokens.b, tokens.h[:256], screener) for screener in screeners]
    assert 0.88 < qualities[0].top1 < qualities[1].top1 and qualities[1].top1 > 0.98


def test_tokens_is_sensible(tokens):
    """After ``self`` comes a point, a comma or a bracket."""
    results = float_results(tokens.w, tokens.b, tokens.h)
    after = [tokens.vocabulary[word] for word, before in zip(results.argmax(axis=1), tokens.before, strict=True)
             if tokens.vocabulary[before[-1]] == "self"]
    assert len(after) > 10 and set(after) <= {".", ",", ")"}


def test_tokens_layout(tokens):
    """On the DIMM of the source: eight ranks of eight tiles, batches of four."""
    layout = tokens.layout(PAPER)
    assert [layout.tiles_of(rank) for rank in range(8)] == [8] * 8 and layout.batch == 4 and layout.batches == 128
    assert (layout.screen_bursts, layout.row_bursts) == (32, 17)
    few = tokens.limited(6)
    assert few.layout(RANK).batches == 2 and len(few.labels) == len(few.before) == 6
    with pytest.raises(UsageError, match=r"^d must be in 1\.\.127 in this configuration, not 256$"):
        tokens.layout(TINY)


def test_data_is_small():
    assert all(path.stat().st_size < 1_000_000 for path in DATA.glob("*.npz")) and len(list(DATA.glob("*.npz"))) == 3


@pytest.mark.parametrize("name", ["gnmt-e32k", "lstm-w33k"])
def test_shapes(name):
    """Sizes of the source; the screener finds the best class among less than a hundredth of them."""
    workload = load(name, PAPER, 1)
    assert (workload.classes, workload.elements) == SHAPES[name] and workload.synthetic
    assert isinstance(workload.w, LowRank) and len(workload.h) == 4
    q = quality(workload.w, workload.b, np.concatenate([workload.h, workload.samples[:12]]), workload.screener)
    assert q.top1 == 1 and 60 < q.candidates < 260 and q.bytes_share < 0.04
    assert workload.layout(PAPER).bursts < PAPER.bursts


@pytest.mark.parametrize("name", ["transformer-w268k", "xmlcnn-670k", "s1m"])
def test_large_shapes(name):
    workload = load(name, PAPER, 1)
    assert (workload.classes, workload.elements) == SHAPES[name]
    q = quality(workload.w, workload.b, workload.h, workload.screener)
    assert q.top1 == 1 and 30 < q.candidates < 500 and q.bytes_share < 0.035
    assert workload.layout(PAPER).batch == 4
    assert (workload.function == Function.SIGMOID) == (name == "xmlcnn-670k")


def test_part():
    """Some classes, as a rank of a larger system owns them: the same rows, scores and threshold."""
    for name, first, count in (("random", 30, 100), ("gnmt-e32k", 32_000, 317)):
        whole = load(name, PAPER, 1)
        some = whole.part(first, count)
        own = slice(first, first + count)
        assert (some.classes, some.elements) == (count, whole.elements) and some.h is whole.h
        assert np.array_equal(some.screener.scores(some.h), whole.screener.scores(whole.h)[:, own])
        picked = [np.array([0, count - 1])] * len(whole.h)
        ours = classify(some.w, some.b, some.h, 16, picked)
        theirs = classify(whole.w, whole.b, whole.h, 16, [classes + first for classes in picked])
        assert all(map(np.array_equal, ours, theirs))
    for first, count in ((200, 4), (-1, 4), (0, 0)):
        last = first + count - 1
        with pytest.raises(UsageError, match=rf"^classes must be a part of 0\.\.202, not {first}\.\.{last}$"):
            load("random", PAPER, 1).part(first, count)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    return {"w": rng.standard_normal((90, 12)), "b": rng.standard_normal(90), "h": rng.standard_normal((7, 12))}


def of_arrays(tmp_path, arrays, **changes):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays | {key: np.asarray(value) for key, value in changes.items()})
    return load(str(path), TINY, 1)


def test_own_file(tmp_path, arrays):
    """A screener of a quarter of d and 32 candidates, unless the file says otherwise."""
    workload = of_arrays(tmp_path, arrays)
    assert workload.name.endswith("own.npz") and not workload.synthetic and workload.function == Function.SOFTMAX
    assert workload.screener.size == 4 and workload.labels is None
    assert 20 < np.mean(counts_of(workload)) <= 32
    workload = of_arrays(tmp_path, arrays, k=12, candidates=5, function=1, samples=np.ones((3, 12)),
                         labels=np.arange(7))
    assert (workload.screener.size, workload.function) == (12, Function.SIGMOID)
    assert workload.labels.tolist() == list(range(7)) and workload.samples.shape == (3, 12)
    assert of_arrays(tmp_path, arrays, candidates=90).screener.threshold == LEAST


def test_own_screener(tmp_path, arrays):
    """Taken as it is; what it leaves open is chosen."""
    fitted = fit_screener(arrays["w"], arrays["b"], arrays["h"], 12, level=False)
    given = {"p": fitted.p, "w_screen": fitted.w, "b_screen": fitted.b}
    workload = of_arrays(tmp_path, arrays, **given, threshold=-5, feature_scale=fitted.feature_scale)
    assert workload.screener.threshold == -5 and workload.screener.feature_scale == fitted.feature_scale
    assert np.array_equal(workload.screener.w, fitted.w) and np.array_equal(workload.screener.p, fitted.p)
    assert np.isclose(workload.screener.unit, fitted.unit, rtol=0.2)
    workload = of_arrays(tmp_path, arrays, **given, candidates=3)
    assert np.isclose(workload.screener.feature_scale, fitted.feature_scale, rtol=0.2)
    counts = counts_of(workload)
    assert 0 < np.mean(counts) <= 3


def test_written_file(tmp_path, tokens):
    """A part of a built-in workload as a user's file."""
    some = tokens.part(0, 300).limited(5)
    path = tmp_path / "part.npz"
    npz.save(path, npz.File(w=some.w, b=some.b, h=some.h, p=some.screener.p, w_screen=some.screener.w,
                            b_screen=some.screener.b, feature_scale=some.screener.feature_scale,
                            threshold=some.screener.threshold))
    again = load(str(path), PAPER, 1)
    assert np.array_equal(again.screener.scores(again.h), some.screener.scores(some.h))
    assert np.array_equal(again.w, some.w) and again.screener.threshold == some.screener.threshold


@pytest.mark.parametrize(("name", "hint"), [
    ("lstm-w32k", "did you mean lstm-w33k?"), ("xyzzy", "--list-workloads shows all names")])
def test_unknown_name(name, hint):
    with pytest.raises(UsageError, match=rf"^workload must be a built-in name or an \.npz file, not '{name}'; "
                                         rf"{re.escape(hint)}$"):
        load(name, TINY, 1)


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match="none.npz: must be a readable file, not No such file or directory$"):
        of_file(tmp_path / "none.npz", TINY, 1)


def test_agreement():
    """Of equal results the lower class counts; fewer classes than five are all there."""
    full = np.array([[5, 4, 3, 2, 1, 0], [0, 9, 9, 1, 2, 3]])
    assert top_of(full, 3).tolist() == [[0, 1, 2], [1, 2, 5]] and top_of(full[:, :2], 5).tolist() == [[0, 1], [1, 0]]
    ours = np.array([[5, 4, 3, 2, 0, 1], [0, 8, 9, 1, 2, 3]])
    assert agreement(ours, full) == (0.5, 0.9)
    assert agreement(full, full) == (1.0, 1.0)


def test_traffic():
    """Counted by hand for a rank and a half."""
    layout = load("random", TINY, 1).layout(TINY.replace(ranks=2))
    counted = traffic(layout, [np.arange(3), np.arange(2), [], [], []])
    assert (layout.batches, layout.tile_bursts, layout.row_bursts) == (3, 8, 6)
    assert counted.screening == 3 * 13 * 8 * 16 and counted.candidates == 5 * 6 * 16
    assert counted.features == 2 * (3 * 1 + 5 * 6) * 16 and counted.full == 3 * 203 * 6 * 16


def test_too_large_for_a_screener(tmp_path):
    """Finite in FP32, but no screener can be fitted: one line, no warnings."""
    path = tmp_path / "large.npz"
    np.savez(path, w=np.full((5, 3), 3e38), b=np.zeros(5), h=np.full((2, 3), 1e3))
    with pytest.raises(UsageError, match=r"w and samples must have products well inside of FP32 for a screener to be "
                                         r"fitted, not elements as large as 3e\+38 and 1e\+03$"):
        of_file(path, TINY, 1)
