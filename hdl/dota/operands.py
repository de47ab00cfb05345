"""Operand network: which PE takes what."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import (
    BANKS,
    FX_BITS,
    KEY_BANKS,
    MOST_CHUNKS,
    QUERIES,
    UNIT_BITS,
    Precision,
)
from hdl.common.sram import Sram1r1w

from .exact import Kind
from .layouts import arrival_layout, check_cfg, operand_layout
from .rmmu import row_control_layout

__all__ = ["Operands"]

_LOW = (Precision.INT8, Precision.INT4, Precision.INT2)


class Operands(wiring.Component):
    """Operand network of a lane [Thesis Fig. 7.13 (a), "Databus"; Fig. 7.13 (b), "Operand-1 Buffer"].

    It holds the vectors of the four queries. In scores a PE multiplies an element of its query by one of the key; in
    weighted sums the weight of its query, or in a linear layer the element of the input, by an element of the value.
    The lower half takes low-precision units meanwhile.

    Latency: none from the banks to the array. A vector can be read from the cycle after it was loaded on, with
    ``chunk_en`` in the cycle before it is used; it holds until the next read.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    load, load_token, load_chunk, load_word : In
        A word of the vector of a query.
    chunk_en, chunk : In
        Read this word of all vectors.
    kind : In(Kind)
    wide : In(1)
        A linear layer uses both halves.
    operand : In(operand_layout(cfg))
        Exact work.
    gather_data : In(8 words)
    arrival : In(arrival_layout(cfg))
        Low-precision work.
    precision : In(2)
    low_word : In(word_bits)
    control, operands, take, load_bits : Out
        Inputs of the array.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "load": In(1), "load_token": In(2), "load_chunk": In(range(MOST_CHUNKS)), "load_word": In(cfg.word_bits),
            "chunk_en": In(1), "chunk": In(range(MOST_CHUNKS)),
            "kind": In(Kind), "wide": In(1), "operand": In(operand_layout(cfg)),
            "gather_data": In(data.ArrayLayout(cfg.word_bits, BANKS - 2)),
            "arrival": In(arrival_layout(cfg)), "precision": In(2), "low_word": In(cfg.word_bits),
            "control": Out(data.ArrayLayout(row_control_layout(), cfg.rows)),
            "operands": Out(data.ArrayLayout(UNIT_BITS, cfg.pes)), "take": Out(cfg.pes), "load_bits": Out(cfg.pes),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        vectors = []
        for t in range(QUERIES):
            m.submodules[f"query_{t}"] = query = Sram1r1w(MOST_CHUNKS, cfg.word_bits)
            m.d.comb += [
                query.w_en.eq(self.load & (self.load_token == t)), query.w_addr.eq(self.load_chunk),
                query.w_data.eq(self.load_word), query.r_en.eq(self.chunk_en), query.r_addr.eq(self.chunk),
            ]
            vectors.append(query.r_data)
        low_operands, low_take, low_load = self._low(m)
        self._exact(m, vectors, low_operands, low_take, low_load)
        return m

    def _exact(self, m, vectors, low_operands, low_take, low_load):
        """Both halves in FX16; where the lower one is not, it has its low-precision operands."""
        cfg = self._cfg
        f = self.operand
        is_dense = Signal()
        both = Signal()
        m.d.comb += [is_dense.eq(self.kind == Kind.DENSE), both.eq(is_dense & self.wide)]
        other = Signal(cfg.word_bits)
        m.d.comb += other.eq(Array(self.gather_data[KEY_BANKS + bank] for bank in range(KEY_BANKS))[f.other_bank])
        for t in range(QUERIES):
            word = Signal(cfg.word_bits, name=f"word_{t}")
            weight = Signal(FX_BITS, name=f"weight_{t}")
            banks = Array(self.gather_data[bank] for bank in range(2 * KEY_BANKS))
            m.d.comb += [
                word.eq(banks[Cat(f.bank[t], self.kind == Kind.SUM)]),
                weight.eq(Mux(is_dense, vectors[t].word_select(f.element, FX_BITS), f.weights[t])),
            ]
            for e in range(cfg.vector):
                pe = t * cfg.vector + e
                factor = Signal(FX_BITS, name=f"factor_{t}_{e}")
                m.d.comb += [
                    factor.eq(Mux(self.kind == Kind.SCORE, vectors[t].word_select(e, FX_BITS), weight)),
                    self.operands[pe].eq(Cat(factor, word.word_select(e, FX_BITS))),
                    self.take[pe].eq(f.take[t]), self.load_bits[pe].eq(0),
                    self.operands[cfg.pes // 2 + pe].eq(Mux(is_dense, Cat(factor, other.word_select(e, FX_BITS)),
                                                            low_operands[pe])),
                    self.take[cfg.pes // 2 + pe].eq(Mux(is_dense, both & f.take[t], low_take[pe])),
                    self.load_bits[cfg.pes // 2 + pe].eq(~is_dense & low_load[pe]),
                ]
        a = self.arrival
        for row in range(cfg.rows):
            control = self.control[row]
            if row < cfg.rows // 2:
                m.d.comb += [control.precision.eq(Precision.FX16), control.fire.eq(f.fire), control.first.eq(f.first),
                             control.slot.eq(0)]
            else:
                m.d.comb += [
                    control.precision.eq(Mux(is_dense, Precision.FX16, self.precision)),
                    control.fire.eq(Mux(is_dense, both & f.fire, a.fire)),
                    control.first.eq(Mux(is_dense, f.first, a.first)), control.slot.eq(a.slot),
                ]

    def _low(self, m):
        """Operands, take and load bits of the lower half in low precision, PE by PE."""
        cfg = self._cfg
        a = self.arrival
        per_word, per_key = cfg.keys_per_word, cfg.units_per_key
        together = min(QUERIES, per_word)
        units = [self.low_word.word_select(k, UNIT_BITS) for k in range(per_word * per_key)]
        # By column: what is stationary comes to all rows alike.
        loads, stationary, is_word = [], [], []
        for p in range(cfg.columns):
            load = Signal(name=f"load_{p}")
            unit = Signal(UNIT_BITS, name=f"stationary_{p}")
            streams = Signal(name=f"streams_{p}")
            with m.Switch(self.precision):
                for precision in _LOW:
                    segment = cfg.columns >> Precision.INT2 - precision
                    slots = 1 << precision - 1
                    own = p % segment
                    with m.Case(precision):
                        query = Signal(range(QUERIES), name=f"query_{p}_{precision.name.lower()}")
                        beyond = Signal(name=f"beyond_{p}_{precision.name.lower()}")
                        first = p // segment * slots
                        m.d.comb += [
                            query.eq(first + a.slot), beyond.eq(own // per_key >= a.words),
                            load.eq(a.loads & (query[together.bit_length() - 1:] == a.part)
                                    & ((a.word == own // per_key) | ((a.word == 0) & beyond))),
                            streams.eq(a.streams & (a.word == own // per_key)),
                        ]
                        # The row of the word: the part begins at `key`, a multiple of `together`.
                        key = Signal(range(max(2, per_word)), name=f"key_{p}_{precision.name.lower()}")
                        m.d.comb += key.eq(a.key + query[:together.bit_length() - 1] if together > 1 else a.key)
                        m.d.comb += unit.eq(Mux(beyond, 0, Array(units[row * per_key + own % per_key]
                                                                 for row in range(per_word))[key]))
            loads.append(load)
            stationary.append(unit)
            is_word.append(streams)
        operands, take, load_bits = [], [], []
        for row in range(cfg.rows // 2):
            for p in range(cfg.columns):
                streaming = units[row % per_word * per_key + p % per_key]
                operands.append(Mux(a.loads, stationary[p], streaming))
                take.append(is_word[p] & (a.part == row // per_word))
                load_bits.append(loads[p])
        return operands, take, load_bits
