"""What the loader sends for a job, without time [Thesis 5.1.2, 5.2.1]: groups for the store, steps for the Executor,
requests for the memory.

It speaks of the same job as :mod:`golden.duet.interpret_execute`, which says what comes of it.
"""

from typing import NamedTuple

import numpy as np

from .config import DuetConfig
from .formats import VALUE_BITS, Kind

__all__ = ["GroupSpec", "StepSpec", "load_spec"]


class GroupSpec(NamedTuple):
    """A group: of every row whether it works, its channel, bias, sensitive pixels (bool [rows, pixels]); 0 of rows that
    do not work."""

    on: np.ndarray
    channel: np.ndarray
    bias: np.ndarray
    sensitive: np.ndarray
    word: int
    map_word: int
    tile_done: bool
    empty: bool


class StepSpec(NamedTuple):
    """A step: ``inputs`` [words, columns, pixels] and their map; of every row with a sensitive pixel its words
    [words, columns, pixels]; output maps bool [rows, pixels]; whether it is the last of its group."""

    inputs: np.ndarray
    imap: np.ndarray
    weights: dict
    omap: np.ndarray
    last: bool


def load_spec(cfg: DuetConfig, job: dict, data, maps, memory) -> tuple[list, list, list]:
    """Groups, steps and requests (address, words) of a job.

    Parameters
    ----------
    job : dict
        Fields of ``golden.duet.formats.EXECUTE_FIELDS``.
    data, maps : int array, shape (glb_words, columns, pixels)
        The global buffer and the map buffer.
    memory : int array, shape (words, columns, pixels)
        Off chip.
    """
    groups, steps, requests = [], [], []
    for tile in range(job["tiles_y"] * job["tiles_x"]):
        ty, tx = divmod(tile, job["tiles_x"])
        channels, needed = _outputs(cfg, job, tile, data, maps)
        parts = [channels[first:first + cfg.rows] for first in range(0, len(channels), cfg.rows)]
        if _scans(job) and len(channels) % cfg.rows == 0:
            parts.append([])        # the end is seen only after the last group
        for n, part in enumerate(parts):
            group = _group(cfg, job, tile, part, needed, data, n + 1 == len(parts))
            groups.append(group)
            for step in range(0 if group.empty else job["passes"]):
                steps.append(_step(cfg, job, (ty, tx, step), group, data, maps, memory))
                if job["off_chip"]:
                    words = min(job["chunk"], job["depth"] - step * job["chunk"])
                    requests += [(job["weight_base"] + int(channel) * job["depth"] + step * job["chunk"], words)
                                 for channel, bits in zip(group.channel, group.sensitive, strict=True) if bits.any()]
    return groups, steps, requests


def _scans(job):
    return job["kind"] == Kind.VECTOR and job["use_omap"]


def _outputs(cfg, job, tile, data, maps):
    """Channels in their order, and the sensitive pixels of all of them."""
    e = np.arange(job["channels"])
    y, x = np.divmod(np.arange(cfg.pixels), cfg.side)
    inside = ((tile // job["tiles_x"] * cfg.side + y < job["height"])
              & (tile % job["tiles_x"] * cfg.side + x < job["width"]))
    needed = np.tile(inside, (len(e), 1))
    if _scans(job):
        bits = maps[job["omap_base"] + e // cfg.values, e % cfg.columns, e // cfg.columns % cfg.pixels]
        return e[bits != 0], needed
    if job["use_omap"]:
        needed &= maps[job["omap_base"] + tile * job["out_depth"] + e // cfg.columns, e % cfg.columns] != 0
    if job["ordered"]:
        words = -(-job["channels"] // cfg.values)
        first = job["order_base"] + tile * words
        e = data[first:first + words].swapaxes(1, 2).reshape(-1)[:job["channels"]]
    return e, needed


def _group(cfg, job, tile, part, needed, data, tile_done):
    on, channel, bias = (np.zeros(cfg.rows, np.int64) for _ in range(3))
    sensitive = np.zeros((cfg.rows, cfg.pixels), bool)
    for row, c in enumerate(part):
        low, high = data[job["bias_base"]:].reshape(-1)[2 * c:2 * c + 2]
        on[row], channel[row], bias[row] = 1, c, (int(high) << VALUE_BITS) + (int(low) & (1 << VALUE_BITS) - 1)
        sensitive[row] = needed[c]
    return GroupSpec(on, channel, bias, sensitive, job["out_base"] + tile * job["out_depth"],
                     job["omap_base"] + tile * job["out_depth"], tile_done, not sensitive.any())


def _step(cfg, job, place, group, data, maps, memory):
    ty, tx, step = place
    blocks = min(job["chunk"], job["depth"] - step * job["chunk"])
    shape = blocks * job["near_y"] * job["near_x"], cfg.columns, cfg.pixels
    inputs, imap = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for index in range(shape[0]):
        word, near = divmod(index, job["near_y"] * job["near_x"])
        y = ty * job["stride"] - job["first_y"] + near // job["near_x"]
        x = tx * job["stride"] - job["first_x"] + near % job["near_x"]
        if 0 <= y < job["blocks_y"] and 0 <= x < job["blocks_x"]:
            addr = (y * job["blocks_x"] + x) * job["depth"] + step * job["chunk"] + word
            inputs[index], imap[index] = data[job["in_base"] + addr], maps[job["imap_base"] + addr]
    weights = {}
    for row in np.flatnonzero(group.sensitive.any(axis=1)):
        if job["kind"] == Kind.VECTOR:
            first, words = int(group.channel[row]) * job["depth"] + step * job["chunk"], blocks
        else:
            words = job["weight_words"]
            first = (int(group.channel[row]) * job["passes"] + step) * words
        source = memory if job["off_chip"] else data
        weights[int(row)] = source[job["weight_base"] + first:job["weight_base"] + first + words]
    return StepSpec(inputs, imap, weights, group.sensitive, step + 1 == job["passes"])
