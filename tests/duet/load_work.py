"""Jobs for the loader, on memories of random words; an Executor, a store and a memory that take what it sends."""

from typing import NamedTuple

import numpy as np

from golden.duet.formats import EXECUTE_FIELDS, Kind
from golden.duet.load_spec import load_spec

__all__ = ["Sink", "Work", "conv_job", "job_array", "random_work", "vector_job", "work_of"]


class Work(NamedTuple):
    """A job, memories [words, columns, pixels], and what the loader sends."""

    job: dict
    data: np.ndarray
    maps: np.ndarray
    memory: np.ndarray
    groups: list
    steps: list
    requests: list


def job_array(job) -> np.ndarray:
    """As the models take a job."""
    return np.array([job[name] for name in EXECUTE_FIELDS], np.int64)


def _pick(rng, low, high):
    return int(rng.integers(low, high + 1))


def conv_job(cfg, rng, **fixed) -> dict:
    """A convolution; fields that are not fixed are random."""
    near_y, near_x = _pick(rng, 1, 3), _pick(rng, 1, 3)
    while near_y * near_x > cfg.input_words:
        near_y, near_x = near_y - 1 or 1, near_x - 1 or 1
    depth = _pick(rng, 1, 4)
    chunk = min(_pick(rng, 1, 4), cfg.input_words // (near_y * near_x), depth)
    tiles_y, tiles_x = _pick(rng, 1, 3), _pick(rng, 1, 3)
    channels = _pick(rng, 1, min(3 * max(cfg.rows, cfg.columns), cfg.channels))
    return dict.fromkeys(EXECUTE_FIELDS, 0) | {
        "run": 1, "kind": int(Kind.CONV), "use_omap": _pick(rng, 0, 1), "use_imap": _pick(rng, 0, 1),
        "ordered": _pick(rng, 0, 1), "tiles_y": tiles_y, "tiles_x": tiles_x,
        "height": (tiles_y - 1) * cfg.side + _pick(rng, 1, cfg.side),
        "width": (tiles_x - 1) * cfg.side + _pick(rng, 1, cfg.side), "stride": _pick(rng, 1, 3),
        "first_y": _pick(rng, 0, 2), "first_x": _pick(rng, 0, 2), "near_y": near_y, "near_x": near_x,
        "blocks_y": _pick(rng, 1, 4), "blocks_x": _pick(rng, 1, 4), "depth": depth, "chunk": chunk,
        "passes": -(-depth // chunk), "weight_words": _pick(rng, 1, min(2, cfg.weight_words)), "channels": channels,
        "out_depth": -(-channels // cfg.columns) + _pick(rng, 0, 1)} | fixed


def vector_job(cfg, rng, **fixed) -> dict:
    """A product with a vector."""
    depth, channels = _pick(rng, 1, 5), _pick(rng, 1, 3 * max(cfg.rows, cfg.columns))
    chunk = min(_pick(rng, 1, 4), cfg.weight_words, cfg.input_words, depth)
    ones = dict.fromkeys(("tiles_y", "tiles_x", "height", "width", "near_y", "near_x", "blocks_y", "blocks_x"), 1)
    return dict.fromkeys(EXECUTE_FIELDS, 0) | ones | {
        "run": 1, "kind": int(Kind.VECTOR), "use_omap": _pick(rng, 0, 1), "use_imap": _pick(rng, 0, 1),
        "off_chip": _pick(rng, 0, 1), "depth": depth, "chunk": chunk, "passes": -(-depth // chunk),
        "weight_words": chunk, "channels": channels, "out_depth": -(-channels // cfg.values)} | fixed


def work_of(cfg, rng, job, density=None) -> Work:
    """Memories for a job, with places of its own for all that it reads, and what comes of it."""
    density = float(rng.choice([0, 0.1, 0.5, 1])) if density is None else density
    values, words = cfg.values, {}
    tiles = job["tiles_y"] * job["tiles_x"]
    words["in_base"] = job["blocks_y"] * job["blocks_x"] * job["depth"]
    words["bias_base"] = -(-2 * job["channels"] // values)
    words["order_base"] = -(-job["channels"] // values) * tiles
    words["weight_base"] = job["channels"] * (job["depth"] if job["kind"] == Kind.VECTOR
                                              else job["passes"] * job["weight_words"])
    off_chip = words["weight_base"] if job["off_chip"] else 0
    if off_chip:
        words["weight_base"] = 0
    at, placed = 0, {}
    for name in rng.permutation(list(words)):
        at += _pick(rng, 0, 2)
        placed[str(name)] = at
        at += words[str(name)]
    imap_words, omap_words = words["in_base"], job["out_depth"] * tiles
    placed |= {"imap_base": 0, "omap_base": imap_words + _pick(rng, 0, 3), "out_base": at}
    if off_chip:
        placed["weight_base"] = _pick(rng, 0, 1) << 20 if rng.random() < 0.3 else _pick(rng, 0, 3)
    tags = _pick(rng, 0, cfg.tag_words // 2)
    length = _pick(rng, 1, (cfg.tag_words - tags) * cfg.tags)
    job = job | placed | {"lut_base": tags * cfg.tags, "lut_length": length, "lut_last": _pick(rng, 1, length)}
    map_words = placed["omap_base"] + omap_words
    assert max(at, map_words) <= cfg.glb_words, "the memories must hold the job"
    shape = cfg.columns, cfg.pixels
    data = rng.integers(-0x8000, 0x8000, (at + 1, *shape))
    maps = rng.integers(0, 2, (map_words + 1, *shape))
    live = rng.random((omap_words, cfg.columns)) < density
    maps[placed["omap_base"]:map_words] &= live[:, :, None]
    if job["ordered"]:
        order_words = words["order_base"] // tiles
        for tile in range(tiles):
            ids = np.full(order_words * values, -1)
            ids[:job["channels"]] = rng.permutation(job["channels"])
            first = placed["order_base"] + tile * order_words
            data[first:first + order_words] = ids.reshape(order_words, cfg.pixels, cfg.columns).swapaxes(1, 2)
    memory = Memory(rng, placed["weight_base"], off_chip, shape) if off_chip else data
    return Work(job, data, maps, memory, *load_spec(cfg, job, data, maps, memory))


class Memory:
    """Words off chip, somewhere in four billion."""

    def __init__(self, rng, base, words, shape):
        self._base, self._words = base, rng.integers(-0x8000, 0x8000, (words, *shape))

    def __getitem__(self, words):
        if isinstance(words, slice):
            return self._words[words.start - self._base:words.stop - self._base]
        return self._words[words - self._base]


def random_work(cfg, rng) -> Work:
    """A convolution or a vector that fits the memories."""
    while True:
        try:
            return work_of(cfg, rng, (conv_job if rng.random() < 0.6 else vector_job)(cfg, rng))
        except AssertionError:
            continue


class Sink:
    """The Executor's buffers, and the store: they check every group, step and request, and that nothing is overwritten
    before its step is over.

    Parameters
    ----------
    cfg, work
    """

    def __init__(self, cfg, work):
        self.cfg, self.work = cfg, work
        self.groups, self.steps, self.requests, self.builds = 0, 0, 0, 0
        self.inputs = np.zeros((2, cfg.input_words, cfg.columns, cfg.pixels), np.int64)
        self.imaps = np.zeros_like(self.inputs)
        self.weights = np.zeros((2, cfg.rows, cfg.weight_words, cfg.columns, cfg.pixels), np.int64)
        self.omaps = np.zeros((2, cfg.rows, cfg.pixels), np.int64)
        self.banks, self.over, self.transfers = [], 0, 0

    @property
    def done(self):
        """All that the job sends has come, and every step is over."""
        w = self.work
        return (self.groups, self.builds, self.steps, self.over, self.requests) == (
            len(w.groups), len(w.steps), len(w.steps), len(w.steps), len(w.requests))

    def transfer(self, kind, row, bank, index, data):
        """A word for the PEs."""
        self.transfers += 1
        if kind == 0:
            assert row == self.cfg.rows
            self.inputs[bank, index] = data
        else:
            self.weights[bank, row, index] = data

    def imap(self, bank, word, bits):
        """A word of the input map."""
        self.imaps[bank, word] = bits

    def omap(self, bank, row, bits):
        """The output map of a row."""
        self.omaps[bank, row] = bits

    def group(self, on, channel, bias, sensitive, word, map_word, tile_done, empty):
        """A group for the store."""
        want = self.work.groups[self.groups]
        np.testing.assert_array_equal(on, want.on)
        works = want.on != 0
        np.testing.assert_array_equal(np.asarray(channel)[works], want.channel[works])
        np.testing.assert_array_equal(np.asarray(bias)[works], want.bias[works])
        np.testing.assert_array_equal(sensitive, want.sensitive)
        assert (word, map_word, bool(tile_done), bool(empty)) == want[-4:]
        self.groups += 1

    def build(self, base, words, length, bank, omap_bank, use_imap, use_omap, inside):
        """A build is taken: the maps must be there."""
        cfg, job, want = self.cfg, self.work.job, self.work.steps[self.builds]
        full = job["lut_last"] if want.last else job["lut_length"]
        assert (base, words, length) == (job["lut_base"] // cfg.tags, -(-full // cfg.tags), full)
        assert (use_imap, use_omap, inside) == (job["use_imap"], 1, (1 << cfg.pixels) - 1)
        np.testing.assert_array_equal(self.imaps[bank, :len(want.imap)], want.imap)
        np.testing.assert_array_equal(self.omaps[omap_bank], want.omap)
        self.builds += 1

    def step(self, input_bank, weight_bank, last):
        """A step is taken: its words must be there."""
        assert last == self.work.steps[self.steps].last
        self.banks.append((input_bank, weight_bank))
        self._check(self.steps)
        self.steps += 1

    def step_done(self):
        """The oldest step is over: nobody has touched its words."""
        assert self.over < self.builds
        self._check(self.over)
        self.over += 1

    def request(self, addr, count):
        """A request to the memory."""
        assert (addr, count) == self.work.requests[self.requests]
        self.requests += 1

    def _check(self, number):
        want, (input_bank, weight_bank) = self.work.steps[number], self.banks[number]
        np.testing.assert_array_equal(self.inputs[input_bank, :len(want.inputs)], want.inputs)
        for row, words in want.weights.items():
            np.testing.assert_array_equal(self.weights[weight_bank, row, :len(words)], words)
