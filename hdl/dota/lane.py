"""Lane: memory, array, detector and scheduler, multi-function unit and the two sequencers, wired."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from golden.dota.formats import (
    DOT_LATENCY,
    EVENT_FIELDS,
    FX_BITS,
    INPUTS,
    LOW_SUM_BITS,
    OUTPUTS,
    PE_LATENCY,
    QUERIES,
    ROW_LATENCY,
    SUM_BITS,
    TRACE_LANE,
    TRACE_LANE_BITS,
    UNIT_BITS,
    Precision,
    Step,
)
from hdl.common.emit import unit

from .accumulator import partial_layout
from .detector import Detector
from .estimate import Estimate
from .exact import Exact, Kind
from .fetch import Fetch
from .layouts import check_cfg, step_layout
from .mfu import Mfu
from .operands import Operands
from .quantize import Quantize
from .rmmu import Rmmu
from .round_queue import RoundQueue
from .scheduler import Scheduler
from .sram import LaneSram

__all__ = ["Lane", "access_layout"]


def access_layout(cfg) -> data.StructLayout:
    """A word on its way to or from the SRAM of a lane.

    .. code-block::

        MSB                               LSB
        +-------------------+-------+-------+
        | addr address_bits | write | valid |
        +-------------------+-------+-------+
    """
    return data.StructLayout({"valid": 1, "write": 1, "addr": cfg.address_bits})


class Lane(wiring.Component):
    """Lane [Thesis Fig. 7.12]: SRAM, RMMU, detector, scheduler, multi-function unit.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(1)
        ``step`` begins; only while ``busy`` is low.
    step : In(step_layout())
    busy : Out(1)
    access : In(access_layout(cfg))
        The host writes ``wdata`` or reads; only while ``busy`` is low.
    wdata : In(word_bits)
    rdata : Out(word_bits)
        Follows a read by 4 cycles.
    o : Out(stream of partial_layout(cfg))
        Partial sums for the accumulator.
    events : Out
        What happened, see EVENT_FIELDS; registers.
    probe : Out(TRACE_LANE_BITS)
        See TRACE_LANE.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "step": In(step_layout()), "busy": Out(1),
            "access": In(access_layout(cfg)), "wdata": In(cfg.word_bits), "rdata": Out(cfg.word_bits),
            "o": Out(stream.Signature(partial_layout(cfg))),
            "events": Out(data.StructLayout(EVENT_FIELDS)),
            "probe": Out(TRACE_LANE_BITS),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.sram = sram = unit(platform, LaneSram(cfg), name="dota_sram")
        m.submodules.exact = exact = unit(platform, Exact(cfg), name="dota_exact")
        m.submodules.fetch = fetch = unit(platform, Fetch(cfg), name="dota_fetch")
        m.submodules.estimate = estimate = unit(platform, Estimate(cfg), name="dota_estimate")
        m.submodules.operands = operands = unit(platform, Operands(cfg), name="dota_operands")
        m.submodules.rmmu = rmmu = unit(platform, Rmmu(cfg), name="dota_rmmu")
        m.submodules.detector = detector = unit(platform, Detector(cfg), name="dota_detector")
        m.submodules.scheduler = scheduler = unit(platform, Scheduler(cfg), name="dota_scheduler")
        m.submodules.queue = queue = unit(platform, RoundQueue(cfg), name="dota_round_queue")
        m.submodules.mfu = mfu = unit(platform, Mfu(cfg), name="dota_mfu")
        m.submodules.results = results = unit(platform, Quantize(cfg.vector, SUM_BITS, FX_BITS), name="dota_results")
        m.submodules.estimates = estimates = unit(
            platform, Quantize(cfg.block * QUERIES, LOW_SUM_BITS, cfg.estimate_bits), name="dota_estimates")

        # Sequencers.
        step = Signal(step_layout())
        started = Signal()
        m.d.sync += started.eq(self.start)
        with m.If(self.start):
            m.d.sync += step.eq(self.step)
        m.d.comb += [
            exact.start.eq(started & (step.step != Step.LOW)), exact.step.eq(step),
            estimate.start.eq(started & (step.step != Step.LINEAR)), estimate.step.eq(step),
            self.busy.eq(started | exact.busy | estimate.busy),
        ]
        connect(m, exact.port, sram.exact)
        connect(m, estimate.port, sram.estimate)
        m.d.sync += [
            sram.host.en.eq(self.access.valid), sram.host.write.eq(self.access.write),
            sram.host.addr.eq(self.access.addr), sram.host.wdata.eq(self.wdata), self.rdata.eq(sram.host.rdata),
        ]

        # Exact work: requests, vectors, array.
        connect(m, exact.o, fetch.i)
        m.d.comb += [
            fetch.values.eq(exact.kind == Kind.SUM), fetch.both.eq(exact.kind == Kind.DENSE),
            sram.gather_en.eq(fetch.gather_en), sram.gather_row.eq(fetch.gather_row),
            operands.load.eq(exact.load), operands.load_token.eq(exact.load_token),
            operands.load_chunk.eq(exact.load_chunk), operands.load_word.eq(sram.exact.rdata),
            operands.chunk_en.eq(fetch.chunk_en), operands.chunk.eq(fetch.chunk),
            operands.kind.eq(exact.kind), operands.wide.eq(step.wide), operands.operand.eq(fetch.operand),
            operands.gather_data.eq(sram.gather_data),
            exact.fired.eq(fetch.operand.fire & fetch.operand.last),
        ]
        # Low-precision work.
        m.d.comb += [
            operands.arrival.eq(estimate.arrival), operands.precision.eq(estimate.precision),
            operands.low_word.eq(sram.estimate.rdata),
            rmmu.control.eq(operands.control), rmmu.operands.eq(operands.operands), rmmu.take.eq(operands.take),
            rmmu.load.eq(operands.load_bits), rmmu.select.eq(exact.select),
        ]

        # Estimates to masks to rounds.
        m.d.comb += [
            estimates.i_valid.eq(estimate.quantize), estimates.shift.eq(step.estimate_shift), estimates.relu.eq(0),
            *(estimates.i[QUERIES * row + t].eq(rmmu.sums[cfg.block + row][LOW_SUM_BITS * t:LOW_SUM_BITS * (t + 1)])
              for row in range(cfg.block) for t in range(QUERIES)),
            estimate.sums_valid.eq(estimates.o_valid), estimate.sums.eq(estimates.o),
            estimate.detector_ready.eq(detector.i.ready),
            detector.i.valid.eq(estimate.o_valid), detector.i.p.last.eq(estimate.o_last),
            detector.i.p.scores.eq(estimates.o),
            detector.n_keys.eq(step.keys), detector.keep.eq(step.keep), detector.threshold.eq(step.threshold),
            detector.rows.eq(estimate.rows),
            queue.r_en.eq(exact.r_en), queue.r_slot.eq(exact.r_slot), queue.r_round.eq(exact.r_round),
            queue.release.eq(exact.release), exact.r_data.eq(queue.r_data), exact.complete.eq(queue.complete),
        ]
        connect(m, detector.o, scheduler.i)
        connect(m, scheduler.o, queue.i)

        # Scores to weights: what fires comes out as dot products later.
        flight = data.StructLayout({"valid": 1, "live": QUERIES, "last": 1})
        now = Signal(flight)
        m.d.comb += [now.valid.eq(fetch.operand.fire & fetch.operand.end), now.live.eq(fetch.operand.live),
                     now.last.eq(fetch.operand.last)]
        for stage in range(PE_LATENCY + ROW_LATENCY + DOT_LATENCY):
            later = Signal(flight, name=f"score_s{stage + 1}")
            m.d.sync += later.eq(now)
            now = later
        m.d.comb += [
            mfu.i.valid.eq(now.valid), mfu.i.p.live.eq(now.live), mfu.i.p.last.eq(now.last),
            *(mfu.i.p.dots[t].eq(rmmu.dots[t]) for t in range(QUERIES)),
            mfu.score_shift.eq(step.score_shift), mfu.scale.eq(step.scale), mfu.scale_shift.eq(step.scale_shift),
            mfu.passes.eq(step.chunks),
        ]
        m.d.sync += Assert(~mfu.i.valid | mfu.i.ready, Format("the multi-function unit must have room for a score"))
        connect(m, mfu.o, exact.i)

        # Partial sums to results or to the accumulator.
        m.d.comb += [
            results.i_valid.eq(exact.looks), results.shift.eq(step.shift), results.relu.eq(step.relu),
            *(results.i[e].eq(Mux(exact.look_upper, rmmu.elements[cfg.vector + e], rmmu.elements[e]))
              for e in range(cfg.vector)),
            exact.result.eq(results.o),
            self.o.valid.eq(exact.send_valid), exact.send_ready.eq(self.o.ready),
            self.o.p.values.eq(rmmu.elements), self.o.p.token.eq(exact.select),
            self.o.p.first.eq(step.first), self.o.p.emit.eq(step.emit), self.o.p.last.eq(exact.last_sent),
        ]
        self._count(m, step, exact, estimate, fetch, rmmu, detector, scheduler, mfu, results)
        self._trace(m, sram, exact, estimate, fetch, detector, scheduler)
        return m

    def _count(self, m, step, exact, estimate, fetch, rmmu, detector, scheduler, mfu, results):
        cfg, e = self._cfg, self.events
        low = Signal(EVENT_FIELDS["low_macs"])
        with m.Switch(estimate.precision):
            for precision in (Precision.INT8, Precision.INT4, Precision.INT2):
                with m.Case(precision):
                    m.d.comb += low.eq(cfg.pes // 2 * INPUTS[precision] * OUTPUTS[precision])
        m.d.sync += [
            e.macs.eq(rmmu.macs), e.low_macs.eq(Mux(estimate.arrival.fire, low, 0)),
            e.key_loads.eq(Mux(exact.kind == Kind.SCORE, fetch.loads, 0)),
            e.value_loads.eq(Mux(exact.kind == Kind.SUM, fetch.loads, 0)),
            e.rounds.eq(scheduler.o.valid & scheduler.o.ready), e.fires.eq(fetch.operand.fire),
            e.detects.eq(detector.busy), e.normalises.eq(mfu.busy), e.clipped.eq(results.saturated),
            e.attends.eq(self.busy & (step.step == Step.ATTEND)),
            e.multiplies.eq(self.busy & (step.step == Step.LINEAR)),
            e.transforms.eq(self.busy & (step.step == Step.LOW)),
        ]

    def _trace(self, m, sram, exact, estimate, fetch, detector, scheduler):
        cfg = self._cfg
        probe = Signal(data.StructLayout(TRACE_LANE))

        def fold(word):
            return [word.word_select(k, UNIT_BITS) for k in range(cfg.units_per_word)]

        m.d.comb += [
            probe.exact_write.eq(exact.port.en & exact.port.write), probe.exact_addr.eq(exact.port.addr),
            probe.estimate_write.eq(estimate.port.en & estimate.port.write), probe.estimate_addr.eq(estimate.port.addr),
            probe.exact_word.eq(_xor(fold(Value.cast(sram.exact.wdata)))),
            probe.estimate_word.eq(_xor(fold(Value.cast(estimate.port.wdata)))),
            probe.round.eq(scheduler.o.valid & scheduler.o.ready), probe.last.eq(scheduler.o.p.last),
            probe.live.eq(scheduler.o.p.live),
            *(getattr(probe, f"key_{t}").eq(scheduler.o.p.keys[t]) for t in range(QUERIES)),
            probe.fire.eq(fetch.operand.fire), probe.low_fire.eq(estimate.arrival.fire),
            probe.estimated.eq(estimate.o_valid), probe.mask.eq(detector.o.valid & detector.o.ready),
            probe.owners.eq(_xor([Value.cast(detector.o.p.owners).word_select(k, 16)
                                  for k in range(-(-cfg.block * QUERIES // 16))])),
            probe.exact_busy.eq(exact.busy), probe.estimate_busy.eq(estimate.busy), probe.send.eq(exact.send_valid),
            self.probe.eq(probe),
        ]


def _xor(words):
    folded = words[0]
    for word in words[1:]:
        folded = folded ^ word
    return folded
