"""Activation buffer: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import activation_buffer
from hdl.duet import activation_buffer as hdl
from hdl.duet.activation_buffer import ActivationBuffer
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_activation_buffer"
NO_TAG = np.zeros(len(activation_buffer.TAG), np.int64)


def clock(s, cfg, span, size, *, write=None, read=None, vector=False):
    """One cycle; ``write`` (y, x, word, mask, values), ``read`` (y, x, word)."""
    w = write or (0, 0, 0, 0, np.zeros(cfg.values, np.int64))
    activation_buffer.clock(s, 0, vector, span, *size, write is not None, *w, read is not None, *(read or (0, 0, 0)),
                            NO_TAG)


@pytest.mark.parametrize("name", ["tiny", "square"])
def test_model_equals_spec(name):
    """Windows of random maps that fit equal those of the map with zeros around it."""
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    side, every = cfg.side, (1 << cfg.pixels) - 1
    for _ in range(60):
        span, depth = int(rng.integers(4)), int(rng.integers(1, 3))
        size = rng.integers(1, (side << span) + 1, 2)
        low = rng.integers(-8, 8, (depth * cfg.columns, side << span, side << span))
        s = activation_buffer.state(cfg, 1)
        for y in range(1 << span):
            for x in range(1 << span):
                for word in range(depth):
                    block = low[word * cfg.columns:][:cfg.columns, y * side:(y + 1) * side, x * side:(x + 1) * side]
                    clock(s, cfg, span, size, write=(y, x, word, every, block.ravel()))
        clear = low.copy()
        clear[:, size[0]:], clear[:, :, size[1]:] = 0, 0
        around, expected = np.pad(clear, ((0, 0), (64, 64), (64, 64))), [None] * activation_buffer.LATENCY
        for _ in range(50):
            word, (y, x) = int(rng.integers(depth)), rng.integers(-side - 1, (side << span) + 1, 2)
            clock(s, cfg, span, size, read=(int(y), int(x), word))
            window = around[word * cfg.columns:][:cfg.columns, 64 + y:64 + y + side, 64 + x:64 + x + side]
            expected = [*expected[1:], window.ravel().tolist()]
            assert activation_buffer.valid_of(s, 0) == (expected[0] is not None)
            if expected[0] is not None:
                assert [activation_buffer.value_of(s, 0, k) for k in range(cfg.values)] == expected[0]


def test_vectors_keep_their_words():
    rng, s = np.random.default_rng(1), activation_buffer.state(TINY, 1)
    words = rng.integers(-8, 8, (TINY.activation_words, TINY.values))
    for number, word in enumerate(words):
        clock(s, TINY, 3, (1, 1), write=(5, 6, number, (1 << TINY.pixels) - 1, word), vector=True)
    for number, word in enumerate(words):
        clock(s, TINY, 3, (1, 1), read=(0, 0, number), vector=True)
        clock(s, TINY, 3, (1, 1), vector=True)
        assert [activation_buffer.value_of(s, 0, k) for k in range(TINY.values)] == word.tolist()


@pytest.mark.parametrize(("kernel", "stride", "pad", "span"), [
    (1, 1, 0, 0), (3, 1, 1, 1), (5, 1, 2, 2), (7, 2, 3, 2), (3, 2, 1, 2), (11, 4, 0, 3)])
def test_span_of_usual_kernels(kernel, stride, pad, span):
    """At 4 x 4 pixels a block: two blocks each way hold the inputs of a 3 x 3 kernel, though three come."""
    cfg = CONFIGS["paper"]
    first = -(-pad // 4)
    near = (3 * stride + kernel - 1 - pad) // 4 + first + 1
    assert activation_buffer.span_of(cfg, stride=stride, pad=pad, windows=-(-kernel // 4), first=first,
                                     near=near) == span


def test_span_is_refused():
    with pytest.raises(ValueError, match=r"^inputs of a tile must be at most 32 pixels wide, not 33$"):
        activation_buffer.span_of(CONFIGS["paper"], stride=7, pad=0, windows=3, first=0, near=15)


def test_constants():
    assert (hdl.ActivationBuffer.LATENCY, hdl.MOST_SPAN) == (activation_buffer.LATENCY, activation_buffer.MOST_SPAN)


@configs("tiny", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(ActivationBuffer, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(ActivationBuffer)


def test_mutant_is_noticed():
    """The second row of a window is always thought to be in the map."""
    assert_mutant_noticed(ActivationBuffer, TINY, BENCH, old="kept_1_0 = y_inside_1 & x_inside_0",
                          new="kept_1_0 = x_inside_0", match="o differ", testcase="every_window")
