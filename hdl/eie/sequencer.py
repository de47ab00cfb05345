"""Sequencer: runs the passes of a program, the computing mode of the central control unit."""

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import unit
from hdl.common.skid import Skid

from .layouts import broadcast_layout, check_cfg, command_layout, element_layout, fetched_layout

__all__ = ["Cause", "Sequencer", "State"]


class State(enum.Enum, shape=3):
    IDLE = 0
    #: Waits for the next pass and starts its scan.
    DISPATCH = 1
    #: Broadcasts what the quadtree delivers.
    RUN = 2
    #: Broadcasts the bias column.
    BIAS = 3
    #: Waits until no PE works any more.
    DRAIN = 4
    #: Accumulators go to the activation SRAM.
    STORE = 5


class Cause(enum.Enum, shape=3):
    """What a cycle of a running program went to."""

    BROADCASTS = 0
    #: Some activation queue is full.
    STALL_QUEUE = 1
    #: The next non-zero activation is not known yet.
    STALL_LNZD = 2
    STALL_DRAIN = 3
    STALL_STORE = 4
    #: Between passes.
    CONTROL = 5


class Sequencer(wiring.Component):
    """Computing mode of the central control unit [EIE IV].

    Per pass: command the scan (and load), broadcast all non-zero activations and then the bias column; a pass that
    finishes an output waits for the PEs, stores and swaps. Others are followed by the next pass at once. A refused pass
    ends the program, but not before the PEs are done with the passes in front of it.

    Latency: 1 cycle from the root of the quadtree to the broadcast. Throughput: one broadcast a cycle.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    start : In(1)
        Start the program unless one runs or ``io_active``: then ``start_error`` is set.
    clear : In(1)
        Reset the sticky flags.
    io_active : In(1)
        A stream command is being carried out.
    passes : In(stream of fetched_layout())
    i : In(stream of element_layout(cfg))
        Root of the quadtree.
    o : Out(stream of broadcast_layout(cfg))
        Broadcast, always taken.
    room : In(2)
        All queues have room for one activation more, for two. What is in ``o`` is not counted yet.
    any_busy : In(1)
        Some PE had work in the cycle before.
    command : Out(command_layout(cfg))
        A register.
    started : Out(1)
        The start of the cycle before was accepted.
    state : Out(State)
    running, cause : Out
        In the cycle before a program ran, and this is what the cycle went to.
    number : Out(32)
        Pass that runs, ended last, or was refused.
    done : Out(1)
        The program that was started last has ended.
    program_error, start_error : Out(1)
        Sticky: a pass was refused; a start was refused.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "clear": In(1), "io_active": In(1),
            "passes": In(stream.Signature(fetched_layout())),
            "i": In(stream.Signature(element_layout(cfg))),
            "o": Out(stream.Signature(broadcast_layout(cfg), always_ready=True)),
            "room": In(2),
            "any_busy": In(1),
            "command": Out(command_layout(cfg)),
            "started": Out(1),
            "state": Out(State), "running": Out(1), "cause": Out(Cause), "number": Out(32),
            "done": Out(1), "program_error": Out(1), "start_error": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.skid = skid = unit(platform, Skid(element_layout(self._cfg)), name="eie_skid")
        connect(m, flipped(self.i), skid.i)
        may = Signal()
        accept = Signal()
        m.d.comb += [
            may.eq(Mux(self.o.valid, self.room[1], self.room[0])),
            self.passes.ready.eq(self.state == State.DISPATCH),
            skid.o.ready.eq((self.state == State.RUN) & may),
            accept.eq(self.start & (self.state == State.IDLE) & ~self.io_active),
        ]
        m.d.sync += [
            self.started.eq(accept),
            self.start_error.eq((self.start_error & ~self.clear) | (self.start & ~accept)),
            self.program_error.eq(self.program_error & ~self.clear),
            # These last one cycle.
            self.command.scan.eq(0), self.command.clear.eq(0), self.command.load.eq(0), self.command.store.eq(0),
            self.o.valid.eq(0),
        ]
        self._control(m, accept, may, skid.o)
        self._account(m, may, skid.o.valid)
        return m

    def _control(self, m, accept, may, token):
        offered = self.passes.p.fields
        current = Signal.like(offered, name="current")
        last_pass = Signal()
        refused = Signal()
        wait = Signal(range(self._cfg.regfile_words + 2))
        end_broadcast = Signal()
        end_pass = Signal()

        with m.Switch(self.state):
            with m.Case(State.IDLE):
                with m.If(accept):
                    m.d.sync += [self.state.eq(State.DISPATCH), self.command.role.eq(0), self.number.eq(0),
                                 self.done.eq(0), refused.eq(0)]
            with m.Case(State.DISPATCH):
                with m.If(self.passes.valid & self.passes.p.illegal):
                    m.d.sync += [self.program_error.eq(1), refused.eq(1), self.state.eq(State.DRAIN)]
                with m.Elif(self.passes.valid):
                    m.d.sync += [
                        current.eq(offered), last_pass.eq(self.passes.p.last),
                        self.command.scan.eq(1), self.command.clear.eq(offered.clear),
                        self.command.load.eq(offered.load),
                        self.command.base.eq(offered.in_base), self.command.rows.eq(offered.in_rows),
                        self.command.relu.eq(offered.relu), self.command.codebook.eq(offered.codebook),
                        self.command.shift.eq(offered.shift),
                        self.state.eq(State.RUN),
                    ]
            with m.Case(State.RUN):
                with m.If(token.valid & may):
                    m.d.sync += self.o.valid.eq(~token.p.null)
                    with m.If(token.p.last & current.bias):
                        m.d.sync += self.state.eq(State.BIAS)
                    with m.Elif(token.p.last):
                        m.d.comb += end_broadcast.eq(1)
            with m.Case(State.BIAS):
                with m.If(may):
                    m.d.sync += self.o.valid.eq(1)
                    m.d.comb += end_broadcast.eq(1)
            with m.Case(State.DRAIN):
                with m.If(~self.o.valid & ~self.any_busy):
                    with m.If(refused):
                        m.d.sync += [self.state.eq(State.IDLE), self.done.eq(1)]
                    with m.Elif(current.store):
                        m.d.sync += [
                            self.command.store.eq(1), self.command.base.eq(current.out_base),
                            self.command.rows.eq(current.out_rows), wait.eq(current.out_rows + 1),
                            self.state.eq(State.STORE),
                        ]
                    with m.Else():
                        m.d.comb += end_pass.eq(1)
            with m.Case(State.STORE):
                m.d.sync += wait.eq(wait - 1)
                m.d.comb += end_pass.eq(wait == 0)

        bias_value = current.bias_value[:self._cfg.data_bits].as_signed()
        # Whether it is broadcast is known late in the cycle, so what it would be is there in any case.
        m.d.sync += [
            self.o.p.column.eq(Mux(self.state == State.BIAS, current.bias_column, current.column_base + token.p.index)),
            self.o.p.value.eq(Mux(self.state == State.BIAS, bias_value, token.p.value)),
        ]
        with m.If(end_broadcast):
            m.d.sync += self.state.eq(Mux(current.finish, State.DRAIN, State.DISPATCH))
        with m.If(end_pass):
            m.d.sync += [
                self.command.role.eq(self.command.role ^ current.swap),
                self.done.eq(last_pass),
                self.state.eq(Mux(last_pass, State.IDLE, State.DISPATCH)),
            ]
        with m.If(end_pass | (end_broadcast & ~current.finish)):
            m.d.sync += self.number.eq(self.number + 1)

    def _account(self, m, may, token_valid):
        m.d.sync += self.running.eq(self.state != State.IDLE)
        with m.If(self.o.valid):
            m.d.sync += self.cause.eq(Cause.BROADCASTS)
        with m.Else():
            with m.Switch(self.state):
                with m.Case(State.RUN):
                    m.d.sync += self.cause.eq(Mux(token_valid & ~may, Cause.STALL_QUEUE, Cause.STALL_LNZD))
                with m.Case(State.BIAS):
                    m.d.sync += self.cause.eq(Mux(may, Cause.STALL_LNZD, Cause.STALL_QUEUE))
                with m.Case(State.DRAIN):
                    m.d.sync += self.cause.eq(Cause.STALL_DRAIN)
                with m.Case(State.STORE):
                    m.d.sync += self.cause.eq(Cause.STALL_STORE)
                with m.Default():
                    m.d.sync += self.cause.eq(Cause.CONTROL)
