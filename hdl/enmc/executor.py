"""The executor: weight buffer, FP32 MACs, special function unit and output buffer."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.enmc.formats import WORD_BITS
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .exact_control import NO_RESULT, ExactControl, tag_layout
from .exact_dot import ExactDot
from .exact_finish import ExactFinish
from .layouts import burst_layout, check_cfg, execute_layout
from .output_buffer import OutputBuffer
from .special import Special

__all__ = ["Executor"]


class Executor(wiring.Component):
    """Exact results of the candidates in FP32, a row of weights after another [Thesis 6.4.2].

    The order of all sums: see ``ExactDot`` and ``ExactFinish``. Nothing in it ever waits for the output buffer: who
    sends FINISH or PASS has reserved a place there, so at most ``cfg.results`` of them are on their way.

    Latency: ``28 + 4 * log2(cfg.burst_words)`` cycles, or up to two more, from ``freed`` of a row's last burst to
    ``finished``, without function; SIGMOID and SOFTMAX 114 more. Throughput: a burst of weights a cycle, also from one
    row to the next; rows of one or two bursts, and PASS, take three cycles. With a function, ``Special`` takes one
    result in 33 cycles; the others wait before it, and hold up nothing.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of execute_layout())
    load_valid, load : In
        Bursts that were asked for, in order; there is always room, because the DRAM controller keeps count.
    freed : Out(1)
        A burst has left the weight buffer.
    row_bursts : In(16)
        Bursts of a row; see ``golden.enmc.registers``.
    new_batch : In(1)
        A batch begins: no largest result, no sum; only while ``busy`` is 0.
    clear : In(1)
        The same, and all records are forgotten; only while ``busy`` is 0.
    take, record_burst, popped, ready, finished
        See ``OutputBuffer``.
    largest, sums : Out
        Of softmax; see ``Special``.
    working : Out(1)
        The multipliers work.
    busy : Out(1)
        Anything is inside before the output buffer.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        inputs = data.ArrayLayout(WORD_BITS, cfg.batch)
        super().__init__({
            "i": In(stream.Signature(execute_layout())),
            "load_valid": In(1), "load": In(burst_layout(cfg)), "freed": Out(1),
            "row_bursts": In(16), "new_batch": In(1), "clear": In(1),
            "take": In(1), "record_burst": Out(burst_layout(cfg)), "popped": Out(range(cfg.records + 1)),
            "ready": Out(16), "finished": Out(1),
            "largest": Out(inputs), "sums": Out(inputs), "working": Out(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.weights = weights = unit(platform, Fifo(burst_layout(cfg), cfg.weights), name="enmc_weight_buffer")
        m.submodules.control = control = unit(platform, ExactControl(cfg), name="enmc_exact_control")
        m.submodules.dot = dot = unit(platform, ExactDot(cfg), name="enmc_exact_dot")
        m.submodules.finish = finish = unit(platform, ExactFinish(cfg), name="enmc_exact_finish")
        m.submodules.tags = tags = unit(platform, Fifo(tag_layout(), cfg.results), name="enmc_tag_queue")
        m.submodules.results = results = unit(platform, Fifo(WORD_BITS, cfg.results), name="enmc_result_queue")
        m.submodules.special = special = unit(platform, Special(cfg), name="enmc_special")
        m.submodules.output = output = unit(platform, OutputBuffer(cfg), name="enmc_output_buffer")
        connect(m, flipped(self.i), control.i)
        connect(m, weights.o, control.front)
        m.d.comb += [
            weights.i.valid.eq(self.load_valid), weights.i.payload.eq(self.load),
            self.freed.eq(weights.o.valid & weights.o.ready),
            control.row_bursts.eq(self.row_bursts), control.new_batch.eq(self.new_batch),
            *(getattr(dot, name).eq(getattr(control, name))
              for name in ("burst", "beat", "write", "addr", "ones", "first", "mark")),
            finish.mark.eq(dot.done), finish.sums.eq(dot.sums),
            tags.i.valid.eq(control.tag_valid), tags.i.payload.eq(control.tag),
            results.i.valid.eq(finish.o_valid), results.i.payload.eq(finish.o),
            self.working.eq(dot.working),
            self.busy.eq(weights.o.valid | control.busy | dot.busy | tags.o.valid | special.busy),
        ]
        self._special(m, tags, results, special, output)
        m.d.sync += [
            Assert(~self.load_valid | weights.i.ready, Format("a burst must find room in the weight buffer")),
            Assert(~control.tag_valid | tags.i.ready, Format("a result must have a place in the output buffer")),
            Assert(~results.o.valid | tags.o.valid, Format("a result must have a tag")),
            Assert(~self.new_batch | ~self.busy, Format("a batch must begin while nothing is inside")),
        ]
        return m

    def _special(self, m, tags, results, special, output):
        """Results meet their tags, and become records."""
        record, shown = output.record, special.o.p
        passes = shown.function == NO_RESULT
        m.d.comb += [
            special.i.valid.eq(results.o.valid), results.o.ready.eq(special.i.ready),
            tags.o.ready.eq(special.i.ready & results.o.valid),
            special.i.p.exact.eq(results.o.payload),
            *(special.i.p[name].eq(tags.o.p[name]) for name in ("score", "label", "batch", "function")),
            special.new_batch.eq(self.new_batch | self.clear), special.o.ready.eq(1),
            output.push.eq(special.o.valid), record.eq(shown),
            self.largest.eq(special.largest), self.sums.eq(special.sums),
            output.take.eq(self.take), output.clear.eq(self.clear),
            self.record_burst.eq(output.record_burst), self.popped.eq(output.popped),
            self.ready.eq(output.ready), self.finished.eq(output.finished),
        ]
        with m.If(passes):
            m.d.comb += [record.exacts.eq(0), record.function.eq(0)]
