"""Fetch unit: reads the vectors of a round from the banks, each distinct one once."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import KEY_BANKS, QUERIES, VALUE_BANKS

from .layouts import check_cfg, operand_layout, request_layout

__all__ = ["Fetch"]


class Fetch(wiring.Component):
    """Reads what four queries need from four banks [Thesis 7.6.3, "each key is loaded once a round"].

    In a cycle every bank serves the first query that waits for it, and with it all that want the same vector.

    Latency: 2 cycles from ``i`` to ``fire`` without conflicts. Throughput: a request takes as many cycles as the
    busiest bank has distinct vectors; one a cycle in the best case.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    values : In(1)
        Read the value banks instead of the key banks. Stable while a request is inside, as ``both``.
    both : In(1)
        Besides, read ``other`` from the value banks.
    i : In(stream of request_layout(cfg))
    gather_en : Out(8)
        Reads of the key and the value banks.
    gather_row : Out(8 rows)
    chunk : Out
        Word of the query vectors that the request needs, ...
    chunk_en : Out(1)
        ... in the cycle of its first reads.
    operand : Out(operand_layout(cfg))
        A register: it describes what the banks read in the cycle before.
    loads : Out(range(5))
        Vectors read in the cycle before, ``other`` left out.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        row = range(cfg.bank_words)
        super().__init__({
            "values": In(1), "both": In(1),
            "i": In(stream.Signature(request_layout(cfg))),
            "gather_en": Out(KEY_BANKS + VALUE_BANKS),
            "gather_row": Out(data.ArrayLayout(row, KEY_BANKS + VALUE_BANKS)),
            "chunk": Out(request_layout(cfg)["chunk"].shape), "chunk_en": Out(1),
            "operand": Out(operand_layout(cfg)),
            "loads": Out(range(KEY_BANKS + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        request = Signal(request_layout(self._cfg))
        valid = Signal()
        fresh = Signal()
        pending = Signal(QUERIES)
        done = Signal()

        # For each bank the first query that waits for it, and the queries that it serves.
        bank_en = Signal(KEY_BANKS)
        rows = [Signal(range(self._cfg.bank_words), name=f"row_{bank}") for bank in range(KEY_BANKS)]
        serves = Signal(QUERIES)
        waits = [Signal(QUERIES, name=f"waits_{bank}") for bank in range(KEY_BANKS)]
        for bank in range(KEY_BANKS):
            m.d.comb += [
                waits[bank].eq(Cat(pending[t] & (request.addr[t][:2] == bank) for t in range(QUERIES))),
                bank_en[bank].eq(valid & waits[bank].any()),
            ]
            for t in reversed(range(QUERIES)):  # the lowest comes last, and wins
                with m.If(waits[bank][t]):
                    m.d.comb += rows[bank].eq(request.addr[t][2:])
        equal = {(t, u): Signal(name=f"equal_{t}_{u}") for t in range(QUERIES) for u in range(t)}
        for (t, u), is_equal in equal.items():
            m.d.comb += is_equal.eq(request.addr[t] == request.addr[u])

        def same_bank(t, u):
            return request.addr[t][:2] == request.addr[u][:2]

        for t in range(QUERIES):
            # Query t is served unless an earlier one has the bank for another vector.
            blocked = Cat(pending[u] & same_bank(t, u) & ~equal[t, u] & ~Cat(pending[v] & same_bank(u, v)
                          for v in range(u)).any() for u in range(t)).any()
            m.d.comb += serves[t].eq(Mux(pending[t], ~blocked, fresh & ~request.live[t]))
        m.d.comb += [
            done.eq(valid & ~(pending & ~serves).any()),
            self.i.ready.eq(~valid | done),
            self.chunk.eq(request.chunk), self.chunk_en.eq(valid & fresh),
        ]
        for bank in range(KEY_BANKS):
            m.d.comb += [
                self.gather_en[bank].eq(bank_en[bank] & ~self.values),
                self.gather_en[KEY_BANKS + bank].eq(Mux(self.values, bank_en[bank],
                                                        valid & fresh & self.both & (request.other[:2] == bank))),
                self.gather_row[bank].eq(rows[bank]),
                self.gather_row[KEY_BANKS + bank].eq(Mux(self.values, rows[bank], request.other[2:])),
            ]

        with m.If(self.i.ready):
            m.d.sync += [valid.eq(self.i.valid), fresh.eq(1)]
            with m.If(self.i.valid):
                m.d.sync += [request.eq(self.i.payload), pending.eq(self.i.p.live)]
        with m.Else():
            m.d.sync += [pending.eq(pending & ~serves), fresh.eq(0)]

        operand = self.operand
        m.d.sync += [
            operand.take.eq(Mux(valid, serves, 0)), operand.fire.eq(done),
            self.loads.eq(sum(bank_en)),
        ]
        with m.If(valid):
            m.d.sync += [
                *(operand.bank[t].eq(request.addr[t][:2]) for t in range(QUERIES)),
                operand.other_bank.eq(request.other[:2]), operand.live.eq(request.live),
                operand.weights.eq(request.weights), operand.first.eq(request.first), operand.end.eq(request.end),
                operand.last.eq(request.last), operand.element.eq(request.element),
            ]
        return m
