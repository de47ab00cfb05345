"""Dispatcher: which instruction goes to which unit, and when it has to wait."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.enmc.formats import TAG_FIELDS, TRANSFER_FIELDS, Dest, Execute, Screen
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .decoder import QUARTERS, step_layout
from .layouts import check_cfg, execute_layout, request_layout, screen_layout
from .status import init_layout

__all__ = ["Dispatch"]


class Dispatch(wiring.Component):
    """Hands decoded instructions to the units, one a cycle at most [Thesis 6.4.2].

    Generated instructions go first; while the first of them has to wait, one of the host may go. That is no risk: they
    touch the same things only if the host's are exact ones, and from FILTER until the next instruction that waits for
    everything those are illegal. It is needed: exact weights may lie behind those of the screener in the DRAM
    controller, and these are only taken when the host's next MUL_ADD_INT4 goes.

    So that what is requested is always taken: bursts are requested for the screener while at most ``MOST_AHEAD``
    FILTERs are unfinished, partial sums are stored when none is, and a row of exact weights begins, or a candidate is
    passed on, only when a place in the output buffer is reserved. INIT, BARRIER and CLR go when nothing has moved for
    ``SETTLED`` cycles. Weights that the host loads must be all that the next MUL_ADD, MUL or ADD takes, and until that
    comes only NOP is legal beside it. So no program can hang a rank, while the host takes records and multiplies what
    it loaded.

    An instruction of the host that is illegal is skipped. A generated one is carried out in any case.

    Latency: 1 cycle from an instruction to ``request``, ``screen``, ``execute``, ``init`` and ``clear``; nothing goes
    in the cycle of the last two. Throughput: one a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    host, generated : In(stream of step_layout())
    batch, screen_bursts, row_bursts, mode : In
        Registers; they change by ``init`` and ``clear`` alone.
    request : Out(stream of request_layout(cfg))
    screen : Out(stream of screen_layout())
    execute : Out(stream of execute_layout())
    init : Out(init_layout())
    clear : Out(1)
    filtered : In(1)
        A FILTER is finished.
    popped : In(range(cfg.records + 1))
        So many records left the output buffer in this cycle: their places are free.
    work : In(1)
        Generator, screener, executor or DRAM controller work, or a candidate waits.
    own : Out(1)
        The DRAM is wanted: from a request until nothing has moved for ``RESTED`` cycles.
    settled : Out(1)
    executed, illegal : Out(1)
        In the cycle before, an instruction but CLR was carried out; one was skipped, or a generated one was not legal.
    """

    REQUESTS, SCREENS, EXECUTES = 2, 4, 8
    MOST_AHEAD, MOST_FILTERS = 1, 3
    SETTLED, RESTED = 4, 8

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "host": In(stream.Signature(step_layout())), "generated": In(stream.Signature(step_layout())),
            "batch": In(4), "screen_bursts": In(16), "row_bursts": In(16), "mode": In(3),
            "request": Out(stream.Signature(request_layout(cfg))), "screen": Out(stream.Signature(screen_layout())),
            "execute": Out(stream.Signature(execute_layout())), "init": Out(init_layout()), "clear": Out(1),
            "filtered": In(1), "popped": In(range(cfg.records + 1)), "work": In(1),
            "own": Out(1), "settled": Out(1), "executed": Out(1), "illegal": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.requests = requests = unit(platform, Fifo(request_layout(cfg), self.REQUESTS),
                                                name="enmc_request_queue")
        m.submodules.screens = screens = unit(platform, Fifo(screen_layout(), self.SCREENS), name="enmc_screen_queue")
        m.submodules.executes = executes = unit(platform, Fifo(execute_layout(), self.EXECUTES),
                                                name="enmc_execute_queue")
        connect(m, requests.o, flipped(self.request))
        connect(m, screens.o, flipped(self.screen))
        connect(m, executes.o, flipped(self.execute))

        self._unfinished = Signal(range(self.MOST_FILTERS + 1), name="unfinished")
        self._reserved = Signal(range(cfg.results + 1), name="reserved")
        self._tile_loaded = Signal(name="tile_loaded")  # weights that the host did not multiply yet
        self._row_loaded = Signal(name="row_loaded")
        self._row_open = Signal(name="row_open")        # a row of the host is not finished
        self._filtered = Signal(name="candidates_come")
        self._rest = Signal(range(self.RESTED + 1), name="rest")
        self._room = {"request": requests.i.ready, "screen": screens.i.ready, "execute": executes.i.ready}

        hold = Signal()
        legal = Signal()
        go_generated = Signal()
        go_host = Signal()
        skip = Signal()
        go = Signal()
        may = {name: self._may_go(m, name) for name in ("host", "generated")}
        m.d.comb += [
            hold.eq(self.clear | self.init.valid), legal.eq(self._legal(m)),
            go_generated.eq(self.generated.valid & may["generated"] & ~hold),
            go_host.eq(self.host.valid & ~go_generated & legal & may["host"] & ~hold),
            skip.eq(self.host.valid & ~go_generated & ~legal & ~hold),
            go.eq(go_generated | go_host),
            self.generated.ready.eq(go_generated), self.host.ready.eq(go_host | skip),
        ]
        step = Signal(step_layout())
        c = step.control
        m.d.comb += step.eq(Mux(self.generated.valid & may["generated"], self.generated.payload, self.host.payload))
        self._send(m, step, go, requests.i, screens.i, executes.i)
        self._account(m, c, go, go_generated, go_host)
        m.d.sync += [
            self.clear.eq(go & c.clr), self.init.valid.eq(go & c.init), self.executed.eq(go & ~c.clr),
            self.illegal.eq(skip | (go_generated & ~c.legal)),
        ]
        with m.If(go & c.init):
            m.d.sync += [self.init.reg.eq(c.reg), self.init.data.eq(step.data)]
        return m

    def _legal(self, m):
        """An instruction of the host has a meaning as things are."""
        c = self.host.p.control
        tag = data.View(data.StructLayout(TAG_FIELDS), self.host.p.data)
        transfer = data.View(data.StructLayout(TRANSFER_FIELDS), self.host.p.data)
        asks = Signal()
        multiplies = Signal()
        m.d.comb += [
            asks.eq(c.request | c.screen | c.execute),
            multiplies.eq(_screens(c, Screen.MULTIPLY) | _executes(c, Execute.MULTIPLY)),
        ]
        wrong = {
            "no_batch": asks & (self.batch == 0),
            "no_tile": _screens(c, Screen.MULTIPLY) & ~self._tile_loaded,
            "no_row": _executes(c, Execute.MULTIPLY) & ~self._row_loaded,
            "loaded": (asks | c.settle) & ~multiplies & (self._tile_loaded | self._row_loaded),
            "tile_size": _loads_tile(c) & (transfer.count != self.screen_bursts),
            "row_size": c.row & (transfer.count != self.row_bursts),
            "in_row": _screens(c, Screen.FILTER) & self._row_open,
            "no_row_size": _screens(c, Screen.FILTER) & self.mode[2] & (self.row_bursts == 0),
            "count": _screens(c, Screen.STORE) & (transfer.count != QUARTERS * self.batch),
            "after_filter": (c.execute | c.row) & ~multiplies & self._filtered,
            "input": c.execute & ~c.request & (tag.batch >= self.batch),
            "not_open": _executes(c, Execute.FINISH) & ~self._row_open,
        }
        flags = Signal(len(wrong), name="wrong")
        m.d.comb += flags.eq(Cat(*wrong.values()))
        return c.legal & ~flags.any()

    def _reserves(self, c, is_generated):
        """It needs a place in the output buffer."""
        return (c.row & (is_generated | ~self._row_open)) | _executes(c, Execute.PASS)

    def _may_go(self, m, source):
        """What the first instruction of ``source`` needs is there, or certain to be."""
        c = getattr(self, source).p.control
        waits = Signal(8, name=f"{source}_waits")
        is_load = c.request & ~c.write & (c.dest == Dest.SCREENER)
        m.d.comb += waits.eq(Cat(
            *(c[name] & ~ready for name, ready in self._room.items()),
            is_load & (self._unfinished > self.MOST_AHEAD),
            c.write & (self._unfinished != 0),
            _screens(c, Screen.FILTER) & (self._unfinished == self.MOST_FILTERS),
            self._reserves(c, source == "generated") & (self._reserved == self._cfg.results),
            c.settle & ~self.settled,
        ))
        return ~waits.any()

    def _send(self, m, step, go, request, screen, execute):
        """What the units get."""
        c = step.control
        transfer = data.View(data.StructLayout(TRANSFER_FIELDS), step.data)
        tag = data.View(data.StructLayout(TAG_FIELDS), step.data)
        count = Signal(16)
        m.d.comb += [
            count.eq(Mux(c.request, transfer.count, 0)),
            request.valid.eq(go & c.request), request.p.addr.eq(transfer.addr), request.p.count.eq(transfer.count),
            request.p.write.eq(c.write), request.p.dest.eq(c.dest),
            screen.valid.eq(go & c.screen), screen.p.kind.eq(c.screen_kind), screen.p.clear.eq(c.clear),
            screen.p.ones.eq(c.ones),
            screen.p.count.eq(Mux(c.screen_kind == Screen.MULTIPLY, self.screen_bursts, count)),
            execute.valid.eq(go & c.execute), execute.p.kind.eq(c.execute_kind), execute.p.clear.eq(c.clear),
            execute.p.ones.eq(c.ones), execute.p.function.eq(c.function),
            execute.p.count.eq(Mux(c.execute_kind == Execute.MULTIPLY, self.row_bursts, count)),
        ]
        with m.If(~c.request):
            m.d.comb += [execute.p.batch.eq(tag.batch), execute.p.label.eq(tag.label), execute.p.score.eq(tag.score)]

    def _account(self, m, c, go, go_generated, go_host):
        """Keeps count of what is under way."""
        filters = Signal()
        reserves = Signal()
        sends = Signal()
        quiet = Signal()
        m.d.comb += [
            filters.eq(go & _screens(c, Screen.FILTER)), reserves.eq(go & self._reserves(c, go_generated)),
            sends.eq(go & (c.request | c.screen | c.execute)), self.settled.eq(self._rest >= self.SETTLED),
            quiet.eq(~(self.work | self.generated.valid | self.request.valid | self.screen.valid | self.execute.valid)
                     & (self._unfinished == 0)),
        ]
        with m.If(~quiet | sends):
            m.d.sync += self._rest.eq(0)
        with m.Elif(self._rest != self.RESTED):
            m.d.sync += self._rest.eq(self._rest + 1)
        with m.If(go & c.request):
            m.d.sync += self.own.eq(1)
        with m.Elif(self._rest == self.RESTED):
            m.d.sync += self.own.eq(0)

        m.d.sync += [
            self._unfinished.eq(self._unfinished + filters - self.filtered),
            self._reserved.eq(Mux(self.clear, 0, self._reserved + reserves - self.popped)),
            Assert((self._unfinished != 0) | ~self.filtered, "only a FILTER that went can be finished"),
            Assert(self._reserved <= self._cfg.results, "no more places are reserved than there are"),
        ]
        with m.If(go_host & (_loads_tile(c) | _screens(c, Screen.MULTIPLY))):
            m.d.sync += self._tile_loaded.eq(c.request)
        with m.If(go_host & (c.row | _executes(c, Execute.MULTIPLY))):
            m.d.sync += self._row_loaded.eq(c.row)
        with m.If(self.clear | (go_host & _executes(c, Execute.FINISH))):
            m.d.sync += self._row_open.eq(0)
        with m.Elif(go_host & c.row):
            m.d.sync += self._row_open.eq(1)
        with m.If(go_host & (filters | c.settle)):
            m.d.sync += self._filtered.eq(filters)


def _screens(control, kind):
    return control.screen & (control.screen_kind == kind)


def _loads_tile(control):
    return control.request & ~control.screen & ~control.execute & ~control.row


def _executes(control, kind):
    return control.execute & (control.execute_kind == kind)
