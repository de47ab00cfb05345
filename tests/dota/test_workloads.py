"""Built-in workloads: the real one is what it claims to be, the figures are the source's, corners bite."""

import re

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.dota import npz
from golden.dota.compiler import place_head
from golden.dota.config import PRESETS
from golden.dota.encoder import plan_layers
from golden.dota.linear import commands_of
from golden.dota.metrics import macs, mass, output_error, recall, true_top
from golden.dota.spec import attention, dense_attention, estimate, masked_attention
from golden.dota.workloads import (
    DATA,
    FIG_7_14,
    FIG_7_15,
    WORKLOADS,
    load,
    mask_of,
    of_file,
    random_head,
)

PAPER, TINY = PRESETS["paper"], PRESETS["tiny"]
#: Least recall of the four heads, estimated from X, and from q and k.
TEXT_RECALL = {"text-x": (0.45, 0.48, 0.52, 0.47), "text": (0.92, 0.87, 0.91, 0.85)}
SYNTHETIC = ("random", "random-384", "random-2048", "decode", "encoder", "encoder-decode", "encoder-256", "saturating")
LAYERS = ("text-linear", "encoder", "encoder-decode", "encoder-256")
SEEDED = ("random", "decode", "saturating")


def assert_same(one, other):
    """All numbers of two heads."""
    for a, b in ((one, other), (one.predictor, other.predictor)):
        for name in vars(a):
            if name != "predictor":
                assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_registry():
    assert set(WORKLOADS) == {*TEXT_RECALL, "fig-7-14", "fig-7-15", "equal-scores", *SYNTHETIC, *LAYERS}
    for line, _, _ in WORKLOADS.values():
        assert line and "\n" not in line and len(line) < 120
        assert line.startswith(("real: ", "worked example: ", "synthetic: ", "corner case: "))


@pytest.mark.parametrize("name", [*TEXT_RECALL, "fig-7-15", "equal-scores", *SEEDED])
def test_seeds(name):
    """The same seed gives the same numbers; another one others, if they are random."""
    one, same, other = (load(name, PAPER, seed) for seed in (1, 1, 2))
    assert one.name == name and one.synthetic == (name in SYNTHETIC) and one.description == WORKLOADS[name][0]
    for a, b in zip(one.heads, same.heads, strict=True):
        assert_same(a, b)
    assert np.array_equal(one.heads[0].q, other.heads[0].q) == (name not in SEEDED)


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in ("random-2048", *LAYERS)])
@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_all_can_be_computed(name, preset):
    cfg = PRESETS[preset]
    workload = load(name, cfg, 1)
    assert workload.heads or workload.masks is not None
    for head in workload.heads[:2]:
        result = attention(head, cfg.estimate_bits)
        if workload.masks is not None:
            assert np.array_equal(result.masks, workload.masks)
        elif head.threshold is None:
            assert np.all(result.mask.sum(axis=1) == head.keep)


@pytest.mark.parametrize(("name", "preset"), [("text-linear", "small"), ("text-linear", "paper"), ("encoder", "tiny"),
                                              ("encoder-decode", "tiny"), ("encoder-256", "paper")])
def test_layers_fit(name, preset):
    """In these presets; the seed matters where numbers are random."""
    cfg = PRESETS[preset]
    one, same, other = (load(name, cfg, seed).layers for seed in (1, 1, 2))
    assert np.array_equal(one.x, same.x) and np.array_equal(one.x, other.x) == (name not in SYNTHETIC)
    assert sum(1 for _ in commands_of(plan_layers(one, cfg), cfg)) > 1


def test_text_layer_makes_a_head():
    """In integers as in float: X W is Q, K and V but for one step of rounding."""
    workload = load("text", PAPER, 1)
    head, layer = workload.heads[0], workload.linear
    made, wanted = layer.results(PAPER)["y"], np.hstack([head.q, head.k, head.v])
    assert np.abs(made - wanted).max() <= 0.003 * 2**head.frac
    assert np.array_equal(load("text-linear", PAPER, 1).layers.x, layer.x)


