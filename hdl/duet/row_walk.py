"""Order of outputs: which channel every row of every group works on."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, EXECUTE_FIELDS, Kind
from hdl.common.primitives import find_first, or_tree

from .layouts import check_cfg, execute_layout
from .load_layouts import Fill, row_op_layout, row_tag_layout

__all__ = ["RowWalk"]


class State(enum.Enum, shape=3):
    IDLE = 0
    TILE = 1
    FILL = 2
    ASK = 3
    WAIT = 4
    ROWS = 5


class RowWalk(wiring.Component):
    """Tiles in raster order, groups of ``cfg.rows`` outputs, rows [Thesis 5.1.2, 5.2.1].

    CONV: channels in their order, or (``ordered``) as the reorder unit has sorted them: ``columns`` of them are read at
    once. VECTOR with ``use_omap``: the outputs whose map bits are set, in ascending order, so that nothing is fetched
    for the others; a row that does not work follows them and ends the tile, since the end is seen only then.

    At the beginning of a tile of a CONV with ``use_omap`` the words of its output map are read, before the store
    corrects any of them; see ``Groups``.

    Latency: 2 cycles from ``start`` to the first operation. Throughput: a row a cycle; channels in order cost one read
    and its answer every ``columns`` rows, a map one for each word and a cycle for each pixel without a bit. A group
    begins when the one before is taken.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins; only while not ``busy``.
    job : In(execute_layout())
        From ``start`` until the loader is not busy. With ``use_omap`` a CONV has at most ``cfg.channels`` channels.
    freed : In(1)
        The group that was begun last is complete, and on offer.
    o : Out(stream of row_op_layout())
        Operations: FILL, ORDER, SCAN and ROW, of which the last reads the word of the bias.
    answer, tag, data, map : In
        Answers.
    busy : Out(1)
        Rows are to come.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(execute_layout()), "freed": In(1),
            "o": Out(stream.Signature(row_op_layout())),
            "answer": In(1), "tag": In(row_tag_layout()), "data": In(cfg.word_bits), "map": In(cfg.values),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg, job = self._cfg, self.job
        m = Module()
        r = _Registers(cfg)
        state = Signal(State)
        outstanding = Signal()
        free = Signal()
        goes = Signal()
        is_conv = Signal()
        scans = Signal()
        m.d.comb += [
            is_conv.eq(job.kind == Kind.CONV), scans.eq(~is_conv & job.use_omap),
            free.eq(~self.o.valid | self.o.ready), goes.eq(free & ((r.row != 0) | ~outstanding)),
            self.busy.eq((state != State.IDLE) | self.o.valid),
        ]
        with m.If(self.freed):
            m.d.sync += outstanding.eq(0)
        with m.If(free):
            m.d.sync += [self.o.valid.eq(0), self.o.p.reads.eq(1)]
        with m.Switch(state):
            with m.Case(State.TILE):
                with m.If(free):
                    m.d.sync += [r.fill.eq(0), state.eq(Mux(is_conv & job.use_omap, State.FILL, State.ROWS))]
            with m.Case(State.FILL):
                with m.If(free):
                    self._fill(m, r, state)
            with m.Case(State.ASK):
                with m.If(free):
                    self._ask(m, r, scans)
                    m.d.sync += state.eq(State.WAIT)
            with m.Case(State.ROWS):
                with m.If(goes & scans):
                    self._scan(m, r, state, outstanding)
                with m.Elif(goes):
                    self._row(m, r, state, outstanding)
        self._answers(m, r, state)
        with m.If(self.start):
            m.d.sync += [state.eq(State.TILE), outstanding.eq(0), *r.begin(job)]
        m.d.sync += [
            Assert(~self.start | ~self.busy, "start must wait until the job before is over"),
            Assert(~self.start | ~(is_conv & job.use_omap) | (job.channels <= cfg.channels),
                   Format("channels with an output map must be at most {}, not {}", cfg.channels, job.channels)),
        ]
        return m

    def _offer(self, m, kind, **fields):
        """An operation; tag fields that are not named are 0."""
        o = self.o.p
        tag = dict.fromkeys(("on", "end", "done", "row", "channel"), 0) | fields
        m.d.sync += [self.o.valid.eq(1), o.tag.kind.eq(kind), *(o.tag[name].eq(value) for name, value in tag.items())]

    def _offer_row(self, m, r, channel, outstanding, *, on, end, done):
        """A row; the next one comes into the next row, or begins a group."""
        per_word = (self._cfg.values // 2).bit_length() - 1
        self._offer(m, Fill.ROW, on=on, end=end, done=done, row=r.row, channel=channel)
        m.d.sync += [self.o.p.reads.eq(on), self.o.p.addr.eq(self.job.bias_base + (channel >> per_word)),
                     self.o.p.map_addr.eq(0), outstanding.eq(1), r.row.eq(Mux(end, 0, r.row + 1))]

    def _fill(self, m, r, state):
        columns = self._cfg.columns
        self._offer(m, Fill.FILL, channel=r.fill)
        m.d.sync += [self.o.p.addr.eq(0), self.o.p.map_addr.eq(r.map_word + r.fill), r.fill.eq(r.fill + 1)]
        with m.If((r.fill + 1) * columns >= self.job.channels):
            m.d.sync += state.eq(State.ROWS)

    def _ask(self, m, r, scans):
        """A word of the map of a vector, or the next channels in order."""
        o, whole = self.o.p, r.pixel == self._cfg.pixels - 1
        with m.If(scans):
            self._offer(m, Fill.SCAN)
            m.d.sync += [o.addr.eq(0), o.map_addr.eq(r.map_word), r.map_word.eq(r.map_word + 1)]
        with m.Else():
            self._offer(m, Fill.ORDER, row=r.pixel)
            m.d.sync += [o.addr.eq(r.order_addr), o.map_addr.eq(0), r.order_addr.eq(r.order_addr + whole),
                         r.pixel.eq(r.pixel + 1)]

    def _row(self, m, r, state, outstanding):
        """Channels one after the other, or as the reorder unit has sorted them."""
        job, columns = self.job, self._cfg.columns
        last = Signal()
        channel = Signal(16)
        m.d.comb += [last.eq(r.count + 1 == job.channels), channel.eq(Mux(job.ordered, r.ids[0], r.count))]
        with m.If(job.ordered & (r.left == 0)):
            m.d.sync += state.eq(State.ASK)
        with m.Else():
            self._offer_row(m, r, channel, outstanding, on=1, end=last | (r.row == self._cfg.rows - 1), done=last)
            m.d.sync += r.count.eq(r.count + 1)
            with m.If(job.ordered):
                m.d.sync += [r.left.eq(r.left - 1), *(r.ids[c].eq(r.ids[c + 1]) for c in range(columns - 1))]
            with m.If(last):
                self._next_tile(m, r, state)

    def _next_tile(self, m, r, state):
        job = self.job
        row_ends = Signal()
        m.d.comb += row_ends.eq(r.tile_x + 1 == job.tiles_x)
        m.d.sync += [
            r.map_word.eq(r.map_word + job.out_depth), r.order_addr.eq(r.order_addr + (r.pixel != 0)),
            r.pixel.eq(0), r.count.eq(0), r.left.eq(0), r.tile_x.eq(Mux(row_ends, 0, r.tile_x + 1)),
            state.eq(State.TILE),
        ]
        with m.If(row_ends):
            m.d.sync += r.tile_y.eq(r.tile_y + 1)
            with m.If(r.tile_y + 1 == job.tiles_y):
                m.d.sync += state.eq(State.IDLE)

    def _scan(self, m, r, state, outstanding):
        """The next sensitive element of a vector, if this pixel has one."""
        cfg, job = self._cfg, self.job
        found = Signal()
        element = Signal(17)
        any_found, column = find_first(r.bits[0])
        m.d.comb += [element.eq(r.count + column), found.eq(any_found & (element < job.channels))]
        with m.If(r.count >= job.channels):
            self._offer_row(m, r, C(0, 16), outstanding, on=0, end=1, done=1)
            m.d.sync += state.eq(State.IDLE)
        with m.Elif(r.left == 0):
            m.d.sync += state.eq(State.ASK)
        with m.Elif(found):
            self._offer_row(m, r, element, outstanding, on=1, end=r.row == cfg.rows - 1, done=0)
            m.d.sync += r.bits[0].eq(r.bits[0] & (r.bits[0] - 1))
        with m.Else():
            m.d.sync += [r.count.eq(r.count + cfg.columns), r.left.eq(r.left - 1),
                         *(r.bits[p].eq(r.bits[p + 1]) for p in range(cfg.pixels - 1))]

    def _answers(self, m, r, state):
        """Channels: those of a pixel of the word. Bits: pixel by pixel."""
        cfg = self._cfg
        here = Signal(cfg.pixels)
        m.d.comb += here.eq(1 << self.tag.row[:cfg.pixel_bits])
        with m.If(self.answer & (self.tag.kind == Fill.ORDER)):
            m.d.sync += [r.left.eq(cfg.columns), state.eq(State.ROWS)]
            for c in range(cfg.columns):
                lane = self.data[c * cfg.lane_bits:(c + 1) * cfg.lane_bits]
                m.d.sync += r.ids[c].eq(or_tree(Mux(here[p], lane.word_select(p, 16), 0) for p in range(cfg.pixels)))
        with m.If(self.answer & (self.tag.kind == Fill.SCAN)):
            m.d.sync += [r.left.eq(cfg.pixels), state.eq(State.ROWS),
                         *(r.bits[p].eq(Cat(self.map[c * cfg.pixels + p] for c in range(cfg.columns)))
                           for p in range(cfg.pixels))]


class _Registers:
    """Counters of the walk; ``ids``: channels in order, ``bits``: columns of the pixels, the next ones first."""

    def __init__(self, cfg):
        self.tile_y = Signal(EXECUTE_FIELDS["tiles_y"], name="tile_y")
        self.tile_x = Signal(EXECUTE_FIELDS["tiles_x"], name="tile_x")
        self.map_word = Signal(ADDR_BITS, name="map_word")
        self.fill = Signal(16, name="fill")
        self.count = Signal(17, name="count")
        self.row = Signal(range(cfg.rows), name="row")
        self.order_addr = Signal(ADDR_BITS, name="order_addr")
        self.pixel = Signal(cfg.pixel_bits, name="pixel")
        self.left = Signal(range(max(cfg.columns, cfg.pixels) + 1), name="left")
        self.ids = Signal(data.ArrayLayout(16, cfg.columns), name="ids")
        self.bits = Signal(data.ArrayLayout(cfg.columns, cfg.pixels), name="bits")

    def begin(self, job):
        """Statements that set them for a job."""
        zero = (self.tile_y, self.tile_x, self.count, self.row, self.pixel, self.left)
        return [*(register.eq(0) for register in zero), self.map_word.eq(job.omap_base),
                self.order_addr.eq(job.order_base)]
