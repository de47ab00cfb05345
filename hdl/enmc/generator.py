"""Instruction generator: what becomes of a candidate."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import DATA_BITS, TAG_FIELDS, TRANSFER_FIELDS, Buffer, Function, Op

from .layouts import candidate_layout, check_cfg, instruction_layout

__all__ = ["Generator"]

#: The factor ``row_bursts`` is split into parts of this many bits.
_PART = 8


class Generator(wiring.Component):
    """Turns candidates into instructions [Thesis 6.4.2].

    LDR WEIGHT_FP32 of the class's row, ``row_base + label * row_bursts``, MUL_ADD_FP32, and SIGMOID, SOFTMAX or MOVE
    PSUM_FP32 OUTPUT; if candidates are not classified exactly, MOVE INDEX OUTPUT alone.

    Latency: 2 cycles from a candidate to its first instruction; the product takes one of them. Throughput: a candidate
    in 4 cycles, or in 2 if it is not classified exactly.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of candidate_layout(cfg))
        Index buffer.
    o : Out(stream of instruction_layout())
    row_base : In(32)
    row_bursts : In(16)
    first_class : In(24)
    mode : In(3)
        Registers, see ``golden.enmc.registers``; they do not change while ``busy``.
    busy : Out(1)
        A candidate or an instruction of one is inside.
    """

    LATENCY = 2
    PERIODS = 4, 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(candidate_layout(cfg))), "o": Out(stream.Signature(instruction_layout())),
            "row_base": In(32), "row_bursts": In(16), "first_class": In(24), "mode": In(3), "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        held = Signal()
        candidate = Signal(candidate_layout(self._cfg))
        products = [Signal(len(self.i.p.label) + _PART, name=f"product_{part}") for part in range(2)]
        number = Signal(2)
        last = Signal()
        exact = Signal()
        m.d.comb += [
            self.i.ready.eq(~held), self.busy.eq(held | self.o.valid),
            exact.eq(self.mode[2]), last.eq((number == 2) | ~exact),
        ]
        with m.If(self.i.valid & ~held):
            m.d.sync += [held.eq(1), number.eq(0), candidate.eq(self.i.payload)]
            m.d.sync += [product.eq(self.i.p.label * self.row_bursts.word_select(part, _PART))
                         for part, product in enumerate(products)]

        row = Signal(data.StructLayout(TRANSFER_FIELDS))
        tag = Signal(data.StructLayout(TAG_FIELDS))
        m.d.comb += [
            row.addr.eq(self.row_base + products[0] + (products[1] << _PART)), row.count.eq(self.row_bursts),
            tag.score.eq(candidate.score), tag.label.eq(candidate.label + self.first_class),
            tag.batch.eq(candidate.batch),
        ]
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(held)
            with m.If(held):
                m.d.sync += [number.eq(number + 1), held.eq(~last)]
                self._instruction(m, number, exact, row, tag)
        return m

    def _instruction(self, m, number, exact, row, tag):
        """Instruction ``number`` of the candidate."""
        def send(op, a=0, b=0, data=tag):
            word = self.o.p
            m.d.sync += [word.op.eq(op), word.a.eq(a), word.b.eq(b), word.data.eq(Value.cast(data)[:DATA_BITS])]

        with m.If(~exact):
            send(Op.MOVE, Buffer.INDEX, Buffer.OUTPUT)
        with m.Elif(number == 0):
            send(Op.LDR, Buffer.WEIGHT_FP32, data=row)
        with m.Elif(number == 1):
            send(Op.MUL_ADD_FP32, Buffer.FEATURE_FP32, Buffer.WEIGHT_FP32)
        with m.Elif(self.mode[:2] == Function.SIGMOID):
            send(Op.SIGMOID)
        with m.Elif(self.mode[:2] == Function.SOFTMAX):
            send(Op.SOFTMAX)
        with m.Else():
            send(Op.MOVE, Buffer.PSUM_FP32, Buffer.OUTPUT)
