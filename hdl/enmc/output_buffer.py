"""Output buffer: a FIFO of records, of which a burst is taken at once."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .layouts import burst_layout, check_cfg, record_layout

__all__ = ["OutputBuffer"]


class OutputBuffer(wiring.Component):
    """Records that wait for RETURN [Thesis 6.4.2].

    They lie in as many banks as a burst has records, one after another, so that a burst is one word of each.

    Latency: a record can be taken in the cycle after ``push``; ``record_burst`` 1 cycle after ``take``. Throughput: a
    record in and a burst out a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    push, record : In
        A record goes in. There is always room, because the controller keeps count.
    take : In(1)
        As many records as there are, up to cfg.records, are taken.
    record_burst : Out(burst_layout(cfg))
        What was taken last, until the next ``take``: the first record lowest, all zero where there was none.
    popped : Out(range(cfg.records + 1))
        Records that were taken in the cycle before.
    ready : Out(16)
        Records inside.
    finished : Out(1)
        A record went in in the cycle before; ``ready`` counts it.
    clear : In(1)
        Forget all records, and give none; not while ``push``.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "push": In(1), "record": In(record_layout()), "take": In(1), "record_burst": Out(burst_layout(cfg)),
            "popped": Out(range(cfg.records + 1)), "ready": Out(16), "finished": Out(1), "clear": In(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        most, depth = cfg.records, cfg.results
        bits = (most - 1).bit_length()
        head = Signal(range(depth))
        tail = Signal(range(depth))
        level = Signal(range(depth + 1))
        count = Signal(range(most + 1))
        m.d.comb += self.ready.eq(level)
        with m.If(self.take & ~self.clear):
            m.d.comb += count.eq(Mux(level < most, level, most))
        m.d.sync += [
            head.eq(head + count), tail.eq(tail + self.push), level.eq(level + self.push - count),
            self.popped.eq(count), self.finished.eq(self.push),
            Assert(~self.push | (level != depth), "a record must find room in the output buffer"),
            Assert(~self.push | ~self.clear, "records must be finished before they are forgotten"),
        ]
        with m.If(self.clear):
            m.d.sync += [head.eq(0), tail.eq(0), level.eq(0)]

        banks = []
        for k in range(most):
            m.submodules[f"bank_{k}"] = bank = memory.Memory(shape=len(Value.cast(self.record)), depth=depth // most,
                                                             init=[])
            write, read = bank.write_port(), bank.read_port(domain="comb")
            # The first record at or behind ``head`` that lies in this bank.
            m.d.comb += [
                write.en.eq(self.push & (tail[:bits] == k)), write.addr.eq(tail[bits:]), write.data.eq(self.record),
                read.addr.eq((head + (most - 1 - k)) >> bits),
            ]
            banks.append(read.data)
        with m.If(self.take):
            for k in range(most):
                place = Value.cast(self.record_burst).word_select(k, len(banks[0]))
                m.d.sync += place.eq(Mux(count > k, Array(banks)[(head + k)[:bits]], 0))
        return m
