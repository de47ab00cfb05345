"""The loader as its benches see it: pins of a cycle, the golden model behind them, and the parties around it."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import fifo_front, fifo_valid
from golden.duet import groups, loader, reader, step_loads, weight_requests
from golden.duet.config import DuetConfig
from hdl.duet.layouts import (
    build_layout,
    execute_layout,
    glb_read_layout,
    imap_layout,
    omap_layout,
    step_layout,
    transfer_layout,
)
from hdl.duet.load_layouts import fetch_layout
from sim.common.bench import Fields, to_signed, unsigned
from tests.common.units import LaneModel, fields_of, make
from tests.duet.executor_model import lanes_of, pack_lanes
from tests.duet.glb_words import pack_values
from tests.duet.load_work import Sink, job_array

__all__ = ["Inputs", "Model", "Outputs", "Parties", "fields"]


class Inputs(NamedTuple):
    """``job`` is a payload; words are integers."""

    start: bool = False
    job: tuple = fields_of(execute_layout()).unpack(0)
    request_ready: bool = False
    answer: bool = False
    data: int = 0
    map: int = 0
    group_ready: bool = False
    build_ready: bool = False
    step_ready: bool = False
    step_done: bool = False
    fetch_ready: bool = False
    memory: tuple | None = None


class Outputs(NamedTuple):
    request: tuple | None
    group: tuple | None
    transfer: tuple | None
    imap: tuple | None
    omap: tuple | None
    build: tuple | None
    step: tuple | None
    fetch: tuple | None
    memory_ready: bool
    busy: bool


def row_bits(cfg: DuetConfig) -> int:
    """Width of a row in ``group_layout``."""
    return 49 + cfg.pixels


def fields(cfg: DuetConfig) -> dict:
    """Formats of the payloads; rows of a group, and a word of the memory, in one piece."""
    layouts = {"job": execute_layout(), "request": glb_read_layout(), "transfer": transfer_layout(cfg),
               "imap": imap_layout(cfg), "omap": omap_layout(cfg), "build": build_layout(cfg), "step": step_layout(),
               "fetch": fetch_layout()}
    return {name: fields_of(layout) for name, layout in layouts.items()} | {
        "group": Fields(rows=unsigned(cfg.rows * row_bits(cfg)), word=unsigned(16), map_word=unsigned(16),
                        tile_done=unsigned(1), empty=unsigned(1)),
        "memory": Fields(word=unsigned(cfg.word_bits))}


def bits_of(word: int, count: int) -> np.ndarray:
    """Bits of a word, the lowest first."""
    raw = np.frombuffer(word.to_bytes(-(-count // 8), "little"), np.uint8)
    return np.unpackbits(raw, count=count, bitorder="little").astype(np.int64)


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_loader", loader, Inputs, Outputs

    def __init__(self, cfg):
        super().__init__(cfg)
        self._form, self._job = fields(cfg), (None, None)

    @property
    def seen(self):
        return super().seen | {f"{name}.{event}" for name, part in loader.PARTS.items()
                               for event, count in zip(part.EVENTS, getattr(self.s, name).seen, strict=True) if count}

    def step(self, x: Inputs) -> Outputs:
        cfg, y = self.cfg, self._outputs(x.job)
        if self._job[0] is not x.job:
            self._job = x.job, job_array(x.job._asdict())
        loader.clock(
            self.s, 0, self._job[1], bool(x.start), bool(x.request_ready), lanes_of(cfg, x.data).reshape(-1),
            bits_of(x.map, cfg.values), bool(x.group_ready), bool(x.build_ready), bool(x.step_ready), bool(x.step_done),
            bool(x.fetch_ready), x.memory is not None, lanes_of(cfg, x.memory.word if x.memory else 0).reshape(-1))
        return y

    def _outputs(self, job) -> Outputs:
        cfg, s = self.cfg, self.s
        steps, read, request = s.steps, s.reader, s.requests
        offered = dict.fromkeys(Outputs._fields)
        if reader.valid_of(read, 0):
            offered["request"] = self._made("request", addr=read.addr[0], map_addr=read.map_addr[0])
        if groups.valid_of(s.groups, 0, groups.GROUP):
            offered["group"] = self._group(s.groups)
        if steps.t_valid[0]:
            offered["transfer"] = self._made(
                "transfer", kind=steps.t_kind[0], row=steps.t_row[0], column=cfg.columns, bank=steps.t_bank[0],
                index=steps.t_index[0], data=pack_lanes(steps.t_data[0]))
        if steps.imap_valid[0]:
            bits = pack_values([int(lane) for lane in steps.imap[0]], cfg.pixels)
            offered["imap"] = self._made("imap", bank=steps.t_bank[0], word=steps.t_index[0], bits=bits)
        if steps.omap_valid[0]:
            offered["omap"] = self._made("omap", bank=steps.omap_bank[0], row=steps.omap_row[0], bits=steps.omap[0])
        if fifo_valid(steps.builds, 0):
            offered["build"] = self._build(job, *(int(fifo_front(steps.builds, 0, field)) for field in range(3)))
        if fifo_valid(steps.steps, 0):
            input_bank, weight_bank, last = (int(fifo_front(steps.steps, 0, field)) for field in range(3))
            offered["step"] = self._made("step", input_bank=input_bank, weight_bank=weight_bank, last=last)
        if weight_requests.valid_of(request, 0):
            offered["fetch"] = self._made("fetch", addr=request.addr[0], count=request.count[0])
        return Outputs(**offered | {"memory_ready": bool(step_loads.memory_ready_of(steps, 0)),
                                    "busy": bool(loader.busy_of(s, 0))})

    def _made(self, name, **values):
        return make(self._form[name], **{key: int(value) for key, value in values.items()})

    def _build(self, job, bank, omap_bank, last):
        cfg, length = self.cfg, job.lut_last if last else job.lut_length
        return self._made("build", base=job.lut_base // cfg.tags, words=-(-length // cfg.tags), length=length,
                          bank=bank, omap_bank=omap_bank, use_imap=job.use_imap, use_omap=1,
                          inside=(1 << cfg.pixels) - 1)

    def _group(self, g):
        rows = 0
        for r in range(self.cfg.rows):
            row = (int(g.on[0, r]) | int(g.channel[0, r]) << 1 | (int(g.bias[0, r]) & 0xFFFFFFFF) << 17
                   | int(g.sensitive[0, r]) << 49)
            rows |= row << r * row_bits(self.cfg)
        return self._made("group", rows=rows, word=g.word[0], map_word=g.map_word[0], tile_done=g.tile_done[0],
                          empty=g.empty[0])


class Parties:
    """Global buffer, store, Executor and memory around the loader, for a job; ready with probability ``p``.

    Parameters
    ----------
    cfg, work
    rng : random.Random
    p : float
    p_done : float
        Probability that the step that runs is over.
    """

    def __init__(self, cfg, work, rng, p=1.0, p_done=1.0):
        self.cfg, self.rng, self.p, self.p_done = cfg, rng, p, p_done
        self.sink, self.job = Sink(cfg, work), make(fields(cfg)["job"], **work.job)
        self._work, self._flight, self._memory, self._offered = work, [None, None], [], False
        self._data = self._map = 0

    def offer(self, start=False) -> Inputs:
        """The inputs of this cycle."""
        sink, work = self.sink, self._work
        answer = self._flight.pop(0)
        if answer is not None:
            self._data = pack_lanes(work.data[answer.addr % len(work.data)])
            bits = work.maps[answer.map_addr % len(work.maps)].ravel().astype(np.uint8)
            self._map = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
        self._offered = self._offered or bool(self._memory) and self._chance()
        memory = None
        if self._offered:
            memory = make(fields_memory(self.cfg), word=pack_lanes(work.memory[self._memory[0]]))
        return Inputs(
            start, self.job, self._chance(), answer is not None, self._data, self._map, self._chance(),
            self._chance() and sink.builds - sink.over < 2, self._chance(),
            sink.over < min(sink.builds, sink.steps) and self.rng.random() < self.p_done, self._chance(), memory)

    def taken(self, x: Inputs, y: Outputs):
        """End of the cycle: everything that was sent goes to the sink, which checks it."""
        cfg, sink, pixels = self.cfg, self.sink, np.arange(self.cfg.pixels)
        self._flight.append(y.request if x.request_ready else None)
        if y.transfer:
            t = y.transfer
            assert t.column == cfg.columns
            sink.transfer(t.kind, t.row, t.bank, t.index, lanes_of(cfg, t.data))
        if y.imap:
            assert y.transfer and (y.transfer.bank, y.transfer.index) == (y.imap.bank, y.imap.word)
            sink.imap(y.imap.bank, y.imap.word, bits_of(y.imap.bits, cfg.values).reshape(cfg.columns, -1))
        if y.omap:
            sink.omap(y.omap.bank, y.omap.row, y.omap.bits >> pixels & 1)
        if y.group and x.group_ready:
            sink.group(*self._rows(y.group.rows), *y.group[1:])
        if y.build and x.build_ready:
            sink.build(*y.build)
        if y.step and x.step_ready:
            sink.step(*y.step)
        if x.step_done:
            sink.step_done()
        if y.fetch and x.fetch_ready:
            sink.request(*y.fetch)
            self._memory += range(y.fetch.addr, y.fetch.addr + y.fetch.count)
        if x.memory and y.memory_ready:
            self._memory.pop(0)
            self._offered = False

    def _chance(self) -> bool:
        return self.p == 1 or self.rng.random() < self.p

    def _rows(self, word):
        """on, channel, bias, sensitive of all rows."""
        width, pixels = row_bits(self.cfg), np.arange(self.cfg.pixels)
        rows = [word >> r * width & (1 << width) - 1 for r in range(self.cfg.rows)]
        return ([row & 1 for row in rows], [row >> 1 & 0xFFFF for row in rows],
                [to_signed(row >> 17 & 0xFFFFFFFF, 32) for row in rows],
                np.array([row >> 49 for row in rows])[:, None] >> pixels & 1)


def fields_memory(cfg):
    """Format of a word of the memory."""
    return Fields(word=unsigned(cfg.word_bits))
