"""Cell unit: elementwise work at the end of a step of an LSTM or a GRU."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, VALUE_BITS, Cell
from hdl.common.emit import unit
from hdl.common.fifo import Fifo
from hdl.common.primitives import or_tree

from .cell_lane import CellLane, does_layout
from .layouts import cell_layout, check_cfg, glb_read_layout, glb_write_layout

__all__ = ["IN_FLIGHT", "READS", "RESULT_LATENCY", "HIDDEN_LATENCY", "WRITES", "CellUnit"]

#: Operands in the order in which they are read, and what becomes of each; results in the order of their writes.
READS = {
    Cell.LSTM: (("b", "factor"), ("state", "first"), ("a", "factor"), ("d", "gate"), ("c", "last")),
    Cell.RESET: (("a", "factor"), ("hidden", "last")),
    Cell.GRU: (("b", "factor"), ("hidden", "difference"), ("a", "last")),
}
WRITES = {Cell.LSTM: ("state", "hidden"), Cell.RESET: ("d",), Cell.GRU: ("d",)}
#: Pixels that are read and not yet written.
IN_FLIGHT = 4
#: Cycles from the last answer of a pixel to its result; to its hidden state.
RESULT_LATENCY, HIDDEN_LATENCY = 4, 11


class CellUnit(wiring.Component):
    """Cell unit [Thesis 5.2.2]: ``cfg.columns`` lanes, an element each; formulas in :class:`CellLane`.

    LSTM reads i, f, g, o = a, b, c, d and the state c, and writes the state and h = hidden. RESET reads r, h = a,
    hidden and writes d = r h. GRU reads z, n, h = a, b, hidden and writes d = n + z (h - n); d may be hidden. Vectors
    lie as the Executor stores them; all elements of a pixel are worked on at once, those from ``length`` on are not
    written.

    Throughput: a request or a write a cycle, never both at once: so no word is read while it is written, and results
    may replace operands. A pixel takes 7 cycles (LSTM: 5 operands, 2 results), 3 (RESET) or 4 (GRU), a word
    ``cfg.pixels`` times that. Latency: a job of n >= 10 pixels is ``busy`` for 7 n + 11, 3 n + 7 or 4 n + 6 cycles (one
    more if n % 4 is 1 or 2), if its ports are never busy with others.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(cell_layout())
        Constant from ``start`` on, until the end.
    start : In(1)
        Begin; only while not ``busy``. A job without operation or elements is over at once.
    busy : Out(1)
        From the cycle after ``start`` to that in which the last write is taken.
    request : Out(stream of glb_read_layout())
        To the global buffer, port 2; ``map_addr`` is always 0.
    valid, data : In
        Answers, in order, a fixed number of cycles after their requests.
    write : Out(stream of glb_write_layout(cfg))
        To the global buffer, port 2; values alone.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(cell_layout()), "start": In(1), "busy": Out(1),
            "request": Out(stream.Signature(glb_read_layout())),
            "valid": In(1), "data": In(cfg.word_bits),
            "write": Out(stream.Signature(glb_write_layout(cfg))),
        })

    def elaborate(self, platform):
        m = Module()
        end = Signal()
        does, values = self._operands(m)
        results, hiddens = self._lanes(m, platform, does, values, end)

        # A request or a write is offered: results that are there go first.
        free = Signal()
        has_result = Signal()
        has_request = Signal()
        first = Signal()
        last = Signal()
        in_flight = Signal(range(IN_FLIGHT + 1))
        m.d.comb += free.eq((~self.request.valid | self.request.ready) & (~self.write.valid | self.write.ready))
        with m.If(free):
            m.d.sync += [self.write.valid.eq(has_result), self.request.valid.eq(~has_result & has_request)]
        send = free & ~has_result & has_request
        self._requests(m, send, in_flight, has_request, first)
        final = self._writes(m, free & has_result, results, hiddens, has_result, last)
        m.d.sync += in_flight.eq(in_flight + (send & first) - (free & has_result & last))

        m.d.comb += end.eq(self.write.valid & self.write.ready & final)
        with m.If(end):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += self.busy.eq((self.job.op != Cell.NONE) & (self.job.length != 0))
        m.d.sync += Assert(~self.start | ~self.busy, "a job must start while none is under way")
        return m

    def _choose(self, m, name, table, step):
        """By operation and step: which entry of ``table`` it is, a bit an entry, and whether the last of its row."""
        chosen = {entry: Signal(name=f"{name}_{entry}") for row in table.values() for entry in row}
        ends = Signal(name=f"{name}_ends")
        with m.Switch(self.job.op):
            for op, row in table.items():
                with m.Case(op):
                    m.d.comb += ends.eq(step == len(row) - 1)
                    m.d.comb += [chosen[entry].eq(or_tree(step == k for k, other in enumerate(row) if other == entry))
                                 for entry in dict.fromkeys(row)]
        return chosen, ends

    def _address(self, m, name, table, step, word):
        """The word of the operand or result of this step, and whether it is the last one of its pixel."""
        chosen, ends = self._choose(m, name, table, step)
        base = or_tree(Mux(take, self.job[entry], 0) for entry, take in chosen.items())
        return (base + word)[:ADDR_BITS], ends

    def _requests(self, m, send, in_flight, has_request, first):
        """Operands of the pixels, one after the other."""
        cfg = self._cfg
        left = Signal(ADDR_BITS, name="r_left")
        step = Signal(range(5), name="r_step")
        pixel = Signal(cfg.pixel_bits, name="r_pixel")
        word = Signal(ADDR_BITS, name="r_word")
        names = {op: [name for name, _does in row] for op, row in READS.items()}
        addr, ends = self._address(m, "read", names, step, word)
        m.d.comb += [first.eq(step == 0), has_request.eq((left != 0) & (~first | (in_flight != IN_FLIGHT)))]
        request_addr = Signal(ADDR_BITS)
        m.d.comb += self.request.p.addr.eq(request_addr)
        with m.If(send):
            m.d.sync += [request_addr.eq(addr), step.eq(Mux(ends, 0, step + 1))]
            with m.If(ends):
                m.d.sync += [left.eq(left - 1), pixel.eq(pixel + 1), word.eq(word + pixel.all())]
        column_bits = cfg.columns.bit_length() - 1
        with m.If(self.start):
            m.d.sync += [left.eq(Mux(self.job.op == Cell.NONE, 0, (self.job.length + cfg.columns - 1) >> column_bits)),
                         pixel.eq(0), word.eq(0)]

    def _operands(self, m):
        """The values of the pixel whose turn it is, and what becomes of them: registers behind the answer."""
        cfg = self._cfg
        step = Signal(range(5), name="x_step")
        pixel = Signal(cfg.pixel_bits, name="x_pixel")
        table = {op: [does for _name, does in row] for op, row in READS.items()}
        chosen, ends = self._choose(m, "does", table, step)
        does = Signal(does_layout())
        values = Signal(data.ArrayLayout(signed(VALUE_BITS), cfg.columns))
        m.d.sync += [does[name].eq(self.valid & take) for name, take in chosen.items()]
        with m.If(self.valid):
            m.d.sync += [values[c].eq(self.data.word_select(c, cfg.lane_bits).word_select(pixel, VALUE_BITS))
                         for c in range(cfg.columns)]
            m.d.sync += step.eq(Mux(ends, 0, step + 1))
            with m.If(ends):
                m.d.sync += pixel.eq(pixel + 1)
        with m.If(self.start):
            m.d.sync += pixel.eq(0)
        return does, values

    def _lanes(self, m, platform, does, values, end):
        """The lanes, and queues of their results: there is room for all pixels that are under way."""
        cfg = self._cfg
        shape = data.ArrayLayout(VALUE_BITS, cfg.columns)
        m.submodules.results = results = Fifo(shape, IN_FLIGHT)
        m.submodules.hiddens = hiddens = Fifo(shape, IN_FLIGHT)
        is_lstm = Signal()
        m.d.comb += is_lstm.eq(self.job.op == Cell.LSTM)
        lanes = []
        for c in range(cfg.columns):
            m.submodules[f"lane_{c}"] = lane = unit(platform, CellLane(cfg), name="duet_cell_lane")
            m.d.comb += [lane.op.eq(self.job.op), lane.value.eq(values[c]), lane.does.eq(does)]
            lanes.append(lane)

        # Bit k: the last operand was in the lanes k + 1 cycles ago, and came k + 2 cycles ago. RESET and GRU end while
        # there are still bits, which mean nothing to them: but they would to an LSTM that follows at once.
        done = Signal(HIDDEN_LATENCY - 1)
        m.d.sync += done.eq(Mux(end, 0, Cat(does.last, done)))
        m.d.comb += [
            results.i.valid.eq(is_lstm & done[RESULT_LATENCY - 2]),
            hiddens.i.valid.eq(Mux(is_lstm, done[HIDDEN_LATENCY - 2], done[RESULT_LATENCY - 2])),
        ]
        for c, lane in enumerate(lanes):
            m.d.comb += [results.i.p[c].eq(lane.result), hiddens.i.p[c].eq(Mux(is_lstm, lane.hidden, lane.result))]
        m.d.sync += Assert((~results.i.valid | results.i.ready) & (~hiddens.i.valid | hiddens.i.ready),
                           "there must be room for every result")
        return results.o, hiddens.o

    def _writes(self, m, send, results, hiddens, has_result, last):
        """Results of the pixels, in their order, for the elements that there are; returns whether it is the end."""
        cfg = self._cfg
        left = Signal(ADDR_BITS, name="w_left")
        part = Signal(name="w_part")
        pixel = Signal(cfg.pixel_bits, name="w_pixel")
        word = Signal(ADDR_BITS, name="w_word")
        addr, ends = self._address(m, "write", WRITES, part, word)
        from_results = Signal()
        m.d.comb += [
            last.eq(ends), from_results.eq((self.job.op == Cell.LSTM) & ~part),
            has_result.eq(Mux(from_results, results.valid, hiddens.valid)),
            results.ready.eq(send & from_results), hiddens.ready.eq(send & ~from_results),
        ]
        final = Signal()
        write_addr = Signal(ADDR_BITS)
        lane = Signal(cfg.columns)
        at = Signal(cfg.pixels)
        held = Signal(data.ArrayLayout(VALUE_BITS, cfg.columns))
        few = Signal()
        m.d.comb += few.eq(left <= cfg.columns)
        with m.If(send):
            m.d.sync += [
                write_addr.eq(addr), final.eq(ends & few), at.eq(1 << pixel), part.eq(~ends),
                lane.eq(Cat(left > c for c in range(cfg.columns))),
                held.eq(Mux(from_results, results.payload.as_value(), hiddens.payload.as_value())),
            ]
            with m.If(ends):
                m.d.sync += [left.eq(Mux(few, 0, left - cfg.columns)), pixel.eq(pixel + 1), word.eq(word + pixel.all())]
        with m.If(self.start):
            m.d.sync += [left.eq(self.job.length), pixel.eq(0), word.eq(0)]

        write = self.write.p
        m.d.comb += write.addr.eq(write_addr)
        for c in range(cfg.columns):
            first = c * cfg.pixels
            m.d.comb += [write.mask[first:first + cfg.pixels].eq(Mux(lane[c], at, 0)),
                         *(write.data[first + p].eq(held[c]) for p in range(cfg.pixels))]
        return final
