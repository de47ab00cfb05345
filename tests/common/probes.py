"""Components that bring the functions of hdl.common to ports, for the benches."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.fixed import round_shift, saturate
from hdl.common.primitives import find_first, or_tree, popcount
from tests.common.configs import Widths

FIXED = Widths((1, 6, 16, 33, 64))
PRIMITIVES = Widths((1, 2, 3, 5, 64, 255, 256))


class FixedProbe(wiring.Component):
    """One cycle after the inputs: every function of hdl.common.fixed at every width."""

    def __init__(self, cfg=FIXED):
        self.cfg = cfg
        super().__init__({
            "shift": In(6),
            **{f"value_{w}": In(signed(w)) for w in cfg.widths},
            **{f"rounded_{w}": Out(signed(w)) for w in cfg.widths},
            **{f"natural_{w}": Out(w) for w in cfg.widths},
            **{f"clipped_{w}": Out(signed((w + 1) // 2)) for w in cfg.widths},
            **{f"widened_{w}": Out(signed(w + 3)) for w in cfg.widths},
            **{f"overflowed_{w}": Out(1) for w in cfg.widths},
        })

    def elaborate(self, platform):
        m = Module()
        for w in self.cfg.widths:
            value = getattr(self, f"value_{w}")
            clipped, overflowed = saturate(value, (w + 1) // 2)
            widened, never = saturate(value, w + 3)
            m.d.sync += [
                getattr(self, f"rounded_{w}").eq(round_shift(value, self.shift)),
                getattr(self, f"natural_{w}").eq(round_shift(value.as_unsigned(), self.shift)),
                getattr(self, f"clipped_{w}").eq(clipped),
                getattr(self, f"overflowed_{w}").eq(overflowed),
                getattr(self, f"widened_{w}").eq(widened),
                Assert(~never),
            ]
        return m


class PrimitivesProbe(wiring.Component):
    """One cycle after the inputs: every function of hdl.common.primitives at every width."""

    def __init__(self, cfg=PRIMITIVES):
        self.cfg = cfg
        super().__init__({
            "bits": In(max(cfg.widths)),
            **{f"found_{n}": Out(1) for n in cfg.widths},
            **{f"index_{n}": Out(range(n)) for n in cfg.widths},
            **{f"count_{n}": Out(range(n + 1)) for n in cfg.widths},
            **{f"union_{n}": Out(1) for n in cfg.widths},
        })

    def elaborate(self, platform):
        m = Module()
        for n in self.cfg.widths:
            found, index = find_first(self.bits[:n])
            m.d.sync += [
                getattr(self, f"found_{n}").eq(found),
                getattr(self, f"index_{n}").eq(index),
                getattr(self, f"count_{n}").eq(popcount(self.bits[:n])),
                getattr(self, f"union_{n}").eq(or_tree(list(self.bits[:n]))),
            ]
        return m
