"""Users' files: what is read is what was written, and every mistake is one line that names the value and the rule."""

import re

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.duet import npz
from golden.duet.layers import Layer, Low, Network
from tests.duet.networks import SHAPES, network_of

CONV = {"l0_kind": np.array("conv"), "l0_w": np.ones((3, 2, 3, 3), np.int16), "l0_b": np.ones(3, np.int32),
        "l0_shift": np.array(4), "l0_stride": np.array(1), "l0_pad": np.array(1), "l0_relu": np.array(1),
        "input": np.ones((2, 2, 5, 4), np.int16)}
LOW = {"l0_p": np.ones((4, 18), np.int8), "l0_w_low": np.full((3, 4), -8, np.int8), "l0_b_low": np.zeros(3, np.int32),
       "l0_threshold": np.array(-5), "l0_reduce_shift": np.array(2)}
FC = {"l1_kind": np.array("fc"), "l1_w": np.ones((5, 60), np.int16), "l1_b": np.ones(5, np.int32),
      "l1_shift": np.array(0), "l1_relu": np.array(0)}
LSTM = {"l0_kind": np.array("lstm"), "l0_w": np.ones((4, 3, 5), np.int16), "l0_b": np.ones((4, 3), np.int32),
        "l0_shift": np.array(9), "input": np.ones((1, 6, 2), np.int16)}
LSTM_LOW = {"l0_p": np.ones((2, 5), np.int8), "l0_w_low": np.ones((4, 3, 2), np.int8),
            "l0_b_low": np.zeros((4, 3), np.int32), "l0_threshold": np.arange(4), "l0_reduce_shift": np.array(2),
            "l0_low_shift": np.arange(4)}
GOOD = {"conv": CONV, "low": CONV | LOW, "fc": CONV | LOW | FC, "labels": CONV | {"labels": np.array([0, 1])},
        "lstm": LSTM, "lstm-low": LSTM | LSTM_LOW}


def write(folder, arrays):
    path = folder / "network.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def same(a, b):
    """Two objects of layers, field by field."""
    if isinstance(a, (Network, Layer, Low)):
        return type(a) is type(b) and all(same(x, getattr(b, name)) for name, x in vars(a).items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b)


@pytest.mark.parametrize("name", SHAPES)
def test_round_trip(tmp_path, name):
    network = network_of(name)
    npz.save(tmp_path / "a.npz", network)
    assert same(npz.load(tmp_path / "a.npz"), network)


@pytest.mark.parametrize("name", GOOD)
def test_reads(tmp_path, name):
    network = npz.load(write(tmp_path, GOOD[name]))
    assert network.inputs.dtype == np.int64 and same(network.inputs, GOOD[name]["input"])
    assert (network.labels is None) == (name != "labels")
    assert (network.layers[0].low is not None) == ("l0_p" in GOOD[name])


def test_values_arrive(tmp_path):
    layer = npz.load(write(tmp_path, GOOD["fc"])).layers[0]
    assert (layer.kind, layer.shift, layer.stride, layer.pad, layer.relu) == ("conv", 4, 1, 1, True)
    low = layer.low
    assert low.w.shape == (1, 3, 4) and low.b.shape == (1, 3) and low.threshold.tolist() == [-5]
    low = npz.load(write(tmp_path, GOOD["lstm-low"])).layers[0].low
    assert low.threshold.tolist() == low.low_shift.tolist() == [0, 1, 2, 3] and low.reduce_shift == 2


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_any_type_of_integers(tmp_path, dtype):
    arrays = {key: value if key == "l0_kind" else value.astype(dtype) for key, value in CONV.items()}
    assert same(npz.load(write(tmp_path, arrays)), npz.load(write(tmp_path, CONV)))


