"""Front of the Speculator: inputs in, reduced inputs out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.duet.formats import Kind
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .activation_buffer import ActivationBuffer
from .adder_tree import tree_stages
from .alignment import Alignment
from .block_intake import BlockIntake
from .layouts import block_layout, check_cfg, reduced_layout, speculate_layout, ternary_layout
from .window_walk import DEPTH, WindowWalk

__all__ = ["Reducer"]


class Reducer(wiring.Component):
    """Quantisation and dimension reduction of the inputs of a layer, tile by tile [Thesis 5.1.1, steps 1 and 2].

    For every tile of outputs, in raster order, it takes the words that the tile needs, in any order; then it gives the
    reduced inputs of its pixels: for every word of ``trees`` elements, for every pixel that is in the output map. Words
    of the next tile are taken while the last vectors drain.

    The words of a tile are those of all blocks near it that are in the map, ``last`` with the last one. A tile that has
    none sends any one word. Entries of the activation buffer: ``span`` must be at least that of
    ``golden.duet.activation_buffer.span_of``, and ``depth << 2 * span`` at most ``cfg.activation_words``.

    Latency: a window is read in the cycle after the word before it, or the window before it; ``latency`` cycles after
    the last one of a vector the vector is at ``o``, 12 for 256 values. Throughput: a word a cycle, then a window a
    cycle, that is ``trees * values`` = 4,096 inputs of the adder trees. Nothing is lost between tiles: from the first
    word on ``busy`` lasts one cycle a word, one a window, and ``latency``, unless somebody makes it wait.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins. Only while not ``busy``.
    job : In(speculate_layout())
        From ``start`` until ``busy`` is 0.
    word : In(stream of block_layout(cfg))
        ``ready`` is a register.
    write : In(stream of ternary_layout(cfg), always ready)
        A word of the projection buffer, from the host, while not ``busy``.
    o : Out(stream of reduced_layout(cfg))
    busy : Out(1)
        A job runs, or vectors of it were not yet taken. From the cycle after ``start`` on.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(speculate_layout()),
            "word": In(stream.Signature(block_layout(cfg))),
            "write": In(stream.Signature(ternary_layout(cfg), always_ready=True)),
            "o": Out(stream.Signature(reduced_layout(cfg))), "busy": Out(1),
        })

    @property
    def latency(self):
        """Cycles from the last window of a vector to the vector: walk, buffer, alignment, queue."""
        return 1 + ActivationBuffer.LATENCY + tree_stages(self._cfg) + 4 + 1

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.intake = intake = unit(platform, BlockIntake(cfg), name="duet_block_intake")
        m.submodules.walk = walk = unit(platform, WindowWalk(cfg), name="duet_window_walk")
        m.submodules.buffer = buffer = unit(platform, ActivationBuffer(cfg), name="duet_activation_buffer")
        m.submodules.alignment = alignment = unit(platform, Alignment(cfg), name="duet_alignment")
        m.submodules.queue = queue = Fifo(reduced_layout(cfg), DEPTH)
        connect(m, queue.o, flipped(self.o))
        accepted = Signal()
        m.d.comb += [
            accepted.eq(self.word.valid & walk.loading), self.word.ready.eq(walk.loading), self.busy.eq(walk.busy),
            walk.start.eq(self.start), walk.job.eq(self.job), walk.filled.eq(accepted & self.word.p.last),
            walk.taken.eq(self.o.valid & self.o.ready),
            intake.job.eq(self.job), intake.top.eq(walk.top), intake.left.eq(walk.left),
            intake.i_valid.eq(accepted), intake.i.eq(self.word.payload),
            buffer.vector.eq(self.job.kind == Kind.VECTOR), buffer.span.eq(self.job.span),
            buffer.in_height.eq(self.job.in_height), buffer.in_width.eq(self.job.in_width),
            buffer.r_en.eq(walk.o_valid), buffer.read.eq(walk.o),
            alignment.shift.eq(self.job.reduce_shift), alignment.i_valid.eq(buffer.o_valid),
            alignment.window.eq(buffer.o), alignment.tag.eq(buffer.tag),
            alignment.write.valid.eq(self.write.valid), alignment.write.payload.eq(self.write.payload),
            queue.i.valid.eq(alignment.o_valid), queue.i.payload.eq(alignment.o),
        ]
        m.d.comb += [getattr(buffer, name).eq(getattr(intake, name))
                     for name in ("w_en", "w_y", "w_x", "w_word", "w_mask", "w_values")]
        m.d.sync += Assert(~alignment.o_valid | queue.i.ready, "a vector must find room in the queue")
        return m
