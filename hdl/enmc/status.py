"""Status registers and counters of a rank."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import DATA_BITS, REGISTER_FIELDS
from golden.enmc.registers import REGISTERS, STATUS_FIELDS, registers_of
from hdl.common.primitives import or_tree

from .layouts import check_cfg

__all__ = ["Status", "amounts_layout", "init_layout"]

COUNTER_BITS = 48
_COUNTERS = tuple(name for name, r in REGISTERS.items() if r.width == COUNTER_BITS)
_WRITTEN = tuple(name for name, r in REGISTERS.items() if r.access == "rw")
_STICKY = "refused", "overflow", "illegal"


def amounts_layout(cfg) -> data.StructLayout:
    """What each counter grows by; their meaning: ``golden.enmc.registers``."""
    return data.StructLayout({name: range(cfg.records + 1) if name == "returned" else 1 for name in _COUNTERS})


def init_layout() -> data.StructLayout:
    """INIT: a register's new value, its upper half left out as no register has it."""
    return data.StructLayout({"valid": 1, "reg": REGISTER_FIELDS["reg"], "data": 32})


class Status(wiring.Component):
    """Registers that INIT writes, flags, counters, and the answers to QUERY [Thesis 6.4.2, 6.4.3].

    Latency: 1 cycle from INIT to the register, from a QUERY to its answer, and from an event to its flag; 2 from an
    event to its counter.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    query_valid, query_reg : In
        QUERY. Registers that do not exist, or not in this configuration, read 0.
    answer : Out(64)
        Stays until the next QUERY.
    init : In(init_layout())
        Only of registers with write access; bits above the register's width are left out.
    clear : In(1)
        CLR: all registers, counters and flags to 0. Events of this cycle count, what came before does not.
    amounts : In(amounts_layout(cfg))
    refused, overflow, illegal : In(1)
        Sets the flag of this name.
    busy, owner, ready, free, level : In
        As in ``STATUS_FIELDS``; instructions that wait.
    largest, sums : In(32 bits for each input)
        Of the softmax.
    batch, classes, first_class, screen_bursts, threshold, row_base, row_bursts, mode : Out
        The registers.
    new_batch : Out(1)
        ``batch`` was written: high in the first cycle of its new value.
    """

    ANSWER_LATENCY = 1
    COUNTER_LATENCY = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        words = data.ArrayLayout(32, cfg.batch)
        super().__init__({
            "query_valid": In(1), "query_reg": In(REGISTER_FIELDS["reg"]), "answer": Out(DATA_BITS),
            "init": In(init_layout()), "clear": In(1), "amounts": In(amounts_layout(cfg)),
            **{name: In(1) for name in _STICKY},
            "busy": In(1), "owner": In(1), "ready": In(STATUS_FIELDS["ready"]), "free": In(STATUS_FIELDS["free"]),
            "level": In(REGISTERS["level"].width), "largest": In(words), "sums": In(words),
            **{name: Out(signed(32) if name == "threshold" else REGISTERS[name].width) for name in _WRITTEN},
            "new_batch": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        values = {"status": self._flags(m), "level": self.level, **self._counters(m)}
        m.d.sync += self.new_batch.eq(self.init.valid & (self.init.reg == REGISTERS["batch"].number))
        for name in _WRITTEN:
            register = getattr(self, name)
            with m.If(self.clear):
                m.d.sync += register.eq(0)
            with m.Elif(self.init.valid & (self.init.reg == REGISTERS[name].number)):
                m.d.sync += register.eq(self.init.data)
            values[name] = register.as_unsigned()
        for b in range(self._cfg.batch):
            values[f"softmax_{b}"] = Cat(self.largest[b], self.sums[b])
        with m.If(self.query_valid):
            m.d.sync += self.answer.eq(or_tree([
                values[name] & (self.query_reg == r.number).replicate(DATA_BITS)
                for name, r in registers_of(self._cfg).items()]))
        return m

    def _flags(self, m):
        """The register ``status``."""
        status = Signal(data.StructLayout(STATUS_FIELDS))
        for name in _STICKY:
            flag = Signal(name=f"{name}_flag")
            m.d.sync += flag.eq(getattr(self, name) | (flag & ~self.clear))
            m.d.comb += status[name].eq(flag)
        m.d.comb += [status[name].eq(getattr(self, name)) for name in ("busy", "owner", "ready", "free")]
        return status.as_value()

    def _counters(self, m):
        """A register between amount and counter keeps events off the adders."""
        totals = {}
        for name in _COUNTERS:
            amount = Signal.like(self.amounts[name], name=f"{name}_amount")
            totals[name] = total = Signal(COUNTER_BITS, name=f"{name}_total")
            m.d.sync += [amount.eq(self.amounts[name]), total.eq(Mux(self.clear, 0, total + amount))]
        return totals
