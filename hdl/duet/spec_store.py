"""Store of the Speculator: switching maps, order of channels and approximations go to the global buffer."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import VALUE_BITS, Function, Kind
from hdl.common.emit import unit
from hdl.common.skid import Skid

from .layouts import approximation_layout, check_cfg, glb_write_layout, speculate_layout
from .map_words import MapWords
from .order_words import OrderWords
from .reorder import Reorder
from .vector_words import VectorWords

__all__ = ["SpecStore"]


class SpecStore(wiring.Component):
    """Writes what the Speculator finds out [Thesis 5.1.1, steps 3 and 4; 5.2.1].

    CONV: map word ``omap_base + tile * out_depth + channel // columns`` with all its bits, 0 for pixels beyond the
    output. With ``ordered``, the channels of every tile in the order of their buckets: 16-bit elements of the words
    ``order_base + tile * words`` and on, ``words`` being channels / (columns * pixels), rounded up. VECTOR: elements of
    data words ``approx_base`` and on, dequantised, and bits of map words ``omap_base`` and on; those of elements that
    do not exist are 0.

    A write has data of one pixel of all columns, or map bits, or both. The map word of a tile is written before its
    order.

    Latency: 2 cycles from the last pixel of ``columns`` channels to the write of their map word; 3 from elements of a
    vector to theirs. Throughput: approximations of a pixel in every cycle while writes are taken; ``ordered`` sorts a
    channel a cycle, and needs 2 cycles more a tile.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(speculate_layout())
        ``kind, function, ordered, channels, scale, tiles_y, tiles_x, out_depth, omap_base, order_base, approx_base,
        limit_*``; VECTOR: one tile, not ordered. It stays from ``start`` until ``busy`` is 0.
    start : In(1)
        Begin a job; only while ``busy`` is 0. Approximations come from the next cycle on.
    i : In(stream of approximation_layout(cfg))
        ``ready``: a register.
    write : Out(stream of glb_write_layout(cfg))
    busy : Out(1)
        From the cycle after ``start`` until all writes of the job were taken.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(speculate_layout()), "start": In(1),
            "i": In(stream.Signature(approximation_layout(cfg))),
            "write": Out(stream.Signature(glb_write_layout(cfg))),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg, job = self._cfg, self.job
        m = Module()
        m.submodules.skid = skid = unit(platform, Skid(approximation_layout(cfg)), name="duet_approximation_skid")
        m.submodules.map_words = maps = unit(platform, MapWords(cfg), name="duet_map_words")
        m.submodules.reorder = sorter = unit(platform, Reorder(cfg), name="duet_reorder")
        m.submodules.order_words = order = unit(platform, OrderWords(cfg), name="duet_order_words")
        m.submodules.vector_words = vector = unit(platform, VectorWords(cfg), name="duet_vector_words")
        wiring.connect(m, wiring.flipped(self.i), skid.i)
        wiring.connect(m, sorter.o, order.i)
        is_vector = job.kind == Kind.VECTOR
        free = Signal()
        advance = Signal()
        i = skid.o.p
        m.d.comb += [
            free.eq(~self.write.valid | self.write.ready),
            maps.start.eq(self.start), maps.omap_base.eq(job.omap_base), maps.out_depth.eq(job.out_depth),
            maps.i.valid.eq(skid.o.valid & ~is_vector), maps.i.payload.eq(skid.o.payload),
            vector.advance.eq(advance), vector.i_valid.eq(skid.o.valid & is_vector), vector.first.eq(i.first),
            vector.last.eq(i.last), vector.sensitive.eq(i.sensitive), vector.codes.eq(i.codes),
            vector.channels.eq(job.channels), vector.is_signed.eq(job.function == Function.TANH),
            vector.scale.eq(job.scale),
            skid.o.ready.eq(Mux(is_vector, advance, maps.i.ready)),
            sorter.channels.eq(job.channels), sorter.i.payload.eq(maps.o.p.bits),
            *(sorter.limits[k].eq(job[f"limit_{k}"]) for k in range(cfg.buckets - 1)),
            order.start.eq(self.start), order.order_base.eq(job.order_base),
        ]

        # A map word goes to the output and, to be sorted, to the reorder unit, in either order.
        written = Signal()
        sorted_ = Signal()
        map_waits = Signal()
        m.d.comb += [
            map_waits.eq(maps.o.valid & ~written), sorter.i.valid.eq(maps.o.valid & job.ordered & ~sorted_),
            maps.o.ready.eq((written | free) & (~job.ordered | sorted_ | sorter.i.ready)),
        ]
        m.d.sync += [written.eq(maps.o.valid & ~maps.o.ready & (written | free)),
                     sorted_.eq(maps.o.valid & ~maps.o.ready & (sorted_ | (sorter.i.valid & sorter.i.ready)))]

        # Map words first: the last word of a tile must not come after the tile's last channels.
        m.d.comb += [order.o.ready.eq(free & ~map_waits), advance.eq(free & ~map_waits & ~order.o.valid)]
        ends = Signal()     # the last write of a tile goes to the output
        m.d.comb += ends.eq(Mux(map_waits, maps.o.p.last & ~job.ordered,
                                Mux(order.o.valid, order.o.p.last, vector.o_valid & vector.o.last)))
        final = self._tiles(m, free & ends)
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(self.write.valid & self.write.ready & final):
            m.d.sync += self.busy.eq(0)
        self._output(m, free, map_waits, maps, order, vector)
        m.d.sync += Assert(~self.start | ~self.busy, "start must wait until the job before is over")
        return m

    def _tiles(self, m, ends):
        """Count tiles; whether what is at the output is the last write of the job."""
        job = self.job
        tile_y = Signal(job.tiles_y.shape())
        tile_x = Signal(job.tiles_x.shape())
        final = Signal()
        row_ends = tile_x + 1 == job.tiles_x
        all_end = tile_y + 1 == job.tiles_y
        with m.If(~self.write.valid | self.write.ready):
            m.d.sync += final.eq(ends & row_ends & all_end)
        with m.If(ends):
            m.d.sync += tile_x.eq(Mux(row_ends, 0, tile_x + 1))
            with m.If(row_ends):
                m.d.sync += tile_y.eq(Mux(all_end, 0, tile_y + 1))
        return final

    def _output(self, m, free, map_waits, maps, order, vector):
        """The write that is offered: values of a pixel, bits of some pixels; masks are a gate away."""
        cfg, job, write = self._cfg, self.job, self.write.p
        values = Signal(data.ArrayLayout(VALUE_BITS, cfg.columns))
        lanes = Signal(cfg.columns)
        pixels = Signal(cfg.pixels)
        bits = Signal(cfg.values)
        map_pixels = Signal(cfg.pixels)
        for column in range(cfg.columns):
            for pixel in range(cfg.pixels):
                place = column * cfg.pixels + pixel
                m.d.comb += [write.data[place].eq(values[column]), write.mask[place].eq(lanes[column] & pixels[pixel]),
                             write.map_mask[place].eq(map_pixels[pixel])]
        m.d.comb += write.map.eq(bits)
        here = Signal(cfg.pixels)
        m.d.comb += here.eq(1 << vector.o.pixel)
        with m.If(free):
            m.d.sync += self.write.valid.eq(map_waits | order.o.valid | vector.o_valid)
            with m.If(map_waits):
                m.d.sync += [lanes.eq(0), pixels.eq(0), map_pixels.eq(~0), write.map_addr.eq(maps.o.p.addr),
                             bits.eq(maps.o.p.bits)]
            with m.Elif(order.o.valid):
                m.d.sync += [lanes.eq(order.o.p.lanes), pixels.eq(1 << order.o.p.pixel), map_pixels.eq(0),
                             write.addr.eq(order.o.p.addr), *(values[k].eq(id_) for k, id_ in enumerate(order.o.p.ids))]
            with m.Else():
                # Bits of the pixels after this one are cleared: their elements come later, or do not exist.
                m.d.sync += [
                    lanes.eq(vector.o.lanes), pixels.eq(here), map_pixels.eq(~(here - 1)),
                    write.addr.eq(job.approx_base + vector.o.word), write.map_addr.eq(job.omap_base + vector.o.word),
                    values.eq(vector.o.values),
                    bits.eq(Cat(Mux(bit, here, 0) for bit in vector.o.sensitive)),
                ]
