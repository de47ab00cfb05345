"""QDR output buffer of the Speculator: sums over the words of a reduced input, in the order of switching maps."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SPECULATE_FIELDS, SUM_BITS
from hdl.common.primitives import or_tree
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, product_layout
from .systolic_row import sums_of_columns

__all__ = ["LowOutput", "low_sums_layout"]


def low_sums_layout(cfg) -> data.StructLayout:
    """y' of ``columns`` outputs of a pixel, ``first`` and on; the last pixel of these outputs, the last of the tile."""
    return data.StructLayout({"pixel": range(cfg.pixels), "first": SPECULATE_FIELDS["channels"], "part_end": 1,
                              "last": 1, "sums": data.ArrayLayout(signed(SUM_BITS), cfg.columns)})


class LowOutput(wiring.Component):
    """Adds up the products of a pixel, from the bias on, and sends its sums in parts [Thesis 5.1.1, step 3].

    The products of a pixel come one after the other, so a sum grows in a register and goes to the buffer once: a ring
    of ``2 * pixels`` rows of ``systolic_columns`` sums (table 5.1: 4 KB). Of a group of outputs, all pixels of the
    first ``columns`` outputs leave, then of the next ones; parts beyond ``channels`` are left out. A pixel's first part
    may leave while the next pixels are added up. Sums wrap at 32 bits.

    Latency: 5 cycles from the last product of a pixel to its first part. Throughput: a vector of products a cycle, a
    part a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    channels, low_bias_base : In
        Of the job: outputs, more than ``(tiles_n - 1) * systolic_columns`` and at most ``tiles_n * systolic_columns``;
        word of the biases of the first group. They stay from the first product to the last part.
    i_valid, i_sums, i_tag : In
        Products, as the systolic array sends them. They are taken at once: the sender keeps count of free rows.
    freed : Out(1)
        A row has become free.
    o : Out(stream of low_sums_layout(cfg))
    write_en, write_addr, write_data : In
        Word of ``systolic_columns`` biases to write, the first lowest; not while its products come.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "channels": In(SPECULATE_FIELDS["channels"]), "low_bias_base": In(SPECULATE_FIELDS["low_bias_base"]),
            "i_valid": In(1), "i_sums": In(sums_of_columns(cfg)), "i_tag": In(product_layout(cfg)),
            "freed": Out(1),
            "o": Out(stream.Signature(low_sums_layout(cfg))),
            "write_en": In(1), "write_addr": In(range(cfg.low_bias_words)),
            "write_data": In(SUM_BITS * cfg.systolic_columns),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rows = 2 * cfg.pixels
        m.submodules.buffer = buffer = Sram1r1w(rows, SUM_BITS * cfg.systolic_columns)
        m.submodules.pixels = table = memory.Memory(shape=1 + cfg.pixel_bits, depth=rows, init=[])
        put = Signal(range(2 * rows))   # rows that were written: place in the ring, and one bit more
        row = table.write_port()
        valid, tag, sums = self._add(m)
        m.d.comb += [
            buffer.w_en.eq(valid), buffer.w_addr.eq(put[:-1]), buffer.w_data.eq(sums),
            row.en.eq(valid), row.addr.eq(put[:-1]), row.data.eq(Cat(tag.end, tag.pixel)),
        ]
        m.d.sync += put.eq(put + valid)
        self._read(m, buffer, table.read_port(domain="comb"), put)
        return m

    def _add(self, m):
        """Sums that are complete: (valid, tag, sums), registers."""
        cfg = self._cfg
        m.submodules.bias = bias = Sram1r1w(cfg.low_bias_words, SUM_BITS * cfg.systolic_columns)
        biases = data.View(data.ArrayLayout(signed(SUM_BITS), cfg.systolic_columns), bias.r_data)
        # Cycle 0: the bias is read. Cycle 1: the sum.
        n = Signal(SPECULATE_FIELDS["tiles_n"])
        valid_s1 = Signal()
        tag_s1 = Signal(product_layout(cfg))
        sums_s1 = Signal(sums_of_columns(cfg))
        valid_s2 = Signal()
        tag_s2 = Signal(product_layout(cfg))
        sums_s2 = Signal(data.ArrayLayout(signed(SUM_BITS), cfg.systolic_columns))
        m.d.comb += [
            bias.w_en.eq(self.write_en), bias.w_addr.eq(self.write_addr), bias.w_data.eq(self.write_data),
            bias.r_en.eq(self.i_valid & self.i_tag.first), bias.r_addr.eq(self.low_bias_base + n),
        ]
        with m.If(self.i_valid & self.i_tag.last & self.i_tag.end):
            m.d.sync += n.eq(Mux(self.i_tag.final, 0, n + 1))
        m.d.sync += [valid_s1.eq(self.i_valid), tag_s1.eq(self.i_tag), sums_s1.eq(self.i_sums),
                     valid_s2.eq(valid_s1 & tag_s1.last), tag_s2.eq(tag_s1)]
        with m.If(valid_s1):
            for column in range(cfg.systolic_columns):
                m.d.sync += sums_s2[column].eq(Mux(tag_s1.first, biases[column], sums_s2[column]) + sums_s1[column])
        return valid_s2, tag_s2, sums_s2

    def _read(self, m, buffer, row, put):
        """Send the rows in parts."""
        cfg = self._cfg
        parts = cfg.systolic_columns // cfg.columns
        at = Signal.like(put)       # row that is read next
        base = Signal.like(put)     # first row of its group
        part = Signal(range(parts))
        first = Signal(SPECULATE_FIELDS["channels"])
        next_first = Signal(len(first) + 1)
        end = Signal()
        ends = Signal()
        last_part = Signal()
        move = Signal()
        read = Signal()
        m.d.comb += [
            move.eq(~self.o.valid | self.o.ready), read.eq(move & (at != put)),
            row.addr.eq(at[:-1]), end.eq(row.data[0]),
            next_first.eq(first + cfg.columns), ends.eq(next_first >= self.channels),
            last_part.eq(ends | (part == parts - 1)),
            buffer.r_en.eq(read), buffer.r_addr.eq(at[:-1]),
        ]
        m.d.sync += self.freed.eq(read & last_part)
        with m.If(read):
            m.d.sync += at.eq(Mux(end & ~last_part, base, at + 1))
            with m.If(end):
                m.d.sync += [first.eq(Mux(ends, 0, next_first)), part.eq(Mux(last_part, 0, part + 1))]
                with m.If(last_part):
                    m.d.sync += base.eq(at + 1)

        # Behind the buffer: the part is chosen.
        valid_d1 = Signal()
        part_d1 = Signal(parts)     # one bit each
        piece_d1 = Signal(data.StructLayout({"pixel": range(cfg.pixels), "first": first.shape(), "part_end": 1,
                                             "last": 1}))
        words = [buffer.r_data.word_select(number, SUM_BITS * cfg.columns) for number in range(parts)]
        with m.If(move):
            m.d.sync += [
                valid_d1.eq(read), part_d1.eq(1 << part), piece_d1.pixel.eq(row.data[1:]), piece_d1.first.eq(first),
                piece_d1.part_end.eq(end), piece_d1.last.eq(end & ends),
                self.o.valid.eq(valid_d1),
                self.o.p.pixel.eq(piece_d1.pixel), self.o.p.first.eq(piece_d1.first),
                self.o.p.part_end.eq(piece_d1.part_end), self.o.p.last.eq(piece_d1.last),
                self.o.p.sums.eq(or_tree([Mux(part_d1[number], word, 0) for number, word in enumerate(words)])),
            ]
