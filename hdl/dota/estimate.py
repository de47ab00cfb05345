"""Estimate unit: the order of the low-precision work of a lane."""

from amaranth import *
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import (
    ELEMENT_BITS,
    PE_LATENCY,
    QUANTIZE_LATENCY,
    QUERIES,
    ROW_LATENCY,
    SRAM_LATENCY,
    UNIT_BITS,
    Precision,
    Step,
)
from hdl.common.fixed import saturate

from .layouts import arrival_layout, check_cfg, step_layout
from .sram import flat_signature

__all__ = ["Estimate"]

#: Cycles from a fire to the sums of the rows.
_SUMS = PE_LATENCY + ROW_LATENCY
#: Cycles from the last read of a block to its quantised sums.
_FLUSH = SRAM_LATENCY + _SUMS + QUANTIZE_LATENCY
_LOW = (Precision.INT8, Precision.INT4, Precision.INT2)


class State(enum.Enum, shape=3):
    IDLE = 0
    #: Waits for the detector.
    GROUP = 1
    #: Reads what stays in the PEs.
    STATIONARY = 2
    #: Reads what streams past it.
    STREAM = 3
    #: Waits for the sums.
    FLUSH = 4
    #: Puts results into words of the SRAM.
    PACK = 5


class Estimate(wiring.Component):
    """Sequencer of the estimate and of the transformations before it [Thesis 7.3.1, 7.6.3, eq. 7.5].

    Rows of low-precision matrices lie in blocks of ``cfg.block``. Four rows, a group, are stationary; blocks stream:
    row r of the lower half of the array makes the sums of row r of the block with the group.

    Latency: 2 cycles from a read to its fire, then 7 to the quantised sums. Throughput: one word a cycle: a block takes
    ``low_words`` (times the words that a unit of all its rows takes) cycles. 10 cycles lie between the reads of two
    groups; in a transformation there are 9 behind the reads of every block, and 3 for each word that results go to.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(1)
        ``step`` begins; only while ``busy`` is low.
    step : In(step_layout())
        Stable while ``busy``.
    busy : Out(1)
    port : Out(flat_signature(cfg))
    arrival : Out(arrival_layout(cfg))
        What ``port.rdata`` is for; a register.
    precision : Out(2)
        Of the operands.
    quantize : Out(1)
        The sums of the rows go into the quantiser.
    sums_valid, sums : In
        What comes out of it, [block][4].
    detector_ready : In(1)
    o_valid, o_last : Out(1)
        ``sums`` are estimates for the detector; the last of the group.
    rows : Out(4)
        Queries that the group has.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "step": In(step_layout()), "busy": Out(1),
            "port": Out(flat_signature(cfg)),
            "arrival": Out(arrival_layout(cfg)), "precision": Out(2),
            "quantize": Out(1), "sums_valid": In(1),
            "sums": In(data.ArrayLayout(signed(cfg.estimate_bits), cfg.block * QUERIES)),
            "detector_ready": In(1), "o_valid": Out(1), "o_last": Out(1), "rows": Out(QUERIES),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        parts = cfg.block // cfg.keys_per_word
        part_shift = parts.bit_length() - 1
        together = min(QUERIES, cfg.keys_per_word)
        m = Module()
        step = self.step
        state = Signal(State)
        addr = cfg.address_bits
        queries_left = Signal(16)
        block = Signal(16)
        fire = Signal(16)
        word = Signal(range(cfg.columns))
        part = Signal(range(max(QUERIES, parts)))
        slot = Signal(2)
        piece = Signal(3)
        wait = Signal(range(_FLUSH + 1))
        q_key = Signal(range(cfg.block))
        q_block = Signal(addr)
        z_block = Signal(addr)
        q_key_now = Signal(range(cfg.block))
        q_block_now = Signal(addr)
        z_block_now = Signal(addr)
        k_addr = Signal(addr)

        # What the step says.
        transforms = Signal()
        most_words = Signal(range(cfg.columns + 1))
        words = Signal(range(cfg.columns + 1))
        words_left = Signal(16)
        last_slot = Signal(2)
        last_block = Signal()
        last_part = Signal()        # of the group
        m.d.comb += [
            transforms.eq(step.step == Step.LOW),
            words_left.eq(step.low_words - fire), words.eq(Mux(words_left < most_words, words_left, most_words)),
            last_block.eq(block + 1 == Mux(transforms, step.blocks,
                                           (step.keys + (cfg.block - 1)) >> (cfg.block.bit_length() - 1))),
            last_part.eq(part == QUERIES // together - 1),
            self.busy.eq(state != State.IDLE), self.precision.eq(step.precision),
        ]
        with m.Switch(step.precision):
            for precision in _LOW:
                with m.Case(precision):
                    segment = cfg.columns >> Precision.INT2 - precision
                    m.d.comb += [most_words.eq(segment // cfg.units_per_key),
                                 last_slot.eq((1 << precision - 1) - 1)]

        # Words on their way here, and sums on theirs.
        flight = self.arrival
        stages = [*(Signal(arrival_layout(cfg), name=f"flight_s{k + 1}") for k in range(SRAM_LATENCY - 1)), flight]
        final = [Signal(2, name=f"final_s{k + 1}") for k in range(SRAM_LATENCY + _SUMS + QUANTIZE_LATENCY)]
        reads = Signal()
        fires = Signal()
        m.d.comb += [
            reads.eq((state == State.STATIONARY) | (state == State.STREAM)),
            fires.eq((state == State.STREAM) & (word + 1 == words) & (part == parts - 1)),
        ]
        now = stages[0]
        m.d.sync += [
            now.loads.eq(state == State.STATIONARY), now.streams.eq(state == State.STREAM), now.part.eq(part),
            now.word.eq(word), now.words.eq(words), now.slot.eq(slot), now.fire.eq(fires), now.first.eq(fire == 0),
            now.key.eq(q_key_now[:max(1, cfg.keys_per_word.bit_length() - 1)] if cfg.keys_per_word > 1 else 0),
            *(later.eq(earlier) for earlier, later in zip(stages, stages[1:], strict=False)),
            # Bit 0: sums that are complete; bit 1: the last of the group.
            final[0].eq(Mux(fires & (fire + words == step.low_words), Cat(C(1, 1), last_block), 0)),
            *(later.eq(earlier) for earlier, later in zip(final, final[1:], strict=False)),
        ]
        m.d.comb += [
            self.quantize.eq(final[SRAM_LATENCY + _SUMS - 1][0]),
            self.o_valid.eq(self.sums_valid & ~transforms), self.o_last.eq(final[-1][1]),
        ]

        # Results of a transformation.
        result = Signal(data.ArrayLayout(signed(cfg.estimate_bits), cfg.block * QUERIES))
        with m.If(self.sums_valid & transforms):
            m.d.sync += result.eq(self.sums)
        pieces, z_word = self._merge(m, step, block, piece, part, q_key_now, result)

        # SRAM.
        within = q_key_now >> (cfg.keys_per_word.bit_length() - 1)
        pack_addr = Signal(addr)
        packs = Signal()
        last_piece = Signal()
        m.d.comb += [
            last_piece.eq((piece + 1 == pieces) | (z_word + piece + 1 == step.z_stride)),
            packs.eq(state == State.PACK),
            pack_addr.eq(z_block_now + ((z_word + piece) << part_shift) + within),
            self.port.en.eq(reads | (packs & ((wait == 0) | (wait == SRAM_LATENCY)))),
            self.port.write.eq(packs & (wait == SRAM_LATENCY)),
        ]
        with m.Switch(state):
            with m.Case(State.STATIONARY):
                m.d.comb += self.port.addr.eq(q_block_now + ((fire + word) << part_shift) + within)
            with m.Case(State.STREAM):
                m.d.comb += self.port.addr.eq(k_addr)
            with m.Default():
                m.d.comb += self.port.addr.eq(pack_addr)

        # Order.
        rewind = [q_key_now.eq(q_key), q_block_now.eq(q_block), z_block_now.eq(z_block)]
        wraps = q_key_now == cfg.block - together
        next_part = [q_key_now.eq(q_key_now + together)]
        moved_q = Signal(addr)
        moved_z = Signal(addr)
        m.d.comb += [moved_q.eq(q_block_now + Mux(wraps, step.low_words << part_shift, 0)),
                     moved_z.eq(z_block_now + Mux(wraps, step.z_stride << part_shift, 0))]
        next_part += [q_block_now.eq(moved_q), z_block_now.eq(moved_z)]
        group_ends = Signal()
        to_stationary = [*rewind, part.eq(0), state.eq(State.STATIONARY)]
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(self.start):
                    m.d.sync += [
                        queries_left.eq(step.queries), q_key.eq(0),
                        q_block.eq(step.low_q_base), z_block.eq(step.z_base), state.eq(State.GROUP),
                    ]
            with m.Case(State.GROUP):
                m.d.sync += [block.eq(0), fire.eq(0), k_addr.eq(step.low_k_base)]
                with m.If(transforms | self.detector_ready):
                    m.d.sync += [*to_stationary, word.eq(0), slot.eq(0),
                                 self.rows.eq(Mux(queries_left >= QUERIES, 15, (1 << queries_left[:2]) - 1))]
            with m.Case(State.STATIONARY):
                m.d.sync += slot.eq(slot + 1)
                with m.If(slot == last_slot):
                    m.d.sync += [slot.eq(0), word.eq(word + 1)]
                    with m.If(word + 1 == words):
                        m.d.sync += word.eq(0)
                        with m.If(last_part):
                            m.d.sync += [part.eq(0), state.eq(State.STREAM)]
                        with m.Else():
                            m.d.sync += [part.eq(part + 1), *next_part]
            with m.Case(State.STREAM):
                m.d.sync += [k_addr.eq(k_addr + 1), part.eq(part + 1)]
                with m.If(part == parts - 1):
                    m.d.sync += [part.eq(0), word.eq(word + 1)]
                with m.If(fires):
                    m.d.sync += [word.eq(0), fire.eq(fire + words)]
                    with m.If(fire + words != step.low_words):
                        m.d.sync += to_stationary
                    with m.Else():
                        m.d.sync += fire.eq(0)
                        with m.If(transforms | last_block):
                            m.d.sync += [wait.eq(0), state.eq(State.FLUSH)]
                        with m.Else():
                            m.d.sync += block.eq(block + 1)
                            with m.If(step.low_words > most_words):
                                m.d.sync += to_stationary
            with m.Case(State.FLUSH):
                m.d.sync += wait.eq(wait + 1)
                with m.If(wait == _FLUSH - 1):
                    m.d.sync += [wait.eq(0), *rewind, part.eq(0), piece.eq(0)]
                    with m.If(transforms):
                        m.d.sync += state.eq(State.PACK)
                    with m.Else():
                        m.d.comb += group_ends.eq(1)
            with m.Case(State.PACK):
                m.d.sync += wait.eq(wait + 1)
                with m.If(wait == SRAM_LATENCY):
                    m.d.sync += [wait.eq(0), piece.eq(piece + 1)]
                    with m.If(last_piece):
                        m.d.sync += piece.eq(0)
                        with m.If(~last_part):
                            m.d.sync += [part.eq(part + 1), *next_part]
                        with m.Elif(~last_block):
                            m.d.sync += [block.eq(block + 1), *to_stationary]
                        with m.Else():
                            m.d.comb += group_ends.eq(1)

        # Four rows on: in this block, or in another.
        blocks_on = max(1, QUERIES // cfg.block)
        leaves = Signal()
        m.d.comb += leaves.eq(q_key == max(0, cfg.block - QUERIES))
        with m.If(group_ends):
            m.d.sync += [queries_left.eq(queries_left - QUERIES), q_key.eq(q_key + QUERIES),
                         state.eq(Mux(queries_left > QUERIES, State.GROUP, State.IDLE))]
            with m.If(leaves):
                m.d.sync += [q_block.eq(q_block + (step.low_words << part_shift) * blocks_on),
                             z_block.eq(z_block + (step.z_stride << part_shift) * blocks_on)]
        return m

    def _merge(self, m, step, block, piece, part, q_key_now, result):
        """Put results of the queries of this part into the word that was read; the first clears the rest of it.

        Returns how many words of a row they spread over, and which is the first.
        """
        cfg = self._cfg
        together = min(QUERIES, cfg.keys_per_word)
        per_key = cfg.units_per_key * UNIT_BITS
        pieces = Signal(range(9))
        z_word = Signal(16)
        fields = [Signal(per_key, name=f"field_{t}") for t in range(together)]
        mask = Signal(per_key)
        is_first = Signal()
        columns = [[Signal(signed(cfg.estimate_bits), name=f"column_{t}_{row}") for row in range(cfg.block)]
                   for t in range(together)]
        for t, column in enumerate(columns):
            for row, value in enumerate(column):
                of_parts = [result[row * QUERIES + t + first] for first in range(0, QUERIES, together)]
                m.d.comb += value.eq(Array(of_parts)[part])
        with m.Switch(step.out_precision):
            for precision in _LOW:
                bits = ELEMENT_BITS[precision]
                n_pieces = max(1, cfg.block * bits // per_key)
                elements = cfg.block // n_pieces
                places = per_key // (elements * bits)
                with m.Case(precision):
                    place = block[:places.bit_length() - 1] if places > 1 else C(0, 1)
                    m.d.comb += [
                        pieces.eq(n_pieces),
                        z_word.eq(block * n_pieces if n_pieces > 1 else block >> places.bit_length() - 1),
                        is_first.eq(place == 0),
                        mask.eq(C((1 << elements * bits) - 1, per_key) << place * (elements * bits)),
                    ]
                    for column, field in zip(columns, fields, strict=True):
                        clipped = [saturate(value, bits)[0] for value in column]
                        strings = Array(Cat(clipped[k * elements:(k + 1) * elements]) for k in range(n_pieces))
                        m.d.comb += field.eq(strings[piece] << place * (elements * bits))
        at = q_key_now[:cfg.keys_per_word.bit_length() - 1] if cfg.keys_per_word > 1 else C(0, 1)
        old = Signal(cfg.word_bits)
        m.d.comb += old.eq(Mux(is_first & (at == 0), 0, self.port.rdata))
        for key in range(cfg.keys_per_word):
            own = slice(key * per_key, (key + 1) * per_key)
            here = Signal(name=f"here_{key}")
            m.d.comb += [
                here.eq(at == key // together * together),
                self.port.wdata[own].eq(Mux(here, (old[own] & ~mask) | (fields[key % together] & mask), old[own])),
            ]
        return pieces, z_word
