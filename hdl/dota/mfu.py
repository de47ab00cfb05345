"""Multi-function unit: softmax of the scores of a group."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import unit
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, score_layout, weight_layout
from .mfu_normalise import Normalise
from .mfu_receive import Receive, slot_words, word_layout
from .mfu_send import Send

__all__ = ["Mfu"]


class Mfu(wiring.Component):
    """Softmax of groups of four queries [Thesis 7.6.1, Fig. 7.12, table C.1, "16 Exp, 16 Div, 16*16 Adder Tree"].

    Two slots, each with a memory of ``queue / 4`` words of 4 rounds: a group is received while another is normalised
    or sent. Formula and error stand in ``golden.dota.mfu``.

    Latency, for a group of n words: 32 + 2 n cycles from its last round to its first weights, if nothing is ahead.
    Throughput: a round a cycle in and out, with a cycle between groups at ``o``; normalising takes 26 + 2 n cycles a
    group.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i : In(stream of score_layout(cfg))
        At most ``cfg.queue`` rounds a group. ``ready`` falls only behind the last round of a group.
    score_shift : In(6)
        Right shift of a dot product to a score of 16 bits, rounded and clipped; for the round of this cycle.
    scale, scale_shift : In(16), In(5)
        Factor of a difference of scores and right shift behind it, to an exponent of 2 in units of 1/1024; stable while
        ``busy``.
    passes : In(range(17))
        1..16: how many times the weights of a group are sent; stable while ``busy``.
    o : Out(stream of weight_layout(cfg))
        ``last`` is set at the end of each pass.
    busy : Out(1)
        Something is inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(score_layout(cfg))),
            "score_shift": In(6), "scale": In(16), "scale_shift": In(5), "passes": In(range(17)),
            "o": Out(stream.Signature(weight_layout(cfg))),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.receive = receive = unit(platform, Receive(cfg), name="dota_mfu_receive")
        m.submodules.normalise = normalise = unit(platform, Normalise(cfg), name="dota_mfu_normalise")
        m.submodules.send = send = unit(platform, Send(cfg), name="dota_mfu_send")
        connect(m, flipped(self.i), receive.i)
        connect(m, send.o, flipped(self.o))
        m.d.comb += [
            receive.score_shift.eq(self.score_shift), normalise.scale.eq(self.scale),
            normalise.scale_shift.eq(self.scale_shift), send.passes.eq(self.passes),
            normalise.start.eq(receive.stored), send.start.eq(normalise.finished), receive.free.eq(send.finished),
            normalise.groups.eq(receive.groups), send.groups.eq(receive.groups),
            self.busy.eq(receive.busy | send.o.valid),
        ]
        slots = []
        for k in range(2):
            m.submodules[f"slot_{k}"] = slot = Sram1r1w(slot_words(cfg), word_layout().size)
            slots.append(slot)
            m.d.comb += [
                slot.w_en.eq(receive.w_en[k] | normalise.w_en[k]),
                slot.w_addr.eq(Mux(receive.w_en[k], receive.w_addr, normalise.w_addr)),
                slot.w_data.eq(Mux(receive.w_en[k], receive.w_data, normalise.w_data)),
                slot.r_en.eq(normalise.r_en[k] | send.r_en[k]),
                slot.r_addr.eq(Mux(normalise.r_en[k], normalise.r_addr, send.r_addr)),
            ]
            users = receive.w_en[k] + (normalise.r_en[k] | normalise.w_en[k]) + send.r_en[k]
            m.d.sync += Assert(users <= 1, Format("a slot must be used by one part at a time, not by {}", users))
        m.d.comb += [
            normalise.r_data.eq(Mux(normalise.slot, slots[1].r_data, slots[0].r_data)),
            send.r_data.eq(Mux(send.slot, slots[1].r_data, slots[0].r_data)),
        ]
        return m
