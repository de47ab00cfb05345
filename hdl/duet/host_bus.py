"""Bus of the host: words of the stream port on their way to and from the memories."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import BEAT_BITS, LOW_BITS, SUM_BITS, Target, target_beats

from .io_port import bus_layout
from .layouts import Load, check_cfg, glb_read_layout, glb_write_layout, ternary_layout, transfer_layout

__all__ = ["HostBus"]


class HostBus(wiring.Component):
    """Takes accesses of the stream port to the memory they name; no register inside.

    Accesses come only while no stage runs. So the ports of the global buffer are free, and micro-instructions go to the
    PEs by the way of the loader's transfers, to all of them.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    access, wdata : In
        As of :class:`IoPort`.
    answer : Out(cfg.word_bits)
        What was read: a word of the global buffer, or of the map buffer in the low bits.
    request : Out(stream of glb_read_layout()), data, map : In
        Read port 3 of the global buffer.
    write : Out(stream of glb_write_layout(cfg))
        Write port 3.
    loads : In(stream of transfer_layout(cfg)), transfer : Out(the same)
        From the loader, and to the Executor, which is always ready.
    projection, weight_*, bias_* : Out
        To the Speculator.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "access": In(bus_layout()), "wdata": In(max(target_beats(cfg).values()) * BEAT_BITS),
            "answer": Out(cfg.word_bits),
            "request": Out(stream.Signature(glb_read_layout())), "data": In(cfg.word_bits), "map": In(cfg.values),
            "write": Out(stream.Signature(glb_write_layout(cfg))),
            "loads": In(stream.Signature(transfer_layout(cfg), always_ready=True)),
            "transfer": Out(stream.Signature(transfer_layout(cfg))),
            "projection": Out(stream.Signature(ternary_layout(cfg), always_ready=True)),
            "weight_en": Out(1), "weight_addr": Out(range(cfg.low_tiles)),
            "weight_data": Out(cfg.trees * cfg.systolic_columns * LOW_BITS),
            "bias_en": Out(1), "bias_addr": Out(range(cfg.low_bias_words)),
            "bias_data": Out(cfg.systolic_columns * SUM_BITS),
        })

    def elaborate(self, platform):
        cfg, access, wdata = self._cfg, self.access, self.wdata
        m = Module()
        writes = {}
        for target in Target:
            writes[target] = Signal(name=f"writes_{target.name.lower()}")
            m.d.comb += writes[target].eq(access.valid & access.write & (access.target == target))
        is_map = Signal()
        m.d.sync += is_map.eq(access.target == Target.MAP)
        m.d.comb += [
            self.request.valid.eq(access.valid & ~access.write),
            self.request.p.addr.eq(access.addr), self.request.p.map_addr.eq(access.addr),
            self.answer.eq(Mux(is_map, self.map, self.data)),
            self.write.valid.eq(writes[Target.GLB] | writes[Target.MAP]),
            self.write.p.addr.eq(access.addr), self.write.p.map_addr.eq(access.addr),
            self.write.p.mask.eq(writes[Target.GLB].replicate(cfg.values)),
            self.write.p.map_mask.eq(writes[Target.MAP].replicate(cfg.values)),
            self.write.p.data.eq(wdata), self.write.p.map.eq(wdata),
            self.projection.valid.eq(writes[Target.PROJECTION]), self.projection.p.addr.eq(access.addr),
            self.projection.p.data.eq(wdata),
            self.weight_en.eq(writes[Target.LOW_WEIGHTS]), self.weight_addr.eq(access.addr), self.weight_data.eq(wdata),
            self.bias_en.eq(writes[Target.LOW_BIAS]), self.bias_addr.eq(access.addr), self.bias_data.eq(wdata),
        ]
        with m.If(writes[Target.LUT]):
            m.d.comb += [
                self.transfer.valid.eq(1), self.transfer.p.kind.eq(Load.LUT), self.transfer.p.row.eq(cfg.rows),
                self.transfer.p.column.eq(cfg.columns), self.transfer.p.index.eq(access.addr),
                *(lane.eq(wdata[:cfg.instruction_bits]) for lane in self.transfer.p.data),
            ]
        with m.Else():
            m.d.comb += [self.transfer.valid.eq(self.loads.valid), self.transfer.payload.eq(self.loads.payload)]
        return m
