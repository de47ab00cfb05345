"""Order of inputs: words of the blocks near a tile, tile by tile."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, EXECUTE_FIELDS

from .layouts import check_cfg, execute_layout

__all__ = ["InputWalk"]


class InputWalk(wiring.Component):
    """Walks over the inputs of a tile: word by word of a block, in each row by row of the ``near_y`` x ``near_x``
    blocks around it [Thesis 5.1.2].

    Addresses only grow by constants of the job, modulo 2**16; where a tile reaches over the upper or left edge they
    are negative, and ``there`` says that nothing is to be read.

    Latency: 1 cycle from a command to the outputs. What follows from the job is there ``SETTLED`` = 3 cycles after it.
    Throughput: a word a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(execute_layout())
        Stands still from the cycle of the start on.
    begin_job : In(1)
        Begin with the first tile.
    next_tile : In(1)
        Go on to the next one in raster order.
    begin_step, word : In
        Begin with word ``word`` of each block.
    words : In
        Words of each block in this step.
    take : In(1)
        The word that is shown is taken.
    at : Out(16)
        Its address, relative to that of the inputs.
    index : Out
        Its number in the step.
    there : Out(1)
        Its block is in the map.
    last : Out(1)
        It is the last one of the step.
    last_tile : Out(1)
        The tile is the last one of the job.
    """

    SETTLED = 3

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(execute_layout()), "begin_job": In(1), "next_tile": In(1), "begin_step": In(1),
            "word": In(ADDR_BITS), "words": In(EXECUTE_FIELDS["chunk"]), "take": In(1),
            "at": Out(ADDR_BITS), "index": Out(cfg.lut_bits), "there": Out(1), "last": Out(1), "last_tile": Out(1),
        })

    def elaborate(self, platform):
        job = self.job
        m = Module()
        line, tile_column, tile_line, origin = self._constants(m)

        # Tiles.
        tile_y = Signal(job.tiles_y.shape())
        tile_x = Signal(job.tiles_x.shape())
        block_y = Signal(signed(12))
        block_x = Signal(signed(12))
        at_row = Signal(ADDR_BITS)
        at_tile = Signal(ADDR_BITS)
        row_ends = Signal()
        m.d.comb += [row_ends.eq(tile_x + 1 == job.tiles_x),
                     self.last_tile.eq(row_ends & (tile_y + 1 == job.tiles_y))]
        with m.If(self.begin_job):
            m.d.sync += [tile_y.eq(0), tile_x.eq(0), block_y.eq(-job.first_y), block_x.eq(-job.first_x),
                         at_row.eq(origin), at_tile.eq(origin)]
        with m.Elif(self.next_tile & row_ends):
            m.d.sync += [tile_y.eq(tile_y + 1), tile_x.eq(0), block_y.eq(block_y + job.stride),
                         block_x.eq(-job.first_x), at_row.eq(at_row + tile_line), at_tile.eq(at_row + tile_line)]
        with m.Elif(self.next_tile):
            m.d.sync += [tile_x.eq(tile_x + 1), block_x.eq(block_x + job.stride), at_tile.eq(at_tile + tile_column)]

        # Words of a step.
        y = Signal(job.near_y.shape())
        x = Signal(job.near_x.shape())
        n = Signal(job.chunk.shape())
        near_y = Signal(signed(12))
        near_x = Signal(signed(12))
        at_word = Signal(ADDR_BITS)
        at_line = Signal(ADDR_BITS)
        next_line = Signal(ADDR_BITS)
        next_word = Signal(ADDR_BITS)
        first = Signal(ADDR_BITS)
        line_ends = Signal()
        word_ends = Signal()
        m.d.comb += [
            next_line.eq(at_line + line), next_word.eq(at_word + 1), first.eq(at_tile + self.word),
            line_ends.eq(x + 1 == job.near_x), word_ends.eq(line_ends & (y + 1 == job.near_y)),
            self.last.eq(word_ends & (n + 1 == self.words)),
            self.there.eq((near_y >= 0) & (near_y < job.blocks_y) & (near_x >= 0) & (near_x < job.blocks_x)),
        ]
        with m.If(self.begin_step):
            m.d.sync += [y.eq(0), x.eq(0), n.eq(0), self.index.eq(0), near_y.eq(block_y), near_x.eq(block_x),
                         at_word.eq(first), at_line.eq(first), self.at.eq(first)]
        with m.Elif(self.take):
            m.d.sync += [self.index.eq(self.index + 1), x.eq(x + 1), near_x.eq(near_x + 1),
                         self.at.eq(self.at + job.depth)]
            with m.If(line_ends):
                m.d.sync += [x.eq(0), near_x.eq(block_x), y.eq(y + 1), near_y.eq(near_y + 1), at_line.eq(next_line),
                             self.at.eq(next_line)]
            with m.If(word_ends):
                m.d.sync += [y.eq(0), near_y.eq(block_y), n.eq(n + 1), at_word.eq(next_word), at_line.eq(next_word),
                             self.at.eq(next_word)]
        return m

    def _constants(self, m):
        """Distances of addresses: from a row of blocks to the next, from a tile to the next, from a row of tiles to the
        next; and where the first tile begins. A product a cycle."""
        job = self.job
        line = Signal(ADDR_BITS)
        tile_column = Signal(ADDR_BITS)
        tile_line = Signal(ADDR_BITS)
        above = Signal(ADDR_BITS)
        before = Signal(ADDR_BITS)
        origin = Signal(ADDR_BITS)
        m.d.sync += [
            line.eq(job.blocks_x * job.depth), tile_column.eq(job.stride * job.depth),
            before.eq(job.first_x * job.depth),
            tile_line.eq(job.stride * line), above.eq(job.first_y * line), origin.eq(-(above + before)),
        ]
        return line, tile_column, tile_line, origin
