"""Choice of the map bits of a micro-instruction."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import or_tree

from .layouts import check_cfg

__all__ = ["MapPick"]


class MapPick(wiring.Component):
    """A place in a word of the program: of its instruction, the bits of both maps [Thesis 5.1.2, Fig. 5.3].

    Latency: 1 cycle for the word of the input maps that the instruction names; its pixel, and that of the output maps,
    follow from the registers. Throughput: an instruction a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    maps : In(ArrayLayout(values, input_words))
        Words of the input maps of the build's bank, a bit a value.
    use_maps : In(1)
        Else all inputs count.
    input, pixel, counts : In
        Indices of the instruction, and whether it is one of the step.
    masks : In(ArrayLayout(pixels, rows))
        Outputs that count, one cycle later.
    columns, rows : Out(columns), Out(rows)
        The input of every column counts, the output of every row; one cycle later.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "maps": In(data.ArrayLayout(cfg.values, cfg.input_words)), "use_maps": In(1),
            "input": In(cfg.input_bits), "pixel": In(cfg.pixel_bits), "counts": In(1),
            "masks": In(data.ArrayLayout(cfg.pixels, cfg.rows)),
            "columns": Out(cfg.columns), "rows": Out(cfg.rows),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        word = Signal(cfg.values)
        bit = Signal(cfg.pixel_bits)
        pixel_s1 = Signal(cfg.pixel_bits)
        counts_s1 = Signal()
        source = self.input[cfg.pixel_bits:]
        chosen = or_tree(Mux(source == number, self.maps[number], 0) for number in range(cfg.input_words))
        m.d.sync += [word.eq(Mux(self.use_maps, chosen, (1 << cfg.values) - 1)), bit.eq(self.input[:cfg.pixel_bits]),
                     pixel_s1.eq(self.pixel), counts_s1.eq(self.counts)]
        m.d.comb += [
            self.columns.eq(Cat(word.word_select(c, cfg.pixels).bit_select(bit, 1) for c in range(cfg.columns))),
            self.rows.eq(Cat(self.masks[r].bit_select(pixel_s1, 1) & counts_s1 for r in range(cfg.rows))),
        ]
        return m
