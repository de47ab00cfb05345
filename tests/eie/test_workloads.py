"""Built-in workloads: the real one is as accurate as claimed, synthetic ones have Table III's figures, corners bite."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.eie import npz
from golden.eie.compiler import pack, pass_work
from golden.eie.config import PRESETS
from golden.eie.corners import empty_runs
from golden.eie.spec import limits, network_outputs
from golden.eie.workloads import DATA, TABLE3, WORKLOADS, load, random_layers

CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")
CONFIGS = {"tiny": PRESETS["tiny"], "paper": PRESETS["paper"], "one-pe": PRESETS["tiny"].replace(n_pe=1),
           "deep-queue": PRESETS["tiny"].replace(fifo_depth=64, ptr_words=1024, act_words=512),
           "bits-8": PRESETS["tiny"].replace(data_bits=8), "bits-32": PRESETS["small"].replace(data_bits=32)}


def all_outputs(workload, data_bits):
    return [network_outputs(workload.layers, a, data_bits) for a in workload.activations]


def test_registry():
    assert set(WORKLOADS) == {"digits", *TABLE3, *CORNERS}
    for name, (line, _, synthetic) in WORKLOADS.items():
        assert line and "\n" not in line and len(line) < 120
        assert line.startswith("real" if name == "digits" else "synthetic" if name in TABLE3 else "corner case")
        assert synthetic == (name != "digits")


@pytest.mark.parametrize("name", ["digits", "nt-we", *CORNERS])
def test_seeds(name):
    """The same seed gives the same workload; another one another, except for the trained network."""
    cfg = PRESETS["small"]
    one, same, other = (load(name, cfg, seed) for seed in (1, 1, 2))
    assert one.name == name and one.synthetic == (name != "digits")
    assert np.array_equal(one.layers[0].codes, same.layers[0].codes)
    assert np.array_equal(one.activations, same.activations)
    assert np.array_equal(one.layers[0].codes, other.layers[0].codes) == (name == "digits")


@pytest.mark.parametrize("name", TABLE3)
def test_table3(name):
    """Shape and densities of the table; nothing saturates, so timing is that of an ordinary layer; and it fits."""
    row, cfg = TABLE3[name], PRESETS["paper"]
    workload = load(name, cfg, 1)
    (layer,) = workload.layers
    assert layer.codes.shape == (row.n_out, row.n_in)
    assert np.count_nonzero(layer.codes) / layer.codes.size == pytest.approx(row.weights, rel=0.01)
    assert np.count_nonzero(workload.activations) == round(row.activations * row.n_in)
    assert (workload.activations.min() < 0) == (row.activations == 1.0)
    assert workload.synthetic and "synthetic" in workload.description
    outputs, saturated = all_outputs(workload, 16)[0][0]
    assert not saturated.any() and outputs.any()
    image = pack(workload.layers, cfg)
    assert image.entries.max() <= cfg.spmat_entries


def test_table3_sizes_of_the_paper():
    """[EIE Table III], once more from the paper: size, weight and activation density."""
    assert {name: tuple(row[:4]) for name, row in TABLE3.items()} == {
        "alex-6": (9216, 4096, 0.09, 0.351), "alex-7": (4096, 4096, 0.09, 0.353),
        "alex-8": (4096, 1000, 0.25, 0.375), "vgg-6": (25088, 4096, 0.04, 0.183),
        "vgg-7": (4096, 4096, 0.04, 0.375), "vgg-8": (4096, 1000, 0.23, 0.411),
        "nt-we": (4096, 600, 0.10, 1.0), "nt-wd": (600, 8791, 0.11, 1.0), "nt-lstm": (1201, 2400, 0.10, 1.0)}


def test_digits():
    workload = load("digits", PRESETS["paper"], 1)
    assert [(x.n_in, x.n_out) for x in workload.layers] == [(64, 300), (300, 100), (100, 10)]
    assert [x.relu for x in workload.layers] == [True, True, False]
    assert all(x.bias_codes is not None for x in workload.layers)
    kept = sum(np.count_nonzero(x.codes) for x in workload.layers)
    assert 0.09 < kept / sum(x.codes.size for x in workload.layers) < 0.11
    assert len(workload.activations) == len(workload.labels) == 360
    assert np.bincount(workload.labels).min() >= 30
    results = all_outputs(workload, 16)
    outputs = np.stack([layers[-1][0] for layers in results])
    assert not any(saturated.any() for layers in results for _, saturated in layers)
    assert np.array_equal(outputs, workload.expected)
    right = {name: (values.argmax(axis=1) == workload.labels).mean()
             for name, values in (workload.logits | {"fixed": outputs}).items()}
    assert {name: round(360 * share) for name, share in right.items()} == \
        {"float": 356, "compressed": 357, "fixed": 357}        # as golden/eie/data/README.md says
    scale = 2.0**workload.layers[-1].act_frac_out
    assert np.abs(outputs / scale - workload.logits["compressed"]).max() < 0.05


@pytest.mark.parametrize(("data_bits", "loss"), [(32, 0.0), (12, 0.01)])
def test_digits_in_other_widths(data_bits, loss):
    """32 bits lose nothing [EIE VI.C]; a few bits less than 16 still work on so small a network."""
    workload = load("digits", PRESETS["paper"].replace(data_bits=data_bits), 1)
    assert workload.expected is None
    predicted = [layers[-1][0].argmax() for layers in all_outputs(workload, data_bits)]
    before = workload.logits["compressed"].argmax(axis=1) == workload.labels
    assert (np.array(predicted) == workload.labels).mean() >= before.mean() - loss


def test_digits_is_a_file_like_any_users():
    """The committed file is in the documented format and loads by its path."""
    path = DATA / "digits.npz"
    by_path, by_name = load(str(path), PRESETS["paper"], 1), load("digits", PRESETS["paper"], 1)
    assert by_path.name == str(path) and not by_path.synthetic and by_path.labels is None
    assert np.array_equal(by_path.expected, by_name.expected)
    assert max(file.stat().st_size for file in DATA.iterdir()) < 1_000_000


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", CORNERS)
def test_corners_fit_and_compute(name, config):
    cfg = CONFIGS[config]
    workload = load(name, cfg, 3)
    image = pack(workload.layers, cfg)
    results = all_outputs(workload, cfg.data_bits)
    saturates = any(saturated.any() for layers in results for _, saturated in layers)
    assert saturates == (name == "saturating")
    assert image.entries.sum() > 0


@pytest.mark.parametrize("config", CONFIGS)
def test_empty_columns(config):
    """Per PE: every wanted run of empty columns between two that are not, first and last column, one PE with none."""
    cfg = CONFIGS[config]
    workload = load("empty-columns", cfg, 1)
    codes = workload.layers[0].codes
    image = pack(workload.layers, cfg)
    sizes = np.diff(image.pointers, axis=1)
    assert not sizes[:, 0].any() and not sizes[:, -1].any()
    if cfg.n_pe > 1:
        assert not sizes[-1].any()
    full = np.flatnonzero(codes.any(axis=0))
    runs = set((np.diff(full) - 1).tolist())
    assert runs >= set(empty_runs(cfg)) >= {0, 1, cfg.fifo_depth, cfg.fifo_depth + 2}
    if config in ("tiny", "paper"):
        assert runs == set(range(cfg.fifo_depth + 3))
    assert workload.activations[0].all()
    assert not workload.activations[1, ::2].any()


def test_dense():
    for cfg in CONFIGS.values():
        workload = load("dense", cfg, 1)
        (layer,) = workload.layers
        assert layer.codes.all() and layer.bias_codes.all() and workload.activations.all()
        image = pack([layer], cfg)
        assert image.total.padding == 0 and image.total.density == 1
        (work,) = pass_work(image, [workload.activations[0]])
        assert (work.entries == image.entries).all()


def test_all_zero_input():
    for cfg in CONFIGS.values():
        workload = load("all-zero-input", cfg, 1)
        assert not workload.activations.any()
        (hidden, _), (outputs, _) = all_outputs(workload, cfg.data_bits)[0]
        assert not hidden.any() and outputs.any()
        work = pass_work(pack(workload.layers, cfg), [workload.activations[0], hidden])
        assert [w.broadcasts for w in work] == [0, 1]


def test_one_hot():
    for cfg in CONFIGS.values():
        workload = load("one-hot", cfg, 1)
        assert (np.count_nonzero(workload.activations, axis=1) == 1).all()
        assert workload.activations[0, 0] and workload.activations[1, -1]


def test_saturating():
    """Both limits are reached, and the result is not that of exact arithmetic cut off at the end."""
    for cfg in CONFIGS.values():
        workload = load("saturating", cfg, 1)
        layer, (low, high) = workload.layers[0], limits(cfg.data_bits)
        outputs = np.stack([layers[0][0] for layers in all_outputs(workload, cfg.data_bits)])
        assert outputs.min() == low or outputs.max() == high
        exact = (workload.activations.astype(object) @ layer.codebook[layer.codes].T.astype(object))
        late = np.clip((exact / 2**layer.shift).astype(float), low, high)
        assert (np.abs(outputs - late) > high / 4).any()


@pytest.mark.parametrize(("name", "message"), [
    ("alex7", r"workload must be a built-in name or an \.npz file, not 'alex7'; did you mean alex-7 .*\?"),
    ("zzz", r"workload must be a built-in name or an \.npz file, not 'zzz'; --list-workloads shows all names"),
    ("zzz.npz", r"zzz\.npz: must be a readable file, not No such file or directory"),
])
def test_unknown(name, message):
    with pytest.raises(UsageError, match=f"^{message}$"):
        load(name, PRESETS["tiny"], 1)


def test_users_file(tmp_path):
    layers, vector = random_layers(np.random.default_rng(1), PRESETS["tiny"])
    path = tmp_path / "mine.npz"
    npz.save(path, layers, vector)
    workload = load(str(path), PRESETS["tiny"], 1)
    assert len(workload.layers) == len(layers) and not workload.synthetic


@pytest.mark.parametrize("wide", [None, False, True])
def test_random_layers(wide):
    """They fit, are what was asked for, and reach what tests need: several layers, bias, saturation, zeros."""
    cfg, rng = PRESETS["tiny"], np.random.default_rng(9)
    seen = set()
    for _ in range(60):
        layers, vector = random_layers(rng, cfg, wide=wide)
        lengths = [layers[0].n_in, *(x.n_out for x in layers)]
        if wide is not None:
            assert (max(lengths) > cfg.pass_length) == wide
        pack(layers, cfg)
        results = network_outputs(layers, vector, cfg.data_bits)
        seen |= {f"layers {len(layers)}", f"bias {layers[0].bias_codes is not None}", f"relu {layers[0].relu}",
                 f"saturates {any(s.any() for _, s in results)}", f"zero input {not vector.any()}",
                 f"full input {bool(vector.all())}", f"long input {lengths[0] > cfg.pass_length}",
                 f"result {bool(results[-1][0].any())}"}
    expected = {f"layers {n}" for n in (1, 2, 3, 4)}
    expected |= {f"{what} {is_so}" for what in ("bias", "relu", "saturates", "zero input", "full input", "result")
                 for is_so in (True, False)}
    assert seen >= expected
    assert ("long input True" in seen) == (wide is not False)


def test_random_layers_that_cannot_be():
    cfg = PRESETS["tiny"].replace(act_words=8)
    with pytest.raises(ValueError, match="^cfg must hold a random network of 2 layers with wide=True, not EieConfig"):
        random_layers(np.random.default_rng(1), cfg, layers=2, wide=True)
