"""Activation buffer of the Speculator: any window of pixels is read in one cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, tag_layout, window_layout

__all__ = ["ActivationBuffer"]

#: Largest ``span``.
MOST_SPAN = 3


class ActivationBuffer(wiring.Component):
    """Quantised inputs of a tile [Thesis 5.1.1, Fig. 5.2]: 8 KB in a bank for each pixel of a block.

    A window of ``side`` x ``side`` pixels has one pixel of each bank, wherever it lies: all are read at once, and
    rotated into their places. Entry of a bank: ``(word * 2**span + block_y % 2**span) * 2**span + block_x % 2**span``,
    of a vector ``word``. What lies outside of the map is 0.

    Latency: ``LATENCY`` = 2 cycles from a read to its window; a word may be read in the cycle after its write.
    Throughput: a window, ``cfg.values`` values, and a write a cycle, not of the same entry.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    vector : In(1)
        Words are those of a vector. This and the next three do not change while windows are read.
    span : In(2)
        ``2**span`` blocks each way.
    in_height, in_width : In(12)
        Of the map.
    w_en : In(1)
        Write: word ``w_word`` of a block at ``w_y``, ``w_x``, the pixels of ``w_mask``, ``w_values`` [cfg.values].
    r_en, read : In
        ``window_layout(cfg)``.
    o_valid, o, tag : Out
        The window, [cfg.values] INT4, and the read's ``tag``.
    """

    LATENCY = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        values = data.ArrayLayout(signed(LOW_BITS), cfg.values)
        super().__init__({
            "vector": In(1), "span": In(2), "in_height": In(12), "in_width": In(12),
            "w_en": In(1), "w_y": In(MOST_SPAN), "w_x": In(MOST_SPAN), "w_word": In(range(cfg.activation_words)),
            "w_mask": In(cfg.pixels), "w_values": In(values),
            "r_en": In(1), "read": In(window_layout(cfg)),
            "o_valid": Out(1), "o": Out(values), "tag": Out(tag_layout(cfg)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        side, bits = cfg.side, cfg.side.bit_length() - 1
        m = Module()
        w_entry = self._entry(m, "w_entry", self.w_word, self.w_y, self.w_x)

        # Cycle 0: a bank in front of the window's first row or column has its pixel in the next block.
        places = {}
        for axis, first in ("y", self.read.y), ("x", self.read.x):
            for k in range(side):
                block = Signal(MOST_SPAN, name=f"{axis}_{k}")
                m.d.comb += block.eq(first[bits:bits + MOST_SPAN] + (k < first[:bits]))
                places[axis, k] = block
        banks = []
        for i in range(side):
            for j in range(side):
                bank = self._bank(m, i * side + j, w_entry,
                                  self._entry(m, f"r_entry_{i}_{j}", self.read.word, places["y", i], places["x", j]))
                banks.append(bank)
        inside = self._inside(m, "y", self.read.y, self.in_height), self._inside(m, "x", self.read.x, self.in_width)
        valid_s1 = Signal()
        y_s1 = Signal(bits)
        x_s1 = Signal(bits)
        tag_s1 = Signal.like(self.tag, reset_less=True)
        m.d.sync += [valid_s1.eq(self.r_en), y_s1.eq(Mux(self.vector, 0, self.read.y)),
                     x_s1.eq(Mux(self.vector, 0, self.read.x)), tag_s1.eq(self.read.tag),
                     self.o_valid.eq(valid_s1), self.tag.eq(tag_s1)]

        # Cycle 1: a row is rotated as a whole, then each pixel of it.
        width = LOW_BITS * cfg.columns
        rows = self._rotated(m, "row", [Cat(banks[i * side:(i + 1) * side]) for i in range(side)], y_s1)
        pixels = []
        for i, row in enumerate(rows):
            turned = self._rotated(m, f"pixel_{i}", [row.word_select(j, width) for j in range(side)], x_s1)
            for j, item in enumerate(turned):
                kept = Signal(name=f"kept_{i}_{j}")
                pixel = Signal(width, name=f"pixel_{i}_{j}")
                m.d.comb += [kept.eq(inside[0][i] & inside[1][j]), pixel.eq(item & kept.replicate(width))]
                pixels.append(pixel)
        m.d.sync += self.o.eq(Cat(pixel.word_select(column, LOW_BITS)
                                  for column in range(cfg.columns) for pixel in pixels))
        return m

    def _entry(self, m, name, word, y, x):
        """Where a word of a block lies."""
        place = Signal(range(self._cfg.activation_words), name=name)
        with m.If(self.vector):
            m.d.comb += place.eq(word)
        with m.Else(), m.Switch(self.span):
            for span in range(MOST_SPAN + 1):
                with m.Case(span):
                    m.d.comb += place.eq(Cat(x[:span], y[:span], word))
        return place

    def _bank(self, m, pixel, w_entry, r_entry):
        """Memory of a pixel: a value of each column."""
        cfg = self._cfg
        m.submodules[f"bank_{pixel}"] = bank = Sram1r1w(cfg.activation_words, LOW_BITS * cfg.columns)
        m.d.comb += [
            bank.w_en.eq(self.w_en & self.w_mask[pixel]), bank.w_addr.eq(w_entry),
            bank.w_data.eq(Cat(self.w_values[column * cfg.pixels + pixel] for column in range(cfg.columns))),
            bank.r_en.eq(self.r_en), bank.r_addr.eq(r_entry),
        ]
        return bank.r_data

    def _inside(self, m, axis, first, size):
        """Which rows, or columns, of the window are in the map; a cycle later."""
        flags = []
        for k in range(self._cfg.side):
            place = Signal(signed(17), name=f"{axis}_place_{k}")
            flag = Signal(name=f"{axis}_inside_{k}")
            m.d.comb += place.eq(first + k)
            m.d.sync += flag.eq(self.vector | ((place >= 0) & (place < size)))
            flags.append(flag)
        return flags

    def _rotated(self, m, name, items, places):
        """``items[(k + places) % n]`` as item ``k``."""
        for level in range(len(places)):
            step, turned = 1 << level, []
            for k in range(len(items)):
                item = Signal(len(items[0]), name=f"{name}_{k}_turned_{step}")
                m.d.comb += item.eq(Mux(places[level], items[(k + step) % len(items)], items[k]))
                turned.append(item)
            items = turned
        return items
