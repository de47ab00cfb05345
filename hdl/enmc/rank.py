"""A rank: host port, controller, DRAM controller, screener and executor, wired."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect

from golden.enmc.formats import PHASES, Dest, trace_of
from hdl.common.emit import unit

from .controller import Controller
from .dram_controller import DramController
from .executor import Executor
from .host_port import HostPort
from .layouts import check_cfg, phases_layout, pins_layout
from .screener import Screener

__all__ = ["Rank"]


class Rank(wiring.Component):
    """The logic of one rank, between the host's pins and those of its DRAM [Thesis Fig. 6.6].

    Latency of ordinary traffic: one cycle, three clocks of the DRAM, each way.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    pins, dq_i, dq_o, dq_oe, alert_n
        Towards the host, see ``HostPort``.
    dram_pins, dram_dq_o, dram_dq_oe, dram_dq_i
        Towards the DRAM.
    probe : Out
        For lockstep checking: fields of ``golden.enmc.formats.trace_of``. Leave it open otherwise.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        self._trace = data.StructLayout(trace_of(cfg))
        super().__init__({
            "pins": In(pins_layout()), "dq_i": In(phases_layout(cfg)), "dq_o": Out(phases_layout(cfg)),
            "dq_oe": Out(PHASES), "alert_n": Out(1),
            "dram_pins": Out(pins_layout()), "dram_dq_o": Out(phases_layout(cfg)), "dram_dq_oe": Out(PHASES),
            "dram_dq_i": In(phases_layout(cfg)),
            "probe": Out(self._trace),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.port = port = unit(platform, HostPort(cfg), name="enmc_host_port")
        m.submodules.controller = controller = unit(platform, Controller(cfg), name="enmc_controller")
        m.submodules.dram = dram = unit(platform, DramController(cfg), name="enmc_dram_controller")
        m.submodules.screener = screener = unit(platform, Screener(cfg), name="enmc_screener")
        m.submodules.executor = executor = unit(platform, Executor(cfg), name="enmc_executor")
        connect(m, port.o, controller.i)
        connect(m, controller.request, dram.request)
        connect(m, controller.screen, screener.i)
        connect(m, controller.execute, executor.i)
        connect(m, screener.o, controller.candidates)
        connect(m, screener.store, dram.store)

        # The host, the DRAM, and who has it.
        m.d.comb += [
            port.pins.eq(self.pins), port.dq_i.eq(self.dq_i), self.dq_o.eq(port.dq_o), self.dq_oe.eq(port.dq_oe),
            self.alert_n.eq(port.alert_n),
            self.dram_pins.eq(port.dram_pins), self.dram_dq_o.eq(port.dram_dq_o), self.dram_dq_oe.eq(port.dram_dq_oe),
            port.dram_dq_i.eq(self.dram_dq_i),
            port.owner.eq(dram.owner), port.enmc_pins.eq(dram.pins), port.enmc_dq_o.eq(dram.dq_o),
            port.enmc_dq_oe.eq(dram.dq_oe), dram.dq_i.eq(port.enmc_dq_i),
            dram.host_command.eq(port.host_command), dram.host_refresh.eq(port.host_refresh),
            dram.own.eq(controller.own), controller.owner.eq(dram.owner),
        ]
        # Instructions, answers, and what the controller hears of.
        m.d.comb += [
            controller.overrun.eq(port.overrun), controller.refused.eq(port.refused),
            controller.query_valid.eq(port.query.valid), controller.query_reg.eq(port.query.reg),
            port.answer.eq(controller.answer),
            executor.take.eq(port.take), port.record_burst.eq(executor.record_burst),
            controller.read.eq(dram.read), controller.written.eq(dram.written),
            controller.refreshed.eq(dram.refreshed), controller.dram_busy.eq(dram.busy),
            controller.screening.eq(screener.working), controller.filtered.eq(screener.filtered),
            controller.screen_busy.eq(screener.busy), controller.executing.eq(executor.working),
            controller.execute_busy.eq(executor.busy), controller.finished.eq(executor.finished),
            controller.popped.eq(executor.popped), controller.ready.eq(executor.ready),
            controller.largest.eq(executor.largest), controller.sums.eq(executor.sums),
        ]
        # Registers, and bursts from the DRAM.
        m.d.comb += [
            *(getattr(screener, name).eq(getattr(controller, name))
              for name in ("batch", "classes", "screen_bursts", "threshold", "new_batch")),
            executor.row_bursts.eq(controller.row_bursts), executor.new_batch.eq(controller.new_batch),
            executor.clear.eq(controller.clear),
            screener.load.eq(dram.load.data), executor.load.eq(dram.load.data),
            screener.load_valid.eq(dram.load.valid & (dram.load.dest == Dest.SCREENER)),
            executor.load_valid.eq(dram.load.valid & (dram.load.dest == Dest.EXECUTOR)),
            dram.freed[Dest.SCREENER].eq(screener.freed), dram.freed[Dest.EXECUTOR].eq(executor.freed),
        ]
        self._probe(m, port, controller, dram, screener, executor)
        return m

    def _probe(self, m, port, controller, dram, screener, executor):
        """What lockstep compares."""
        probe, request = self.probe, controller.request
        width = min(2 * self._cfg.dq, 64)
        for name in "dram_dq_o", "dq_o":
            for slot in range(PHASES):
                for part in range(2 * self._cfg.dq // width):
                    m.d.comb += probe[f"{name}_{slot}_{part}"].eq(
                        Value.cast(getattr(self, name)[slot]).word_select(part, width))
        m.d.comb += [
            *(probe[f"dram_pins_{slot}"].eq(Value.cast(self.dram_pins[slot])) for slot in range(PHASES)),
            probe.dram_oe.eq(self.dram_dq_oe), probe.oe.eq(self.dq_oe), probe.alert_n.eq(self.alert_n),
            probe.owner.eq(dram.owner), probe.query.eq(port.query.valid), probe.take.eq(port.take),
            probe.request.eq(request.valid & request.ready), probe.request_write.eq(request.p.write),
            probe.request_dest.eq(request.p.dest), probe.addr.eq(request.p.addr), probe.count.eq(request.p.count),
            probe.load.eq(dram.load.valid), probe.load_dest.eq(dram.load.dest),
            probe.candidate.eq(screener.o.valid & screener.o.ready), probe.label.eq(screener.o.p.label),
            probe.batch.eq(screener.o.p.batch), probe.score.eq(screener.o.p.score),
            probe.finished.eq(executor.finished), probe.filtered.eq(screener.filtered),
            probe.screening.eq(screener.working), probe.executing.eq(executor.working),
            probe.screen_busy.eq(screener.busy), probe.execute_busy.eq(executor.busy), probe.dram_busy.eq(dram.busy),
            probe.own.eq(controller.own), probe.answer.eq(controller.answer),
        ]
