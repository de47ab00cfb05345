"""Speculator: its units, wired."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.duet.formats import ADDR_BITS, LOW_BITS, SUM_BITS
from hdl.common.emit import unit

from .approximator import Approximator
from .layouts import check_cfg, glb_read_layout, glb_write_layout, speculate_layout, ternary_layout
from .reducer import Reducer
from .spec_fetch import SpecFetch
from .spec_store import SpecStore

__all__ = ["Speculator"]


class Speculator(wiring.Component):
    """Runs the approximate module of a layer [Thesis 5.1.1, Fig. 5.2].

    Words of the global buffer are quantised and reduced, multiplied in the systolic array, compared with the threshold,
    sorted, and stored as switching maps, orders of channels and approximations.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins; only while not ``busy``.
    job : In(speculate_layout())
        From two cycles before ``start`` until ``busy`` is 0.
    tiles_done, all_done : In
        See ``SpecFetch``.
    request : Out(stream of glb_read_layout())
        Read port 0 of the global buffer, with ``answer`` and ``data``.
    write : Out(stream of glb_write_layout(cfg))
        Write port 1.
    projection : In(stream of ternary_layout(cfg), always ready)
    weight_en, weight_addr, weight_data, bias_en, bias_addr, bias_data : In
        What the host writes, while not ``busy``: see ``Alignment``, ``Systolic``, ``LowOutput``.
    busy : Out(1)
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(speculate_layout()), "tiles_done": In(ADDR_BITS), "all_done": In(1),
            "request": Out(stream.Signature(glb_read_layout())), "answer": In(1), "data": In(cfg.word_bits),
            "write": Out(stream.Signature(glb_write_layout(cfg))),
            "projection": In(stream.Signature(ternary_layout(cfg), always_ready=True)),
            "weight_en": In(1), "weight_addr": In(range(cfg.low_tiles)),
            "weight_data": In(cfg.trees * cfg.systolic_columns * LOW_BITS),
            "bias_en": In(1), "bias_addr": In(range(cfg.low_bias_words)),
            "bias_data": In(cfg.systolic_columns * SUM_BITS),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.fetch = fetch = unit(platform, SpecFetch(cfg), name="duet_spec_fetch")
        m.submodules.reducer = reducer = unit(platform, Reducer(cfg), name="duet_reducer")
        m.submodules.approximator = approximator = unit(platform, Approximator(cfg), name="duet_approximator")
        m.submodules.store = store = unit(platform, SpecStore(cfg), name="duet_spec_store")
        connect(m, fetch.request, flipped(self.request))
        connect(m, fetch.o, reducer.word)
        connect(m, reducer.o, approximator.i)
        connect(m, approximator.o, store.i)
        connect(m, store.write, flipped(self.write))
        connect(m, flipped(self.projection), reducer.write)
        m.d.comb += [
            *(part.job.eq(self.job) for part in (fetch, reducer, approximator, store)),
            *(part.start.eq(self.start) for part in (fetch, reducer, store)),
            fetch.tiles_done.eq(self.tiles_done), fetch.all_done.eq(self.all_done), fetch.answer.eq(self.answer),
            fetch.data.eq(self.data),
            *(getattr(approximator, name).eq(getattr(self, name))
              for name in ("weight_en", "weight_addr", "weight_data", "bias_en", "bias_addr", "bias_data")),
            self.busy.eq(fetch.busy | reducer.busy | store.busy),
        ]
        return m
