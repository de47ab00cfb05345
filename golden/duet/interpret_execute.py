"""What a job of the Executor means, without time: tiles, groups, steps and tags on the memories [Thesis 5.1.2, 5.2.1].

For every tile (one for a vector), for every group of ``rows`` outputs, for every step: the inputs and their map bits,
the weights of every row, and the micro-instructions of which input and output are wanted. It counts what the Executor
cannot do without: the MACs that are left, and the steps, each as long as the longest of its PEs works.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array, wrap_array

from .config import DuetConfig
from .formats import SUM_BITS, VALUE_BITS, Kind, Target
from .spec import apply_function, product

__all__ = ["Counts", "execute"]


class Counts(NamedTuple):
    """What a job of the Executor comes to.

    Attributes
    ----------
    dense : int
        MACs of all steps without skipping, pixels outside of the output map not counted.
    skipped_output, skipped_input : int
        MACs whose output is insensitive; of the others, those whose input is 0.
    macs : int
        What is left.
    steps, floor : int
        Steps, and the sum of the most MACs of a PE in each: no order within a step is faster.
    weight_words, input_words : int
        Words that are fetched for the PEs.
    outputs, insensitive : int
        Outputs of the layer, and those of them that are not computed.
    """

    dense: int = 0
    skipped_output: int = 0
    skipped_input: int = 0
    macs: int = 0
    steps: int = 0
    floor: int = 0
    weight_words: int = 0
    input_words: int = 0
    outputs: int = 0
    insensitive: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Sum of two."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    def utilization(self, cfg: DuetConfig) -> float:
        """Share of the PEs that work, on average over the cycles of the floor."""
        return self.macs / (self.floor * cfg.rows * cfg.columns) if self.floor else 0.0


def execute(machine, job: dict) -> Counts:
    """A job of the Executor on the memories of a :class:`golden.duet.interpret.Machine`."""
    return _execute_map(machine, job) if job["kind"] == Kind.CONV else _execute_vector(machine, job)


def _program(machine, job, last):
    """Input, weight and output index of the micro-instructions of a step."""
    cfg = machine.cfg
    code = machine.data[Target.LUT][job["lut_base"]:job["lut_base"] + job["lut_last" if last else "lut_length"]]
    return (code & (1 << cfg.input_bits) - 1, code >> cfg.input_bits & (1 << cfg.weight_bits) - 1,
            code >> cfg.input_bits + cfg.weight_bits)


def _biases(machine, job):
    """Of all channels."""
    words = -(-2 * job["channels"] // machine.cfg.values)
    halves = machine.data[Target.GLB][job["bias_base"]:job["bias_base"] + words].reshape(-1, 2)
    return (halves[:, 1] * (1 << VALUE_BITS) + (halves[:, 0] & (1 << VALUE_BITS) - 1))[:job["channels"]]


def _value(job, sums, bias):
    total = wrap_array(sums, SUM_BITS) + bias
    return apply_function(saturate_array(round_shift_array(total, job["shift"]), VALUE_BITS)[0], job["function"])


def _execute_map(machine, job):
    counts = Counts()
    for tile in range(job["tiles_y"] * job["tiles_x"]):
        counts = counts.plus(_tile(machine, job, tile))
    return counts


def _tile(machine, job, tile):
    """All groups of a tile."""
    cfg = machine.cfg
    channels, columns, side = job["channels"], cfg.columns, cfg.side
    data, maps = machine.data[Target.GLB], machine.data[Target.MAP]
    ty, tx = divmod(tile, job["tiles_x"])
    y, x = np.divmod(np.arange(cfg.pixels), side)
    inside = (ty * side + y < job["height"]) & (tx * side + x < job["width"])
    ch = np.arange(channels)
    out_word, lane = tile * job["out_depth"] + ch // columns, ch % columns
    needed = np.tile(inside, (channels, 1))
    if job["use_omap"]:
        needed &= maps[job["omap_base"] + out_word, lane] != 0
    order = _order(machine, job, tile) if job["ordered"] else ch
    group_of = np.empty(channels, np.int64)
    group_of[order] = np.arange(channels) // cfg.rows
    sums = np.zeros((channels, cfg.pixels), np.int64)
    outputs = channels * int(inside.sum())
    counts = Counts(outputs=outputs, insensitive=outputs - int(needed.sum()))
    for step in range(job["passes"]):
        inputs, imap = _near(machine, job, ty, tx, step)
        index, weight, pixel = _program(machine, job, step == job["passes"] - 1)
        first = job["weight_base"] + (ch * job["passes"] + step) * job["weight_words"]
        weights = data[first[:, None] + np.arange(job["weight_words"])].swapaxes(1, 2)
        counts = counts.plus(_step(
            inputs.reshape(columns, -1)[:, index], imap.reshape(columns, -1)[:, index],
            weights.reshape(channels, columns, -1)[:, :, weight], pixel, needed, sums, group_of, inside))
        works = needed.any(axis=1)
        counts = counts.plus(_fetched(job, int(works.sum()) * job["weight_words"], inputs.shape[1],
                                      len(np.unique(group_of[works]))))
    values = np.where(needed, _value(job, sums, _biases(machine, job)[:, None]), 0)
    data[job["out_base"] + out_word, lane] = values
    maps[job["omap_base"] + out_word, lane] = values != 0
    return counts


def _order(machine, job, tile):
    """Channels in the order of the reorder unit."""
    words = -(-job["channels"] // machine.cfg.values)
    first = job["order_base"] + tile * words
    return machine.data[Target.GLB][first:first + words].swapaxes(1, 2).reshape(-1)[:job["channels"]]


def _near(machine, job, ty, tx, step):
    """Inputs of a step and their map: [columns, words, pixels]; zeros outside of the map."""
    blocks = min(job["chunk"], job["depth"] - step * job["chunk"])
    word, y, x = (n.reshape(-1) for n in np.indices((blocks, job["near_y"], job["near_x"])))
    y, x = ty * job["stride"] - job["first_y"] + y, tx * job["stride"] - job["first_x"] + x
    there = (y >= 0) & (y < job["blocks_y"]) & (x >= 0) & (x < job["blocks_x"])
    addr = np.where(there, (y * job["blocks_x"] + x) * job["depth"] + step * job["chunk"] + word, 0)
    data = machine.data[Target.GLB][job["in_base"] + addr] * there[:, None, None]
    imap = np.ones_like(data)
    if job["use_imap"]:
        imap = machine.data[Target.MAP][job["imap_base"] + addr] * there[:, None, None]
    return data.swapaxes(0, 1), imap.swapaxes(0, 1)


def _step(inputs, imap, weights, pixel, needed, sums, group_of, inside):
    """A step of all groups: adds to ``sums`` [channels, pixels].

    Parameters
    ----------
    inputs, imap : int64 arrays, shape (columns, instructions)
    weights : int64 array, shape (channels, columns, instructions)
    pixel : int64 array, shape (instructions,)
    needed : bool array, shape (channels, pixels)
    group_of : int64 array, shape (channels,)
    inside : bool array, shape (pixels,)
    """
    inputs = inputs * imap
    for p in np.unique(pixel):
        own = pixel == p
        total = product(weights[:, :, own].reshape(len(weights), -1), inputs[:, own].reshape(1, -1))[:, 0]
        sums[:, p] += total * needed[:, p]
    tags = needed[:, pixel].astype(np.int64)
    macs = product(tags, imap)      # of every channel and column
    longest = np.zeros(group_of.max() + 1, np.int64)
    np.maximum.at(longest, group_of, macs.max(axis=1))
    dense = int(inside[pixel].sum()) * weights.shape[0] * weights.shape[1]
    with_output = int(tags.sum()) * len(imap)
    return Counts(dense=dense, skipped_output=dense - with_output, skipped_input=with_output - int(macs.sum()),
                  macs=int(macs.sum()), floor=int(longest.sum()))


def _execute_vector(machine, job):
    """Only rows of sensitive outputs are fetched; all others keep what is there."""
    cfg = machine.cfg
    data, channels, depth = machine.data[Target.GLB], job["channels"], job["depth"]
    e = np.arange(channels)
    where = e // cfg.values, e % cfg.columns, e // cfg.columns % cfg.pixels
    needed = np.ones(channels, bool)
    if job["use_omap"]:
        needed = machine.data[Target.MAP][job["omap_base"] + where[0], where[1], where[2]] != 0
    rows = np.flatnonzero(needed)
    weights = machine.memory.reshape(-1, cfg.columns, cfg.pixels) if job["off_chip"] else data
    sums, inside = np.zeros((len(rows), cfg.pixels), np.int64), np.arange(cfg.pixels) == 0
    group_of = np.arange(len(rows)) // cfg.rows
    counts = Counts(outputs=channels, insensitive=channels - len(rows))
    for step in range(job["passes"]):
        index, weight, pixel = _program(machine, job, step == job["passes"] - 1)
        dense = len(index) * channels * cfg.columns
        counts = counts.plus(Counts(dense=dense, skipped_output=dense - len(index) * len(rows) * cfg.columns))
        if not len(rows):
            continue
        inputs, imap = _near(machine, job, 0, 0, step)
        words = inputs.shape[1]
        own = job["weight_base"] + rows[:, None] * depth + step * job["chunk"] + np.arange(words)
        own = weights[own].swapaxes(1, 2).reshape(len(rows), cfg.columns, -1)[:, :, weight]
        step_counts = _step(inputs.reshape(cfg.columns, -1)[:, index], imap.reshape(cfg.columns, -1)[:, index],
                            own, pixel, np.tile(inside, (len(rows), 1)), sums, group_of, inside)
        counts = counts.plus(step_counts._replace(dense=0, skipped_output=0)).plus(
            _fetched(job, len(rows) * words, words, int(group_of[-1]) + 1))
    word, column, pixel = (n[rows] for n in where)
    data[job["out_base"] + word, column, pixel] = _value(job, sums[:, 0], _biases(machine, job)[rows])
    return counts


def _fetched(job, weight_words, input_words, groups):
    """Words of a step of some groups: if it is the only one, all of them work on the same inputs."""
    return Counts(weight_words=weight_words, steps=groups,
                  input_words=input_words * (min(groups, 1) if job["passes"] == 1 else groups))
