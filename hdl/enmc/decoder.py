"""Decoder: what an instruction asks of the units, and whether it is legal."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import (
    DATA_BITS,
    INSTRUCTION_BITS,
    REGISTER_FIELDS,
    TAG_FIELDS,
    TRANSFER_FIELDS,
    Buffer,
    Dest,
    Execute,
    Function,
    Op,
    Screen,
)
from golden.enmc.registers import REGISTERS

from .layouts import check_cfg, instruction_layout

__all__ = ["QUARTERS", "Decoder", "control_layout", "step_layout"]

#: Bursts of a tile of partial sums of one input.
QUARTERS = 4
_B = Buffer
_INT4, _FP32 = (_B.FEATURE_INT4, _B.WEIGHT_INT4), (_B.FEATURE_FP32, _B.WEIGHT_FP32)


def control_layout() -> data.StructLayout:
    """What an instruction asks of the units.

    ``legal``: as far as it shows without registers. ``request`` .. ``dest``: see ``request_layout``; ``screen`` ..
    ``ones``: see ``screen_layout`` and ``execute_layout``. ``row``: it brings exact weights. ``settle``: it waits until
    all work is done. ``init``: it writes register ``reg``. ``clr``: it resets.
    """
    return data.StructLayout({
        "legal": 1, "request": 1, "write": 1, "dest": 1, "screen": 1, "screen_kind": 3, "execute": 1, "execute_kind": 2,
        "function": 2, "clear": 1, "ones": 1, "row": 1, "settle": 1, "init": 1, "clr": 1, "reg": REGISTER_FIELDS["reg"],
    })


def step_layout() -> data.StructLayout:
    """A decoded instruction and its data."""
    return data.StructLayout({"control": control_layout(), "data": DATA_BITS})


class Decoder(wiring.Component):
    """Decodes an instruction [Thesis table 6.1].

    Illegal are unknown opcodes, operands without meaning, bits that must be 0 and are not, INIT of a register without
    write access, of ``batch`` with anything but 1..cfg.batch, of ``mode`` with an unknown function, and transfers of no
    burst, of more than the buffer takes, or from beyond the end of the rank. Data of instructions that have none are
    not looked at.

    Combinational.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(instruction_layout())
    o : Out(step_layout())
        If not ``legal`` because of its data, the other controls are those of the instruction all the same.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({"i": In(instruction_layout()), "o": Out(step_layout())})

    def elaborate(self, platform):
        m = Module()
        control = Signal(control_layout())
        fits = Signal()
        m.d.comb += [
            fits.eq(1), self.o.data.eq(self.i.data), self.o.control.eq(control),
            self.o.control.legal.eq(control.legal & fits),
        ]
        with m.Switch(Cat(self.i.b, self.i.a, self.i.op)):
            for word, meaning in _meanings():
                with m.Case(word):
                    m.d.comb += [control.legal.eq(1), *(control[name].eq(value) for name, value in meaning.items())]
        with m.If(control.init):
            m.d.comb += fits.eq(self._init(control.reg))
        with m.Elif(control.request):
            m.d.comb += fits.eq(self._transfer(m, control))
        with m.Elif(control.execute):
            m.d.comb += fits.eq(data.View(data.StructLayout(TAG_FIELDS), self.i.data).zero == 0)
        return m

    def _init(self, reg):
        """Data of INIT."""
        batch, mode = (reg == REGISTERS[name].number for name in ("batch", "mode"))
        value = self.i.data
        return ((~batch | ((value != 0) & (value <= self._cfg.batch)))
                & (~mode | (value[:2] <= max(Function))))

    def _transfer(self, m, control):
        """Data of LDR and STR."""
        cfg = self._cfg
        transfer = data.View(data.StructLayout(TRANSFER_FIELDS), self.i.data)
        most = Signal(16)
        least = Signal(16)
        end = Signal(TRANSFER_FIELDS["addr"] + 1)
        m.d.comb += [most.eq(0xFFFF), least.eq(1), end.eq(transfer.addr + transfer.count)]
        with m.Switch(self.i.a):
            with m.Case(_B.FEATURE_INT4):
                m.d.comb += most.eq(cfg.features // (2 * cfg.dq))
            with m.Case(_B.FEATURE_FP32):
                m.d.comb += most.eq(cfg.exact_features // cfg.burst_words)
            with m.Case(_B.PSUM_INT4):
                m.d.comb += least.eq(QUARTERS)
                with m.If(~control.write):
                    m.d.comb += most.eq(QUARTERS)
        return (transfer.count >= least) & (transfer.count <= most) & (end <= cfg.bursts) & (transfer.zero == 0)


def _meanings():
    """(13 bits, controls) of each instruction that has a meaning."""
    def word(op, a=0, b=0):
        return f"{op:05b}{a:04b}{b:04b}"

    screener, executor = {"request": 1, "dest": Dest.SCREENER}, {"request": 1, "dest": Dest.EXECUTOR}
    loads = {
        _B.FEATURE_INT4: screener | {"screen": 1, "screen_kind": Screen.FEATURES},
        _B.PSUM_INT4: screener | {"screen": 1, "screen_kind": Screen.PSUMS},
        _B.WEIGHT_INT4: screener,
        _B.FEATURE_FP32: executor | {"execute": 1, "execute_kind": Execute.FEATURES},
        _B.WEIGHT_FP32: executor | {"row": 1},
    }
    for buffer, controls in loads.items():
        yield word(Op.LDR, buffer), controls
    yield word(Op.STR, _B.PSUM_INT4), {"request": 1, "write": 1, "screen": 1, "screen_kind": Screen.STORE}
    for name, flags in ("MUL_ADD", {}), ("MUL", {"clear": 1}), ("ADD", {"ones": 1}):
        yield (word(Op[f"{name}_INT4"], *_INT4), {"screen": 1, "screen_kind": Screen.MULTIPLY, **flags})
        yield (word(Op[f"{name}_FP32"], *_FP32), {"execute": 1, "execute_kind": Execute.MULTIPLY, **flags})
    yield word(Op.FILTER, _B.PSUM_INT4), {"screen": 1, "screen_kind": Screen.FILTER}
    finish = {"execute": 1, "execute_kind": Execute.FINISH}
    yield word(Op.MOVE, _B.PSUM_FP32, _B.OUTPUT), finish | {"function": Function.NONE}
    yield word(Op.MOVE, _B.INDEX, _B.OUTPUT), {"execute": 1, "execute_kind": Execute.PASS}
    yield word(Op.SIGMOID), finish | {"function": Function.SIGMOID}
    yield word(Op.SOFTMAX), finish | {"function": Function.SOFTMAX}
    yield word(Op.BARRIER), {"settle": 1}
    yield word(Op.NOP), {}
    yield word(Op.CLR), {"settle": 1, "clr": 1}
    written = 1 << REGISTER_FIELDS["reg"] + REGISTER_FIELDS["zero"]
    for register in REGISTERS.values():
        if register.access == "rw":
            bits = Op.REGISTER << 8 | written | register.number << REGISTER_FIELDS["zero"]
            yield f"{bits:0{INSTRUCTION_BITS}b}", {"settle": 1, "init": 1, "reg": register.number}
