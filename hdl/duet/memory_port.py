"""Memory port: words of weights that are off chip, in bursts of an AXI4 read master."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import check_cfg
from .load_layouts import fetch_layout

__all__ = ["MemoryPort", "address_layout", "beat_bits", "beat_layout"]

#: Bytes that a burst must not go beyond, and the widest beat [bits].
PAGE = 4096
MOST_BEAT = 512


def beat_bits(cfg) -> int:
    """Width of a beat: a word, or the widest beat."""
    return min(cfg.word_bits, MOST_BEAT)


def address_layout(cfg) -> data.StructLayout:
    """A burst, as on the AR channel of AXI4: byte address, and beats less one.

    | len | addr |
    """
    return data.StructLayout({"addr": 32 + (cfg.word_bits // 8).bit_length() - 1, "len": 8})


def beat_layout(cfg) -> data.StructLayout:
    """A beat, as on the R channel of AXI4.

    | last | data |
    """
    return data.StructLayout({"data": beat_bits(cfg), "last": 1})


class MemoryPort(wiring.Component):
    """Reads words of weights from a memory off chip [Thesis 5.2.2].

    AXI4 read master: beats of a word, of 512 bits at most, increasing addresses, one ID. No burst crosses 4 KB: a
    request that would is split. Word w lies at byte ``w * word_bits / 8``, its first value lowest.

    Latency: 2 cycles from a request to its burst, 2 from the last beat of a word to the word. Throughput: a beat a
    cycle; a burst in two cycles. ``MOST_BURSTS`` = 8 bursts are outstanding at most, so the latency of the memory is
    hidden as long as eight requests cover it; ``BEATS`` = 2 beats are taken ahead of the word that waits.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i : In(stream of fetch_layout())
        ``count`` words, at least 1, from word ``addr`` on. ``ready``: a register.
    ar : Out(stream of address_layout(cfg))
        m_axi_ar*. Size is that of a beat, burst INCR.
    r : In(stream of beat_layout(cfg))
        m_axi_r*, in the order of the bursts. ``ready``: a register.
    o : Out(stream of cfg.word_bits)
        Words in the order of the requests.
    busy : Out(1)
        A request, a burst or a word is inside.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    MOST_BURSTS = 8
    BEATS = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(fetch_layout())), "ar": Out(stream.Signature(address_layout(cfg))),
            "r": In(stream.Signature(beat_layout(cfg))), "o": Out(stream.Signature(cfg.word_bits)), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.beats = beats = unit(platform, Fifo(beat_layout(cfg), self.BEATS), name="duet_beats")
        wiring.connect(m, wiring.flipped(self.r), beats.i)
        run = Signal()
        outstanding = Signal(range(self.MOST_BURSTS + 1))
        part = Signal(range(max(2, cfg.word_bits // beat_bits(cfg))))
        ends = Signal()
        begins = self._bursts(m, run, outstanding)
        self._words(m, beats, part)
        m.d.comb += [
            ends.eq(self.r.valid & self.r.ready & self.r.p.last),
            self.busy.eq(run | self.ar.valid | (outstanding != 0) | beats.o.valid | (part != 0) | self.o.valid),
        ]
        m.d.sync += outstanding.eq(outstanding + begins - ends)
        m.d.sync += [
            Assert(~self.i.valid | (self.i.p.count != 0), "a request must be for a word"),
            Assert(~(self.r.valid & self.r.ready) | (outstanding != 0), "a beat must belong to a burst"),
        ]
        return m

    def _bursts(self, m, run, outstanding):
        """Cut a request where a page ends; whether a burst is offered from the next cycle on."""
        cfg = self._cfg
        size_bits = (cfg.word_bits // 8).bit_length() - 1
        page = PAGE * 8 // cfg.word_bits
        page_bits = page.bit_length() - 1
        beats = cfg.word_bits // beat_bits(cfg)
        addr = Signal(32)
        left = Signal(6)
        to_page = Signal(range(page + 1))
        words = Signal(6)
        free = Signal()
        begins = Signal()
        m.d.comb += [
            self.i.ready.eq(~run), free.eq(~self.ar.valid | self.ar.ready),
            begins.eq(run & free & (outstanding != self.MOST_BURSTS)),
            to_page.eq(page - addr[:page_bits]), words.eq(Mux(left < to_page, left, to_page)),
        ]
        with m.If(free):
            m.d.sync += self.ar.valid.eq(begins)
        with m.If(begins):
            m.d.sync += [self.ar.p.addr.eq(addr << size_bits), self.ar.p.len.eq(words * beats - 1),
                         addr.eq(addr + words), left.eq(left - words), run.eq(left != words)]
        with m.Elif(self.i.valid & ~run):
            m.d.sync += [run.eq(1), addr.eq(self.i.p.addr), left.eq(self.i.p.count)]
        return begins

    def _words(self, m, beats, part):
        """Beats become words: all but the last one of a word wait in a register."""
        cfg, width = self._cfg, beat_bits(self._cfg)
        count = cfg.word_bits // width
        parts = [Signal(width, name=f"part_{k}") for k in range(count - 1)]
        stays = Signal()
        last = Signal()
        moves = Signal()
        m.d.comb += [
            stays.eq(self.o.valid & ~self.o.ready), last.eq(part == count - 1),
            beats.o.ready.eq(~(last & stays)), moves.eq(beats.o.valid & beats.o.ready),
        ]
        with m.If(~stays):
            m.d.sync += self.o.valid.eq(moves & last)
        with m.If(moves):
            m.d.sync += part.eq(Mux(last, 0, part + 1))
            for k, register in enumerate(parts):
                with m.If(part == k):
                    m.d.sync += register.eq(beats.o.p.data)
            with m.If(last):
                m.d.sync += self.o.payload.eq(Cat(*parts, beats.o.p.data))
        m.d.sync += Assert(~(moves & beats.o.p.last) | last, "a burst must end with a word")