def test_figures():
    """[Thesis Fig. 7.14] has 10 crosses, [Fig. 7.15] 12, three in each row."""
    assert np.array_equal(load("fig-7-14", TINY, 1).masks[0], mask_of(FIG_7_14))
    assert mask_of(FIG_7_14).sum(axis=1).tolist() == [2, 3, 2, 3]
    workload = load("fig-7-15", TINY, 1)
    (head,) = workload.heads
    scores = head.q @ head.k.T
    assert np.array_equal(scores > 0, mask_of(FIG_7_15)) and mask_of(FIG_7_15).sum(axis=1).tolist() == [3] * 4
    z = attention(head, TINY.estimate_bits).z / 2.0**head.frac
    assert np.allclose(z, [[np.mean(keys)] * 6 for keys in FIG_7_15], atol=0.01)


@pytest.mark.parametrize(("name", "inputs", "size"), [("text-x", 384, 96), ("text", 32, 32)])
def test_text(name, inputs, size):
    """4 heads of 32; X W is Q, K and V of the first, biases included; nothing is cut off on the way."""
    workload = load(name, PAPER, 1)
    assert len(workload.heads) == 4 and not workload.synthetic
    for head in workload.heads:
        assert head.q.shape == head.k.shape == head.v.shape == (158, 32) and head.keep == 16
        assert (head.predictor.inputs, head.predictor.size, head.predictor.bits) == (inputs, size, 4)
        assert output_error(head, dense_attention(head)).relative < 2e-3
    linear, head = workload.linear, workload.heads[0]
    assert linear.x.shape == (158, 385) and linear.w.shape == (96, 385) and set(linear.x[:, -1]) == {1 << linear.frac_x}
    made = linear.x @ linear.w.T / 2.0 ** (linear.frac_x + linear.frac_w)
    assert np.abs(made - np.hstack([head.q, head.k, head.v]) / 2.0**head.frac).max() < 0.003


@pytest.mark.parametrize("name", TEXT_RECALL)
def test_text_quality(name):
    """What INT4 estimates find with a tenth of the keys."""
    for head, least in zip(load(name, PAPER, 1).heads, TEXT_RECALL[name], strict=True):
        assert recall(head, attention(head, PAPER.estimate_bits).mask) > least


def test_text_is_as_good_as_the_best():
    """From q and k the output is as close to dense attention as a tenth of the keys can make it, for less work."""
    for head, from_x in zip(load("text", PAPER, 1).heads, load("text-x", PAPER, 1).heads, strict=True):
        result, best = attention(head, PAPER.estimate_bits), true_top(head, head.keep)
        assert mass(head, result.mask) > mass(head, best) - 0.005
        least = output_error(head, masked_attention(head, best).z).relative
        assert output_error(head, result.z).relative < least + 0.01
        assert macs(head, best).transform < macs(from_x, best).transform / 10


def test_random_2048_fits():
    """Q~ and K~ fill the bank that they have in the paper's preset."""
    (head,) = load("random-2048", PAPER, 1).heads
    place = place_head(head, PAPER)
    assert head.predictor.size == 32 and 2 * (place.low_k - place.low_q) == PAPER.bank_words


def test_data_is_small():
    assert sum(path.stat().st_size for path in DATA.glob("*.npz")) < 1 << 20


@pytest.mark.parametrize("inputs", [0, 20])
def test_random_heads(inputs):
    """Any shape, and scores about as sharp as asked for."""
    rng = np.random.default_rng(1)
    for keys, dim in ((1, 1), (2, 100), (37, 16), (64, 33)):
        head = random_head(rng, TINY, queries=keys, keys=keys, dim=dim, inputs=inputs)
        assert (head.keys, head.dim, head.predictor.inputs) == (keys, dim, inputs or dim)
        assert attention(head, TINY.estimate_bits).z.shape == (keys, dim)
    scores = head.q @ head.k.T / 4.0**head.frac / np.sqrt(head.dim)
    assert 1 < scores.std() < 4
    with pytest.raises(ValueError, match=r"^queries must be the 5 of keys when there are inputs, not 3$"):
        random_head(rng, TINY, queries=3, keys=5, dim=4, inputs=4)


