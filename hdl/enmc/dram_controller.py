"""DRAM controller of a rank: reads and writes bursts in order, with rows opened ahead, by all rules of DDR4."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.enmc.formats import PHASES, Dest
from hdl.common.emit import unit

from .dram_commands import DramCommands
from .dram_data import DramData, load_layout
from .dram_owner import DramOwner
from .dram_rows import DramRows
from .dram_timing import DramTiming, Row
from .dram_visits import DramVisits
from .layouts import burst_layout, check_cfg, phases_layout, pins_layout, request_layout

__all__ = ["DramController"]


class DramController(wiring.Component):
    """DRAM controller [Thesis 6.4.2, "DRAM Controller"].

    Requests for consecutive bursts are served in order, without prioritising or coalescing. Their bursts alternate
    between two bank groups; rows are opened up to ``DramRows.AHEAD`` visits ahead and stay open until they are in the
    way.

    Clocks of the DRAM are numbered 3 * cycle + place in ``pins``, ``dq_i``, ``dq_o``. At these pins, the data of a read
    come ``cl`` + 6 clocks after it: commands and data each pass one more register on their way.

    Latency: the pins have the first activation 6 cycles after a request was accepted by an idle controller that owns
    the DRAM, rows closed. ``load`` follows the last clock of a burst at ``dq_i`` by a cycle. Throughput: three bursts
    in four cycles, the bandwidth of the DRAM, while rows are opened in time.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    request : In(stream of request_layout(cfg))
        ``cfg.queue`` of them wait, and one is being cut into visits.
    own : In(1)
        ENMC wants the DRAM. Falls only while neither ``busy`` nor a request is offered.
    owner : Out(1)
        The host is locked out, from the moment on when ENMC wants the DRAM until its rows are closed and no rule
        reaches back to its commands. ENMC begins when no rule reaches back to the host's last command; see
        :class:`DramOwner`.
    host_command, host_refresh : In(1)
        A command of the host went out to the DRAM in this cycle; it was a refresh. At the latest two cycles after
        ``owner`` rose.
    pins : Out(pins_layout())
        Only DESELECT while ``owner`` is 0.
    dq_i, dq_o : In, Out(phases_layout(cfg))
    dq_oe : Out(PHASES)
        Clocks in which ``dq_o`` is driven: four, ``cwl`` after each write.
    load : Out(load_layout(cfg))
        A burst that was read; it is always taken.
    freed : In(len(Dest))
        A dest removed a burst from its buffer. Nothing is read for a dest whose ``cfg.weights`` places are taken.
    store : In(stream of burst_layout(cfg))
        Data of the writes, in order.
    busy : Out(1)
        Requests, commands or data are on their way.
    read, written, refreshed : Out(1)
        ``pins`` have such a command.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "request": In(stream.Signature(request_layout(cfg))),
            "own": In(1), "owner": Out(1),
            "host_command": In(1), "host_refresh": In(1),
            "pins": Out(pins_layout(), init=[{"cs_n": 1, "act_n": 1}] * PHASES),
            "dq_i": In(phases_layout(cfg)), "dq_o": Out(phases_layout(cfg)), "dq_oe": Out(PHASES),
            "load": Out(load_layout(cfg)), "freed": In(len(Dest)),
            "store": In(stream.Signature(burst_layout(cfg))),
            "busy": Out(1),
            "read": Out(1), "written": Out(1), "refreshed": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.visits = visits = unit(platform, DramVisits(cfg), name="enmc_dram_visits")
        m.submodules.rows = rows = unit(platform, DramRows(cfg), name="enmc_dram_rows")
        m.submodules.owner_of = owner = unit(platform, DramOwner(cfg), name="enmc_dram_owner")
        m.submodules.timing = timing = unit(platform, DramTiming(cfg), name="enmc_dram_timing")
        m.submodules.commands = commands = unit(platform, DramCommands(cfg), name="enmc_dram_commands")
        m.submodules.bursts = bursts = unit(platform, DramData(cfg), name="enmc_dram_data")
        connect(m, flipped(self.request), visits.i)
        connect(m, visits.o, rows.i)
        connect(m, rows.o, commands.visit)
        connect(m, flipped(self.store), bursts.store)

        for rule in "may_read", "may_write", "may_act", "may_pre", "may_pre_all", "may_ref":
            m.d.comb += getattr(commands, rule).eq(getattr(timing, rule))
        m.d.comb += [
            commands.open.eq(rows.open), commands.act.eq(rows.act), commands.pre.eq(rows.pre),
            rows.act_taken.eq(commands.act_taken), rows.pre_taken.eq(commands.pre_taken), rows.closed.eq(owner.closed),
            timing.cas.eq(commands.cas), timing.row.eq(commands.row), bursts.cas.eq(commands.cas),
            commands.run.eq(owner.run), commands.close.eq(owner.close), commands.refresh.eq(owner.refresh),
            owner.closed.eq(commands.row.kind[Row.PREA]), owner.refreshed.eq(commands.row.kind[Row.REF]),
            owner.idle.eq(timing.idle), owner.work.eq(self.busy),
            owner.own.eq(self.own), self.owner.eq(owner.owner),
            owner.host_command.eq(self.host_command), owner.host_refresh.eq(self.host_refresh),
            commands.has_data.eq(bursts.has_data), commands.freed.eq(self.freed),
            self.pins.eq(commands.pins), self.dq_o.eq(bursts.dq_o), self.dq_oe.eq(bursts.dq_oe),
            bursts.dq_i.eq(self.dq_i), self.load.eq(bursts.load),
            self.busy.eq(visits.busy | rows.busy | bursts.busy),
            self.read.eq(commands.read), self.written.eq(commands.written), self.refreshed.eq(commands.refreshed),
        ]
        return m
