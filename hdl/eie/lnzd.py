"""Leading non-zero detection node: merges four children in ascending order of the activation index."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import CHILDREN
from hdl.common.emit import unit
from hdl.common.skid import Skid

from .layouts import check_cfg, element_layout

__all__ = ["LnzdNode"]


class LnzdNode(wiring.Component):
    """Node of the LNZD quadtree [EIE IV, "Distributed Leading Non-Zero Detection"].

    The leaves (children are PEs), the inner nodes and the root are the same unit. Every child ends a scan with a
    token marked ``last``; the node ends its own when all have. A child that is not there offers a
    constant ``null`` and ``last``. A skid buffer at each input makes its ``ready`` a register.

    Latency: 1 cycle. Throughput: one element a cycle; ends without an element are absorbed beside it.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i0, i1, i2, i3 : In(stream of element_layout(cfg))
        Children. Indices ascend in each, and none occurs twice.
    o : Out(stream of element_layout(cfg))
        Their elements in ascending order. ``null`` implies ``last``.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        token = stream.Signature(element_layout(cfg))
        super().__init__({**{f"i{c}": In(token) for c in range(CHILDREN)}, "o": Out(token)})

    def elaborate(self, platform):
        m = Module()
        children = []
        for c in range(CHILDREN):
            m.submodules[f"skid_{c}"] = skid = unit(platform, Skid(element_layout(self._cfg)), name="eie_skid")
            connect(m, flipped(getattr(self, f"i{c}")), skid.i)
            children.append(skid.o)

        # A child is unknown while it has neither ended nor offers a token: nobody can be picked then.
        done = Signal(CHILDREN)
        known = Signal()
        fire = Signal()
        slot_free = Signal()
        real = Signal(CHILDREN)
        m.d.comb += [
            known.eq((done | Cat(child.valid for child in children)).all()),
            slot_free.eq(~self.o.valid | self.o.ready),
            fire.eq(slot_free & known),
            real.eq(~done & ~Cat(child.p.null for child in children)),
        ]

        # The least index among those that have an element: two rounds.
        low, low_real, low_wins = self._least(m, "low", (children[0].p, real[0]), (children[1].p, real[1]))
        high, high_real, high_wins = self._least(m, "high", (children[2].p, real[2]), (children[3].p, real[3]))
        least, any_real, upper = self._least(m, "least", (low, low_real), (high, high_real))
        winner = Signal(CHILDREN)
        m.d.comb += winner.eq(Mux(upper, Cat(C(0, 2), ~high_wins, high_wins), Cat(~low_wins, low_wins)) &
                              any_real.replicate(CHILDREN))

        take = Signal(CHILDREN)
        done_next = Signal(CHILDREN)
        m.d.comb += take.eq(~done & (winner | ~real) & fire.replicate(CHILDREN))
        for c, child in enumerate(children):
            m.d.comb += child.ready.eq(take[c])
        m.d.comb += done_next.eq(done | (take & Cat(child.p.last for child in children)))
        with m.If(slot_free):
            m.d.sync += [
                self.o.valid.eq(fire),
                self.o.p.index.eq(least.index), self.o.p.value.eq(least.value),
                self.o.p.null.eq(~any_real), self.o.p.last.eq(done_next.all()),
            ]
        with m.If(fire):
            m.d.sync += done.eq(Mux(done_next.all(), 0, done_next))
        return m

    def _least(self, m, name, a, b):
        """The lesser of two (token, is real); whether any is real; whether it is ``b``."""
        (token_a, real_a), (token_b, real_b) = a, b
        least = Signal(element_layout(self._cfg), name=name)
        second = Signal(name=f"{name}_second")
        m.d.comb += [
            second.eq(real_b & (~real_a | (token_b.index < token_a.index))),
            least.eq(Mux(second, token_b, token_a)),
        ]
        return least, real_a | real_b, second
