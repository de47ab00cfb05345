"""Groups: what the store and the steps must know of the rows of a group."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, EXECUTE_FIELDS, VALUE_BITS, Kind
from hdl.common.primitives import or_tree
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, execute_layout, group_layout
from .load_layouts import Fill, row_tag_layout, work_layout

__all__ = ["Groups"]


class Groups(wiring.Component):
    """Collects the rows of a group: channel, bias, sensitive pixels, first word of weights [Thesis 5.1.2, 5.2.1].

    Sensitive are the pixels that are in the output map of the layer and, for a CONV with ``use_omap``, whose bits are
    set. The output map of a tile stands in a buffer of ``cfg.channels`` lanes, because the store corrects its words
    group by group while rows of later groups, which share them, are still to come.

    Weights of channel c begin at ``weight_base + c * passes * weight_words``, VECTOR: ``weight_base + c * depth``.

    Latency: ``LATENCY`` = 4 cycles from the answer to the last row to the group: (1) lane of the bias, word of the map,
    product; (2) bias, mask, place; (3) group that is collected; (4) group on offer. Throughput: a row a cycle; a group
    is collected while the one before is on offer.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins.
    job : In(execute_layout())
        From ``start`` until ``busy`` of the loader is 0.
    answer, tag, data, map : In
        Answers to FILL and ROW operations of the row walk. Rows of the next group only after ``freed``.
    group : Out(stream of group_layout(cfg))
        To the store. ``empty``: no pixel is sensitive.
    work, fetch : Out(stream of work_layout(cfg))
        The same group for the loads of its steps, and for the requests to the memory.
    freed : Out(1)
        The group that was collected went on offer in the cycle before.
    busy : Out(1)
        A row is on its way, or a group is not taken.
    """

    LATENCY = 4

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(execute_layout()),
            "answer": In(1), "tag": In(row_tag_layout()), "data": In(cfg.word_bits), "map": In(cfg.values),
            "group": Out(stream.Signature(group_layout(cfg))),
            "work": Out(stream.Signature(work_layout(cfg))), "fetch": Out(stream.Signature(work_layout(cfg))),
            "freed": Out(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        is_conv = Signal()
        m.d.comb += is_conv.eq(self.job.kind == Kind.CONV)
        valid_s1, tag_s1, lane_s1, place_s1, map_s1 = self._lookup(m, is_conv)
        valid_s2, tag_s2, bias_s2, mask_s2, place_s2 = self._facts(m, is_conv, valid_s1, tag_s1, lane_s1, place_s1,
                                                                   map_s1)
        streams = (self.group, self.work, self.fetch)
        full = Signal()
        gives = Signal()        # the group that was collected goes on offer
        tile_done = Signal()
        empty = Signal()
        left = Cat(s.valid & ~s.ready for s in streams)
        m.d.comb += [gives.eq(full & ~left.any()),
                     self.busy.eq(valid_s1 | valid_s2 | full | Cat(s.valid for s in streams).any())]
        m.d.sync += [self.freed.eq(gives), full.eq((valid_s2 & tag_s2.end) | (full & ~gives))]
        m.d.sync += [s.valid.eq(waits | gives) for s, waits in zip(streams, left, strict=True)]
        with m.If(valid_s2):
            m.d.sync += [empty.eq((mask_s2 == 0) & ((tag_s2.row == 0) | empty)), tile_done.eq(tag_s2.done)]
        self._rows(m, gives, valid_s2, tag_s2, bias_s2, mask_s2, place_s2)
        self._facts_of_group(m, gives, tile_done, empty)
        m.d.sync += Assert(~valid_s2 | ~full, "rows of a group must wait until the one before is on offer")
        return m

    def _lookup(self, m, is_conv):
        """Stage 1: the word of the output map, the lane in which the bias lies, the product for the weights."""
        cfg, job = self._cfg, self.job
        depth = max(2, cfg.channels // cfg.columns)
        m.submodules.maps = maps = Sram1r1w(depth, cfg.values)
        channel, column_bits = self.tag.channel, cfg.columns.bit_length() - 1
        valid_s1 = Signal()
        tag_s1 = Signal(row_tag_layout())
        lane_s1 = Signal(cfg.lane_bits)
        place_s1 = Signal(32)
        by_row = Signal(22)         # of the job: words of weights of a channel
        takes = Signal()
        m.d.comb += [
            takes.eq(self.answer & (self.tag.kind == Fill.ROW)),
            maps.w_en.eq(self.answer & (self.tag.kind == Fill.FILL)), maps.w_addr.eq(channel), maps.w_data.eq(self.map),
            maps.r_en.eq(takes), maps.r_addr.eq(channel[column_bits:]),
        ]
        # Each value takes half a bias.
        lane = channel[cfg.pixel_bits - 1:][:column_bits]
        m.d.sync += [valid_s1.eq(takes), by_row.eq(Mux(is_conv, job.passes * job.weight_words, job.depth))]
        with m.If(takes):
            m.d.sync += [
                tag_s1.eq(self.tag), place_s1.eq(channel * by_row),
                lane_s1.eq(or_tree(Mux(lane == c, self.data.word_select(c, cfg.lane_bits), 0)
                                   for c in range(cfg.columns))),
            ]
        return valid_s1, tag_s1, lane_s1, place_s1, maps.r_data

    def _facts(self, m, is_conv, valid_s1, tag_s1, lane_s1, place_s1, map_s1):
        """Stage 2: bias, sensitive pixels, first word of weights; tiles."""
        cfg, job, side = self._cfg, self.job, self._cfg.side
        valid_s2 = Signal()
        tag_s2 = Signal(row_tag_layout())
        bias_s2 = Signal(2 * VALUE_BITS)
        mask_s2 = Signal(cfg.pixels)
        place_s2 = Signal(32)
        tile_x = Signal(EXECUTE_FIELDS["tiles_x"])
        rows_left = Signal(EXECUTE_FIELDS["height"])        # outputs from this tile on
        columns_left = Signal(EXECUTE_FIELDS["width"])
        inside = Signal(cfg.pixels)
        mask = Signal(cfg.pixels)
        row_ends = Signal()
        column = tag_s1.channel[:cfg.columns.bit_length() - 1]
        m.d.comb += [
            inside.eq(Cat((rows_left > y) & (columns_left > x) for y in range(side) for x in range(side))),
            mask.eq(or_tree(Mux(column == c, map_s1.word_select(c, cfg.pixels), 0) for c in range(cfg.columns))),
            row_ends.eq(tile_x + 1 == job.tiles_x),
        ]
        m.d.sync += valid_s2.eq(valid_s1)
        place = tag_s1.channel[:cfg.pixel_bits - 1]
        with m.If(valid_s1):
            m.d.sync += [
                tag_s2.eq(tag_s1), place_s2.eq(place_s1 + job.weight_base),
                bias_s2.eq(lane_s1.word_select(place, 2 * VALUE_BITS)),
                mask_s2.eq(Mux(tag_s1.on, inside & (mask | ~(is_conv & job.use_omap).replicate(cfg.pixels)), 0)),
            ]
        with m.If(valid_s1 & tag_s1.done):
            m.d.sync += [tile_x.eq(Mux(row_ends, 0, tile_x + 1)),
                         columns_left.eq(Mux(row_ends, job.width, columns_left - side)),
                         rows_left.eq(Mux(row_ends, rows_left - side, rows_left))]
        with m.If(self.start):
            m.d.sync += [tile_x.eq(0), rows_left.eq(job.height), columns_left.eq(job.width)]
        return valid_s2, tag_s2, bias_s2, mask_s2, place_s2

    def _facts_of_group(self, m, gives, tile_done, empty):
        """Stage 4: what is said of all rows; where the tile lies."""
        job, group = self.job, self.group.p
        word = Signal(ADDR_BITS)
        map_word = Signal(ADDR_BITS)
        with m.If(self.start):
            m.d.sync += [word.eq(job.out_base), map_word.eq(job.omap_base)]
        with m.Elif(gives & tile_done):
            m.d.sync += [word.eq(word + job.out_depth), map_word.eq(map_word + job.out_depth)]
        with m.If(gives):
            m.d.sync += [group.word.eq(word), group.map_word.eq(map_word), group.tile_done.eq(tile_done),
                         group.empty.eq(empty)]
        for s in (self.work, self.fetch):
            m.d.comb += [s.p.empty.eq(group.empty), s.p.tile_done.eq(group.tile_done)]

    def _rows(self, m, gives, valid, tag, bias, mask, place):
        """Stages 3 and 4: the rows; the first one clears those of the group before."""
        for r in range(self._cfg.rows):
            on = Signal(name=f"on_{r}")
            channel = Signal(16, name=f"channel_{r}")
            bias_r = Signal(2 * VALUE_BITS, name=f"bias_{r}")
            sensitive = Signal(self._cfg.pixels, name=f"sensitive_{r}")
            place_r = Signal(32, name=f"place_{r}")
            with m.If(valid & (tag.row == r)):
                m.d.sync += [on.eq(tag.on), channel.eq(tag.channel), bias_r.eq(bias), sensitive.eq(mask),
                             place_r.eq(place)]
            with m.Elif(valid & (tag.row == 0)):
                m.d.sync += [on.eq(0), sensitive.eq(0)]
            given = self.group.p.rows[r]
            offered_place = Signal(32, name=f"offered_place_{r}")
            with m.If(gives):
                m.d.sync += [given.on.eq(on), given.channel.eq(channel), given.bias.eq(bias_r),
                             given.sensitive.eq(sensitive), offered_place.eq(place_r)]
            for s in (self.work, self.fetch):
                m.d.comb += [s.p.sensitive[r].eq(given.sensitive), s.p.place[r].eq(offered_place)]
