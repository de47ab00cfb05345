"""Bus of the host: every access goes to the memory that it names, and to no other one."""

from golden.duet.formats import Target
from hdl.duet.host_bus import HostBus
from sim.common.formal import proof
from tests.duet.proof_cfg import SIZE, SMALL


@proof("a write reaches the memory that it names, and that alone; a read the global buffer", size=SIZE)
def targets(h):
    unit = h.place("unit", HostBus(SMALL))
    access = unit.access
    writes = access.valid & access.write
    named = [(unit.weight_en, Target.LOW_WEIGHTS), (unit.bias_en, Target.LOW_BIAS),
             (unit.projection.valid, Target.PROJECTION)]
    for valid, target in named:
        h.prove(valid == (writes & (access.target == target)), f"writes of {target.name} alone")
    h.prove(unit.write.valid == (writes & (access.target <= Target.MAP)), "writes of words and maps")
    h.prove(~unit.write.valid | (unit.write.p.mask.any() != unit.write.p.map_mask.any()), "words or maps")
    h.prove(unit.request.valid == (access.valid & ~access.write), "reads")
    is_lut = writes & (access.target == Target.LUT)
    h.prove(unit.transfer.valid == (is_lut | unit.loads.valid), "transfers of the loader or of the host")
    h.prove(is_lut | (unit.transfer.payload == unit.loads.payload), "what the loader sends is not changed")
    h.reach(is_lut, "a micro-instruction")


@proof("wrong: a micro-instruction is for one row", size=SIZE, fails="one row")
def one_row(h):
    unit = h.place("unit", HostBus(SMALL))
    writes = unit.access.valid & unit.access.write & (unit.access.target == Target.LUT)
    h.prove(~writes | (unit.transfer.p.row < SMALL.rows), "one row")
