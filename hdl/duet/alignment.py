"""Projection buffer, adder trees, sums over the windows of a vector, INT4 again."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, TERNARY_BITS, TREE_BITS
from hdl.common.emit import unit
from hdl.common.fixed import saturate, shift_and_half
from hdl.common.sram import Sram1r1w

from .adder_tree import AdderTree, tree_stages
from .layouts import check_cfg, reduced_layout, tag_layout, ternary_layout

__all__ = ["Alignment"]


class Alignment(wiring.Component):
    """Dimension reduction: the ternary projection of the inputs, window by window [Thesis 5.1.1 step 2, table 5.1].

    ``clip(round(sum / 2**shift))`` of each tree's sum over the windows of a vector; halves are rounded up. The sum
    wraps at 24 bits, which takes at least ``2**20 / cfg.values`` windows of the largest values.

    Latency: ``latency`` cycles from a vector's last window, 8 for 256 values: projection buffer, tree, sum, shift,
    rounding. Throughput: a window a cycle, ``trees * values`` = 4,096 inputs; it never stalls.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    shift : In(5)
        While windows are inside it does not change.
    i_valid, window, tag : In
        INT4 values, [cfg.values]; what belongs to them.
    o_valid, o : Out
        ``reduced_layout(cfg)``: a vector.
    write : In(stream of ternary_layout(cfg), always ready)
        A word of the projection buffer, from the host: not while it is read.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "shift": In(5),
            "i_valid": In(1), "window": In(data.ArrayLayout(signed(LOW_BITS), cfg.values)), "tag": In(tag_layout(cfg)),
            "o_valid": Out(1), "o": Out(reduced_layout(cfg)),
            "write": In(stream.Signature(ternary_layout(cfg), always_ready=True)),
        })

    @property
    def latency(self):
        """Cycles from the last window of a vector to the vector."""
        return tree_stages(self._cfg) + 4

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.projection = projection = Sram1r1w(cfg.projection_words, TERNARY_BITS * cfg.values * cfg.trees)
        m.d.comb += [
            projection.w_en.eq(self.write.valid), projection.w_addr.eq(self.write.p.addr),
            projection.w_data.eq(self.write.p.data),
            projection.r_en.eq(self.i_valid), projection.r_addr.eq(self.tag.address),
        ]
        # Cycle 1: the word of the projection is there.
        window_s1 = Signal.like(self.window, reset_less=True)
        with m.If(self.i_valid):
            m.d.sync += window_s1.eq(self.window)
        rows = data.View(data.ArrayLayout(TERNARY_BITS * cfg.values, cfg.trees), projection.r_data)

        # What belongs to the window, beside the trees; then beside sum, shifted sum and result.
        valid, tag, latency = self.i_valid, self.tag, self.latency
        stages = []
        for stage in range(1, latency + 1):
            valid_next = Signal(name=f"valid_s{stage}")
            tag_next = Signal(tag_layout(cfg), name=f"tag_s{stage}", reset_less=True)
            m.d.sync += [valid_next.eq(valid & tag.last if stage == latency - 2 else valid), tag_next.eq(tag)]
            valid, tag = valid_next, tag_next
            stages.append((valid, tag))
        valid_sum, tag_sum = stages[latency - 4]        # the stage with the sums of the trees
        m.d.comb += [self.o_valid.eq(valid), self.o.pixel.eq(tag.pixel), self.o.word.eq(tag.word),
                     self.o.last.eq(tag.end)]

        for k in range(cfg.trees):
            m.submodules[f"tree_{k}"] = tree = unit(platform, AdderTree(cfg), name="duet_adder_tree")
            m.d.comb += [tree.values.eq(window_s1), tree.p.eq(rows[k])]
            total = Signal(signed(TREE_BITS), name=f"total_{k}", reset_less=True)
            with m.If(valid_sum):
                m.d.sync += total.eq(Mux(tag_sum.first, 0, total) + tree.sum)
            m.d.comb += self.o.values[k].eq(self._finish(m, k, total))
        return m

    def _finish(self, m, k, total):
        """Two stages: shift, then round and clip. Bits beyond one more than the result's are clipped before."""
        shifted = Signal(signed(TREE_BITS), name=f"shifted_{k}", reset_less=True)
        half = Signal(name=f"half_{k}", reset_less=True)
        near = Signal(signed(LOW_BITS + 1), name=f"near_{k}")
        rounded = Signal(signed(LOW_BITS + 2), name=f"rounded_{k}")
        result = Signal(signed(LOW_BITS), name=f"result_{k}", reset_less=True)
        m.d.sync += [Cat(shifted, half).eq(Cat(*shift_and_half(total, self.shift))),
                     result.eq(saturate(rounded, LOW_BITS)[0])]
        m.d.comb += [near.eq(saturate(shifted, LOW_BITS + 1)[0]), rounded.eq(near + half)]
        return result
