"""Small designs for test_emit.py."""

import hashlib
from dataclasses import dataclass

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import emit, unit
from hdl.common.sram import Sram1r1w


@dataclass(frozen=True)
class ChainConfig:
    """A chain of ``stages`` adders, the last of them adding ``last_step``."""

    stages: int = 3
    last_step: int = 1

    def __post_init__(self):
        if self.stages < 1:
            raise ValueError(f"stages must be at least 1, not {self.stages!r}")


PAYLOAD = data.StructLayout({"value": signed(8), "tag": 3})


class Increment(wiring.Component):
    """A helper that is not a unit, with a state of its own."""

    def __init__(self, step):
        self._step = step
        super().__init__({"a": In(signed(8)), "y": Out(signed(8)), "used": Out(4)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.y.eq(self.a + self._step)
        m.d.sync += self.used.eq(self.used + 1)
        return m


class Adder(wiring.Component):
    """One stage of the chain: registered, with a helper inside."""

    def __init__(self, step):
        self._step = step
        super().__init__({
            "i": In(stream.Signature(PAYLOAD)),
            "o": Out(stream.Signature(PAYLOAD)),
            "always": In(stream.Signature(4, always_valid=True, always_ready=True)),
            "nothing": In(0),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.increment = increment = Increment(self._step)
        m.d.comb += [
            increment.a.eq(self.i.p.value),
            self.i.ready.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(self.i.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid),
                self.o.p.value.eq(increment.y),
                self.o.p.tag.eq(self.i.p.tag + self.always.payload),
            ]
        return m


class Chain(wiring.Component):
    """The top: units, a memory, a combinational unit."""

    def __init__(self, cfg):
        self.cfg = cfg
        super().__init__({
            "i": In(stream.Signature(PAYLOAD)),
            "o": Out(stream.Signature(PAYLOAD)),
            "parity": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        link = flipped(self.i)
        for k in range(self.cfg.stages):
            step = self.cfg.last_step if k == self.cfg.stages - 1 else 1
            m.submodules[f"adder_{k}"] = adder = unit(platform, Adder(step), name="chain_adder")
            connect(m, link, adder.i)
            link = adder.o
        connect(m, link, flipped(self.o))
        m.submodules.log = log = Sram1r1w(16, 8)
        m.d.comb += [log.w_en.eq(self.i.valid), log.w_addr.eq(self.i.p.tag), log.w_data.eq(self.i.p.value)]
        m.submodules.fold = fold = unit(platform, Fold(8), name="chain_fold")
        m.d.comb += [fold.a.eq(log.r_data), self.parity.eq(fold.y)]
        return m


class Fold(wiring.Component):
    """Purely combinational."""

    def __init__(self, width):
        self._width = width
        super().__init__({"a": In(width), "y": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.y.eq(self.a.xor())
        return m


def text_hash():
    """Hash of the text of a design with everything in it."""
    design = emit(Chain(ChainConfig(stages=4, last_step=2)), name="chain")
    return hashlib.sha256(repr(list(design.files.items())).encode()).hexdigest()
