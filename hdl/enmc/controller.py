"""The controller of a rank: instruction FIFO, decoders, generator, dispatcher, status registers."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.enmc.formats import DATA_BITS, REGISTER_FIELDS
from golden.enmc.registers import REGISTERS
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .decoder import Decoder, step_layout
from .dispatch import Dispatch
from .generator import Generator
from .layouts import candidate_layout, check_cfg, execute_layout, instruction_layout, request_layout, screen_layout
from .status import Status

__all__ = ["Controller"]

_EVENTS = "read", "written", "refreshed", "screening", "executing", "finished"
_REGISTERS = "batch", "classes", "screen_bursts", "threshold", "row_bursts"


class Controller(wiring.Component):
    """Receives instructions and keeps the units of a rank at work [Thesis 6.4.2].

    The host's instructions are decoded as they come and wait in a FIFO of ``cfg.instructions``, generated ones in
    another of ``GENERATED``. What goes where, and when: see :class:`Dispatch`.

    Latency: 2 cycles from an instruction to ``request``, ``screen`` and ``execute``, 3 to a register; 1 cycle from a
    QUERY to its answer; 4 from a candidate to its request or command. Throughput: an instruction a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of instruction_layout(), always ready)
        Instructions of the host but QUERY and RETURN. One that finds no place is left out, and ``overflow`` set.
    overrun, refused : In(1)
        An instruction came too soon; an ordinary command was left out. They set ``overflow`` and ``refused``.
    query_valid, query_reg : In
        QUERY.
    answer : Out(64)
        A cycle later; stays until the next QUERY. ``busy`` and ``free`` count an instruction that is at ``i`` in the
        cycle of the QUERY.
    candidates : In(stream of candidate_layout(cfg))
        Index buffer.
    request : Out(stream of request_layout(cfg))
    screen : Out(stream of screen_layout())
    execute : Out(stream of execute_layout())
    own : Out(1)
        The DRAM is wanted.
    owner : In(1)
        ENMC has it.
    batch, classes, screen_bursts, threshold, row_bursts : Out
        Registers. They change only while nothing has moved for ``Dispatch.SETTLED`` cycles.
    new_batch : Out(1)
        A batch begins: high in the first cycle of the new ``batch``.
    clear : Out(1)
        CLR: forget what is in buffers, the output buffer among them. A cycle before registers and counters are 0.
    read, written, refreshed : In(1)
        The DRAM controller sent such a command.
    screening, executing : In(1)
        MACs worked.
    filtered : In(1)
        A FILTER is finished: all of its candidates are in the index buffer.
    finished : In(1)
        A record went into the output buffer.
    popped : In(range(cfg.records + 1))
        So many records left it in this cycle: their places are free. None may leave in the cycle after ``clear``.
    ready : In(range(cfg.results + 1))
        Records in it.
    largest, sums : In(32 bits for each input)
        Of the softmax.
    screen_busy, execute_busy, dram_busy : In(1)
        High from the cycle after a command or request was taken until its work is done, except for gaps of at most
        ``Dispatch.SETTLED`` - 1 cycles between two units.
    """

    GENERATED = 8
    ANSWER_LATENCY = Status.ANSWER_LATENCY

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        words = data.ArrayLayout(32, cfg.batch)
        super().__init__({
            "i": In(stream.Signature(instruction_layout(), always_ready=True)), "overrun": In(1), "refused": In(1),
            "query_valid": In(1), "query_reg": In(REGISTER_FIELDS["reg"]), "answer": Out(DATA_BITS),
            "candidates": In(stream.Signature(candidate_layout(cfg))),
            "request": Out(stream.Signature(request_layout(cfg))), "screen": Out(stream.Signature(screen_layout())),
            "execute": Out(stream.Signature(execute_layout())), "own": Out(1), "owner": In(1),
            **{name: Out(signed(32) if name == "threshold" else REGISTERS[name].width) for name in _REGISTERS},
            "new_batch": Out(1), "clear": Out(1),
            **{name: In(1) for name in _EVENTS}, "filtered": In(1), "popped": In(range(cfg.records + 1)),
            "ready": In(range(cfg.results + 1)), "largest": In(words), "sums": In(words),
            "screen_busy": In(1), "execute_busy": In(1), "dram_busy": In(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.decoder = decoder = unit(platform, Decoder(cfg), name="enmc_decoder")
        m.submodules.instructions = host = unit(platform, Fifo(step_layout(), cfg.instructions),
                                                name="enmc_instruction_fifo")
        m.submodules.generator = generator = unit(platform, Generator(cfg), name="enmc_generator")
        m.submodules.generated_decoder = generated_decoder = unit(platform, Decoder(cfg), name="enmc_decoder")
        m.submodules.generated = generated = unit(platform, Fifo(step_layout(), self.GENERATED),
                                                  name="enmc_generated_fifo")
        m.submodules.dispatch = dispatch = unit(platform, Dispatch(cfg), name="enmc_dispatch")
        m.submodules.status = status = unit(platform, Status(cfg), name="enmc_status")

        connect(m, flipped(self.candidates), generator.i)
        connect(m, host.o, dispatch.host)
        connect(m, generated.o, dispatch.generated)
        for name in "request", "screen", "execute":
            connect(m, getattr(dispatch, name), flipped(getattr(self, name)))
        m.d.comb += [
            decoder.i.eq(self.i.payload), host.i.payload.eq(decoder.o), host.i.valid.eq(self.i.valid),
            generated_decoder.i.eq(generator.o.payload), generated.i.payload.eq(generated_decoder.o),
            generated.i.valid.eq(generator.o.valid), generator.o.ready.eq(generated.i.ready),
            *(getattr(generator, name).eq(getattr(status, name))
              for name in ("row_base", "row_bursts", "first_class", "mode")),
            *(getattr(dispatch, name).eq(getattr(status, name))
              for name in ("batch", "screen_bursts", "row_bursts", "mode")),
            dispatch.filtered.eq(self.filtered), dispatch.popped.eq(self.popped),
            dispatch.work.eq(self.screen_busy | self.execute_busy | self.dram_busy | self.candidates.valid
                             | generator.busy),
            self.own.eq(dispatch.own), self.clear.eq(dispatch.clear), self.new_batch.eq(status.new_batch),
            *(getattr(self, name).eq(getattr(status, name)) for name in _REGISTERS),
        ]
        self._status(m, status, dispatch, host)
        return m

    def _status(self, m, status, dispatch, host):
        """Events and what is asked for."""
        accepted = Signal()
        found = Signal()
        m.d.comb += [
            accepted.eq(self.i.valid & host.i.ready), found.eq(self.candidates.valid & self.candidates.ready),
            status.query_valid.eq(self.query_valid), status.query_reg.eq(self.query_reg), self.answer.eq(status.answer),
            status.init.eq(dispatch.init), status.clear.eq(dispatch.clear),
            status.refused.eq(self.refused), status.overflow.eq(self.overrun | (self.i.valid & ~host.i.ready)),
            status.illegal.eq(dispatch.illegal),
            status.busy.eq(self.i.valid | host.o.valid | ~dispatch.settled), status.owner.eq(self.owner),
            status.ready.eq(self.ready), status.level.eq(host.level),
            status.free.eq(self._cfg.instructions - host.level - accepted),
            status.largest.eq(self.largest), status.sums.eq(self.sums),
        ]
        events = {"received": accepted, "executed": dispatch.executed, "found": found, "finished": self.finished,
                  "returned": self.popped, "bursts_read": self.read, "bursts_written": self.written,
                  "refreshes": self.refreshed, "active": self.owner, "screening": self.screening,
                  "executing": self.executing}
        m.d.comb += [status.amounts[name].eq(event) for name, event in events.items()]
