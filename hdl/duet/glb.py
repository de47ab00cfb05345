"""Global buffer: values and maps behind ports with fixed priority."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import GLB_LATENCY
from hdl.common.primitives import or_tree
from hdl.common.sram import Sram1r1wMasked

from .layouts import check_cfg, glb_read_layout, glb_write_layout

__all__ = ["PORTS", "Glb"]

#: Ports of a kind.
PORTS = 4


class Glb(wiring.Component):
    """Global buffer (GLB) [Thesis 5.1]: 512 B a cycle, and the switching maps beside them.

    Two memories of ``cfg.glb_words`` words, each with an address of its own in every access: values of 16 bits, written
    value by value, and map bits, written bit by bit. What a port offers is taken in the cycle in which no lower port
    of its kind offers anything.

    Latency: an answer comes ``LATENCY`` = 2 cycles after the transfer of its request: (1) address, (2) memories. A
    write is in the memories in the second cycle after its transfer: a request in the cycle after the transfer reads
    it. Throughput: one read and one write a cycle. An address that is read and written at once, that is where request
    and write are transferred in the same cycle: the read of that memory does not take place, and its answer is the one
    before. So requests may leave an address open that they have no use for.

    ``ready`` of a port depends on ``valid`` of the lower ones, without a register: a port that asks has its turn in
    the same cycle, and the ports offer from registers.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    request : In(stream of glb_read_layout()), 4 of them
        0 Speculator, 1 loader, 2 cell unit, 3 host. Addresses are taken modulo ``cfg.glb_words``.
    valid : Out(4)
        An answer, for this port.
    data, map : Out
        Answer to the port, held until the next one: ``cfg.word_bits`` and ``cfg.values``.
    write : In(stream of glb_write_layout(cfg)), 4 of them
        0 store, 1 Speculator, 2 cell unit, 3 host. An address whose mask is 0 is not looked at; others must be below
        ``cfg.glb_words``: an assertion stops the simulation.
    """

    LATENCY = GLB_LATENCY

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "request": In(stream.Signature(glb_read_layout())).array(PORTS),
            "valid": Out(PORTS), "data": Out(cfg.word_bits), "map": Out(cfg.values),
            "write": In(stream.Signature(glb_write_layout(cfg))).array(PORTS),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.values = values = Sram1r1wMasked(cfg.glb_words, cfg.word_bits, cfg.values)
        m.submodules.maps = maps = Sram1r1wMasked(cfg.glb_words, cfg.values, cfg.values)

        # Cycle 1: the first port of each kind.
        r_turn, read = self._arbitrate(m, "read", self.request, glb_read_layout())
        w_turn, write = self._arbitrate(m, "write", self.write, glb_write_layout(cfg))
        r_port = Signal(PORTS)
        r_addr = Signal(cfg.glb_bits)
        r_map_addr = Signal(cfg.glb_bits)
        with m.If(r_turn.any()):
            m.d.sync += [r_addr.eq(read.addr), r_map_addr.eq(read.map_addr)]
        m.d.sync += r_port.eq(r_turn)
        written = Signal(glb_write_layout(cfg))
        has_values = Signal()
        has_map = Signal()
        with m.If(w_turn.any()):
            m.d.sync += written.eq(write)
        m.d.sync += [has_values.eq(w_turn.any() & write.mask.any()), has_map.eq(w_turn.any() & write.map_mask.any())]

        # Cycle 2: the memories.
        m.d.sync += self.valid.eq(r_port)
        for sram, r_at, w_at, mask, data, writes in (
                (values, r_addr, written.addr, written.mask, written.data, has_values),
                (maps, r_map_addr, written.map_addr, written.map_mask, written.map, has_map)):
            m.d.comb += [
                sram.r_addr.eq(r_at), sram.r_en.eq(r_port.any() & ~(writes & (r_at == w_at[:cfg.glb_bits]))),
                sram.w_addr.eq(w_at), sram.w_mask.eq(mask), sram.w_data.eq(data), sram.w_en.eq(writes),
            ]
            m.d.sync += Assert(~writes | (w_at < cfg.glb_words),
                               Format("address {} must be in the global buffer", w_at))
        m.d.comb += [self.data.eq(values.r_data), self.map.eq(maps.r_data)]
        return m

    def _arbitrate(self, m, name, ports, layout):
        """One-hot turn, and the payload of the port that has it."""
        valid = Signal(PORTS, name=f"{name}_valid")
        turn = Signal(PORTS, name=f"{name}_turn")
        payload = Signal(layout, name=f"{name}_payload")
        m.d.comb += [valid.eq(Cat(port.valid for port in ports)), turn.eq(valid & ~(valid - 1)[:PORTS])]
        for k, port in enumerate(ports):
            m.d.comb += port.ready.eq(~valid[:k].any() if k else 1)
        m.d.comb += payload.as_value().eq(or_tree(
            Mux(turn[k], Value.cast(port.payload), 0) for k, port in enumerate(ports)))
        return turn, payload
