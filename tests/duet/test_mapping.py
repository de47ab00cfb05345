"""Steps of layers: blocks around a tile, chunks, micro-instructions."""

import numpy as np
import pytest

from golden.duet.layers import Layer
from golden.duet.mapping import conv_plan, conv_program, limits_of, speculation_plan, vector_plan, vector_program
from golden.duet.packing import vector_positions
from golden.duet.random_network import random_conv
from tests.duet.launch import CONFIGS, TINY


def conv(channels, kernel, stride=1, pad=0, size=0):
    return random_conv(np.random.default_rng(1), channels, 3, kernel, stride=stride, pad=pad, size=size)


def decode(cfg, program):
    return (program & (1 << cfg.input_bits) - 1, program >> cfg.input_bits & (1 << cfg.weight_bits) - 1,
            program >> cfg.input_bits + cfg.weight_bits)


@pytest.mark.parametrize("config", ["tiny", "square", "paper"])
@pytest.mark.parametrize(("kernel", "stride", "pad"), [
    ((1, 1), 1, 0), ((3, 3), 1, 1), ((3, 3), 2, 1), ((5, 5), 1, 2), ((2, 4), 3, 0), ((3, 3), 1, 3)])
def test_every_mac_of_a_tile_is_an_instruction(config, kernel, stride, pad):
    """Input pixels relative to the tile, taps and outputs: each once, and as few blocks as hold them."""
    cfg = CONFIGS[config].replace(input_words=32, lut=max(512, CONFIGS[config].lut))
    layer = conv(2 * cfg.columns + 1, kernel, stride, pad)
    plan = conv_plan(cfg, layer, (2 * cfg.columns + 1, 20, 20))
    g, side = plan.geometry, cfg.side
    program, last = conv_program(cfg, layer, plan)
    index, weight, output = decode(cfg, program)
    word, pixel = np.divmod(index, cfg.pixels)
    block, near = np.divmod(word, g["near_y"] * g["near_x"])
    y = (near // g["near_x"] - g["first_y"]) * side + pixel // side
    x = (near % g["near_x"] - g["first_x"]) * side + pixel % side
    found = list(zip(block, y, x, weight, output, strict=True))
    taps = kernel[0] * kernel[1]
    wanted = [(b, py * stride + ky - pad, px * stride + kx - pad, b * taps + ky * kernel[1] + kx, py * side + px)
              for b in range(plan.chunk) for ky in range(kernel[0]) for kx in range(kernel[1])
              for py in range(side) for px in range(side)]
    assert found == wanted
    assert last == (3 - (plan.passes - 1) * plan.chunk) * taps * cfg.pixels
    rows = (near // g["near_x"]).tolist()
    assert min(rows) == 0 and max(rows) == g["near_y"] - 1


def test_chunks():
    """As many channel blocks as all three buffers hold."""
    tiny = TINY.replace(input_words=32, lut=256, weight_words=8)
    wide = (64, 8, 8)
    for kernel, changes, chunk in (((1, 1), {}, 16), ((1, 1), {"lut": 32}, 8), ((1, 1), {"input_words": 4}, 4),
                                   ((1, 1), {"weight_words": 2}, 8), ((3, 3), {}, 3)):
        pad = kernel[0] // 2
        plan = conv_plan(tiny.replace(**changes, tags=16), conv(64, kernel, pad=pad), wide)
        assert (plan.chunk, plan.passes) == (chunk, -(-16 // chunk))
    assert conv_plan(tiny, conv(5, (1, 1)), (5, 8, 8)).chunk == 2
    assert vector_plan(tiny, 3)[:3] == (3, 1, 3) and vector_plan(tiny, 20)[:3] == (8, 3, 8)
    assert vector_plan(tiny.replace(lut=32), 20).chunk == 8 and vector_plan(tiny.replace(input_words=4), 20).chunk == 4


def test_paper_steps():
    """AlexNet's third convolution: 32 words of inputs are those of three blocks of channels, 432 of 1,024
    micro-instructions; the last of six steps takes one block."""
    cfg = CONFIGS["paper"]
    layer = conv(256, (3, 3), pad=1)
    plan = conv_plan(cfg, layer, (256, 13, 13))
    assert (plan.chunk, plan.passes, plan.weight_words) == (3, 6, 2)
    program, last = conv_program(cfg, layer, plan)
    assert (program.size, last) == (3 * 144, 144)


def test_vector_programs():
    """All pixels of all words; those that no step needs are left out."""
    plan = vector_plan(TINY, 3)
    program, last = vector_program(TINY, plan, vector_positions(TINY, 3 * TINY.values))
    assert (program.size, last) == (12, 12)
    index, weight, output = decode(TINY, program)
    assert (index == np.arange(12)).all() and (weight == index).all() and not output.any()
    program, last = vector_program(TINY, plan, vector_positions(TINY, 2 * TINY.values + 5))
    assert program.size == last == 10
    plan = vector_plan(TINY, 11)
    program, last = vector_program(TINY, plan, vector_positions(TINY, 11 * TINY.values))
    assert (program.size, last) == (32, 12)
    program, last = vector_program(TINY, plan, np.array([10 * TINY.values]))
    assert (program.size, last) == (2, 2)       # the first of all, and pixel 0 of word 10 - 8


@pytest.mark.parametrize(("kernel", "stride", "span"), [
    ((1, 1), 1, 1), ((3, 3), 1, 2), ((2, 2), 1, 1), ((3, 3), 2, 2), ((5, 5), 1, 2), ((5, 5), 3, 3)])
def test_pixels_of_a_tile_have_their_own_entries(kernel, stride, span):
    """Rows of pixels that a tile needs are apart modulo 2**span blocks."""
    cfg = TINY.replace(activation_words=4096)
    layer = conv(4, kernel, stride, size=3)
    fields = speculation_plan(cfg, layer, conv_plan(cfg.replace(input_words=32), layer, (4, 20, 20)), (4, 20, 20))
    assert fields["span"] == span
    rows = (cfg.side - 1) * stride + fields["windows_y"] * cfg.side
    assert rows <= cfg.side << span and (span == 0 or rows > cfg.side << span - 1)
    assert (fields["windows_y"], fields["reduced"], fields["tiles_n"]) == (-(-kernel[0] // 2), 1, 1)


def test_paper_layers_fit_the_speculator():
    """The activation and the projection buffer of table 5.1 are just large enough."""
    cfg = CONFIGS["paper"]
    layer = conv(256, (3, 3), pad=1, size=32)
    fields = speculation_plan(cfg, layer, conv_plan(cfg, layer, (256, 13, 13)), (256, 13, 13))
    assert (fields["span"], fields["reduced"]) == (1, 2)
    assert 4 * 16 == cfg.activation_words and 2 * 16 == cfg.projection_words


@pytest.mark.parametrize(("config", "limits"), [("tiny", [3, 2, 1]), ("tall", [2]), ("paper", list(range(15, 0, -1)))])
def test_limits(config, limits):
    """Fig. 5.4 has the threshold 2 for tiles of four outputs and two buckets."""
    assert limits_of(CONFIGS[config]) == limits


def test_layers_have_shapes():
    layer = conv(3, (3, 2), stride=2, pad=1)
    assert layer.output_shape((3, 6, 7)) == (3, 3, 4) and isinstance(layer, Layer)
