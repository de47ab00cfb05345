"""Words that leave as stream beats, low part first."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.common.fields import beats_of
from hdl.common.axi import axi_stream_layout
from hdl.common.fifo import Fifo

__all__ = ["WordsToBeats", "word_layout"]


def word_layout(bits) -> data.StructLayout:
    """A word; ``last`` marks the end of a row of words.

    .. code-block::

        MSB                    LSB
        +----------+-------------+
        | last  1  | word  bits  |
        +----------+-------------+
    """
    return data.StructLayout({"word": bits, "last": 1})


class WordsToBeats(wiring.Component):
    """Cuts words into beats, low part first; the last beat of a ``last`` word is ``last``.

    A word takes ``ceil(word_bits / beat_bits)`` beats; what the word does not fill of them is 0.

    Latency: 2 cycles from a word to its first beat. Throughput: one beat a cycle, from one word to the next without a
    gap. No combinational path leads through the unit.

    Parameters
    ----------
    word_bits, beat_bits : int
        Widths, at least 1.

    Members
    -------
    i : In(stream of word_layout(word_bits))
    o : Out(stream of axi_stream_layout(beat_bits))

    Raises
    ------
    ValueError
        If a width is not a positive integer.
    """

    def __init__(self, word_bits, beat_bits):
        for name, bits in ("word_bits", word_bits), ("beat_bits", beat_bits):
            if type(bits) is not int or bits < 1:
                raise ValueError(f"{name} must be a positive integer, not {bits!r}")
        self._word_bits, self._beat_bits = word_bits, beat_bits
        super().__init__({
            "i": In(stream.Signature(word_layout(word_bits))),
            "o": Out(stream.Signature(axi_stream_layout(beat_bits))),
        })

    def elaborate(self, platform):
        m = Module()
        # Two places: the FIFO is as fast as one beat a cycle, and its `ready` is a register.
        m.submodules.queue = queue = Fifo(axi_stream_layout(self._beat_bits), 2)
        connect(m, queue.o, flipped(self.o))

        beats = beats_of(self._word_bits, self._beat_bits)
        busy = Signal()
        rest = Signal(beats * self._beat_bits)     # the next beat is the lowest
        is_last = Signal()
        behind = Signal(range(max(beats, 2)))      # beats behind the next one ...
        is_final = Signal(init=1)                  # ... none: a register of its own, for `ready`
        take = Signal()
        push = Signal()
        m.d.comb += [
            self.i.ready.eq(~busy | (is_final & queue.i.ready)),
            take.eq(self.i.valid & self.i.ready),
            queue.i.valid.eq(busy),
            queue.i.p.data.eq(rest[:self._beat_bits]),
            queue.i.p.last.eq(is_last & is_final),
            push.eq(busy & queue.i.ready),
        ]
        with m.If(take):
            m.d.sync += [busy.eq(1), behind.eq(beats - 1), is_final.eq(beats == 1)]
        with m.Elif(push):
            m.d.sync += [busy.eq(~is_final), behind.eq(behind - 1), is_final.eq(behind <= 1)]
        # Whether there is a word is known late in the cycle, so what stands there is copied in any case.
        with m.If(self.i.ready):
            m.d.sync += [rest.eq(self.i.p.word), is_last.eq(self.i.p.last)]
        with m.Elif(push):
            m.d.sync += rest.eq(rest >> self._beat_bits)
        return m