def test_corners():
    (head,) = load("decode", TINY, 1).heads
    assert head.queries == head.groups == 1 and head.keys == 23
    (head,) = load("equal-scores", TINY, 1).heads
    assert not estimate(head, 12).any() and head.queries % 4 == 1
    one, everything = load("saturating", TINY, 1).heads
    assert (one.keep, everything.keep) == (1, everything.keys)
    for head in (one, everything):
        assert set(np.unique(head.q)) == {-32768, 32767}
    assert set(attention(one, 12).weights[0].ravel()) == {32767}
    assert np.abs(attention(everything, 12).z).max() >= 32767


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    return {**{name: rng.integers(-900, 900, (2, 21, 6)) for name in "qkv"}, "frac": np.array(8)}


def of_arrays(tmp_path, arrays, cfg=TINY, **changes):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays | {key: np.asarray(value) for key, value in changes.items()})
    return load(str(path), cfg, 1)


def test_own_file(tmp_path, arrays):
    """A tenth of the keys is kept unless the file says otherwise; a threshold counts, up to what the queue holds."""
    workload = of_arrays(tmp_path, arrays)
    assert workload.name.endswith("own.npz") and len(workload.heads) == 2 and not workload.synthetic
    assert {head.keep for head in workload.heads} == {2} and workload.heads[0].predictor.bits == 4
    assert np.array_equal(workload.heads[1].v, arrays["v"][1])
    assert of_arrays(tmp_path, arrays, keep=7).heads[0].keep == 7
    head = of_arrays(tmp_path, arrays, threshold=100).heads[0]
    assert (head.keep, head.threshold) == (TINY.queue, 100)
    assert of_arrays(tmp_path, arrays, PAPER, threshold=100).heads[0].keep == 21
    counts = (estimate(head, 12) >= 100).sum(axis=1)
    sizes = [mask[0].sum() for mask in attention(head, 12).masks]
    assert sizes == [np.clip(counts[n:n + 4].max(), 1, TINY.queue) for n in range(0, 21, 4)]
    head = of_arrays(tmp_path, arrays, precision=2, transform=4).heads[0]
    assert (head.predictor.bits, head.predictor.transform_bits) == (2, 4)


def test_own_file_with_x(tmp_path, arrays):
    """The size of x does not matter, integer or float, and a trained predictor is taken."""
    x = np.random.default_rng(3).standard_normal((21, 40))
    heads = [of_arrays(tmp_path, arrays, x=values).heads[0] for values in (x, x * 1e9, x * 1e-9)]
    assert heads[0].predictor.p.shape == (40, 8)
    for head in heads[1:]:
        assert_same(heads[0], head)
    p = np.eye(40, 16, dtype=int)
    head = of_arrays(tmp_path, arrays, x=x, p=p, wq_low=np.eye(16), wk_low=np.eye(16)).heads[1]
    assert np.array_equal(head.predictor.p, p)
    assert not of_arrays(tmp_path, arrays, x=np.zeros((21, 40))).heads[0].x_q.any()


def test_own_masks(tmp_path):
    path = tmp_path / "masks.npz"
    npz.save(path, mask_of(FIG_7_14))
    workload = load(str(path), TINY, 1)
    assert workload.heads == [] and workload.masks.shape == (1, 4, 5)


def test_own_output(tmp_path, arrays):
    workload = of_arrays(tmp_path, arrays, expected=arrays["v"])
    assert np.array_equal(workload.expected, arrays["v"])


def test_too_large_for_the_sums(tmp_path, arrays):
    """What only shows when the predictor is made is one line with the head, too."""
    size = 600
    x = np.ones((21, 8))
    p, w = np.ones((8, size), int), np.ones((size, size))
    with pytest.raises(UsageError, match=r"own\.npz: head 0: t W\[0, 0\] must be in -8388608\.\.8388607, not \d+$"):
        of_arrays(tmp_path, arrays, x=x, p=p, wq_low=w, wk_low=w)


@pytest.mark.parametrize(("name", "hint"), [
    ("fig-7-16", "did you mean fig-7-15 or fig-7-14?"), ("xyzzy", "--list-workloads shows all names")])
def test_unknown_name(name, hint):
    with pytest.raises(UsageError, match=rf"^workload must be a built-in name or an \.npz file, not '{name}'; "
                                         rf"{re.escape(hint)}$"):
        load(name, TINY, 1)


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match="none.npz: must be a readable file, not No such file or directory$"):
        of_file(tmp_path / "none.npz", TINY, 1)
