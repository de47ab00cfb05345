"""Global control: carries out a stage."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS

from .layouts import check_cfg

__all__ = ["Control", "State"]

#: Cycles from a start until ``busy`` of the unit counts.
SETTLED = 2


class State(enum.Enum, shape=3):
    IDLE = 0
    BEGIN = 1
    SETTLE = 2
    RUN = 3
    CELL_BEGIN = 4
    CELL_SETTLE = 5
    CELL = 6


class Control(wiring.Component):
    """Runs the jobs of a stage: Executor and Speculator in parallel, then the cell unit [Thesis 5.1, 5.2].

    So the Speculator works on the next layer, or on the next gate, while the Executor works on this one.

    Latency: 2 cycles from ``update`` to the starts; 1 from the last ``busy`` to the end of the stage, or 2 to the start
    of the cell unit. All outputs are registers; ``busy`` is one LUT behind them.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    update : In(1)
        The jobs are new: a stage begins. Only while not ``busy``.
    execute, speculate, cell_job : In(1)
        The stage has a job for this unit. From the cycle after ``update`` on, until the stage ends.
    execute_busy, speculate_busy, cell_busy : In(1)
        The unit works. Looked at from SETTLED = 2 cycles after its start on.
    tile_done : In(1)
        The Executor has stored a tile.
    execute_start, speculate_start, cell_start : Out(1)
        One cycle each.
    tiles_done : Out(ADDR_BITS)
        Tiles that the Executor has stored since its start.
    executed : Out(1)
        The Executor has nothing more to do in this stage.
    busy : Out(1)
        A stage runs.
    """

    def __init__(self, cfg):
        check_cfg(cfg)
        super().__init__({
            "update": In(1), "execute": In(1), "speculate": In(1), "cell_job": In(1),
            "execute_busy": In(1), "speculate_busy": In(1), "cell_busy": In(1),
            "tile_done": In(1), "tiles_done": Out(ADDR_BITS),
            "execute_start": Out(1), "speculate_start": Out(1), "cell_start": Out(1), "executed": Out(1),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        state = Signal(State)
        wait = Signal(range(SETTLED + 1))
        m.d.comb += self.busy.eq(state != State.IDLE)
        m.d.sync += [self.execute_start.eq(0), self.speculate_start.eq(0), self.cell_start.eq(0),
                     self.tiles_done.eq(self.tiles_done + self.tile_done)]
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(self.update):
                    m.d.sync += state.eq(State.BEGIN)
            with m.Case(State.BEGIN):
                m.d.sync += [self.execute_start.eq(self.execute), self.speculate_start.eq(self.speculate),
                             self.tiles_done.eq(0), self.executed.eq(0), wait.eq(SETTLED), state.eq(State.SETTLE)]
            with m.Case(State.SETTLE):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += state.eq(State.RUN)
            with m.Case(State.RUN):
                m.d.sync += self.executed.eq(~self.execute_busy)
                with m.If(~self.execute_busy & ~self.speculate_busy):
                    m.d.sync += state.eq(Mux(self.cell_job, State.CELL_BEGIN, State.IDLE))
            with m.Case(State.CELL_BEGIN):
                m.d.sync += [self.cell_start.eq(1), wait.eq(SETTLED), state.eq(State.CELL_SETTLE)]
            with m.Case(State.CELL_SETTLE):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.sync += state.eq(State.CELL)
            with m.Case(State.CELL):
                with m.If(~self.cell_busy):
                    m.d.sync += state.eq(State.IDLE)
        return m