BAD = [
    (CONV, {"l0_kind": None}, "l0_kind must be present, not missing"),
    ({"input": CONV["input"]}, {}, "l0_kind must be present, not missing"),
    (CONV, {"input": None}, "input must be present, not missing"),
    (CONV, {"l0_w": None}, "l0_w must be present, not missing"),
    (CONV, {"l0_stride": None}, "l0_stride must be present, not missing"),
    (CONV, {"l2_kind": np.array("fc")}, "layers must be numbered from l0_ without a gap, not without l1_"),
    (CONV, {"l0_kind": np.array("pool")}, "l0_kind must be one of conv, fc, lstm, gru, not 'pool'"),
    (CONV, {"l0_kind": np.array(1)}, r"l0_kind must be one string, not int64 of shape \(\)"),
    (CONV, {"weights": np.ones(3)}, "key must be one of .*, not 'weights'"),
    (CONV, {"l0_bias": np.ones(3)}, "key must be one of l0_b, .*, not 'l0_bias'"),
    (CONV, {"l0_low_shift": np.array(1)}, "key must be one of .*, not 'l0_low_shift'"),
    (CONV, {"l0_w": np.ones((3, 2, 3, 3))}, "l0_w must be integers, not float64"),
    (CONV, {"l0_w": np.full((3, 2, 3, 3), np.nan)}, "l0_w must be integers, not float64"),
    (CONV, {"l0_w": np.ones((3, 2, 3, 3), bool)}, "l0_w must be integers, not bool"),
    (CONV, {"l0_w": np.ones((3, 18), int)}, r"l0_w must have shape \(any, any, any, any\), not \(3, 18\)"),
    (CONV, {"l0_w": np.ones((0, 2, 3, 3), int)}, r"l0_w must have shape .*, not \(0, 2, 3, 3\)"),
    (CONV, {"l0_w": np.full((3, 2, 3, 3), 32768)}, r"l0_w\[0, 0, 0, 0\] must be in -32768\.\.32767, not 32768"),
    (CONV, {"l0_w": np.full((3, 2, 3, 3), 1 << 63, np.uint64)},
     "l0_w must fit 32 bits, not 9223372036854775808"),
    (CONV, {"l0_b": np.ones(2, int)}, r"l0_b must have shape \(3,\), not \(2,\)"),
    (CONV, {"l0_b": np.full(3, 1 << 31)}, r"l0_b\[0\] must be in -2147483648\.\.2147483647, not 2147483648"),
    (CONV, {"l0_shift": np.array(32)}, r"l0_shift must be in 0\.\.31, not 32"),
    (CONV, {"l0_shift": np.array([1])}, r"l0_shift must be one integer, not int64 of shape \(1,\)"),
    (CONV, {"l0_stride": np.array(0)}, r"l0_stride must be in 1\.\.7, not 0"),
    (CONV, {"l0_pad": np.array(16)}, r"l0_pad must be in 0\.\.15, not 16"),
    (CONV, {"l0_relu": np.array(2)}, "l0_relu must be 0 or 1, not 2"),
    (CONV, {"l0_pad": np.array(0), "input": np.ones((1, 2, 2, 4), int)},
     "l0_w must have a kernel that fits a map of 2 x 4, not 3 x 3"),
    (CONV, {"input": np.ones((1, 3, 5, 4), int)}, r"l0_w must be for 2 channels of a map, not .* \(3, 5, 4\)"),
    (CONV, {"input": np.ones((2, 5, 4), int)}, r"input must have shape \(any, any, any, any\), not \(2, 5, 4\)"),
    (CONV, {"input": np.full((1, 2, 5, 4), -32769)}, r"input\[0, 0, 0, 0\] must be in -32768\.\.32767, not -32769"),
    (CONV, {"labels": np.ones(3, int)}, r"labels must have shape \(2,\), not \(3,\)"),
    (CONV, {"labels": np.array([0, -1])}, r"labels\[1\] must be in 0\.\.\d+, not -1"),
    (CONV, {"labels": np.array([10**6, 0])}, r"labels\[0\] must be in 0\.\.\d+, not 1000000"),
    (CONV, {"l00_w": np.zeros(1, int)}, "key must be one of input, l0_b, .*, not 'l00_w'"),
    (CONV | LOW, {"l0_w_low": None}, "l0_w_low must be present, not missing"),
    (CONV | LOW, {"l0_p": np.ones((4, 17), int)}, "l0_p must have 18 columns, as w has inputs, not 17"),
    (CONV | LOW, {"l0_p": np.full((4, 18), 2)}, r"l0_p\[0, 0\] must be in -1\.\.1, not 2"),
    (CONV | LOW, {"l0_w_low": np.full((3, 4), 8)}, r"l0_w_low\[0, 0\] must be in -8\.\.7, not 8"),
    (CONV | LOW, {"l0_w_low": np.pad([[9]], ((2, 0), (1, 2)))}, r"l0_w_low\[2, 1\] must be in -8\.\.7, not 9"),
    (CONV | LOW, {"l0_w_low": np.ones((3, 3), int)}, r"l0_w_low must have shape \(3, 4\), not \(3, 3\)"),
    (CONV | LOW, {"l0_w_low": np.ones((2, 4), int), "l0_b_low": np.zeros(2, int)},
     r"l0_w_low must have shape \(3, 4\), not \(2, 4\)"),
    (CONV | LOW, {"l0_w_low": np.ones((1, 3, 4), int)}, r"l0_w_low must have shape \(3, 4\), not \(1, 3, 4\)"),
    (CONV | LOW, {"l0_w_low": np.array(1)}, r"l0_w_low must have shape \(3, 4\), not \(\)"),
    (CONV | LOW, {"l0_b_low": np.zeros(2, int)}, r"l0_b_low must have shape \(3,\), not \(2,\)"),
    (CONV | LOW, {"l0_b_low": np.zeros((1, 3), int)}, r"l0_b_low must have shape \(3,\), not \(1, 3\)"),
    (CONV | LOW, {"l0_b_low": np.array([0, (1 << 31) - 1, 0])}, r"l0_b_low\[1\] must be in .*, not 2147483647"),
    (CONV | LOW, {"l0_p": np.ones(4, int)}, r"l0_p must have shape \(any, any\), not \(4,\)"),
    (CONV | LOW, {"l0_p": np.array(1)}, r"l0_p must have shape \(any, any\), not \(\)"),
    (CONV | LOW, {"l0_threshold": np.arange(1)}, r"l0_threshold must be one integer, not int64 of shape \(1,\)"),
    (CONV | LOW, {"l0_threshold": np.array(1 << 31)}, r"l0_threshold must be in .*, not 2147483648"),
    (CONV | LOW, {"l0_reduce_shift": np.array(-1)}, r"l0_reduce_shift must be in 0\.\.31, not -1"),
    (CONV | LOW, {"l0_relu": np.array(0)}, "l0_relu must be 1 where there is a little module, not 0"),
    (CONV | LOW | FC, {"l1_w": np.ones((5, 59), int)}, "l1_w must have 60 inputs, as many as come in, not 59"),
    (LSTM, {"l0_w": np.ones((3, 3, 5), int)}, r"l0_w must have shape \(4, any, any\), not \(3, 3, 5\)"),
    (LSTM, {"l0_w": np.ones((4, 3, 3), int)},
     "l0_w must have more inputs than its 3 outputs, which are the first of them, not 3"),
    (LSTM, {"l0_relu": np.array(1)}, "key must be one of .*, not 'l0_relu'"),
    (LSTM, {"input": np.ones((1, 6, 3), int)}, r"l0_w must be for 2 features of a sequence, not .* \(6, 3\)"),
    (LSTM | LSTM_LOW, {"l0_low_shift": None}, "l0_low_shift must be present, not missing"),
    (LSTM | LSTM_LOW, {"l0_low_shift": np.full(4, 32)}, r"l0_low_shift\[0\] must be in 0\.\.31, not 32"),
    (LSTM | LSTM_LOW, {"l0_w_low": np.full((4, 3, 2), 8)}, r"l0_w_low\[0, 0, 0\] must be in -8\.\.7, not 8"),
    (LSTM | LSTM_LOW, {"l0_b_low": np.zeros(3, int)}, r"l0_b_low must have shape \(4, 3\), not \(3,\)"),
    (LSTM | LSTM_LOW, {"l0_threshold": np.array(1)}, r"l0_threshold must have shape \(4,\), not \(\)"),
    (LSTM, {"l1_kind": np.array("conv"), **{key.replace("l0", "l1"): value for key, value in CONV.items()
                                            if key.startswith("l0_") and key != "l0_kind"}},
     r"l1_w must be for 2 channels of a map, not for an input of shape \(3,\)"),
]


