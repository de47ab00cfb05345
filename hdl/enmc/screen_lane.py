"""Lane of the screener: two INT4 multipliers, the partial sums of one class, and its comparator."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import INT4_BITS

from .layouts import check_cfg

__all__ = ["ScreenLane"]


class ScreenLane(wiring.Component):
    """One class of a tile [Thesis 6.4.2]: MACs, partial sums of all inputs in two sets, threshold comparator.

    Latency: ``add`` belongs to the operands of the cycle before; ``score`` follows ``view`` by 1 cycle, ``above`` by 2.
    Throughput: two multiplications with addition a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    weights, features : In(8)
        Two INT4 each, the first in the low bits.
    add : In(1)
        Add the products of the operands of the cycle before to partial sum ``at``, or to 0 if ``clear``.
    set_bias : In(1)
        Partial sum ``at`` becomes ``bias`` instead.
    bias : In(signed(32))
    at, view : In
        Set and input: ``set * cfg.batch + input``.
    threshold : In(signed(32))
    score : Out(signed(32))
        Partial sum ``view``.
    above : Out(1)
        It is larger than ``threshold``.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        place = range(2 * cfg.batch)
        super().__init__({
            "weights": In(2 * INT4_BITS), "features": In(2 * INT4_BITS),
            "add": In(1), "clear": In(1), "set_bias": In(1), "bias": In(signed(32)), "at": In(place),
            "view": In(place), "threshold": In(signed(32)),
            "score": Out(signed(32)), "above": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        low, high = slice(0, INT4_BITS), slice(INT4_BITS, None)
        products = Signal(signed(2 * INT4_BITS + 1))
        m.d.sync += products.eq(self.weights[low].as_signed() * self.features[low].as_signed()
                                + self.weights[high].as_signed() * self.features[high].as_signed())

        m.submodules.sums = sums = memory.Memory(shape=signed(32), depth=2 * self._cfg.batch, init=[])
        write, old, view = sums.write_port(), sums.read_port(domain="comb"), sums.read_port(domain="comb")
        m.d.comb += [
            old.addr.eq(self.at), view.addr.eq(self.view),
            write.addr.eq(self.at), write.en.eq(self.add | self.set_bias),
            write.data.eq(Mux(self.set_bias, self.bias, Mux(self.clear, 0, old.data) + products)),
        ]
        m.d.sync += [self.score.eq(view.data), self.above.eq(self.score > self.threshold)]
        return m
