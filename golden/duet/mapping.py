"""How a layer lies on the accelerator: tiles, blocks, steps, micro-instructions of a step [Thesis 5.1.2, 5.2.1].

A step of a convolution takes ``chunk`` blocks of input channels of the ``near`` blocks of pixels around a tile. Input
words of a step: ``(block of channels * near_y + y) * near_x + x``. A step of a vector takes ``chunk`` words of it.
"""

from typing import NamedTuple

import numpy as np

from .config import DuetConfig
from .formats import EXECUTE_FIELDS, SPECULATE_FIELDS
from .layers import Layer

__all__ = ["Plan", "check_layer", "conv_plan", "conv_program", "limits_of", "speculation_plan", "vector_plan",
           "vector_program"]


class Plan(NamedTuple):
    """Steps of a layer, and fields that are common to a job of the Executor and one of the Speculator.

    Attributes
    ----------
    chunk, passes, weight_words : int
        Channel blocks (words of a vector) of a step, steps of a group, words of weights of a row in a step.
    geometry : dict of str to int
        Fields of both jobs.
    """

    chunk: int
    passes: int
    weight_words: int
    geometry: dict


def _most(fields, name):
    """Largest value of a field of a job."""
    return (1 << fields[name]) - 1


def check_layer(cfg: DuetConfig, layer: Layer, shape: tuple) -> None:
    """Refuse what the fields of a job cannot count, in terms of the layer.

    Parameters
    ----------
    shape : tuple of int
        Of the layer's input.

    Raises
    ------
    ValueError
    """
    most, side = _most(EXECUTE_FIELDS, "channels"), cfg.side
    if layer.outputs > most:
        raise ValueError(f"outputs must be at most {most}, not {layer.outputs}")
    if layer.kind != "conv":
        return
    reach = _most(EXECUTE_FIELDS, "first_y")
    if layer.pad > reach * side:
        raise ValueError(f"pad must be at most {reach * side} ({reach} blocks of {side} pixels), not {layer.pad}")
    kernel = f"{layer.w.shape[2]} x {layer.w.shape[3]} kernel"
    for what, field, unit, size in (
            ("input map", "blocks_y", "blocks", shape[1:]),
            (f"output map of a {kernel} with stride {layer.stride} and pad {layer.pad}", "tiles_y", "tiles",
             layer.output_shape(shape)[1:])):
        most = _most(EXECUTE_FIELDS, field)
        limit = f"{most * side} ({most} {unit} of {side} pixels)"
        for axis, value in zip(("height", "width"), size, strict=True):
            if value > most * side:
                raise ValueError(f"{axis} of the {what} must be at most {limit}, not {value}")


