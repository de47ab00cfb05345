"""Stream port of the chip: commands that write and read the lanes and start steps."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.common.fields import beats_of
from golden.dota.formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    INBOX_BEATS,
    READ_LATENCY,
    START_LATENCY,
    STEP_BITS,
    STEP_FIELDS,
    Op,
)
from hdl.common.axi import axi_stream_layout
from hdl.common.beats import WordsToBeats, word_layout
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import check_cfg, step_layout

__all__ = ["IoPort", "State", "bus_layout", "reduction_layout"]

STEP_BEATS = STEP_BITS // BEAT_BITS


class State(enum.Enum, shape=3):
    COMMAND = 0
    CHECK = 1
    WRITE = 2
    #: The beats of a step come in ...
    STEP = 3
    #: ... it is looked at, and waits if it needs the accumulator that another one uses ...
    VERIFY = 4
    #: ... and started; ``busy`` does not say so yet.
    SETTLE = 5
    READ = 6
    #: Drops a bad command up to its TLAST.
    SKIP = 7


def bus_layout(cfg) -> data.StructLayout:
    """A word on its way to or from the SRAM of the lanes in the mask.

    .. code-block::

        MSB                                              LSB
        +-------------------+---------------+-------+-------+
        | addr address_bits | lanes `lanes` | write | valid |
        +-------------------+---------------+-------+-------+
    """
    return data.StructLayout({"valid": 1, "write": 1, "lanes": cfg.lanes, "addr": cfg.address_bits})


def reduction_layout(cfg) -> data.StructLayout:
    """What the accumulator and the output unit must know of a step with ``reduce``: its lanes, and fields of it.

    .. code-block::

        MSB                               LSB
        +--------+---------+--------+---------------+
        | relu 1 | shift 6 | wide 1 | lanes `lanes` |
        +--------+---------+--------+---------------+
    """
    return data.StructLayout({"lanes": cfg.lanes, "wide": 1, "shift": STEP_FIELDS["shift"], "relu": 1})


class IoPort(wiring.Component):
    """Stream port of the chip [Thesis 7.6.1, Fig. 7.11]. Format: ``golden.dota.formats``.

    A command is one beat. WRITE: ``count`` words follow and go to ``addr``, ``addr`` + 1, ... of all lanes in the
    mask ``lanes``. READ: ``count`` words of the one lane in the mask come back, TLAST after the last. RUN: a step of
    five beats follows and starts in the lanes of the mask; ``addr`` is 0 and ``count`` 1. A word takes
    ``ceil(word_bits / 64)`` beats, low part first; a word of 32 bits is the low half of its beat. TLAST is on the
    command itself (READ), or on the last beat of its data.

    A command that breaks a rule sets ``error`` and is skipped to its TLAST: it writes and starts nothing. So does a
    step that is unknown or whose ``pad`` is not 0. With TLAST in a wrong place the words that were complete before it
    are written, and a step does not start.

    With ``results`` the accumulator replies while a step with ``reduce`` runs. There is one accumulator and one way
    out: beside such a step a READ and another step with ``reduce`` wait until it is over. During a READ ``results`` is
    not heard.

    Latency: 3 cycles from a command to its first word; 2 from a word's last beat to the bus, 3 from a step's last beat
    to ``start``; 12 from the beat of a READ to the first beat of its reply, 2 from a result to its first beat.
    Throughput: one beat a cycle for writing and for results; reading takes max(7, beats of a word) cycles a word.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    busy : In(cfg.lanes)
        Lanes in which a step runs: a command waits until its lanes are done, others may run on. Looked at from
        START_LATENCY = 4 cycles after ``start`` on; what runs must have set it by then.
    clear : In(1)
        Reset ``error``.
    i, o : In, Out(stream of axi_stream_layout(BEAT_BITS))
        Commands and data; replies.
    results : In(stream of word_layout(cfg.word_bits))
        Words that leave on ``o``, with TLAST after a ``last`` one.
    access : Out(bus_layout(cfg))
        A register. A write carries ``wdata``.
    wdata : Out(cfg.word_bits)
        A register.
    answer : In(cfg.word_bits)
        The word that was read, sampled in the cycle that comes READ_LATENCY = 5 cycles after that of ``access``.
        There is no other access meanwhile.
    start : Out(cfg.lanes)
        One cycle: the lanes that begin ``step``.
    step : Out(step_layout())
        A register; changes only while the next RUN comes in.
    reduction : Out(reduction_layout(cfg))
        Of the last step with ``reduce``, from its ``start`` on. A register; stays while the step runs.
    active : Out(1)
        A command waits, or is carried out up to its last word: in the lane, or handed on to ``o``.
    error : Out(1)
        Sticky.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "busy": In(cfg.lanes), "clear": In(1),
            "i": In(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "o": Out(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "results": In(stream.Signature(word_layout(cfg.word_bits))),
            "access": Out(bus_layout(cfg)),
            "wdata": Out(cfg.word_bits),
            "answer": In(cfg.word_bits),
            "start": Out(cfg.lanes),
            "step": Out(step_layout()),
            "reduction": Out(reduction_layout(cfg)),
            "active": Out(1),
            "error": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.inbox = inbox = Fifo(axi_stream_layout(BEAT_BITS), INBOX_BEATS)
        m.submodules.replies = replies = unit(platform, WordsToBeats(cfg.word_bits, BEAT_BITS),
                                              name="dota_words_to_beats")
        connect(m, flipped(self.i), inbox.i)
        connect(m, replies.o, flipped(self.o))
        beat_in = inbox.o.p
        beats = beats_of(cfg.word_bits, BEAT_BITS)
        state = Signal(State)
        reading = Signal()                      # the state is READ: a register of its own, for `results.ready`
        command = Signal(data.StructLayout(COMMAND_FIELDS))
        ended = Signal()
        addr = Signal(COMMAND_FIELDS["addr"])
        left = Signal(COMMAND_FIELDS["count"])
        beat = Signal(range(max(beats, STEP_BEATS)))
        wait = Signal(range(max(READ_LATENCY + 2, START_LATENCY + 1)))
        word = Signal(beats * BEAT_BITS)
        word_full = Signal()
        word_last = Signal()
        in_lane = Signal()
        take = Signal()
        handed = Signal()
        word_ends = Signal()
        all_ends = Signal()
        step_ends = Signal()
        error = Signal()
        put = Signal()
        reducing = Signal(cfg.lanes)            # lanes in which a step with `reduce` runs
        sums_come = Signal()
        legal = self._is_legal(m, command, ended)
        m.d.comb += [
            self.active.eq(inbox.o.valid | (state != State.COMMAND) | self.access.valid | in_lane),
            inbox.o.ready.eq((state == State.WRITE) | (state == State.STEP) | (state == State.SKIP)
                             | (state == State.COMMAND)),
            take.eq(inbox.o.valid & inbox.o.ready),
            word_ends.eq(beat == beats - 1),
            all_ends.eq(word_ends & (left == 1)),
            step_ends.eq(beat == STEP_BEATS - 1),
            self.wdata.eq(word[:cfg.word_bits]),
            sums_come.eq((self.busy & reducing).any()),
        ]
        with m.If(state != State.SETTLE):
            m.d.sync += reducing.eq(reducing & self.busy)
        m.d.sync += [self.error.eq((self.error & ~self.clear) | error), self.start.eq(0)]

        # Replies: the word that was read, or those of the accumulator.
        m.d.comb += [
            replies.i.valid.eq(Mux(reading, word_full, self.results.valid)),
            replies.i.p.word.eq(Mux(reading, word[:cfg.word_bits], self.results.p.word)),
            replies.i.p.last.eq(Mux(reading, word_last, self.results.p.last)),
            self.results.ready.eq(replies.i.ready & ~reading),
            handed.eq(reading & word_full & replies.i.ready),
        ]

        # The bus: one word, then the next address.
        m.d.sync += [self.access.valid.eq(put), in_lane.eq(self.access.valid)]
        with m.If(put):
            m.d.sync += [self.access.write.eq(~reading), self.access.lanes.eq(command.lanes), self.access.addr.eq(addr),
                         addr.eq(addr + 1), left.eq(left - 1)]

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
                with m.Elif((self.busy & command.lanes[:cfg.lanes]).any()):
                    pass
                with m.Elif(command.op == Op.READ):
                    with m.If(~sums_come):
                        m.d.sync += [state.eq(State.READ), reading.eq(1)]
                with m.Else():
                    m.d.sync += state.eq(Mux(command.op == Op.RUN, State.STEP, State.WRITE))
            with m.Case(State.WRITE):
                with m.If(take):
                    m.d.sync += [word.word_select(beat, BEAT_BITS).eq(beat_in.data),
                                 beat.eq(Mux(word_ends, 0, beat + 1))]
                    m.d.comb += put.eq(word_ends)
                    framed(all_ends, State.COMMAND)
            with m.Case(State.STEP):
                with m.If(take):
                    m.d.sync += [self.step.as_value().word_select(beat, BEAT_BITS).eq(beat_in.data), beat.eq(beat + 1)]
                    framed(step_ends, State.VERIFY)
            with m.Case(State.VERIFY):
                step = self.step
                with m.If((step.step == 0) | (step.pad != 0)):
                    m.d.comb += error.eq(1)
                    m.d.sync += state.eq(State.COMMAND)
                with m.Elif(~(step.reduce & sums_come)):
                    m.d.sync += [self.start.eq(command.lanes), wait.eq(START_LATENCY), state.eq(State.SETTLE)]
                    with m.If(step.reduce):
                        told = self.reduction
                        m.d.sync += [reducing.eq(command.lanes), told.lanes.eq(command.lanes), told.wide.eq(step.wide),
                                     told.shift.eq(step.shift), told.relu.eq(step.relu)]
            with m.Case(State.SETTLE):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += state.eq(State.COMMAND)
            with m.Case(State.READ):
                # The next word is read as soon as this one is handed on.
                m.d.comb += put.eq((wait == 0) & (left != 0) & (~word_full | handed))
                with m.If(put):
                    m.d.sync += wait.eq(READ_LATENCY + 1)
                with m.Elif(wait != 0):
                    m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += [word.eq(self.answer), word_full.eq(1), word_last.eq(left == 0)]
                with m.Elif(handed):
                    m.d.sync += word_full.eq(0)
                with m.If(handed & word_last):
                    m.d.sync += [state.eq(State.COMMAND), reading.eq(0)]
            with m.Case(State.SKIP):
                with m.If(take & beat_in.last):
                    m.d.sync += state.eq(State.COMMAND)
        return m

    def _is_legal(self, m, c, ended):
        """Known values, lanes and words that exist, TLAST where it belongs."""
        lanes = self._cfg.lanes
        end = Signal(COMMAND_FIELDS["addr"] + 1)
        m.d.comb += end.eq(c.addr + c.count)
        mask = c.lanes[:lanes]
        single = (mask & (mask - 1)[:lanes]) == 0
        return ((c.op <= Op.RUN) & (c.zero == 0) & (c.zero_high == 0) & (mask != 0) & (c.lanes[lanes:] == 0)
                & (c.count != 0) & (end <= self._cfg.words) & (ended == (c.op == Op.READ))
                & ((c.op != Op.READ) | single) & ((c.op != Op.RUN) | ((c.addr == 0) & (c.count == 1))))
