"""Dequantises the approximations of a vector and finds their places in its words."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, LOW_BITS, SPECULATE_FIELDS, VALUE_BITS
from hdl.common.emit import unit

from .dequantizer import Dequantizer
from .layouts import check_cfg

__all__ = ["VectorWords", "vector_piece_layout"]


def vector_piece_layout(cfg) -> data.StructLayout:
    """Elements of pixel ``pixel`` of a word of a vector: those that exist in ``lanes``; the last ones of the vector."""
    return data.StructLayout({"word": ADDR_BITS, "pixel": range(cfg.pixels), "last": 1, "lanes": cfg.columns,
                              "sensitive": cfg.columns,
                              "values": data.ArrayLayout(signed(VALUE_BITS), cfg.columns)})


class VectorWords(wiring.Component):
    """Approximations of a gate, as elements of a vector [Thesis 5.1.1, step 4].

    Element e belongs to column ``e % columns`` and pixel ``e // columns % pixels`` of word ``e // (columns * pixels)``.

    Latency: ``LATENCY`` = 2 steps; a cycle with ``advance`` is a step, in others nothing moves. Throughput: ``columns``
    elements a step.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    advance : In(1)
    channels, is_signed, scale : In
        Of the job; they stay while anything is inside. ``is_signed``: codes of tanh.
    i_valid, first, last, sensitive, codes : In
        Approximations of the elements ``first`` and on; ``first`` is less than ``channels``.
    o_valid, o : Out
        ``vector_piece_layout(cfg)``.
    """

    LATENCY = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "advance": In(1), "channels": In(SPECULATE_FIELDS["channels"]), "is_signed": In(1),
            "scale": In(SPECULATE_FIELDS["scale"]),
            "i_valid": In(1), "first": In(SPECULATE_FIELDS["channels"]), "last": In(1), "sensitive": In(cfg.columns),
            "codes": In(data.ArrayLayout(LOW_BITS, cfg.columns)),
            "o_valid": Out(1), "o": Out(vector_piece_layout(cfg)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.dequantizer = values = unit(platform, Dequantizer(cfg), name="duet_dequantizer")
        number = self.first[(cfg.columns - 1).bit_length():]    # of the piece
        number_s2 = Signal.like(number, name="number_s2")
        rest_s2 = Signal.like(self.channels, name="rest_s2")
        last_s2 = Signal()
        sensitive_s2 = Signal(cfg.columns)
        m.d.comb += [
            values.advance.eq(self.advance), values.i_valid.eq(self.i_valid), values.i.eq(self.codes),
            values.is_signed.eq(self.is_signed), values.scale.eq(self.scale),
            self.o_valid.eq(values.o_valid), self.o.values.eq(values.o),
        ]
        with m.If(self.advance):
            m.d.sync += [
                number_s2.eq(number), rest_s2.eq(self.channels - self.first), last_s2.eq(self.last),
                sensitive_s2.eq(self.sensitive),
                self.o.pixel.eq(number_s2[:cfg.pixel_bits]), self.o.word.eq(number_s2[cfg.pixel_bits:]),
                self.o.lanes.eq(Cat(rest_s2 > column for column in range(cfg.columns))), self.o.last.eq(last_s2),
                self.o.sensitive.eq(sensitive_s2),
            ]
        return m
