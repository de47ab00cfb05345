"""Order of the dimension reduction: tiles, words of the reduced input, pixels, windows, words of a block."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SPECULATE_FIELDS, Kind

from .layouts import check_cfg, speculate_layout, window_layout

__all__ = ["DEPTH", "WindowWalk"]

#: Vectors between the activation buffer and the consumer: enough for one in every cycle.
DEPTH = 16


class WindowWalk(wiring.Component):
    """Reads the windows of a job, tile by tile in raster order [Thesis 5.1.1, step 2].

    Of a tile, once its words are in the activation buffer: for every word of the reduced input, for every pixel that is
    in the output map, for every window of the kernel, for every word of a block. A vector: one tile, pixel and window.

    Latency: 1 cycle from ``filled`` to the first window's counters, 2 to ``o``; ``loading`` is 1 again in the cycle in
    which the tile's last window is at ``o``. Throughput: a window a cycle, while fewer than ``DEPTH`` = 16 vectors were
    not yet taken.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins. Only while not ``busy``.
    job : In(speculate_layout())
        From ``start`` until ``busy`` is 0.
    filled : In(1)
        The last word of the tile is taken; only while ``loading``.
    taken : In(1)
        A vector is taken.
    loading : Out(1)
        Words of a tile are wanted.
    top, left : Out(signed(16))
        First pixel that this tile needs, while ``loading``.
    o_valid, o : Out
        ``window_layout(cfg)``: a window to read.
    busy : Out(1)
        A job runs, or vectors of it were not yet taken.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(speculate_layout()), "filled": In(1), "taken": In(1),
            "loading": Out(1), "top": Out(signed(16)), "left": Out(signed(16)),
            "o_valid": Out(1), "o": Out(window_layout(cfg)), "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        running = Signal()
        in_flight = Signal(range(DEPTH + 1))
        full = Signal()
        go = Signal()
        in_tile = Signal()
        in_flight_next = Signal.like(in_flight)
        m.d.comb += in_tile.eq(running & ~self.loading)
        r = _Registers(self._cfg)
        ends = _Ends(m, self._cfg, self.job, r)
        # What was begun is finished whenever it can be: only the last window of a vector waits for room.
        m.d.comb += [go.eq(in_tile & ~(ends.last & full)),
                     in_flight_next.eq(in_flight + (go & ends.last) - self.taken)]
        m.d.sync += [self.o_valid.eq(go), in_flight.eq(in_flight_next), full.eq(in_flight_next == DEPTH),
                     self.busy.eq(self.start | (running & ~(go & ends.tile & ends.job)) | (in_flight_next != 0))]
        m.d.sync += [
            self.o.y.eq(r.y), self.o.x.eq(r.x), self.o.word.eq(r.word), self.o.tag.address.eq(r.address),
            self.o.tag.first.eq(r.first), self.o.tag.last.eq(ends.last), self.o.tag.word.eq(r.reduced),
            self.o.tag.pixel.eq(r.pixel_row * self._cfg.side + r.pixel_column), self.o.tag.end.eq(ends.tile),
        ]
        with m.If(go):
            self._next_window(m, r, ends)
            with m.If(ends.last):
                self._next_pixel(m, r, ends)
            with m.If(ends.tile):
                self._next_tile(m, r, ends, running)
        with m.If(self.filled):
            m.d.sync += [self.loading.eq(0), r.pixel_y.eq(self.top), r.pixel_x.eq(self.left), r.y.eq(self.top),
                         r.x.eq(self.left)]
        edge = Signal(signed(5))
        m.d.comb += edge.eq(Mux(self.job.kind == Kind.VECTOR, 0, -self.job.pad))
        with m.If(self.start):
            m.d.sync += [running.eq(1), self.loading.eq(1), self.top.eq(edge), self.left.eq(edge), *r.begin(self.job)]
        self._rules(m, in_flight)
        return m

    def _next_window(self, m, r, ends):
        """Word by word, column by column, row by row of windows; another word of the projection for each."""
        side = self._cfg.side
        m.d.sync += [r.first.eq(ends.last), r.address.eq(Mux(ends.last & ~ends.pixels, r.base, r.address + 1)),
                     r.word.eq(Mux(ends.words, 0, r.word + 1)),
                     r.words_end.eq(Mux(ends.words, self.job.depth == 1, r.word + 2 == self.job.depth))]
        with m.If(ends.words & ends.window_columns):
            m.d.sync += [r.window_column.eq(0), r.x.eq(r.pixel_x), r.window_row.eq(r.window_row + 1),
                         r.y.eq(r.y + side)]
        with m.Elif(ends.words):
            m.d.sync += [r.window_column.eq(r.window_column + 1), r.x.eq(r.x + side)]

    def _next_pixel(self, m, r, ends):
        """Pixel by pixel; after the last one the next word of the reduced input."""
        y = Signal(signed(16), name="pixel_y_next")
        x = Signal(signed(16), name="pixel_x_next")
        m.d.comb += [x.eq(Mux(ends.row, self.left, r.pixel_x + self.job.stride)), y.eq(r.pixel_y)]
        with m.If(ends.pixels):
            m.d.comb += y.eq(self.top)
            m.d.sync += [r.base.eq(r.address + 1), r.reduced.eq(r.reduced + 1), r.pixel_row.eq(0)]
        with m.Elif(ends.row):
            m.d.comb += y.eq(r.pixel_y + self.job.stride)
            m.d.sync += r.pixel_row.eq(r.pixel_row + 1)
        m.d.sync += [r.window_row.eq(0), r.window_column.eq(0), r.pixel_y.eq(y), r.pixel_x.eq(x), r.y.eq(y), r.x.eq(x),
                     r.pixel_column.eq(Mux(ends.row, 0, r.pixel_column + 1))]

    def _next_tile(self, m, r, ends, running):
        """Tile by tile, in raster order."""
        job, side = self.job, self._cfg.side
        step = job.stride * side
        m.d.sync += [
            running.eq(~ends.job), self.loading.eq(~ends.job),
            r.base.eq(job.projection_base), r.address.eq(job.projection_base), r.reduced.eq(0),
        ]
        with m.If(ends.tile_row):
            m.d.sync += [r.tile_x.eq(0), self.left.eq(-job.pad), r.columns_left.eq(job.width),
                         r.tile_y.eq(r.tile_y + 1), self.top.eq(self.top + step), r.rows_left.eq(r.rows_left - side)]
        with m.Else():
            m.d.sync += [r.tile_x.eq(r.tile_x + 1), self.left.eq(self.left + step),
                         r.columns_left.eq(r.columns_left - side)]

    def _rules(self, m, in_flight):
        job, cfg = self.job, self._cfg
        entries = Signal(16 + 6)
        m.d.comb += entries.eq(Mux(job.kind == Kind.VECTOR, job.depth, job.depth << (job.span << 1)))
        m.d.sync += [
            Assert(~self.start | ((job.reduced != 0) & (job.reduced <= cfg.reduced_words)),
                   Format("reduced must be in 1..{}, not {}", cfg.reduced_words, job.reduced)),
            Assert(~self.start | ((entries != 0) & (entries <= cfg.activation_words)),
                   Format("entries of a tile must be in 1..{}, not {}", cfg.activation_words, entries)),
            Assert(~self.taken | (in_flight != 0), "taken must come only for a vector that was sent"),
        ]


