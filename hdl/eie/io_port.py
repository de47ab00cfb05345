"""I/O port: stream commands that write and read every memory, the I/O mode of the central control unit."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    INBOX_BEATS,
    READ_LATENCY,
    Mem,
    Op,
    Walk,
    beats,
    mem_bits,
    mem_words,
)
from hdl.common.axi import axi_stream_layout
from hdl.common.fifo import Fifo

from .layouts import access_layout, check_cfg

__all__ = ["IoPort", "State", "port_access_layout"]


class State(enum.Enum, shape=3):
    COMMAND = 0
    CHECK = 1
    WRITE = 2
    READ = 3
    WAIT = 4
    SEND = 5
    #: Drops a bad command up to its TLAST.
    SKIP = 6


def port_access_layout(cfg) -> data.StructLayout:
    """A word on its way to any memory, the program memory included; otherwise as :func:`access_layout`."""
    members = {name: field.shape for name, field in access_layout(cfg)}
    members["addr"] = range(max(mem_words(cfg).values()))
    members["wdata"] = max(mem_bits(cfg).values())
    return data.StructLayout(members)


class IoPort(wiring.Component):
    """I/O mode of the central control unit [EIE IV]. Format: ``golden.eie.formats``.

    A command that breaks a rule sets ``error`` and is skipped to its TLAST without writing anything; TLAST
    in a wrong place sets ``error`` too. Two beats may wait in front of the port.

    Latency: 3 cycles from a command to its first word; 2 from a word's last beat to the bus; 6 from a read's turn to
    its reply. Throughput: one beat a cycle for writing, one word in 5 + beats cycles for reading.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    idle : In(1)
        No program runs; only then a command is taken.
    clear : In(1)
        Reset ``error``.
    i, o : In, Out(stream of axi_stream_layout(BEAT_BITS))
        Commands and data; replies.
    access : Out(port_access_layout(cfg))
        A register; ``wdata`` belongs to a write, ``pe`` and ``addr`` to a write or read. ``addr`` and ``wdata`` come
        one cycle after the rest.
    answer : In
        Word that was read, sampled 3 cycles after ``access``.
    active : Out(1)
        A command waits or is being carried out.
    error : Out(1)
        Sticky.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "idle": In(1), "clear": In(1),
            "i": In(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "o": Out(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "access": Out(port_access_layout(cfg)),
            "answer": In(port_access_layout(cfg)["wdata"].shape),
            "active": Out(1),
            "error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.inbox = inbox = Fifo(axi_stream_layout(BEAT_BITS), INBOX_BEATS)
        connect(m, flipped(self.i), inbox.i)
        beat_in = inbox.o.p
        n_pe = self._cfg.n_pe
        state = Signal(State)
        command = Signal(data.StructLayout(COMMAND_FIELDS))
        offered = data.View(data.StructLayout(COMMAND_FIELDS), beat_in.data)
        ended = Signal()
        rows = Signal(COMMAND_FIELDS["count"] + 1)
        pe = Signal(range(max(n_pe, 2)))
        addr = Signal(COMMAND_FIELDS["addr"])
        left = Signal(COMMAND_FIELDS["count"])
        legal = self._is_legal(m, command, rows, ended)
        most_beats = beats(len(self.answer))
        beat = Signal(range(most_beats))
        word = Signal(most_beats * BEAT_BITS)
        wait = Signal(range(READ_LATENCY + 1))
        take = Signal()
        in_memory = Signal()
        out_free = Signal()
        error = Signal()
        word_ends = Signal()
        all_ends = Signal()
        last_beat = Signal(range(most_beats))
        per_word = {mem: beats(bits) for mem, bits in mem_bits(self._cfg).items()}
        with m.Switch(command.mem):
            for mem in Mem:
                with m.Case(mem):
                    m.d.comb += last_beat.eq(per_word[mem] - 1)
        m.d.comb += [
            self.active.eq(inbox.o.valid | (state != State.COMMAND) | self.access.valid | in_memory),
            inbox.o.ready.eq((state == State.WRITE) | (state == State.SKIP) | ((state == State.COMMAND) & self.idle)),
            take.eq(inbox.o.valid & inbox.o.ready),
            out_free.eq(~self.o.valid | self.o.ready),
            word_ends.eq(beat == last_beat),
            all_ends.eq(word_ends & (left == 1)),
        ]
        m.d.sync += [
            self.error.eq((self.error & ~self.clear) | error),
            self.access.valid.eq(0),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        # The address and the word go out a cycle after the rest.
        m.d.sync += in_memory.eq(self.access.valid)
        bus_addr = Signal.like(self.access.addr, name="bus_addr")
        m.d.sync += [self.access.addr.eq(bus_addr), self.access.wdata.eq(word)]
        advance = Signal()

        def put_on_bus(op):
            return [self.access.valid.eq(1), self.access.op.eq(op), self.access.mem.eq(command.mem),
                    self.access.every.eq(command.walk == Walk.ALL), self.access.pe.eq(pe), bus_addr.eq(addr)]

        with m.Switch(state):
            with m.Case(State.COMMAND):
                with m.If(take):
                    m.d.sync += [command.eq(offered), ended.eq(beat_in.last), rows.eq(self._rows(offered)),
                                 state.eq(State.CHECK)]
            with m.Case(State.CHECK):
                m.d.sync += [pe.eq(command.pe), addr.eq(command.addr), left.eq(command.count), beat.eq(0)]
                with m.If(~legal):
                    m.d.comb += error.eq(1)
                    m.d.sync += state.eq(Mux(ended, State.COMMAND, State.SKIP))
                with m.Elif(command.op == Op.CLEAR):
                    m.d.sync += [state.eq(State.COMMAND), *put_on_bus(Op.CLEAR)]
                with m.Else():
                    m.d.sync += state.eq(Mux(command.op == Op.READ, State.READ, State.WRITE))
            with m.Case(State.WRITE):
                with m.If(take):
                    m.d.sync += [word.word_select(beat, BEAT_BITS).eq(beat_in.data), beat.eq(beat + 1)]
                    m.d.comb += [advance.eq(word_ends), error.eq(beat_in.last != all_ends)]
                    with m.If(word_ends):
                        m.d.sync += put_on_bus(Op.WRITE)
                    with m.If(beat_in.last):
                        m.d.sync += state.eq(State.COMMAND)
                    with m.Elif(all_ends):
                        m.d.sync += state.eq(State.SKIP)
            with m.Case(State.READ):
                m.d.sync += [*put_on_bus(Op.READ), wait.eq(READ_LATENCY), state.eq(State.WAIT)]
            with m.Case(State.WAIT):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += [word.eq(self.answer), state.eq(State.SEND)]
            with m.Case(State.SEND):
                with m.If(out_free):
                    m.d.sync += [
                        self.o.valid.eq(1), self.o.p.data.eq(word.word_select(beat, BEAT_BITS)),
                        self.o.p.last.eq(all_ends), beat.eq(beat + 1),
                    ]
                    m.d.comb += advance.eq(word_ends)
                    with m.If(word_ends):
                        m.d.sync += state.eq(Mux(left == 1, State.COMMAND, State.READ))
            with m.Case(State.SKIP):
                with m.If(take & beat_in.last):
                    m.d.sync += state.eq(State.COMMAND)

        # The next word of the command.
        interleaved = command.walk == Walk.INTERLEAVED
        with m.If(advance):
            m.d.sync += [left.eq(left - 1), beat.eq(0)]
            with m.If(interleaved & (pe != n_pe - 1)):
                m.d.sync += pe.eq(pe + 1)
            with m.Else():
                m.d.sync += addr.eq(addr + 1)
                with m.If(interleaved):
                    m.d.sync += pe.eq(0)

        return m

    def _rows(self, c):
        """Words of one PE that a command takes."""
        return Mux(c.walk == Walk.INTERLEAVED, (c.count + (self._cfg.n_pe - 1)) >> self._cfg.pe_bits, c.count)

    def _is_legal(self, m, c, rows, ended):
        """Known values, words that exist, TLAST where it belongs."""
        n_pe = self._cfg.n_pe
        end = Signal(COMMAND_FIELDS["addr"] + 2)
        m.d.comb += end.eq(c.addr + rows)
        in_range = C(0)
        for mem, words in mem_words(self._cfg).items():
            in_range |= (c.mem == mem) & (end <= words)
        is_program = c.mem == Mem.PROGRAM
        one_pe = (c.walk == Walk.ONE) & ~is_program
        is_file = (c.mem == Mem.ACT0) | (c.mem == Mem.ACT1)
        return ((c.op <= Op.CLEAR) & (c.walk <= Walk.ALL) & (c.zero == 0) & (c.count != 0) & in_range
                & ~(is_program & (c.walk != Walk.ONE))
                & Mux(one_pe, c.pe < n_pe, c.pe == 0)
                & (ended == (c.op != Op.WRITE))
                & ~((c.op == Op.READ) & (c.walk == Walk.ALL))
                & ((c.op != Op.CLEAR) | ((c.walk == Walk.ALL) & is_file & (c.addr == 0) & (c.count == 1))))
