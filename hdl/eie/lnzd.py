"""Leading non-zero detection node: merges four children in ascending order of the activation index."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import CHILDREN
from hdl.common.emit import unit
from hdl.common.primitives import or_tree
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

        # The least index among those that have an element: all pairs at once. A child that has none is beaten.
        winner = Signal(CHILDREN)
        beaten = [~real[c] for c in range(CHILDREN)]
        for a in range(CHILDREN):
            for b in range(a + 1, CHILDREN):
                later = Signal(name=f"later_{a}_{b}")
                m.d.comb += later.eq(children[b].p.index < children[a].p.index)
                beaten[a] |= real[b] & later
                beaten[b] |= real[a] & ~later
        m.d.comb += winner.eq(~Cat(beaten))
        least = Signal(element_layout(self._cfg))
        m.d.comb += least.as_value().eq(or_tree([Mux(winner[c], child.p.as_value(), 0)
                                                 for c, child in enumerate(children)]))
        any_real = real.any()

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
