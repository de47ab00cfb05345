"""The screener: weight buffer, lanes, threshold filter and index buffer."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import burst_layout, candidate_layout, check_cfg, screen_layout
from .screen_control import QUARTERS, ScreenControl
from .screen_filter import ScreenFilter
from .screen_lane import ScreenLane

__all__ = ["Screener"]


class Screener(wiring.Component):
    """Approximate scores of all classes in INT4, a tile after another, and the candidates among them [Thesis 6.4.2].

    Latency and throughput: those of its parts; a burst of weights takes ``batch`` cycles, and filtering goes on beside
    the next tile.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of screen_layout())
    load_valid, load : In
        Bursts that were asked for, in order; there is always room, because the DRAM controller keeps count.
    freed : Out(1)
        A burst has left the weight buffer.
    o : Out(stream of candidate_layout(cfg))
        Index buffer.
    store : Out(stream of burst_layout(cfg))
        Partial sums to write.
    batch, screen_bursts, classes, threshold : In
        Registers, see ``golden.enmc.registers``.
    new_batch : In(1)
        A batch begins.
    filtered : Out(1)
        A FILTER is finished.
    working : Out(1)
        The MACs work.
    busy : Out(1)
        A command, a product, a candidate or a partial sum is on its way.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(screen_layout())),
            "load_valid": In(1), "load": In(burst_layout(cfg)), "freed": Out(1),
            "o": Out(stream.Signature(candidate_layout(cfg))), "store": Out(stream.Signature(burst_layout(cfg))),
            "batch": In(4), "screen_bursts": In(16), "classes": In(24), "threshold": In(signed(32)), "new_batch": In(1),
            "filtered": Out(1), "working": Out(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.weights = weights = unit(platform, Fifo(burst_layout(cfg), cfg.weights), name="enmc_weight_buffer")
        m.submodules.control = control = unit(platform, ScreenControl(cfg), name="enmc_screen_control")
        m.submodules.filter = filter_ = unit(platform, ScreenFilter(cfg), name="enmc_screen_filter")
        m.submodules.indices = indices = unit(platform, Fifo(candidate_layout(cfg), cfg.indices),
                                              name="enmc_index_buffer")
        connect(m, flipped(self.i), control.i)
        connect(m, weights.o, control.front)
        connect(m, control.store, flipped(self.store))
        connect(m, filter_.o, indices.i)
        connect(m, indices.o, flipped(self.o))
        m.d.comb += [
            weights.i.valid.eq(self.load_valid), weights.i.payload.eq(self.load),
            self.freed.eq(weights.o.valid & weights.o.ready),
            control.batch.eq(self.batch), control.screen_bursts.eq(self.screen_bursts),
            control.new_batch.eq(self.new_batch),
            control.filter_busy.eq(filter_.busy), filter_.start.eq(control.filter_start),
            filter_.set.eq(control.filter_set), filter_.base.eq(control.filter_base),
            filter_.classes.eq(self.classes), filter_.batch.eq(self.batch),
            self.filtered.eq(filter_.done), self.working.eq(control.add),
            self.busy.eq(control.busy | control.filter_start | filter_.busy | weights.o.valid | indices.o.valid),
        ]
        for k in range(cfg.classes):
            m.submodules[f"lane_{k}"] = lane = unit(platform, ScreenLane(cfg), name="enmc_screen_lane")
            m.d.comb += [
                lane.weights.eq(control.weights.word_select(k, len(lane.weights))), lane.features.eq(control.features),
                lane.add.eq(control.add), lane.clear.eq(control.clear), lane.at.eq(control.at),
                lane.set_bias.eq(control.set_bias[k * QUARTERS // cfg.classes]),
                lane.bias.eq(control.weights.word_select(k % cfg.burst_words, len(lane.bias))),
                lane.view.eq(Mux(filter_.busy, filter_.view, control.view)), lane.threshold.eq(self.threshold),
                filter_.scores[k].eq(lane.score), filter_.above[k].eq(lane.above), control.scores[k].eq(lane.score),
            ]
        m.d.sync += Assert(~self.load_valid | weights.i.ready, Format("a burst must find room in the weight buffer"))
        return m
