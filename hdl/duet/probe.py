"""Probe: what a lockstep bench sees of the accelerator in a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import TRACE_INPUTS, TRACE_OUTPUTS
from hdl.common.primitives import or_tree

from .layouts import check_cfg, glb_read_layout, glb_write_layout

__all__ = ["Probe", "head_layout"]

#: Words are folded to this width [bits].
FOLD = 32


def head_layout() -> data.StructLayout:
    """Fields of the trace, as in ``golden.duet.formats``."""
    return data.StructLayout(TRACE_INPUTS | TRACE_OUTPUTS)


def _fold(value):
    """Exclusive or of all pieces of a signal: of an expression every piece would be converted by itself."""
    pieces = [value[k:k + FOLD] for k in range(0, len(value), FOLD)]
    while len(pieces) > 1:
        pieces = [a ^ b for a, b in zip(pieces[::2], pieces[1::2], strict=False)] + pieces[len(pieces) & ~1:]
    return pieces[0]


class Probe(wiring.Component):
    """Adds to the head what goes to and from the global buffer, folded to 32 bits; logic alone.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    head : In(head_layout())
        Its other fields.
    writes_valid, reads_valid : In(4)
        Ports of the global buffer that offer something.
    writes, reads : In(ArrayLayout, 4 of them)
        Their payloads.
    o : Out(head_layout())
    """

    def __init__(self, cfg):
        check_cfg(cfg)
        super().__init__({
            "head": In(head_layout()),
            "writes_valid": In(4), "reads_valid": In(4),
            "writes": In(data.ArrayLayout(glb_write_layout(cfg), 4)),
            "reads": In(data.ArrayLayout(glb_read_layout(), 4)),
            "o": Out(head_layout()),
        })

    def elaborate(self, platform):
        m = Module()
        read, write = Signal(glb_read_layout()), Signal(self.writes.shape().elem_shape)
        for valid, payloads, chosen in ((self.reads_valid, self.reads, read), (self.writes_valid, self.writes, write)):
            turns = [valid[k] & ~valid[:k].any() for k in range(4)]
            m.d.comb += chosen.eq(or_tree(Mux(turn, payloads[k].as_value(), 0) for k, turn in enumerate(turns)))
        values = Signal(len(write.data.as_value()))
        bits = Signal(len(write.map))
        m.d.comb += [
            values.eq(Cat(Mux(bit, value, 0) for bit, value in zip(write.mask, write.data, strict=True))),
            bits.eq(write.map & write.map_mask),
            self.o.eq(self.head),
            self.o.write_port.eq(self._port(self.writes_valid)), self.o.read_port.eq(self._port(self.reads_valid)),
            self.o.write_addr.eq(Mux(write.mask.any(), write.addr, 0)),
            self.o.write_map_addr.eq(Mux(write.map_mask.any(), write.map_addr, 0)),
            self.o.write_data.eq(_fold(values)), self.o.write_map.eq(_fold(bits)),
            self.o.read_addr.eq(read.addr), self.o.read_map_addr.eq(read.map_addr),
        ]
        return m

    def _port(self, valid):
        """The port that has its turn, from 1 on; 0: none."""
        return Mux(valid[0], 1, Mux(valid[1], 2, Mux(valid[2], 3, Mux(valid[3], 4, 0))))
