"""Order of the screener's work: which burst meets which lanes, features and partial sums."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import INT4_BITS, Screen

from .layouts import burst_layout, check_cfg, screen_layout

__all__ = ["ScreenControl"]

#: Bursts of a tile of partial sums.
QUARTERS = 4


class ScreenControl(wiring.Component):
    """Carries out the commands of the screener one after another [Thesis 6.4.2].

    FEATURES fills the feature buffer, PSUMS the partial sums of all inputs, MULTIPLY takes a burst of weights every
    ``batch`` cycles, FILTER hands the tile to the filter and goes on with the other set, STORE sends the partial sums.
    All but FEATURES wait until the products before them have been added.

    Latency: 1 cycle from ``front`` to the operands, ``add`` 1 cycle after them. Throughput: an input and burst a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of screen_layout())
    front : In(stream of burst_layout(cfg))
        Weight buffer.
    batch : In(4)
        Inputs, 1..cfg.batch; while something runs it does not change. So it is with ``screen_bursts``.
    screen_bursts : In(16)
        Bursts of weights of a tile.
    new_batch : In(1)
        A batch begins: tile 0 is next.
    weights : Out(8 * dq)
        Burst that meets the lanes.
    features : Out(8)
        Two elements for all lanes.
    add, clear, at : Out
        For all lanes: see ``ScreenLane``.
    set_bias : Out(4)
        A bit for each fourth of the lanes.
    scores : In
        Of all lanes.
    view : Out
        What STORE wants to see, while the filter rests.
    filter_busy : In(1)
        STORE comes only while it is 0.
    filter_start, filter_set, filter_base : Out
        See ``ScreenFilter``.
    store : Out(stream of burst_layout(cfg))
        Partial sums, four bursts an input.
    busy : Out(1)
        A command runs.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        place = range(2 * cfg.batch)
        super().__init__({
            "i": In(stream.Signature(screen_layout())), "front": In(stream.Signature(burst_layout(cfg))),
            "batch": In(4), "screen_bursts": In(16), "new_batch": In(1),
            "weights": Out(8 * cfg.dq), "features": Out(2 * INT4_BITS),
            "add": Out(1), "clear": Out(1), "at": Out(place), "set_bias": Out(QUARTERS),
            "scores": In(data.ArrayLayout(signed(32), cfg.classes)), "view": Out(place),
            "filter_busy": In(1),
            "filter_start": Out(1), "filter_set": Out(1), "filter_base": Out(24),
            "store": Out(stream.Signature(burst_layout(cfg))), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        cmd = Signal(screen_layout())
        left = Signal(16)               # bursts that the command still takes
        b = Signal(4)
        first = Signal()                # burst of the command
        pair = Signal(range(cfg.features // 2))     # two features that come next
        column = Signal(range(cfg.features // 2))   # those of input 0
        tile = Signal(24)
        set_ = Signal()
        sent = Signal(2)                # fourths of the input that STORE sent
        settle = Signal(2)              # cycles until ``scores`` belong to ``view``
        multiply_s1 = Signal()
        clear_s1 = Signal()
        b_s1 = Signal(4)
        bias_s1 = Signal(QUARTERS)
        at_s2 = Signal.like(self.at)

        place = Signal.like(self.at)
        last_b = Signal()
        drained = Signal()
        issue = Signal()                # an input and burst
        end = Signal()                  # of the command
        m.d.comb += [
            self.i.ready.eq(~self.busy),
            place.eq(b_s1 + Mux(set_, cfg.batch, 0)),
            self.at.eq(Mux(self.add, at_s2, place)),
            self.set_bias.eq(bias_s1),
            self.view.eq(b + Mux(set_, cfg.batch, 0)),
            last_b.eq(b + 1 == self.batch),
            drained.eq(~multiply_s1 & ~self.add),
        ]
        m.d.sync += [
            multiply_s1.eq(0), bias_s1.eq(0), self.filter_start.eq(0),
            self.add.eq(multiply_s1), self.clear.eq(clear_s1), at_s2.eq(place),
        ]
        with m.If(self.i.valid & ~self.busy):
            m.d.sync += [self.busy.eq(1), cmd.eq(self.i.payload), left.eq(self.i.p.count), first.eq(1), b.eq(0),
                         pair.eq(0), column.eq(0), sent.eq(0), settle.eq(2)]
        with m.If(end):
            m.d.sync += self.busy.eq(0)

        pairs = self._features(m, cmd, pair)
        with m.If(issue):
            m.d.sync += [self.weights.eq(self.front.payload), b_s1.eq(b), b.eq(Mux(last_b, 0, b + 1))]
            with m.If(last_b):
                m.d.sync += [left.eq(left - 1), first.eq(0)]
            m.d.comb += end.eq(last_b & (left == 1))
        with m.If(self.busy):
            with m.Switch(cmd.kind):
                with m.Case(Screen.FEATURES):
                    m.d.comb += [self.front.ready.eq(1), end.eq(self.front.valid & (left == 1))]
                    with m.If(self.front.valid):
                        m.d.sync += [left.eq(left - 1), pair.eq(pair + cfg.dq)]
                with m.Case(Screen.PSUMS):
                    m.d.comb += [issue.eq(self.front.valid & drained), self.front.ready.eq(drained & last_b)]
                    with m.If(issue):
                        m.d.sync += bias_s1.eq(1 << (QUARTERS - left)[:2])
                with m.Case(Screen.MULTIPLY):
                    m.d.comb += [issue.eq(self.front.valid), self.front.ready.eq(last_b)]
                    with m.If(issue):
                        m.d.sync += [multiply_s1.eq(1), clear_s1.eq(cmd.clear & first),
                                     self.features.eq(Mux(cmd.ones, 0x11, pairs)),
                                     pair.eq(Mux(last_b, column + 1, pair + self.screen_bursts)),
                                     column.eq(column + last_b)]
                with m.Case(Screen.FILTER):
                    m.d.comb += end.eq(drained & ~self.filter_busy & ~self.filter_start)
                    with m.If(end):
                        m.d.sync += [self.filter_start.eq(1), self.filter_set.eq(set_), set_.eq(~set_),
                                     self.filter_base.eq(tile * cfg.classes), tile.eq(tile + 1)]
                with m.Case(Screen.STORE):
                    self._store(m, drained, b, last_b, sent, settle, end)
        with m.If(self.store.valid & self.store.ready & ~(self.busy & (cmd.kind == Screen.STORE))):
            m.d.sync += self.store.valid.eq(0)
        with m.If(self.new_batch):
            m.d.sync += tile.eq(0)
        stores = self.busy & (cmd.kind == Screen.STORE)
        m.d.sync += Assert(~stores | ~(self.filter_busy | self.filter_start), "STORE must wait until no FILTER runs")
        return m

    def _features(self, m, cmd, pair):
        """The feature buffer; returns the pair of elements number ``pair``."""
        cfg = self._cfg
        depth = cfg.features // (2 * cfg.dq)
        m.submodules.feature_buffer = words = memory.Memory(shape=8 * cfg.dq, depth=depth, init=[])
        write, read = words.write_port(), words.read_port(domain="comb")
        word = pair >> (cfg.dq - 1).bit_length()
        m.d.comb += [
            write.addr.eq(word), read.addr.eq(word), write.data.eq(self.front.payload),
            write.en.eq(self.busy & (cmd.kind == Screen.FEATURES) & self.front.valid),
        ]
        return read.data.word_select(pair[:(cfg.dq - 1).bit_length()], 2 * INT4_BITS)

    def _store(self, m, drained, b, last_b, sent, settle, end):
        """STORE: once ``view`` has settled, a fourth of the lanes after another."""
        cfg = self._cfg
        move = Signal()
        m.d.comb += move.eq(~self.store.valid | self.store.ready)
        with m.If((settle != 0) & drained):
            m.d.sync += settle.eq(settle - 1)
        with m.If(move):
            m.d.sync += self.store.valid.eq(settle == 0)
            with m.If(settle == 0):
                scores = Value.cast(self.scores)
                m.d.sync += [self.store.payload.eq(scores.word_select(sent, 8 * cfg.dq)), sent.eq(sent + 1)]
                with m.If(sent == QUARTERS - 1):
                    m.d.sync += [b.eq(b + 1), settle.eq(2)]
                    m.d.comb += end.eq(last_b)
