"""Special function unit: sigmoid and softmax of exact results, with one multiplier, one adder and one divider."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import ADD_LATENCY, MULTIPLY_LATENCY, WORD_BITS, Function
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .fp32_add import Fp32Add
from .fp32_divide import Fp32Divide
from .fp32_multiply import Fp32Multiply
from .layouts import check_cfg, record_layout

__all__ = ["Special", "special_layout"]

SIGN, ONE = 0x8000_0000, 0x3F80_0000
INF = 0x7F80_0000
LOWEST = SIGN | INF
#: See ``golden.enmc.special``.
DEEPEST = 0xC2AE_0000
LOG2_E, ROUNDER, MINUS_LN2_HIGH, MINUS_LN2_LOW = 0x3FB8_AA3B, 0x4B40_0000, 0xBF31_8000, 0x395E_8083
HALF, SIXTH, TWENTY_FOURTH = 0x3F00_0000, 0x3E2A_AAAB, 0x3D2A_AAAB

#: From the cycle in which operands are chosen to that in which the result is there: a register, and the pipeline.
MULTIPLY, ADD = 1 + MULTIPLY_LATENCY, 1 + ADD_LATENCY
PLACES = 4
#: Cycles after a result enters the first place. Each is named after what is there then.
DISTANCE = 1 + ADD                              # x = -|z - largest| or -|z|
TURNS = DISTANCE + MULTIPLY                     # x * log2(e)
ROUNDED = TURNS + ADD                           # + 1.5 * 2**23
WHOLE = ROUNDED + ADD                           # n
HIGH = WHOLE + MULTIPLY                         # -n * ln(2), first part
LOW = HIGH + 1                                  # second part, a cycle behind
NEAR = HIGH + ADD                               # x + first part
REST = NEAR + ADD                               # r
TERMS = [REST + k * (MULTIPLY + ADD) + MULTIPLY for k in range(4)]   # products of Horner's scheme
POLYNOMIAL = TERMS[3] + ADD
WEIGHT = POLYNOMIAL + MULTIPLY                  # exp(x)
SCALED = WEIGHT + MULTIPLY                      # sum of before, relative to the largest of now
SUM = SCALED + ADD


def special_layout() -> data.StructLayout:
    """An exact result, whose it is, and its ``Function``; 3 is none, like 0."""
    return data.StructLayout({"exact": 32, "score": signed(32), "label": 24, "batch": 4, "function": 2})


class _Place(data.Struct):
    """What goes with a result from place to place."""

    valid: 1
    softmax: 1
    batch: 4
    exceeds: 1
    negative: 1
    vanishes: 1
    exponent: 8


class Special(wiring.Component):
    """Special function unit [Thesis 6.4.2, 6.5.2: exponential by Taylor expansion to the 4th order].

    SIGMOID: 1 / (1 + e) with e = exp(-|z|), e / (1 + e) if z is negative. SOFTMAX, of each input of the batch, with
    its ``largest`` m and sum s: if z <= m, the value is exp(z - m), and it is added to s; else s becomes
    s * exp(m - z) + 1, the value is 1, and z is the largest. There is no second pass, and no bound on the number of
    results: the host brings each value, which is relative to the largest result up to and with its own, to the largest
    of all, and divides by s. No function: the value is 0.

    exp(x) is wrong by at most 6e-5 of its value, and 0 for x below -87. A NaN becomes the value and the sum, and is
    never the largest. A result of -inf has the value 0 and adds 0; after +inf all others are 0, and every further +inf
    is 1.

    Every step is one operation of one multiplier, one adder and one divider, which the results in four places share:
    the step of each is fixed in the ``INTERVAL`` = 33 cycles that it stays in a place.

    Latency: ``LATENCY`` = 116 cycles from ``i`` to ``o``, for SIGMOID and SOFTMAX alike; ``PASS_LATENCY`` = 2 without
    function. Throughput: one result in 33 cycles; without function one a cycle. Records leave in order: one without
    function waits until all before it have left their places. ``largest`` shows a result 3 cycles after ``i``, ``sums``
    85 cycles after it; both before its record is offered. After a pause, a result may enter at once; between others at
    the end of an interval.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of special_layout())
        ``batch`` below cfg.batch.
    o : Out(stream of record_layout())
        ``exacts`` and ``valid`` are 1.
    new_batch : In(1)
        A new batch: no largest results, no sums. Only while ``busy`` is 0.
    largest : Out(32), cfg.batch of them
        FP32; -inf before the first result.
    sums : Out(32), cfg.batch of them
        FP32; 0 before the first result.
    busy : Out(1)
        A result is inside.
    """

    INTERVAL = 33
    LATENCY = 116
    PASS_LATENCY = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(special_layout())),
            "o": Out(stream.Signature(record_layout())),
            "new_batch": In(1),
            "largest": Out(data.ArrayLayout(WORD_BITS, cfg.batch), init=[LOWEST] * cfg.batch),
            "sums": Out(data.ArrayLayout(WORD_BITS, cfg.batch)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = Fifo(special_layout(), 2)
        m.submodules.waiting = waiting = Fifo(special_layout(), PLACES)
        m.submodules.values = values = Fifo(WORD_BITS, PLACES)
        m.submodules.multiplier = multiplier = unit(platform, Fp32Multiply(), name="enmc_fp32_multiply")
        m.submodules.adder = adder = unit(platform, Fp32Add(), name="enmc_fp32_add")
        m.submodules.divider = divider = unit(platform, Fp32Divide(), name="enmc_fp32_divide")
        wiring.connect(m, wiring.flipped(self.i), queue.i)

        # A record waits from the time its result enters, and its value joins it at the end.
        record = self.o.p
        m.d.comb += [
            self.o.valid.eq(values.o.valid & waiting.o.valid),
            values.o.ready.eq(self.o.ready & waiting.o.valid),
            waiting.o.ready.eq(self.o.ready & values.o.valid),
            *(record[name].eq(waiting.o.p[name]) for name in ("exact", "score", "label", "batch", "function")),
            record.value.eq(values.o.payload), record.exacts.eq(1), record.valid.eq(1),
            self.busy.eq(queue.o.valid | waiting.o.valid),
        ]
        m.d.sync += Assert(~self.new_batch | ~self.busy, "a batch must begin while nothing is inside")
        m.d.sync += Assert(~queue.o.valid | (queue.o.p.batch < self._cfg.batch),
                           Format("batch {} is beyond the inputs", queue.o.p.batch))

        places = [Signal(_Place, name=f"place_{k}") for k in range(PLACES)]
        phase = Signal(range(self.INTERVAL))
        enter = Signal()
        leave = Signal()
        m.d.comb += leave.eq(places[3].valid & (phase == (SUM + divider.latency) % self.INTERVAL))
        self._control(m, queue, waiting, values, places, phase, enter, leave)

        # First place: what the result is compared with, and x = -|z - largest| or -|z|.
        z = Signal(WORD_BITS)
        before = Signal(WORD_BITS)
        with m.If(enter):
            m.d.sync += [z.eq(queue.o.p.exact), before.eq(self.largest[queue.o.p.batch])]
        distance = self._compare(m, z, before, places[0], phase)

        # Results that are needed later than in the cycle in which they are there.
        x = self._kept(m, phase, DISTANCE, adder.o, "x")
        whole = self._kept(m, phase, WHOLE, adder.o, "whole")
        low = self._kept(m, phase, LOW, multiplier.o, "low")
        rest = self._kept(m, phase, REST, adder.o, "rest")
        weight = Signal(WORD_BITS)
        m.d.comb += weight.eq(Mux(places[2].vanishes, 0, multiplier.o))
        weight_s2 = self._kept(m, phase, WEIGHT, weight, "weight_s2")
        weight_s3 = self._kept(m, phase, PLACES * self.INTERVAL - 1, weight_s2, "weight_s3")
        with m.If(phase == DISTANCE % self.INTERVAL):
            m.d.sync += places[0].vanishes.eq(adder.o > DEEPEST)
        with m.If(phase == ROUNDED % self.INTERVAL):
            m.d.sync += places[0].exponent.eq(adder.o[:8] + 127)

        grows = Signal()  # relative to the result that is being added, the sum of before becomes less
        total = Signal(WORD_BITS)
        m.d.comb += [grows.eq(places[2].softmax & places[2].exceeds),
                     total.eq(Mux(places[2].softmax, self.sums[places[2].batch], ONE))]
        power = Cat(C(0, 23), places[2].exponent, C(0, 1))
        product, running = multiplier.o, adder.o
        self._issue(m, phase, "multiply", multiplier, {
            DISTANCE: (running, LOG2_E), WHOLE: (running, MINUS_LN2_HIGH), WHOLE + 1: (whole, MINUS_LN2_LOW),
            REST: (running, TWENTY_FOURTH), **{at + ADD: (running, rest) for at in TERMS[:3]},
            POLYNOMIAL: (running, power), WEIGHT: (total, Mux(grows, weight, ONE)),
        })
        self._issue(m, phase, "add", adder, {
            1: distance, TURNS: (product, ROUNDER), ROUNDED: (running, SIGN | ROUNDER), HIGH: (product, x),
            NEAR: (running, low), **{at: (product, c) for at, c in zip(TERMS, (SIXTH, HALF, ONE, ONE), strict=True)},
            SCALED: (product, Mux(grows, ONE, weight_s2)),
        })

        summed = Signal()
        m.d.comb += [
            summed.eq((phase == SUM % self.INTERVAL) & places[2].valid),
            divider.i.valid.eq(summed & ~places[2].softmax),
            divider.i.p.a.eq(Mux(places[2].negative, weight_s2, ONE)), divider.i.p.b.eq(adder.o),
            divider.o.ready.eq(1),
        ]
        m.d.sync += Assert(~divider.i.valid | divider.i.ready, "the divider is not ready")
        m.d.sync += Assert(~(leave & ~places[3].softmax) | divider.o.valid, "the quotient is not there")
        with m.If(summed & places[2].softmax):
            m.d.sync += self.sums[places[2].batch].eq(adder.o)
        with m.If(leave):
            m.d.comb += values.i.payload.eq(Mux(places[3].softmax, Mux(places[3].exceeds, ONE, weight_s3),
                                                divider.o.payload))
        with m.If(self.new_batch):
            m.d.sync += [Value.cast(self.largest).eq(Cat(C(LOWEST, WORD_BITS) for _ in range(self._cfg.batch))),
                         Value.cast(self.sums).eq(0)]
        return m

    def _control(self, m, queue, waiting, values, places, phase, enter, leave):
        """Who enters, moves and passes."""
        arrived = queue.o.p
        has_function = Signal()
        running = Signal()
        passes = Signal()
        m.d.comb += [
            has_function.eq((arrived.function == Function.SIGMOID) | (arrived.function == Function.SOFTMAX)),
            running.eq(Cat(place.valid for place in places).any()),
            enter.eq(queue.o.valid & waiting.i.ready & has_function & (phase == 0)),
            passes.eq(queue.o.valid & waiting.i.ready & ~has_function & ~running),
            queue.o.ready.eq(enter | passes),
            waiting.i.valid.eq(enter | passes), waiting.i.payload.eq(arrived),
            values.i.valid.eq(leave | passes),
        ]
        m.d.sync += Assert(~values.i.valid | values.i.ready, "there is no room for a value")
        with m.If(~(running | enter) | (phase == self.INTERVAL - 1)):
            m.d.sync += phase.eq(0)
        with m.Else():
            m.d.sync += phase.eq(phase + 1)
        with m.If(leave):
            m.d.sync += places[3].valid.eq(0)
        with m.If(phase == self.INTERVAL - 1):
            m.d.sync += [place.eq(last) for last, place in zip(places, places[1:], strict=False)]
            m.d.sync += places[0].valid.eq(0)
        with m.If(enter):
            m.d.sync += [places[0].valid.eq(1), places[0].batch.eq(arrived.batch),
                         places[0].softmax.eq(arrived.function == Function.SOFTMAX),
                         places[0].negative.eq(arrived.exact[-1])]

    def _compare(self, m, z, before, place, phase):
        """Operands of -|z - largest| or -|z|; what is larger than the largest replaces it."""
        def order(number):
            return number ^ Cat(number[-1].replicate(WORD_BITS - 1), C(1, 1))

        is_nan = Signal()
        exceeds = Signal()
        same_inf = Signal()
        left = Signal(WORD_BITS)
        right = Signal(WORD_BITS)
        m.d.comb += [
            is_nan.eq(z[:-1] > INF),
            exceeds.eq((order(z) > order(before)) & ~is_nan),
            same_inf.eq((z == before) & (z[:-1] == INF)),
            left.eq(Mux(exceeds, before, z)),
            right.eq(Mux(exceeds, z, before) ^ SIGN),
        ]
        with m.If(~place.softmax):
            m.d.comb += [left.eq(z | SIGN), right.eq(SIGN)]
        with m.Elif(same_inf):  # -inf: its weight is 0; +inf: 1
            m.d.comb += [left.eq(Mux(z[-1], LOWEST, SIGN)), right.eq(SIGN)]
        with m.If(phase == 1):
            m.d.sync += place.exceeds.eq(exceeds)
            with m.If(place.valid & place.softmax & exceeds):
                m.d.sync += self.largest[place.batch].eq(z)
        return left, right

    def _kept(self, m, phase, at, value, name):
        """A register that takes ``value`` in cycle ``at`` of a result."""
        kept = Signal(WORD_BITS, name=name)
        with m.If(phase == at % self.INTERVAL):
            m.d.sync += kept.eq(value)
        return kept

    def _issue(self, m, phase, name, pipeline, steps):
        """Give a pipeline its operands, by cycle of a result; no two steps share a cycle of the interval."""
        assert len({at % self.INTERVAL for at in steps}) == len(steps)
        a = Signal(WORD_BITS, name=f"{name}_a")
        b = Signal(WORD_BITS, name=f"{name}_b")
        m.d.comb += [pipeline.a.eq(a), pipeline.b.eq(b)]
        with m.Switch(phase):
            for at, (left, right) in steps.items():
                with m.Case(at % self.INTERVAL):
                    m.d.sync += [a.eq(left), b.eq(right)]
