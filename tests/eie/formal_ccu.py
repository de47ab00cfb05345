"""Central control unit: whatever the host does, its replies keep the rules and its parts are used as they may be."""

from golden.eie.config import EieConfig
from hdl.eie.ccu import Ccu
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = EieConfig(n_pe=1, data_bits=8, regfile_words=4, spmat_width=32, spmat_words=2, ptr_words=4, act_words=4,
                codebooks=1, program_words=2)
SIZE = "1 PE, programs of 2 passes"


@proof("an offered reply stays until it is taken; assertions of all parts hold", size=SIZE)
def handshakes(h):
    handshake(h, Ccu(CFG))


@proof("nothing is broadcast while no program runs, and no memory is accessed while one does", size=SIZE)
def modes(h):
    unit = h.place("unit", Ccu(CFG))
    running = unit.status.running
    h.prove(~unit.push | running, "broadcasts only while a program runs")
    h.prove(~unit.access.valid | ~running, "accesses only while none runs")
    h.reach(unit.push, "a broadcast")
    h.reach(unit.access.valid, "an access")


@proof("wrong: the host can always send", size=SIZE, fails="always ready")
def always_ready(h):
    unit = h.place("unit", Ccu(CFG))
    h.prove(unit.i.ready, "always ready")