def _span(size, stride, pad, side):
    """Blocks that a tile of ``side`` outputs needs: how many lie before it, and how many there are."""
    first = -(-pad // side)
    last = ((side - 1) * stride + size - 1 - pad) // side
    return first, first + last + 1


def conv_plan(cfg: DuetConfig, layer: Layer, shape: tuple) -> Plan:
    """Steps of a convolution of an input of that shape.

    Raises
    ------
    ValueError
        If a step of one channel block does not fit the buffers, or reaches too far.
    """
    channels, *size = shape
    kernel, side = layer.w.shape[2:], cfg.side
    out = layer.output_shape(shape)[1:]
    (first_y, near_y), (first_x, near_x) = (_span(k, layer.stride, layer.pad, side) for k in kernel)
    depth, near, taps = -(-channels // cfg.columns), near_y * near_x, kernel[0] * kernel[1]
    most = _most(EXECUTE_FIELDS, "near_y")
    if max(near_y, near_x) > most:
        raise ValueError(f"blocks of {side} pixels that a tile reaches over with a {kernel[0]} x {kernel[1]} kernel, "
                         f"stride {layer.stride} and pad {layer.pad} must be at most {most} each way, not "
                         f"{max(near_y, near_x)}")
    for needed, have, what, name in ((near, cfg.input_words, "words of inputs", "input_words"),
                                     (taps * cfg.pixels, cfg.lut, "micro-instructions", "lut"),
                                     (-(-taps // cfg.pixels), cfg.weight_words, "words of weights", "weight_words")):
        if needed > have:
            raise ValueError(f"a step of a {kernel[0]} x {kernel[1]} kernel with stride {layer.stride} needs {needed} "
                             f"{what}, and {name} is {have}")
    chunk = min(cfg.input_words // near, cfg.lut // (cfg.pixels * taps), cfg.weight_words * cfg.pixels // taps, depth)
    geometry = {
        "stride": layer.stride, "tiles_y": -(-out[0] // side), "tiles_x": -(-out[1] // side), "height": out[0],
        "width": out[1], "first_y": first_y, "first_x": first_x, "near_y": near_y, "near_x": near_x,
        "blocks_y": -(-size[0] // side), "blocks_x": -(-size[1] // side), "depth": depth}
    return Plan(chunk, -(-depth // chunk), -(-chunk * taps // cfg.pixels), geometry)


def vector_plan(cfg: DuetConfig, depth: int) -> Plan:
    """Steps of a product with a vector of ``depth`` words."""
    chunk = min(cfg.weight_words, cfg.input_words, cfg.lut // cfg.pixels, depth)
    geometry = dict.fromkeys(("tiles_y", "tiles_x", "height", "width", "near_y", "near_x", "blocks_y", "blocks_x"), 1)
    return Plan(chunk, -(-depth // chunk), chunk, geometry | {"depth": depth})


def _instructions(cfg, inputs, weights, outputs):
    return (inputs | weights << cfg.input_bits | outputs << cfg.input_bits + cfg.weight_bits).reshape(-1)


def conv_program(cfg: DuetConfig, layer: Layer, plan: Plan) -> tuple[np.ndarray, int]:
    """Micro-instructions of a step, and how many of them the last step of a group needs.

    Channel block by channel block, so that fewer blocks are a prefix; then tap by tap, so that neighbours work on
    different outputs.
    """
    height, width = layer.w.shape[2:]
    side, g = cfg.side, plan.geometry
    block, ky, kx, py, px = np.indices((plan.chunk, height, width, side, side))
    y = py * layer.stride + ky - layer.pad + g["first_y"] * side
    x = px * layer.stride + kx - layer.pad + g["first_x"] * side
    word = (block * g["near_y"] + y // side) * g["near_x"] + x // side
    inputs = word * cfg.pixels + y % side * side + x % side
    weights = (block * height + ky) * width + kx
    last = g["depth"] - (plan.passes - 1) * plan.chunk
    return _instructions(cfg, inputs, weights, py * side + px), last * height * width * cfg.pixels


def vector_program(cfg: DuetConfig, plan: Plan, positions) -> tuple[np.ndarray, int]:
    """As :func:`conv_program`, for a vector with elements at ``positions``; pixels that no step needs are left out."""
    depth = plan.geometry["depth"]
    used = np.zeros((plan.passes * plan.chunk, cfg.columns, cfg.pixels), bool)
    used.reshape(-1)[positions] = True
    used = used.any(axis=1).reshape(plan.passes, plan.chunk, cfg.pixels).any(axis=0)
    used[0, 0] = True       # a step has an instruction
    index = np.flatnonzero(used.reshape(-1))
    last = used[:depth - (plan.passes - 1) * plan.chunk].sum()
    return _instructions(cfg, index, index, np.zeros_like(index)), int(last)


def speculation_plan(cfg: DuetConfig, layer: Layer, plan: Plan, shape) -> dict:
    """Fields of a job of the Speculator that are not common; ``shape`` of a convolution's input, or None.

    Raises
    ------
    ValueError
        If the input or the reduced input does not fit its buffer, or there are too many outputs.
    """
    g, side = plan.geometry, cfg.side
    reduced = -(-layer.low.size // cfg.trees)
    fields = {"reduced": reduced, "reduce_shift": layer.low.reduce_shift, "windows_y": 1, "windows_x": 1, "span": 0,
              "in_height": 1, "in_width": 1,
              "tiles_n": -(-layer.outputs // cfg.systolic_columns)}
    entries, most, width = g["depth"], _most(SPECULATE_FIELDS, "tiles_n"), cfg.systolic_columns
    if layer.kind != "conv" and fields["tiles_n"] > most:
        raise ValueError(f"outputs of a layer with a little module must be at most {most * width} ({most} times "
                         f"{width}), not {layer.outputs}")
    if layer.kind == "conv":
        windows = [-(-k // side) for k in layer.w.shape[2:]]
        # Rows and columns of pixels that a tile needs, in blocks: they must be apart modulo 2**span.
        rows = (side - 1) * layer.stride + max(windows) * side
        blocks = -(-rows // side)
        span, most = (blocks - 1).bit_length(), _most(SPECULATE_FIELDS, "span")
        if span > most:
            kernel = f"{layer.w.shape[2]} x {layer.w.shape[3]} kernel"
            raise ValueError(f"blocks of {side} pixels that the little module reaches over with a {kernel} and stride "
                             f"{layer.stride} must be at most {1 << most} each way, not {blocks}")
        fields |= {"windows_y": windows[0], "windows_x": windows[1], "span": span, "pad": layer.pad,
                   "in_height": shape[1], "in_width": shape[2]}
        entries *= 4**span
    for needed, have, what, name in (
            (reduced, cfg.reduced_words, "words of the reduced input", "reduced_words"),
            (entries, cfg.activation_words, "words of the activation buffer", "activation_words")):
        if needed > have:
            raise ValueError(f"the little module needs {needed} {what}, and {name} is {have}")
    return fields


def limits_of(cfg: DuetConfig) -> list[int]:
    """Interval thresholds of the reorder unit at equal distances, largest first [5.2.1, Fig. 5.5]."""
    return [cfg.pixels * (cfg.buckets - 1 - k) // cfg.buckets for k in range(cfg.buckets - 1)]