class _Registers:
    """Counters of the walk. The next window: ``y``, ``x``, ``word``, ``address``, ``first``."""

    def __init__(self, cfg):
        fields, side = SPECULATE_FIELDS, range(cfg.side)
        self.tile_y = Signal(fields["tiles_y"], name="tile_y")
        self.tile_x = Signal(fields["tiles_x"], name="tile_x")
        self.rows_left = Signal(fields["height"], name="rows_left")             # outputs from here on
        self.columns_left = Signal(fields["width"], name="columns_left")
        self.pixel_row = Signal(side, name="pixel_row")
        self.pixel_column = Signal(side, name="pixel_column")
        self.pixel_y = Signal(signed(16), name="pixel_y")                       # first window of the pixel
        self.pixel_x = Signal(signed(16), name="pixel_x")
        self.window_row = Signal(fields["windows_y"], name="window_row")
        self.window_column = Signal(fields["windows_x"], name="window_column")
        self.y = Signal(signed(16), name="y")
        self.x = Signal(signed(16), name="x")
        self.word = Signal(range(cfg.activation_words), name="word")
        self.words_end = Signal(name="words_end")                               # it is the last word of its blocks
        self.reduced = Signal(range(cfg.reduced_words), name="reduced")
        self.base = Signal(range(cfg.projection_words), name="base")            # for the first window of a pixel
        self.address = Signal(range(cfg.projection_words), name="address")
        self.first = Signal(name="first")

    def begin(self, job):
        """Statements that set them for a job."""
        zero = (self.tile_y, self.tile_x, self.pixel_row, self.pixel_column, self.window_row, self.window_column,
                self.word, self.reduced)
        return [*(register.eq(0) for register in zero), self.first.eq(1), self.words_end.eq(job.depth == 1),
                self.rows_left.eq(job.height), self.columns_left.eq(job.width), self.base.eq(job.projection_base),
                self.address.eq(job.projection_base)]


class _Ends:
    """What ends with the next window: words of the window, a row of windows, the vector, a row of pixels, all pixels,
    the tile, a row of tiles, the job."""

    def __init__(self, m, cfg, job, r):
        self.words = r.words_end
        for name in "window_columns", "last", "row", "pixels", "tile", "tile_row", "job":
            setattr(self, name, Signal(name=f"{name}_end"))
        is_vector = Signal()
        m.d.comb += [
            is_vector.eq(job.kind == Kind.VECTOR),
            self.window_columns.eq(is_vector | (r.window_column + 1 == job.windows_x)),
            self.last.eq(self.words & self.window_columns & (is_vector | (r.window_row + 1 == job.windows_y))),
            self.row.eq(is_vector | r.pixel_column.all() | (r.pixel_column + 1 == r.columns_left)),
            self.pixels.eq(self.last & self.row
                           & (is_vector | r.pixel_row.all() | (r.pixel_row + 1 == r.rows_left))),
            self.tile.eq(self.pixels & (r.reduced + 1 == job.reduced)),
            self.tile_row.eq(is_vector | (r.tile_x + 1 == job.tiles_x)),
            self.job.eq(is_vector | (self.tile_row & (r.tile_y + 1 == job.tiles_y))),
        ]
