"""What a job of the Speculator means, without time: from words of the global buffer to maps, orders and approximations
[Thesis 5.1.1].
"""

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array

from .formats import LOW_BITS, Function, Kind, Target
from .spec import dequantise, low_codes, product, quantise, reorder, sensitive

__all__ = ["speculate"]


def speculate(machine, job: dict) -> None:
    """A job of the Speculator on the memories of a :class:`golden.duet.interpret.Machine`."""
    cfg = machine.cfg
    vectors = _reduced_map(machine, job) if job["kind"] == Kind.CONV else _reduced_vector(machine, job)
    size = job["reduced"] * cfg.trees
    xq = saturate_array(round_shift_array(vectors, job["reduce_shift"]), LOW_BITS)[0].reshape(-1, size)
    tiles = machine.data[Target.LOW_WEIGHTS][job["low_base"]:job["low_base"] + job["tiles_n"] * job["reduced"]]
    w = tiles.reshape(job["tiles_n"], size, cfg.systolic_columns).swapaxes(1, 2).reshape(-1, size)
    b = machine.data[Target.LOW_BIAS][job["low_bias_base"]:job["low_bias_base"] + job["tiles_n"]].reshape(-1)
    y = (product(xq, w) + b)[:, :job["channels"]]
    maps = sensitive(y, job["function"], job["threshold"])
    if job["kind"] == Kind.CONV:
        _store_map(machine, job, maps.reshape(job["height"], job["width"], -1))
    else:
        codes = low_codes(y[0], Function(job["function"]), job["low_shift"])
        _store_vector(machine, job, maps[0], dequantise(codes, job["scale"]))


def _projection(machine, job, words):
    first = job["projection_base"]
    return machine.data[Target.PROJECTION][first:first + job["reduced"] * words].reshape(
        job["reduced"], words, machine.cfg.trees, -1)


def _reduced_vector(machine, job):
    """[reduced, trees]."""
    x4 = quantise(machine.data[Target.GLB][job["in_base"]:job["in_base"] + job["depth"]])
    p = _projection(machine, job, job["depth"])
    return (p * x4.reshape(1, job["depth"], 1, -1)).sum(axis=(1, 3))


def _reduced_map(machine, job):
    """[outputs, reduced, trees]: window by window of side x side pixels, as the adder trees get them."""
    cfg, side = machine.cfg, machine.cfg.side
    blocks = job["blocks_y"], job["blocks_x"]
    words = machine.data[Target.GLB][job["in_base"]:job["in_base"] + blocks[0] * blocks[1] * job["depth"]]
    x4 = quantise(words).reshape(*blocks, job["depth"], cfg.columns, side, side)
    x4 = x4.transpose(2, 3, 0, 4, 1, 5).reshape(job["depth"], cfg.columns, blocks[0] * side, blocks[1] * side)
    x4 = x4[:, :, :job["in_height"], :job["in_width"]]
    # Far enough that every window of every output lies in the padded map.
    pad, reach = job["pad"], [
        (out - 1) * job["stride"] + windows * side for out, windows in
        ((job["height"], job["windows_y"]), (job["width"], job["windows_x"]))]
    after = [max(0, n - pad - have) for n, have in zip(reach, x4.shape[2:], strict=True)]
    x4 = np.pad(x4, ((0, 0), (0, 0), (pad, after[0]), (pad, after[1])))
    p = _projection(machine, job, job["windows_y"] * job["windows_x"] * job["depth"])
    total, n = np.zeros((job["height"] * job["width"], job["reduced"] * cfg.trees), np.int64), 0
    for wy in range(job["windows_y"]):
        for wx in range(job["windows_x"]):
            windows = np.lib.stride_tricks.sliding_window_view(
                x4[:, :, wy * side:, wx * side:], (side, side), axis=(2, 3))
            windows = windows[:, :, ::job["stride"], ::job["stride"]][:, :, :job["height"], :job["width"]]
            for word in range(job["depth"]):
                inputs = windows[word].transpose(1, 2, 0, 3, 4).reshape(len(total), -1)
                total += product(inputs, p[:, n].reshape(-1, inputs.shape[1]))
                n += 1
    return total


def _store_map(machine, job, maps):
    """OMap words and order words of every tile; ``maps`` [height, width, channels]."""
    cfg, side, channels = machine.cfg, machine.cfg.side, job["channels"]
    depth = -(-channels // cfg.columns)
    full = np.zeros((job["tiles_y"] * side, job["tiles_x"] * side, depth * cfg.columns), np.int64)
    full[:job["height"], :job["width"], :channels] = maps
    full = full.reshape(job["tiles_y"], side, job["tiles_x"], side, depth, cfg.columns).transpose(0, 2, 4, 5, 1, 3)
    full = full.reshape(-1, depth, cfg.columns, cfg.pixels)
    limits = [job[f"limit_{k}"] for k in range(cfg.buckets - 1)]
    words = -(-channels // cfg.values)
    for tile, own in enumerate(full):
        first = job["omap_base"] + tile * job["out_depth"]
        machine.data[Target.MAP][first:first + depth] = own
        if job["ordered"]:
            ids = np.zeros(words * cfg.values, np.int64)
            ids[:channels] = reorder(own.reshape(-1, cfg.pixels).sum(axis=1)[:channels], limits)
            first = job["order_base"] + tile * words
            machine.data[Target.GLB][first:first + words] = ids.reshape(words, cfg.pixels, cfg.columns).swapaxes(1, 2)


def _store_vector(machine, job, maps, values):
    """OMap and approximations of a vector: its map words as a whole, its values alone."""
    cfg, e = machine.cfg, np.arange(job["channels"])
    word, column, pixel = e // cfg.values, e % cfg.columns, e // cfg.columns % cfg.pixels
    machine.data[Target.MAP][job["omap_base"]:job["omap_base"] + int(word[-1]) + 1] = 0
    machine.data[Target.MAP][job["omap_base"] + word, column, pixel] = maps
    machine.data[Target.GLB][job["approx_base"] + word, column, pixel] = values
