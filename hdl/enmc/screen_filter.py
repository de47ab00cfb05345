"""Threshold filter: which classes of a tile are candidates."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import candidate_layout, check_cfg

__all__ = ["ScreenFilter"]


class ScreenFilter(wiring.Component):
    """Goes over the scores of a tile and sends those above the threshold [Thesis 6.4.2, "threshold filter"].

    Candidates come in the order of the inputs, and for each in the order of the classes.

    Latency: 3 cycles for each input, then one cycle for each candidate; the first is offered 6 cycles after ``start``.
    Throughput: one candidate a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    start : In(1)
        Filter the tile in ``set``; only while not ``busy``.
    set : In(1)
    base : In(24)
        First class of the tile.
    classes : In(24)
        Classes of the rank: lanes beyond are left out.
    batch : In(4)
        Inputs.
    view : Out
        What the lanes show: ``set * cfg.batch + input``.
    scores, above : In
        Of all lanes, 1 and 2 cycles after ``view``.
    o : Out(stream of candidate_layout(cfg))
    busy : Out(1)
    done : Out(1)
        For a cycle after the last: the partial sums of the set may change.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "set": In(1), "base": In(24), "classes": In(24), "batch": In(4),
            "view": Out(range(2 * cfg.batch)),
            "scores": In(data.ArrayLayout(signed(32), cfg.classes)), "above": In(cfg.classes),
            "o": Out(stream.Signature(candidate_layout(cfg))),
            "busy": Out(1), "done": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        lane_bits = (cfg.classes - 1).bit_length()
        wait = Signal(2)                    # cycles until ``above`` belongs to ``view``
        scan = Signal()                     # candidates of this input are sent
        b = Signal(4)
        base = Signal(24)
        inside = Signal(cfg.classes)        # lanes that have a class
        mask = Signal(cfg.classes)
        hit = Signal()
        hit_lane = Signal(lane_bits)

        lowest = Signal(cfg.classes)
        lane = Signal(lane_bits)
        move = Signal()                     # the output register is free or taken
        m.d.comb += [
            lowest.eq(mask & -mask),
            lane.eq(Cat((lowest & _with_bit(cfg.classes, bit)).any() for bit in range(lane_bits))),
            move.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(move):
            m.d.sync += [
                self.o.valid.eq(hit), self.o.p.batch.eq(b), self.o.p.label.eq(base + hit_lane),
                self.o.p.score.eq(self.scores[hit_lane]),
            ]
            m.d.sync += [hit.eq(scan & mask.any()), hit_lane.eq(lane)]
            with m.If(scan):
                m.d.sync += mask.eq(mask ^ lowest)

        m.d.sync += self.done.eq(0)
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), b.eq(0), self.view.eq(Mux(self.set, cfg.batch, 0)), wait.eq(3),
                         base.eq(self.base),
                         inside.eq(Cat(self.classes > self.base + k for k in range(cfg.classes)))]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(wait == 1):
            m.d.sync += [mask.eq(self.above & inside), scan.eq(1)]
        with m.If(scan & ~mask.any() & ~hit & move):
            m.d.sync += [scan.eq(0), b.eq(b + 1), self.view.eq(self.view + 1)]
            with m.If(b + 1 == self.batch):
                m.d.sync += [self.busy.eq(0), self.done.eq(1)]
            with m.Else():
                m.d.sync += wait.eq(3)
        return m


def _with_bit(lanes, bit):
    """Lanes whose number has this bit."""
    return sum(1 << lane for lane in range(lanes) if lane >> bit & 1)
