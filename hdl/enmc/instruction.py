"""What the command pins of one clock of the DRAM hold: an instruction of ENMC, an ordinary command, or nothing."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import ALL, INSTRUCTION_BITS, INSTRUCTION_FIELDS, REGISTER_FIELDS, Command, Op

from .layouts import check_cfg, pins_layout

__all__ = ["Instruction"]


class Instruction(wiring.Component):
    """Recognises the instructions of ENMC among the commands of DDR4 [Thesis 6.4.3, Fig. 6.7].

    An instruction is a PRECHARGE with an opcode on A8, A9, A11, A12, A13 while A10 is low. Opcode 0 is a plain
    PRECHARGE, A10 high one of all banks. So a host that sends a plain PRECHARGE keeps these five pins low. Opcodes are
    not checked here: an unknown one is an instruction, for the controller to refuse, and never a command of the DRAM.

    Combinational: ``pins`` are registers of whoever drives them, and the host port has registers behind the outputs.

    Parameters
    ----------
    cfg : EnmcConfig
        The format is the same for all.

    Members
    -------
    pins : In(an element of pins_layout())
    ordinary : Out(1)
        A command of the DRAM, NOP left out.
    read, write, refresh : Out(1)
        It is that one.
    instruction : Out(1)
        An instruction of ENMC.
    query, take : Out(1)
        It is QUERY or RETURN, which are answered at once.
    word : Out(13)
        What it says, fields as in ``golden.enmc.formats.INSTRUCTION_FIELDS``; nothing if it is none.
    """

    def __init__(self, cfg):
        check_cfg(cfg)
        super().__init__({
            "pins": In(pins_layout().elem_shape),
            **{name: Out(1) for name in ("ordinary", "read", "write", "refresh", "instruction", "query", "take")},
            "word": Out(INSTRUCTION_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        a = self.pins.a
        named = Signal()
        command = Signal(3)
        opcode = Signal(INSTRUCTION_FIELDS["op"])
        precharge = Signal()
        m.d.comb += [
            # With ACT_n low the pins of the command are part of a row's address.
            named.eq(~self.pins.cs_n & self.pins.act_n),
            command.eq(a[INSTRUCTION_BITS + 1:]),
            self.word.eq(Cat(a[:ALL], a[ALL + 1:INSTRUCTION_BITS + 1])),
            opcode.eq(self.word[-len(opcode):]),
            precharge.eq(named & (command == Command.PRE)),
            self.instruction.eq(precharge & ~a[ALL] & opcode.any()),
            self.ordinary.eq(~self.pins.cs_n & ~self.instruction & ~(named & (command == Command.NOP))),
            self.read.eq(named & (command == Command.RD)),
            self.write.eq(named & (command == Command.WR)),
            self.refresh.eq(named & (command == Command.REF)),
            self.query.eq(self.instruction & (opcode == Op.REGISTER)
                          & ~self.word[REGISTER_FIELDS["zero"] + REGISTER_FIELDS["reg"]]),
            self.take.eq(self.instruction & (opcode == Op.RETURN)),
        ]
        return m
