"""The fetch of the Speculator as its benches see it, and a global buffer, an Executor and a reducer around it."""

from typing import NamedTuple

import numpy as np

from golden.duet import spec_fetch
from golden.duet.config import DuetConfig
from golden.duet.formats import SPECULATE_FIELDS, Kind
from hdl.duet.layouts import block_layout, glb_read_layout, speculate_layout
from tests.common.units import LaneModel, fields_of, make
from tests.duet.executor_model import lanes_of, pack_lanes

__all__ = ["Inputs", "Model", "Outputs", "Parties", "fields", "random_job"]

JOB = fields_of(speculate_layout())


class Inputs(NamedTuple):
    start: bool = False
    job: tuple = JOB.unpack(0)
    tiles_done: int = 0
    all_done: bool = False
    request_ready: bool = False
    answer: bool = False
    data: int = 0
    o_ready: bool = False


class Outputs(NamedTuple):
    request: tuple | None
    o: tuple | None
    busy: bool


def fields(cfg: DuetConfig) -> dict:
    """Formats of the payloads."""
    return {"job": JOB, "request": fields_of(glb_read_layout()), "o": fields_of(block_layout(cfg))}


def random_job(cfg, rng, **fixed) -> dict:
    """Fields of a job; those that are not fixed are random: maps smaller and larger than what a tile needs."""
    def pick(low, high):
        return int(rng.integers(low, high + 1))

    job = dict.fromkeys(SPECULATE_FIELDS, 0) | {"run": 1, "depends": pick(0, 1), "in_base": pick(0, 60)}
    if rng.random() < 0.25:
        job |= dict.fromkeys(("tiles_y", "tiles_x", "near_y", "near_x", "blocks_y", "blocks_x"), 1)
        return job | {"kind": int(Kind.VECTOR), "depth": pick(1, min(8, cfg.activation_words))} | fixed
    return job | {
        "tiles_y": pick(1, 3), "tiles_x": pick(1, 3), "stride": pick(1, 3), "first_y": pick(0, 2),
        "first_x": pick(0, 2), "near_y": pick(1, 3), "near_x": pick(1, 3), "blocks_y": pick(1, 5),
        "blocks_x": pick(1, 5), "depth": pick(1, 3)} | fixed


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_spec_fetch", spec_fetch, Inputs, Outputs

    def __init__(self, cfg):
        super().__init__(cfg)
        self._form = fields(cfg)

    def step(self, x: Inputs) -> Outputs:
        s, request, o = self.s, None, None
        if spec_fetch.request_valid_of(s, 0):
            request = make(self._form["request"], addr=int(s.addr[0]), map_addr=0)
        if spec_fetch.valid_of(s, 0):
            y, x_, word, last = (int(field) for field in s.block[0, 3])
            o = make(self._form["o"], block_y=y, block_x=x_, word=word, last=last, data=pack_lanes(s.data[0]))
        shown = Outputs(request, o, bool(spec_fetch.busy_of(s, 0)))
        job = np.array([getattr(x.job, name) for name in SPECULATE_FIELDS], np.int64)
        spec_fetch.clock(s, 0, job, bool(x.start), x.tiles_done, bool(x.all_done), bool(x.request_ready),
                         lanes_of(self.cfg, x.data).reshape(-1), bool(x.o_ready))
        return shown


class Parties:
    """For a job: the global buffer answers, the Executor stores tiles, the reducer takes the words of a tile, and
    everything is checked.

    Parameters
    ----------
    cfg, job
    rng : random.Random
    p, p_done, p_next : float
        Probability that the port is ready, that a tile is stored, that the reducer wants the next tile.
    """

    def __init__(self, cfg, job, rng, *, p=1.0, p_done=1.0, p_next=1.0):
        self.cfg, self.rng, self.p, self.p_done, self.p_next = cfg, rng, p, p_done, p_next
        self.job, self._tiles = make(JOB, **job), spec_fetch.words_spec(job)
        self._total = job["blocks_y"] * job["blocks_x"]
        self._data = np.random.default_rng(rng.getrandbits(32)).integers(
            -0x8000, 0x8000, (1 << 10, cfg.columns, cfg.pixels))
        self._flight, self._answer, self._tiles_done, self._loading = [None, None], 0, 0, False
        self._asked, self._got = [], []

    @property
    def done(self):
        """All words have come."""
        return not self._tiles

    def offer(self, start=False) -> Inputs:
        """The inputs of this cycle."""
        if self._tiles_done < self._total and self._chance(self.p_done):
            self._tiles_done += 1
        self._loading = self._loading or self._chance(self.p_next)
        addr = self._flight.pop(0)
        if addr is not None:
            self._answer = pack_lanes(self._data[addr])
        return Inputs(start, self.job, self._tiles_done, self._tiles_done == self._total, self._chance(self.p),
                      addr is not None, self._answer, self._loading and not self.done)

    def taken(self, x: Inputs, y: Outputs):
        """End of the cycle."""
        self._flight.append(y.request.addr if y.request and x.request_ready else None)
        if y.request and x.request_ready:
            # What a tile needs is stored before its first word is requested.
            needed, words = self._tiles[0]
            assert x.all_done if needed < 0 else x.tiles_done >= needed
            assert y.request.addr == words[len(self._asked)].addr
            self._asked.append(y.request.addr)
        if y.o and x.o_ready:
            words = self._tiles[0][1]
            word = words[len(self._got)]
            assert (y.o.block_y, y.o.block_x, y.o.word, bool(y.o.last)) == word[:4]
            assert y.o.data == pack_lanes(self._data[word.addr])
            self._got.append(word)
            if word.last:
                assert len(self._asked) == len(words)
                self._tiles.pop(0)
                self._asked, self._got, self._loading = [], [], False

    def _chance(self, p) -> bool:
        return p == 1 or self.rng.random() < p
