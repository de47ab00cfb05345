"""Proofs of the decoder: what the dispatcher takes for granted, for every instruction and data."""

from golden.enmc.config import PRESETS
from golden.enmc.formats import Dest, Execute, Screen
from hdl.enmc.decoder import Decoder
from sim.common.formal import proof

SIZE = "{}"
CASES = {name: (name,) for name in ("tiny", "rank")}


@proof("controls are consistent", size=SIZE, cases=CASES)
def consistent(h, preset):
    unit = h.place("unit", Decoder(PRESETS[preset]))
    c = unit.o.control
    h.prove(~(c.screen & c.execute), "one unit at most")
    h.prove(~c.row | (c.request & ~c.write & (c.dest == Dest.EXECUTOR) & ~c.screen & ~c.execute), "a row is requested")
    h.prove(~c.write | (c.request & c.screen & (c.screen_kind == Screen.STORE)), "a write is a store")
    h.prove(~(c.request & c.execute) | (c.execute_kind == Execute.FEATURES), "features are requested, nothing else")
    h.prove(~(c.clr | c.init) | c.settle, "writes of registers wait")
    h.prove(~c.settle | ~(c.request | c.screen | c.execute), "what waits asks nothing of the units")
    h.reach(c.legal & c.init, "INIT")


@proof("a legal transfer stays inside of the rank and is not empty", size=SIZE, cases=CASES)
def transfers(h, preset):
    cfg = PRESETS[preset]
    unit = h.place("unit", Decoder(cfg))
    c, addr, count = unit.o.control, unit.i.data[:32], unit.i.data[32:48]
    h.prove(~(c.legal & c.request) | ((count != 0) & (addr + count <= cfg.bursts)), "inside")
    h.reach(c.legal & c.request & (addr + count == cfg.bursts), "up to the end")


@proof("wrong: every known instruction is legal", size=SIZE, cases=CASES, fails="requests are legal")
def all_legal(h, preset):
    c = h.place("unit", Decoder(PRESETS[preset])).o.control
    h.prove(~c.request | c.legal, "requests are legal")
