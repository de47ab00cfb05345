"""The approximate module behind the dimension reduction: reduced inputs become switching maps and INT4 codes."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, SUM_BITS, Function
from hdl.common.emit import unit

from .layouts import approximation_layout, check_cfg, reduced_layout, speculate_layout
from .low_input import LowInput
from .low_output import LowOutput
from .mfu import Mfu
from .switching_map import SwitchingMap
from .systolic import Systolic

__all__ = ["Approximator"]


class Approximator(wiring.Component):
    """Low-dimension, low-precision layer ``y' = W' x' + b'`` with its map and codes [Thesis 5.1.1, step 3; Fig. 5.2].

    QDR input buffer, systolic array, QDR output buffer, then the multi-function unit beside the generator of switching
    maps. Tiles may follow one another without end; the job's fields say what is done with them.

    Latency: ``LATENCY`` + trees = 13 + trees cycles from the last vector of a tile of one pixel and word to its first
    approximations. Throughput: a vector a cycle into the array, for convolutions and vectors alike, as long as
    ``reduced`` is at least ``systolic_columns / columns`` (below that, ``columns`` approximations a cycle leave), the
    next tile is there, and approximations are taken.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(speculate_layout())
        ``reduced, tiles_n, low_base, low_bias_base, channels, function, threshold, low_shift``; ``tiles_n`` is
        ``channels / systolic_columns``, rounded up. It stays from two cycles before the first vector to the last
        approximation.
    i : In(stream of reduced_layout(cfg))
        Tile after tile, see ``LowInput``.
    o : Out(stream of approximation_layout(cfg))
        For each group of ``systolic_columns`` outputs, each ``columns`` of them, all pixels; no output beyond
        ``channels``.
    weight_en, weight_addr, weight_data : In
        Tile of INT4 weights to write, see ``Systolic``.
    bias_en, bias_addr, bias_data : In
        Word of INT32 biases to write, see ``LowOutput``.
    """

    LATENCY = 13

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(speculate_layout()),
            "i": In(stream.Signature(reduced_layout(cfg))), "o": Out(stream.Signature(approximation_layout(cfg))),
            "weight_en": In(1), "weight_addr": In(range(cfg.low_tiles)),
            "weight_data": In(LOW_BITS * cfg.systolic_columns * cfg.trees),
            "bias_en": In(1), "bias_addr": In(range(cfg.low_bias_words)),
            "bias_data": In(SUM_BITS * cfg.systolic_columns),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.low_input = front = unit(platform, LowInput(cfg), name="duet_low_input")
        m.submodules.systolic = array = unit(platform, Systolic(cfg), name="duet_systolic")
        m.submodules.low_output = out = unit(platform, LowOutput(cfg), name="duet_low_output")
        m.submodules.mfu = mfu = unit(platform, Mfu(cfg), name="duet_mfu")
        m.submodules.switching_map = maps = unit(platform, SwitchingMap(cfg), name="duet_switching_map")
        wiring.connect(m, wiring.flipped(self.i), front.i)
        for sink, fields in ((front, ("reduced", "tiles_n", "low_base")), (out, ("channels", "low_bias_base")),
                             (mfu, ("low_shift",)), (maps, ("threshold", "channels"))):
            m.d.comb += [getattr(sink, field).eq(getattr(self.job, field)) for field in fields]
        m.d.comb += [
            mfu.activation.eq(self.job.function),
            maps.two_sided.eq((self.job.function == Function.SIGMOID) | (self.job.function == Function.TANH)),
            array.i_valid.eq(front.o_valid), array.i_values.eq(front.o_values), array.i_tile.eq(front.o_tile),
            array.i_tag.eq(front.o_tag),
            out.i_valid.eq(array.o_valid), out.i_sums.eq(array.o_sums), out.i_tag.eq(array.o_tag),
            front.freed.eq(out.freed),
            array.write_en.eq(self.weight_en), array.write_addr.eq(self.weight_addr),
            array.write_data.eq(self.weight_data),
            out.write_en.eq(self.bias_en), out.write_addr.eq(self.bias_addr), out.write_data.eq(self.bias_data),
        ]

        # Behind the output buffer everything moves a step, or waits together.
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), out.o.ready.eq(advance)]
        for part in mfu, maps:
            m.d.comb += [part.advance.eq(advance), part.i_valid.eq(out.o.valid), part.i.eq(out.o.p.sums)]
        m.d.comb += [maps.first.eq(out.o.p.first), self.o.valid.eq(mfu.o_valid), self.o.p.codes.eq(mfu.o),
                     self.o.p.sensitive.eq(maps.o)]
        for name in "pixel", "first", "part_end", "last":
            value = getattr(out.o.p, name)
            for step in range(Mfu.LATENCY):
                value, before = Signal.like(value, name=f"{name}_s{step + 1}"), value
                with m.If(advance):
                    m.d.sync += value.eq(before)
            m.d.comb += getattr(self.o.p, name).eq(value)
        return m
