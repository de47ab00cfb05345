"""Stream port of the chip: commands that write and read the memories and start stages."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.duet.formats import (
    ADDR_BITS,
    BEAT_BITS,
    COMMAND_FIELDS,
    GLB_LATENCY,
    START_LATENCY,
    Op,
    Target,
    chain_beats,
    target_beats,
    target_words,
)
from hdl.common.axi import axi_stream_layout
from hdl.common.beats import WordsToBeats
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import check_cfg

__all__ = ["INBOX_BEATS", "IoPort", "State", "bus_layout"]

#: Beats that may wait in front of the port.
INBOX_BEATS = 2
#: Counter of cycles that pass until an answer is sampled, or until ``busy`` counts.
_LONGEST_WAIT = max(GLB_LATENCY + 2, START_LATENCY + 1)


class State(enum.Enum, shape=3):
    COMMAND = 0
    CHECK = 1
    WRITE = 2
    #: Beats go into the scan chain; a stage may run meanwhile ...
    SHIFT = 3
    #: ... it ends, and the next one begins ...
    UPDATE = 4
    #: ... but ``busy`` does not say so yet.
    SETTLE = 5
    READ = 6
    #: Drops a bad command up to its TLAST.
    SKIP = 7


def bus_layout() -> data.StructLayout:
    """A word on its way to or from a memory.

    .. code-block::

        MSB                                     LSB
        +---------+--------------+-------+-------+
        | addr 16 | target 3     | write | valid |
        +---------+--------------+-------+-------+
    """
    return data.StructLayout({"valid": 1, "write": 1, "target": range(len(Target)), "addr": ADDR_BITS})


class IoPort(wiring.Component):
    """Stream port of the chip [Thesis 5.2.1]. Format: ``golden.duet.formats``.

    A command is one beat. WRITE: ``count`` words follow and go to ``addr``, ``addr`` + 1, ... of memory ``target``.
    READ: ``count`` words of the global buffer or of the map buffer come back, TLAST after the last. RUN: the scan chain
    follows, ``count`` = its beats; it is shifted in while a stage may still run, and holds from the end of that stage
    on. A word takes ``ceil(bits / 64)`` beats, low part first; a word of the map buffer that is read comes in the low
    bits of as many beats as one of the global buffer. TLAST is on the command itself (READ), or on the last beat of its
    data.

    A command that breaks a rule sets ``error`` and is skipped to its TLAST: it writes and starts nothing. With TLAST in
    a wrong place the words that were complete before it are written, and a stage does not start.

    Latency: 3 cycles from a command to its first word; 2 from a word's last beat to the bus, 3 from the last beat of a
    RUN to ``update``; 9 from the beat of a READ to the first beat of its reply. Throughput: one beat a cycle for
    writing; reading takes max(4, beats of a word) cycles a word.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    busy : In(1)
        A stage runs: all commands but RUN wait. Looked at from START_LATENCY = 4 cycles after ``update`` on.
    clear : In(1)
        Reset ``error``.
    i, o : In, Out(stream of axi_stream_layout(BEAT_BITS))
        Commands and data; replies.
    access : Out(bus_layout())
        A register. A write carries ``wdata``.
    wdata : Out(bits of the widest word)
        A register; a narrower word stands in its low bits.
    answer : In(cfg.word_bits)
        The word that was read, sampled GLB_LATENCY = 2 cycles after ``access``. There is no other access meanwhile.
    shift : Out(1)
        ``chain`` goes into the scan chain.
    chain : Out(BEAT_BITS)
    update : Out(1)
        One cycle: what is in the scan chain holds, and a stage begins.
    active : Out(1)
        A command waits, or is carried out up to its last word.
    error : Out(1)
        Sticky.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "busy": In(1), "clear": In(1),
            "i": In(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "o": Out(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "access": Out(bus_layout()),
            "wdata": Out(max(target_beats(cfg).values()) * BEAT_BITS),
            "answer": In(cfg.word_bits),
            "shift": Out(1), "chain": Out(BEAT_BITS), "update": Out(1),
            "active": Out(1), "error": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.inbox = inbox = Fifo(axi_stream_layout(BEAT_BITS), INBOX_BEATS)
        m.submodules.replies = replies = unit(platform, WordsToBeats(cfg.word_bits, BEAT_BITS),
                                              name="duet_words_to_beats")
        connect(m, flipped(self.i), inbox.i)
        connect(m, replies.o, flipped(self.o))
        beat_in = inbox.o.p
        beats = target_beats(cfg)
        state = Signal(State)
        command = Signal(data.StructLayout(COMMAND_FIELDS))
        ended = Signal()
        addr = Signal(ADDR_BITS)
        left = Signal(COMMAND_FIELDS["count"])
        beat = Signal(range(max(beats.values())))
        last_beat = Signal.like(beat)
        wait = Signal(range(_LONGEST_WAIT))
        word_full = Signal()
        word_last = Signal()
        take = Signal()
        handed = Signal()
        word_ends = Signal()
        error = Signal()
        put = Signal()
        legal = self._is_legal(m, command, ended)
        with m.Switch(command.target):
            for target, count in beats.items():
                with m.Case(target.value):
                    m.d.comb += last_beat.eq(count - 1)
        m.d.comb += [
            self.active.eq(inbox.o.valid | (state != State.COMMAND) | self.access.valid),
            inbox.o.ready.eq((state == State.WRITE) | (state == State.SHIFT) | (state == State.SKIP)
                             | (state == State.COMMAND)),
            take.eq(inbox.o.valid & inbox.o.ready),
            word_ends.eq(beat == last_beat),
            replies.i.valid.eq(word_full),
            replies.i.p.word.eq(self.wdata[:cfg.word_bits]),
            replies.i.p.last.eq(word_last),
            handed.eq(word_full & replies.i.ready),
        ]
        m.d.sync += [self.error.eq((self.error & ~self.clear) | error), self.shift.eq(0), self.update.eq(0)]

        # The bus: one word, then the next address.
        m.d.sync += self.access.valid.eq(put)
        with m.If(put):
            m.d.sync += [self.access.write.eq(state == State.WRITE), self.access.target.eq(command.target),
                         self.access.addr.eq(addr), addr.eq(addr + 1), left.eq(left - 1)]

        def framed(all_here, after):
            """Where a data beat leads: ``after`` the last one, if TLAST is where it belongs."""
            m.d.comb += error.eq(beat_in.last != all_here)
            with m.If(beat_in.last):
                m.d.sync += state.eq(Mux(all_here, after, State.COMMAND))
            with m.Elif(all_here):
                m.d.sync += state.eq(State.SKIP)

        with m.Switch(state):
            with m.Case(State.COMMAND):
                with m.If(take):
                    m.d.sync += [command.eq(beat_in.data), ended.eq(beat_in.last), state.eq(State.CHECK)]
            with m.Case(State.CHECK):
                m.d.sync += [addr.eq(command.addr), left.eq(command.count), beat.eq(0)]
                with m.If(~legal):
                    m.d.comb += error.eq(1)
                    m.d.sync += state.eq(Mux(ended, State.COMMAND, State.SKIP))
                with m.Elif(command.op == Op.RUN):
                    m.d.sync += state.eq(State.SHIFT)
                with m.Elif(~self.busy):
                    m.d.sync += state.eq(Mux(command.op == Op.READ, State.READ, State.WRITE))
            with m.Case(State.WRITE):
                with m.If(take):
                    m.d.sync += [self.wdata.word_select(beat, BEAT_BITS).eq(beat_in.data),
                                 beat.eq(Mux(word_ends, 0, beat + 1))]
                    m.d.comb += put.eq(word_ends)
                    framed(word_ends & (left == 1), State.COMMAND)
            with m.Case(State.SHIFT):
                with m.If(take):
                    m.d.sync += [self.shift.eq(1), self.chain.eq(beat_in.data), left.eq(left - 1)]
                    framed(left == 1, State.UPDATE)
            with m.Case(State.UPDATE):
                with m.If(~self.busy):
                    m.d.sync += [self.update.eq(1), wait.eq(START_LATENCY), state.eq(State.SETTLE)]
            with m.Case(State.SETTLE):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += state.eq(State.COMMAND)
            with m.Case(State.READ):
                # The next word is read as soon as this one is handed on.
                m.d.comb += put.eq((wait == 0) & (left != 0) & (~word_full | handed))
                with m.If(put):
                    m.d.sync += wait.eq(GLB_LATENCY + 1)
                with m.Elif(wait != 0):
                    m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += [self.wdata[:cfg.word_bits].eq(self.answer), word_full.eq(1), word_last.eq(left == 0)]
                with m.Elif(handed):
                    m.d.sync += word_full.eq(0)
                with m.If(handed & word_last):
                    m.d.sync += state.eq(State.COMMAND)
            with m.Case(State.SKIP):
                with m.If(take & beat_in.last):
                    m.d.sync += state.eq(State.COMMAND)
        return m

    def _is_legal(self, m, c, ended):
        """Known values, words that exist, TLAST where it belongs."""
        end = Signal(ADDR_BITS + 1)
        fits = Signal()
        m.d.comb += end.eq(c.addr + c.count)
        with m.Switch(c.target):
            for target, words in target_words(self._cfg).items():
                with m.Case(target.value):
                    m.d.comb += fits.eq(end <= words)
        whole_chain = (c.target == 0) & (c.addr == 0) & (c.count == chain_beats(self._cfg))
        return ((c.op <= Op.RUN) & (c.zero == 0) & (c.zero_high == 0) & (c.count != 0)
                & Mux(c.op == Op.RUN, whole_chain, fits) & (ended == (c.op == Op.READ))
                & ((c.op != Op.READ) | (c.target <= Target.MAP)))
