"""PE of the Executor: issues valid micro-instructions, multiplies, accumulates."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SUM_BITS, VALUE_BITS
from hdl.common.emit import unit
from hdl.common.sram import Sram1r1w

from .layouts import Load, check_cfg, drain_layout
from .tag_queue import TagQueue

__all__ = ["ExecutorPe"]

#: Bits of the lower part of a weight: the multiplier is pipelined between the parts.
PART_BITS = VALUE_BITS // 2


class ExecutorPe(wiring.Component):
    """PE of the Executor [Thesis 5.1.2, Fig. 5.3].

    Buffers of inputs, weights (two banks each) and partial sums (two banks), a copy of the program, a 16-bit pipelined
    multiplier and adder. The tag queue finds the valid micro-instructions: exactly one is issued in every cycle from
    the one after ``start`` on, until none is left. Sums wrap at 32 bits.

    A MAC, cycle by cycle after its issue: 1 operands addressed, 2 selected, 3 and 4 multiplied, 5 added. So a sum is
    complete ``MAC_LATENCY`` = 6 cycles after the issue. A product that follows one for the same sum takes it from the
    adder.

    Draining: 1 cycle after the command the own sum of the pixel is added to ``chain_in``, which the column before has
    at that time if it had the command a cycle earlier; ``chain`` shows the result 2 cycles after the command, and
    ``drain_next`` the command 1 cycle after it. The sum is zero again.

    Memories hold anything at first; sums count from zero after a reset.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    take, kind, bank, index, word : In
        A word of the X-bus for the memory that ``kind`` names. Not for a bank that a step reads, the last time in the
        cycle after its last instruction.
    tags_valid, tags_word, tags_phase, itags, otags : In
        A word of tags, see :class:`hdl.duet.mac_lut.MacLut`. Those of a step must have been there ``TAG_LATENCY`` = 3
        cycles before its first instruction is issued.
    start : In(1)
        The next cycle is the first of a step; the PE is not ``busy``.
    input_bank, weight_bank, sum_bank : In(1)
        Of the step that runs.
    busy : Out(1)
        An instruction is issued in this cycle.
    drain, drain_next : In, Out(drain_layout(cfg))
        Command from the column before, to the next one.
    chain_in, chain : In, Out(signed(32))
        Sum along the row.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    MAC_LATENCY = 6
    TAG_LATENCY = TagQueue.LATENCY

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "take": In(1), "kind": In(Load), "bank": In(1), "index": In(cfg.lut_bits), "word": In(cfg.lane_bits),
            "tags_valid": In(1), "tags_word": In(range(cfg.tag_words)), "tags_phase": In(2),
            "itags": In(cfg.tags), "otags": In(cfg.tags),
            "start": In(1), "input_bank": In(1), "weight_bank": In(1), "sum_bank": In(1),
            "busy": Out(1),
            "drain": In(drain_layout(cfg)), "drain_next": Out(drain_layout(cfg)),
            "chain_in": In(signed(SUM_BITS)), "chain": Out(signed(SUM_BITS)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.queue = queue = unit(platform, TagQueue(cfg), name="duet_tag_queue")
        m.d.comb += [
            queue.valid.eq(self.tags_valid), queue.word.eq(self.tags_word), queue.phase.eq(self.tags_phase),
            queue.tags.eq(self.itags & self.otags), queue.start.eq(self.start), self.busy.eq(queue.issue),
        ]

        # Issue: the program is addressed.
        layout = data.StructLayout({"input": cfg.input_bits, "weight": cfg.weight_bits, "pixel": cfg.pixel_bits})
        instruction = Signal(layout)
        m.d.comb += instruction.eq(self._memory(m, "lut", cfg.lut, cfg.instruction_bits, Load.LUT, queue.issue,
                                                queue.instruction))
        valid_s1 = Signal()
        input_bank_s1 = Signal()
        weight_bank_s1 = Signal()
        bank_s1 = Signal()
        m.d.sync += [valid_s1.eq(queue.issue), input_bank_s1.eq(self.input_bank), weight_bank_s1.eq(self.weight_bank),
                     bank_s1.eq(self.sum_bank)]

        # Cycle 1: words of operands; 2: the values.
        place_s2 = Signal(cfg.pixel_bits + 1)
        place_s3 = Signal(cfg.pixel_bits + 1)
        place_s4 = Signal(cfg.pixel_bits + 1)
        valid_s2 = Signal()
        valid_s3 = Signal()
        valid_s4 = Signal()
        m.d.sync += [valid_s2.eq(valid_s1), valid_s3.eq(valid_s2), valid_s4.eq(valid_s3),
                     place_s2.eq(Cat(instruction.pixel, bank_s1)), place_s3.eq(place_s2), place_s4.eq(place_s3)]
        a = self._operand(m, "input", cfg.input_words, Load.INPUT, valid_s1, input_bank_s1, instruction.input)
        b = self._operand(m, "weight", cfg.weight_words, Load.WEIGHT, valid_s1, weight_bank_s1, instruction.weight)

        # Cycles 3 and 4: the product.
        low = Signal(signed(VALUE_BITS + PART_BITS))
        high = Signal(signed(VALUE_BITS + PART_BITS))
        product = Signal(signed(SUM_BITS))
        m.d.sync += [low.eq(a * b[:PART_BITS]), high.eq(a * b[PART_BITS:].as_signed()),
                     product.eq(low + (high << PART_BITS))]
        self._sums(m, valid_s4, place_s4, product)
        return m

    def _memory(self, m, name, depth, width, kind, r_en, r_addr):
        """A memory that is filled from the X-bus; what it reads."""
        m.submodules[name] = memory = Sram1r1w(depth, width)
        w_addr = self.index if kind == Load.LUT else Cat(self.index[:depth.bit_length() - 2], self.bank)
        m.d.comb += [memory.r_en.eq(r_en), memory.r_addr.eq(r_addr),
                     memory.w_en.eq(self.take & (self.kind == kind)), memory.w_addr.eq(w_addr),
                     memory.w_data.eq(self.word)]
        return memory.r_data

    def _operand(self, m, name, words, kind, valid, bank, index):
        """A buffer of two banks; the value that ``index`` names, two cycles later."""
        bits = self._cfg.pixel_bits
        pixel = Signal(bits, name=f"{name}_pixel_s2")
        value = Signal(signed(VALUE_BITS), name=f"{name}_s3")
        row = self._memory(m, f"{name}s", 2 * words, self._cfg.lane_bits, kind, valid, Cat(index[bits:], bank))
        m.d.sync += [pixel.eq(index[:bits]), value.eq(row.word_select(pixel, VALUE_BITS))]
        return value

    def _sums(self, m, valid_s4, place_s4, product):
        """Cycle 4: the sum is addressed, while the product is made; 5: it grows. Beside it the other bank drains."""
        pixels = self._cfg.pixels
        valid_s5 = Signal()
        place_s5 = Signal.like(place_s4)
        same_s5 = Signal()              # the sum that has just been written
        known_s5 = Signal()             # the sum is not zero for want of a product
        before = Signal(SUM_BITS)
        total = Signal(SUM_BITS)
        total_s6 = Signal(SUM_BITS)
        touched = Signal(2 * pixels)    # sums with a product since they were drained
        same = Signal()
        m.d.comb += [same.eq(valid_s5 & (place_s5 == place_s4)), total.eq(before + product)]
        m.d.sync += [valid_s5.eq(valid_s4), place_s5.eq(place_s4), same_s5.eq(same),
                     known_s5.eq(touched.bit_select(place_s4, 1))]
        with m.If(valid_s5):
            m.d.sync += [total_s6.eq(total), touched.bit_select(place_s5, 1).eq(1)]

        own_valid = Signal()
        own_bank = Signal()
        own_known = Signal()
        drain_place = Signal.like(place_s4)
        m.d.comb += drain_place.eq(Cat(self.drain.pixel, self.drain.bank))
        m.d.sync += [own_valid.eq(self.drain.valid), self.drain_next.valid.eq(self.drain.valid)]
        with m.If(self.drain.valid):
            m.d.sync += [
                self.drain_next.bank.eq(self.drain.bank), self.drain_next.pixel.eq(self.drain.pixel),
                self.drain_next.last.eq(self.drain.last), own_bank.eq(self.drain.bank),
                own_known.eq(touched.bit_select(drain_place, 1)), touched.bit_select(drain_place, 1).eq(0),
            ]

        stored = []
        for bank in range(2):
            m.submodules[f"sums_{bank}"] = memory = Sram1r1w(pixels, SUM_BITS)
            drains = Signal(name=f"drains_{bank}")
            adds = Signal(name=f"adds_{bank}")
            m.d.comb += [
                drains.eq(self.drain.valid & (self.drain.bank == bank)),
                adds.eq(valid_s4 & (place_s4[-1] == bank)),
                memory.r_en.eq(drains | (adds & ~same)),
                memory.r_addr.eq(Mux(drains, self.drain.pixel, place_s4[:-1])),
                memory.w_en.eq(valid_s5 & (place_s5[-1] == bank)), memory.w_addr.eq(place_s5[:-1]),
                memory.w_data.eq(total),
            ]
            stored.append(memory.r_data)
            late = (valid_s4 & (place_s4[-1] == bank)) | (valid_s5 & (place_s5[-1] == bank))
            m.d.sync += Assert(~(drains & late), f"sums of bank {bank} must be complete before they are drained")
        m.d.comb += before.eq(Mux(same_s5, total_s6, Mux(known_s5, Mux(place_s5[-1], stored[1], stored[0]), 0)))
        with m.If(own_valid):
            own = Mux(own_known, Mux(own_bank, stored[1], stored[0]), 0)
            m.d.sync += self.chain.eq(self.chain_in + own.as_signed())
