"""Built-in workloads: the real ones are what they claim to be, figures come out as printed, shapes are the source's."""

import re

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.duet import npz
from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.interpret import run
from golden.duet.metrics import accuracy, layer_counts, predictions, speculator_floor, speedup
from golden.duet.spec import MODES, forward
from golden.duet.workloads import DATA, INSENSITIVE, WORKLOADS, load
from tests.duet.launch import TINY
from tests.duet.networks import network_of

PAPER = PRESETS["paper"]
#: Right of the 360 test images, in fixed point and with little modules.
ACCURACY = {"digits-cnn": (359, 357), "digits-lstm": (352, 347)}


def floors(workload, cfg):
    """Cycles of the Executor by mode, at best."""
    return {mode: layer_counts(compile_network(workload.network, cfg, mode, limits=workload.limits),
                               workload.network.inputs[0])[0] for mode in MODES}


@pytest.mark.parametrize("name", ACCURACY)
def test_digits(name):
    """Little modules lose little; the program comes to the same outputs as the equations."""
    workload = load(name, TINY, 1)
    network = workload.network
    assert not workload.synthetic and len(network.inputs) == 360
    right = []
    for speculate in (False, True):
        out = forward(network, speculate)[-1].out
        right.append(round(accuracy(network, out) * 360))
    assert tuple(right) == ACCURACY[name]
    some = workload.limited(2).network
    for cfg in (TINY, PAPER):
        outputs, _, _ = run(compile_network(some, cfg), some.inputs)
        np.testing.assert_array_equal(outputs, out[:2])


def test_digits_leave_out_half_of_the_convolutions():
    """Less than 1 % of the images are lost for it [Thesis 5.3.1]."""
    network = load("digits-cnn", TINY, 1).network
    found = predictions(network, forward(network, True))
    assert list(found) == [0, 1] and all(own.insensitive > 0.5 and own.lost < 0.3 < own.zero for own in found.values())
    exact, mixed = ACCURACY["digits-cnn"]
    assert exact - mixed < 3.6
    network = load("digits-lstm", TINY, 1).network
    found = predictions(network, forward(network, True))[0]
    assert 0.45 < found.insensitive < 0.55 and found.zero is None


@pytest.mark.parametrize("name", ["digits_cnn.npz", "digits_lstm.npz"])
def test_files_are_users_files(name):
    assert (DATA / name).stat().st_size < 1 << 20
    assert np.array_equal(load(str(DATA / name), TINY, 1).network.inputs, npz.load(DATA / name).inputs)


@pytest.mark.parametrize("cfg", [TINY, PAPER], ids=["tiny", "paper"])
def test_fig_5_3(cfg):
    """27 MACs, 9 with the output map, 3 with the input map too."""
    found = floors(load("fig-5-3", cfg, 1), cfg)
    assert [found[mode].floor for mode in ("base", "os", "ios", "duet")] == [27, 9, 3, 3]
    assert found["ios"].macs == 3


def test_fig_5_4():
    """Two rows of PEs: channels {0, 3} then {1, 2}; four outputs and two instead of four and four."""
    cfg = TINY.replace(rows=2)
    workload = load("fig-5-4", cfg, 1)
    found = floors(workload, cfg)
    assert [found[mode].floor for mode in ("base", "os", "bos")] == [8, 8, 6]
    program = compile_network(workload.network, cfg, "bos", limits=workload.limits)
    _, _, machine = run(program, workload.network.inputs)
    base = program.stages[-1].execute["order_base"]
    assert machine.read(base, 1)[0, [0, cfg.pixels, 2 * cfg.pixels, 3 * cfg.pixels]].tolist() == [0, 3, 1, 2]
    sensitive = forward(workload.network, True)[0].sensitive
    assert sensitive.sum(axis=(2, 3)).tolist() == [[4, 1, 2, 4]]


@pytest.mark.parametrize(("name", "shapes"), [("alexnet-conv3", [(256, 13, 13), (384, 13, 13)]),
                                              ("resnet18-block", [(128, 28, 28), (128, 28, 28)])])
def test_shapes_of_real_layers(name, shapes):
    """Sparsity of the source, on average; the speed of the modes in its order; the Speculator hidden."""
    workload = load(name, PAPER, 1)
    network = workload.network
    assert network.shapes == shapes and workload.synthetic
    trace = forward(network, True)[0]
    assert abs(1 - trace.sensitive.mean() - INSENSITIVE) < 0.01
    assert abs((network.inputs != 0).mean() - 0.45) < 0.01
    found = floors(workload.part(PAPER, tiles=2, channels=64), PAPER)
    base = found["base"]
    ratio = {mode: speedup(base, own) for mode, own in found.items()}
    assert 1 < ratio["os"] < ratio["bos"] < ratio["duet"] and ratio["os"] < ratio["ios"] < ratio["duet"]
    program = compile_network(network, PAPER)
    work = sum(speculator_floor(PAPER, stage.speculate) for stage in program.stages if stage.speculate)
    assert work < 0.2 * base.floor * np.prod(shapes[1]) / base.outputs


def test_parts():
    """A part of a convolution is one."""
    workload = load("resnet18-block", PAPER, 1).part(PAPER, tiles=9, channels=32)
    assert workload.network.shapes == [(128, 8, 28), (32, 8, 28)]
    workload = load("resnet18-block", PAPER, 1).part(PAPER, tiles=1)
    assert workload.network.shapes == [(128, 4, 4), (128, 4, 4)]
    with pytest.raises(UsageError, match=r"^tiles and channels must be for a workload of one convolution, not for "
                                         r"'digits-cnn'$"):
        load("digits-cnn", PAPER, 1).part(PAPER, tiles=1)


@pytest.mark.parametrize("name", ["random", "random-lstm", "random-gru"])
def test_random_workloads(name):
    network = load(name, TINY, 3).network
    outputs, _, _ = run(compile_network(network, TINY), network.inputs)
    np.testing.assert_array_equal(outputs, forward(network, True)[-1].out)
    again, other = load(name, TINY, 3), load(name, TINY, 4)
    assert np.array_equal(network.inputs, again.network.inputs)
    assert not np.array_equal(network.inputs, other.network.inputs)


def test_list():
    assert "digits-cnn" in WORKLOADS
    for line, _, synthetic in WORKLOADS.values():
        assert re.match(r"(real|synthetic|worked example): ", line) and "\n" not in line
        assert synthetic == line.startswith("synthetic")


@pytest.mark.parametrize(("name", "message"), [
    ("digits", r"workload must be a built-in name or an \.npz file, not 'digits'; did you mean .*digits-cnn.*\?"),
    ("zzz", r"workload must be a built-in name or an \.npz file, not 'zzz'; --list-workloads shows all names"),
    ("none.npz", r"none\.npz: must be a readable file, not No such file or directory")])
def test_wrong_names(name, message):
    with pytest.raises(UsageError, match=f"^{message}$"):
        load(name, TINY, 1)


def test_metrics_without_labels_and_of_recurrent_layers():
    network = network_of("stack")
    traces = forward(network, True)
    assert accuracy(network, traces[-1].out) is None
    found = predictions(network, traces)
    assert set(found) == {0, 1, 2, 3} and found[0].zero is None and found[3].zero is not None