@pytest.mark.parametrize(("good", "changes", "message"), BAD, ids=[f"{n}-{m[:30]}" for n, (_, _, m) in enumerate(BAD)])
def test_a_mistake_is_one_line(tmp_path, good, changes, message):
    path = write(tmp_path, good | changes)
    with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: {message}$") as info:
        npz.load(path)
    assert "\n" not in str(info.value)


def test_other_files(tmp_path):
    path = tmp_path / "network.npz"
    with pytest.raises(UsageError, match=r"network\.npz: must be a readable file, not No such file or directory$"):
        npz.load(path)
    path.write_text("text")
    with pytest.raises(UsageError, match=r"network\.npz: must be an \.npz file, not something else$"):
        npz.load(path)


def test_saved_files_are_narrow(tmp_path):
    npz.save(tmp_path / "a.npz", network_of("3x3"))
    with np.load(tmp_path / "a.npz") as file:
        assert file["l0_w"].dtype == np.int16 and file["l0_p"].dtype == file["l0_w_low"].dtype == np.int8


def test_kinds_of_layers():
    with pytest.raises(ValueError, match=r"^kind must be one of conv, fc, lstm, gru, not 'x'$"):
        Layer(kind="x", w=np.ones((1, 1), int), b=np.ones(1, int), shift=0)
    with pytest.raises(ValueError, match=r"^layers must be at least one, not none$"):
        Network(layers=[], inputs=np.ones((1, 1), int))
