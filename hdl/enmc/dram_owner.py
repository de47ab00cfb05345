"""Who has the DRAM, and its refresh."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import BURST_CLOCKS, PHASES

from .layouts import check_cfg

__all__ = ["DramOwner"]


class DramOwner(wiring.Component):
    """Owner of the DRAM, and its refresh [Thesis 6.4.2, 6.4.3].

    When ENMC wants the DRAM, the host is locked out (``owner``). After ``LOCK_CYCLES`` and when no rule reaches back to
    the host's last command, all banks are closed and ``run`` begins. When ENMC does not want it any more, all banks are
    closed, and the host gets it back when no rule reaches back to a command of ENMC.

    A refresh is due every ``trefi`` clocks, whoever has the DRAM; a refresh by the host counts, and if none is due, the
    next one is due ``trefi`` clocks later. ENMC carries out what is due when it gets the DRAM, interrupts its work when
    one falls due, and hands nothing back before. While the host has the DRAM, no more than one is counted: the others
    are the host's. If ENMC works when a refresh falls due, it begins at most max(tras, trtp, cwl + 4 + twr) + max(trp,
    trc - tras, tfaw - tras) + 18 clocks later; JEDEC allows 8 trefi.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    own : In(1)
        ENMC wants the DRAM. Falls only while ``work`` is 0.
    owner : Out(1)
        The host is locked out. A command of the host may go out up to two cycles after it rose.
    host_command, host_refresh : In(1)
        A command of the host went out to the DRAM in this cycle; it was a refresh.
    run : Out(1)
        Rows may be opened, read and written.
    close, refresh : Out(1)
        All banks are to be precharged; a refresh is to begin.
    closed, refreshed : In(1)
        The command goes out in this cycle.
    idle : In(1)
        No rule reaches back.
    work : In(1)
        Something is to be done, for an assertion.
    """

    LOCK_CYCLES = 4
    #: Clocks of a ZQ calibration by the host [JEDEC tZQCS]; mode registers need less.
    CALIBRATION = 128

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "own": In(1), "owner": Out(1),
            "host_command": In(1), "host_refresh": In(1),
            "run": Out(1), "close": Out(1), "refresh": Out(1),
            "closed": In(1), "refreshed": In(1), "idle": In(1), "work": In(1),
        })

    @classmethod
    def quiet(cls, cfg) -> tuple[int, int]:
        """Clocks after which no rule reaches back to a command of the host, and to its refresh."""
        clocks = max(cfg.trc, cfg.tras, cfg.tfaw, cfg.cwl + BURST_CLOCKS + max(cfg.twr, cfg.twtr_l),
                     cfg.cl + BURST_CLOCKS + max(cfg.trtp, 2 * PHASES), cls.CALIBRATION)
        return clocks, max(clocks, cfg.trfc)

    def elaborate(self, platform):
        m = Module()
        due = Signal(2)
        quiet = self._quiet(m)
        count = Signal(range(self.LOCK_CYCLES), init=self.LOCK_CYCLES - 1)
        host = Signal()
        with m.FSM():
            with m.State("HOST"):
                m.d.comb += host.eq(1)
                m.d.sync += count.eq(self.LOCK_CYCLES - 1)
                with m.If(self.own):
                    m.d.sync += self.owner.eq(1)
                    m.next = "LOCK"
            with m.State("LOCK"):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.next = "QUIET"
            with m.State("QUIET"):
                with m.If(quiet == 0):
                    m.d.sync += self.close.eq(1)
                    m.next = "CLOSE"
            with m.State("CLOSE"):
                with m.If(self.closed):
                    m.d.sync += self.close.eq(0)
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.comb += self.refresh.eq(due != 0)
                with m.If(self.refreshed | (due == 0)):
                    m.d.sync += self.run.eq(self.own)
                    with m.If(self.own):
                        m.next = "WORK"
                    with m.Else():
                        m.next = "YIELD"
            with m.State("WORK"):
                m.d.sync += Assert(self.own | ~self.work | ResetSignal(allow_reset_less=True),
                                   "own must not fall before the work is done")
                with m.If((due != 0) | ~self.own):
                    m.d.sync += [self.run.eq(0), self.close.eq(1)]
                    m.next = "CLOSE"
            with m.State("YIELD"):
                with m.If(self.idle):
                    m.d.sync += self.owner.eq(0)
                    m.next = "HOST"
        self._refreshes(m, due, host)
        return m

    def _quiet(self, m):
        """Clocks until the host's last command is over."""
        after_command, after_refresh = self.quiet(self._cfg)
        quiet = Signal(range(after_refresh + 1))
        with m.If(self.host_refresh):
            m.d.sync += quiet.eq(after_refresh)
        with m.Elif(self.host_command & (quiet < after_command + PHASES)):
            m.d.sync += quiet.eq(after_command)
        with m.Else():
            m.d.sync += quiet.eq(Mux(quiet < PHASES, 0, quiet - PHASES))
        return quiet

    def _refreshes(self, m, due, host):
        """Refreshes that are due."""
        interval = self._cfg.trefi
        timer = Signal(range(interval))
        expired = Signal()
        refreshed = Signal()
        m.d.comb += [expired.eq(timer >= interval - PHASES), refreshed.eq(self.refreshed | self.host_refresh)]
        with m.If(expired):
            m.d.sync += timer.eq(timer - (interval - PHASES))
        with m.Elif(refreshed & (due == 0)):
            m.d.sync += timer.eq(0)
        with m.Else():
            m.d.sync += timer.eq(timer + PHASES)
        counts = Signal()
        m.d.comb += counts.eq(expired & ~(host & (due != 0)))
        with m.If(counts & ~refreshed):
            m.d.sync += due.eq(due + 1)
        with m.Elif(refreshed & ~counts & (due != 0)):
            m.d.sync += due.eq(due - 1)
        m.d.sync += Assert((due != 3) | ~counts | refreshed, "refreshes must not fall behind")
