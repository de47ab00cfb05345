"""Fetch of the Speculator: the words that a tile needs, once they are there."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, SPECULATE_FIELDS, VALUE_BITS, Kind

from .layouts import block_layout, check_cfg, glb_read_layout, speculate_layout

__all__ = ["SpecFetch"]


class State(enum.Enum, shape=3):
    IDLE = 0
    CLIP = 1
    NUMBER = 2
    ADDRESS = 3
    WAIT = 4
    RUN = 5


class SpecFetch(wiring.Component):
    """Reads the inputs of the Speculator, tile by tile in raster order [Thesis 5.1.1, 5.2].

    Of a tile the ``depth`` words of all blocks near it that are in the map, in raster order, ``last`` with the last
    one. A tile that has no block in the map sends one word all the same, of block (-1, -1): nothing of it is looked at.

    With ``depends`` the inputs are what the Executor computes in this stage: a tile waits until the producer's tiles,
    which are the blocks, have been stored, in raster order, up to the last one that it needs; a vector waits for all.

    Words of a tile are requested when the consumer is ready; from then on it takes all of them without a pause. So
    there is no buffer of words here, each of them 512 bytes.

    Latency: ``LATENCY`` = 4 cycles from an operation to its word: request, two of the global buffer, register. A tile's
    first operation comes 2 cycles after the consumer is ready, if what it needs is there; where its words lie is worked
    out beside the words of the tile before. Throughput: a word a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins. Only while not ``busy``.
    job : In(speculate_layout())
        From ``start`` until ``busy`` is 0.
    tiles_done : In(16)
        Tiles that the Executor has stored in this stage.
    all_done : In(1)
        It has stored all of them.
    request : Out(stream of glb_read_layout())
        Read port 0 of the global buffer; ``map_addr`` is 0 and its map not looked at.
    answer, data : In
        Its answers.
    o : Out(stream of block_layout(cfg))
        Words. The consumer must be ready until the last one of a tile once it is ready between tiles, as ``Reducer``.
    busy : Out(1)
        From the cycle after ``start`` until the last word is taken.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    LATENCY = 4

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(speculate_layout()), "tiles_done": In(16), "all_done": In(1),
            "request": Out(stream.Signature(glb_read_layout())), "answer": In(1), "data": In(cfg.word_bits),
            "o": Out(stream.Signature(block_layout(cfg))), "busy": Out(1),
        })

    def elaborate(self, platform):
        job = self.job
        m = Module()
        state = Signal(State)
        r = _Registers(self._cfg)
        opened = Signal()       # the last word of a tile has not left
        free = Signal()
        there = Signal()
        line = Signal(ADDR_BITS)
        is_vector = Signal()
        m.d.comb += [
            free.eq(~self.request.valid | self.request.ready), self.busy.eq((state != State.IDLE) | opened),
            is_vector.eq(job.kind == Kind.VECTOR),
            there.eq(~job.depends | Mux(is_vector, self.all_done, r.nothing | (self.tiles_done > r.needs))),
        ]
        m.d.sync += line.eq(job.blocks_x * job.depth)
        with m.If(self.o.valid & self.o.ready & self.o.p.last):
            m.d.sync += opened.eq(0)
        with m.If(free):
            m.d.sync += self.request.valid.eq(0)
        block = self._words(m, free)
        with m.Switch(state):
            with m.Case(State.CLIP):
                self._clip(m, r)
                m.d.sync += state.eq(State.NUMBER)
            with m.Case(State.NUMBER):
                self._number(m, r)
                m.d.sync += state.eq(State.ADDRESS)
            with m.Case(State.ADDRESS):
                at = r.at_line * job.depth
                m.d.sync += [r.at.eq(at), r.at_line.eq(at), state.eq(State.WAIT)]
            with m.Case(State.WAIT):
                with m.If(there & ~opened & self.o.ready):
                    m.d.sync += state.eq(State.RUN)
            with m.Case(State.RUN):
                with m.If(free):
                    self._request(m, r, state, line, block)
                    m.d.sync += opened.eq(1)
        with m.If(self.start):
            m.d.sync += [state.eq(State.CLIP), r.tile_y.eq(0), r.tile_x.eq(0), r.block_y.eq(-job.first_y),
                         r.block_x.eq(-job.first_x)]
        m.d.sync += [
            Assert(~self.start | ~self.busy, "start must wait until the job before is over"),
            Assert(~self.o.valid | self.o.ready, "the consumer must take the words of a tile without a pause"),
        ]
        return m

    def _clip(self, m, r):
        """Blocks near the tile that are in the map."""
        for axis in "yx":
            first, start, end = (getattr(r, f"{name}_{axis}") for name in ("block", "from", "to"))
            beyond = Signal(signed(13), name=f"beyond_{axis}")
            blocks = self.job[f"blocks_{axis}"]
            m.d.comb += beyond.eq(first + self.job[f"near_{axis}"])
            m.d.sync += [start.eq(Mux(first < 0, 0, first)), end.eq(Mux(beyond < blocks, beyond, blocks) - 1)]

    def _number(self, m, r):
        """Number of the first block, and of the last one; if there are none, one beside the map stands for them."""
        job = self.job
        nothing = Signal()
        m.d.comb += nothing.eq((r.from_y > r.to_y) | (r.from_x > r.to_x))
        m.d.sync += [r.nothing.eq(nothing), r.word.eq(0)]
        with m.If(nothing):
            m.d.sync += [r.at_line.eq(0), r.needs.eq(0),
                         *(at.eq(-1) for at in (r.from_y, r.to_y, r.y, r.from_x, r.to_x, r.x))]
        with m.Else():
            m.d.sync += [r.at_line.eq(r.from_y * job.blocks_x + r.from_x), r.needs.eq(r.to_y * job.blocks_x + r.to_x),
                         r.y.eq(r.from_y), r.x.eq(r.from_x)]

    def _request(self, m, r, state, line, block):
        """A word: blocks of a row lie one after the other."""
        job = self.job
        words_end = Signal()
        line_ends = Signal()
        last = Signal()
        next_line = Signal(ADDR_BITS)
        m.d.comb += [words_end.eq(r.nothing | (r.word + 1 == job.depth)), line_ends.eq(words_end & (r.x == r.to_x)),
                     last.eq(line_ends & (r.y == r.to_y)), next_line.eq(r.at_line + line)]
        m.d.sync += [
            self.request.valid.eq(1), self.request.p.addr.eq(job.in_base + r.at), block.y.eq(r.y), block.x.eq(r.x),
            block.word.eq(r.word), block.last.eq(last), r.word.eq(Mux(words_end, 0, r.word + 1)),
            r.x.eq(Mux(line_ends, r.from_x, r.x + words_end)), r.y.eq(r.y + line_ends),
            r.at.eq(Mux(line_ends, next_line, r.at + 1)), r.at_line.eq(Mux(line_ends, next_line, r.at_line)),
        ]
        with m.If(last):
            row_ends = r.tile_x + 1 == job.tiles_x
            m.d.sync += [
                r.tile_x.eq(Mux(row_ends, 0, r.tile_x + 1)), state.eq(State.CLIP),
                r.block_x.eq(Mux(row_ends, -job.first_x, r.block_x + job.stride))]
            with m.If(row_ends):
                m.d.sync += [r.tile_y.eq(r.tile_y + 1), r.block_y.eq(r.block_y + job.stride)]
                with m.If(r.tile_y + 1 == job.tiles_y):
                    m.d.sync += state.eq(State.IDLE)

    def _words(self, m, free):
        """Words on their way: request, two cycles of the global buffer, register. Returns what goes with a request."""
        cfg = self._cfg
        layout = data.StructLayout({"y": signed(9), "x": signed(9), "word": range(cfg.activation_words), "last": 1})
        block = Signal(layout)
        block_s1 = Signal(layout)
        block_s2 = Signal(layout)
        valid_s1 = Signal()
        valid_s2 = Signal()
        o = self.o.p
        m.d.sync += [block_s1.eq(block), block_s2.eq(block_s1), valid_s1.eq(self.request.valid & self.request.ready),
                     valid_s2.eq(valid_s1), self.o.valid.eq(valid_s2)]
        with m.If(valid_s2):
            m.d.sync += [o.block_y.eq(block_s2.y), o.block_x.eq(block_s2.x), o.word.eq(block_s2.word),
                         o.last.eq(block_s2.last),
                         *(o.data[k].eq(self.data.word_select(k, VALUE_BITS)) for k in range(cfg.values))]
        m.d.sync += Assert(self.answer == valid_s2, "the global buffer must answer two cycles after a request")
        return block


class _Registers:
    """Tile, its blocks, and the next word; ``at``: its address, relative to the job's."""

    def __init__(self, cfg):
        self.tile_y = Signal(SPECULATE_FIELDS["tiles_y"], name="tile_y")
        self.tile_x = Signal(SPECULATE_FIELDS["tiles_x"], name="tile_x")
        for name in ("block_y", "block_x", "from_y", "from_x", "to_y", "to_x", "y", "x"):
            setattr(self, name, Signal(signed(12), name=name))
        self.nothing = Signal(name="nothing")
        self.needs = Signal(16, name="needs")
        self.word = Signal(range(cfg.activation_words), name="word")
        self.at_line = Signal(ADDR_BITS, name="at_line")
        self.at = Signal(ADDR_BITS, name="at")
