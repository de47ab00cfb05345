"""Order of the executor's work: which burst meets which features, and where rows end."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import Execute, Function
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import burst_layout, check_cfg, execute_layout

__all__ = ["MARK_FINISH", "MARK_PASS", "NO_RESULT", "SPACING", "ExactControl", "tag_layout", "vectors_of"]

#: What goes along behind the last beat of a row: its result is wanted, or a record without one. 0 is neither.
MARK_FINISH, MARK_PASS = 1, 2
#: Function of a record without exact result, on its way through the special function unit, which adds nothing.
NO_RESULT = 3
#: Cycles from one mark to the next at least: each takes three sums of one adder.
SPACING = 3
#: Commands that wait.
COMMANDS = 2


def tag_layout() -> data.StructLayout:
    """Whose result it is, and its ``Function``, or NO_RESULT."""
    return data.StructLayout({"score": signed(32), "label": 24, "batch": 4, "function": 2})


def vectors_of(cfg) -> int:
    """Vectors of the feature buffer, of a burst's size."""
    return cfg.exact_features // cfg.burst_words


class ExactControl(wiring.Component):
    """Carries out the commands of the executor one after another [Thesis 6.4.2].

    FEATURES sends bursts into the feature buffer, from vector 0 on. MULTIPLY sends beats: a burst and the address of
    the features that it meets. Beat j of a row meets vector ``batch * row_bursts + j mod row_bursts``; j goes on over
    several MULTIPLY, and is 0 after FINISH, after ``clear`` and in a new batch. FINISH and PASS become marks: a mark
    goes along with the last beat before it, or after it.

    Latency: 2 cycles from ``i`` to the first beat, 1 cycle from ``front``. Throughput: a beat a cycle, also from one
    row to the next; a mark every ``SPACING`` cycles, so that rows of one or two bursts take three cycles.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of execute_layout())
        Those of ``count`` 0 do nothing but ``clear``.
    front : In(stream of burst_layout(cfg))
        Weight buffer.
    row_bursts : In(16)
        Bursts of a row. While something runs it does not change.
    new_batch : In(1)
        A batch begins, and a row; only while nothing runs.
    tag_valid, tag : Out
        Tags of the marks, in their order, earlier than these. There is always room.
    burst : Out(burst_layout(cfg))
    beat : Out(1)
        ``burst`` is weights; ``addr`` is where the features lie, or they are 1.0 if ``ones``. With ``first`` a row
        begins.
    write : Out(1)
        ``burst`` is the features of ``addr``.
    addr, ones, first : Out
    mark : Out(2)
        After this cycle's beat: MARK_FINISH or MARK_PASS.
    busy : Out(1)
        A command, or what it sends on, is inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(execute_layout())), "front": In(stream.Signature(burst_layout(cfg))),
            "row_bursts": In(16), "new_batch": In(1),
            "tag_valid": Out(1), "tag": Out(tag_layout()),
            "burst": Out(burst_layout(cfg)), "beat": Out(1), "write": Out(1), "addr": Out(range(vectors_of(cfg))),
            "ones": Out(1), "first": Out(1), "mark": Out(2), "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = unit(platform, Fifo(execute_layout(), COMMANDS), name="enmc_exact_queue")
        wiring.connect(m, wiring.flipped(self.i), queue.i)
        command = queue.o.p
        running = Signal()
        writes = Signal()               # the command is FEATURES
        ones = Signal()
        left = Signal(16)               # bursts that the command still takes
        base = Signal.like(self.addr)   # vector that the command begins with
        column = Signal(16)             # beat of the row
        fresh = Signal(init=1)          # the next beat is a row's first
        waiting = Signal(2)             # mark that has not gone along
        spacing = Signal(range(SPACING))

        last = Signal()
        step = Signal()                 # a burst is taken
        end = Signal()                  # of the command
        goes = Signal()                 # the mark
        is_mark = Signal()
        take_work = Signal()
        column_next = Signal(16)
        m.d.comb += [
            last.eq(left == 1),
            self.front.ready.eq(running & ~(last & (waiting != 0) & (spacing != 0))),
            step.eq(self.front.valid & self.front.ready),
            end.eq(step & last),
            goes.eq((waiting != 0) & (spacing == 0) & (~running | end)),
            is_mark.eq((command.kind == Execute.FINISH) | (command.kind == Execute.PASS)),
            self.tag_valid.eq(queue.o.valid & is_mark & (waiting == 0)),
            take_work.eq(queue.o.valid & ~is_mark & (~running | end) & ((waiting == 0) | goes)),
            queue.o.ready.eq(self.tag_valid | take_work),
            column_next.eq(column + 1),
            self.busy.eq(queue.o.valid | running | (waiting != 0) | self.beat | self.write | (self.mark != 0)),
        ]
        self._tag(m, command)
        m.d.sync += [
            self.beat.eq(step & ~writes), self.write.eq(step & writes), self.first.eq(fresh), self.ones.eq(ones),
            self.addr.eq(base + Mux(writes, 0, column)), self.mark.eq(Mux(goes, waiting, 0)),
        ]
        with m.If(step):
            m.d.sync += [self.burst.eq(self.front.payload), left.eq(left - 1)]
            with m.If(writes):
                m.d.sync += base.eq(base + 1)
            with m.Else():
                m.d.sync += [column.eq(Mux(column_next == self.row_bursts, 0, column_next)), fresh.eq(0)]
        with m.If(end):
            m.d.sync += running.eq(0)
        with m.If(spacing != 0):
            m.d.sync += spacing.eq(spacing - 1)
        with m.If(goes):
            m.d.sync += [waiting.eq(0), spacing.eq(SPACING - 1)]
            with m.If(waiting == MARK_FINISH):
                m.d.sync += [column.eq(0), fresh.eq(1)]
        with m.If(self.tag_valid):
            m.d.sync += waiting.eq(Mux(command.kind == Execute.FINISH, MARK_FINISH, MARK_PASS))
        with m.If(take_work):
            is_features = command.kind == Execute.FEATURES
            m.d.sync += [running.eq(command.count != 0), writes.eq(is_features), left.eq(command.count),
                         ones.eq(command.ones), base.eq(Mux(is_features, 0, command.batch * self.row_bursts))]
            with m.If(~is_features & command.clear):
                m.d.sync += [column.eq(0), fresh.eq(1)]
        with m.If(self.new_batch):
            m.d.sync += [column.eq(0), fresh.eq(1)]
        return m

    def _tag(self, m, command):
        """Only PASS is without result; a function that there is not is none."""
        m.d.comb += [getattr(self.tag, name).eq(command[name]) for name in ("score", "label", "batch", "function")]
        with m.If(command.kind == Execute.PASS):
            m.d.comb += self.tag.function.eq(NO_RESULT)
        with m.Elif(command.function == NO_RESULT):
            m.d.comb += self.tag.function.eq(Function.NONE)
