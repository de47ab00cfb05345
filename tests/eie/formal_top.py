"""The accelerator's edge: AXI4-Lite and AXI4-Stream, whatever the host does within their rules."""

from types import SimpleNamespace

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.top import Eie
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, axi_lite_rules, stream_rules

CFG = EieConfig(n_pe=2, data_bits=8, fifo_depth=2, regfile_words=2, spmat_width=32, spmat_words=2, ptr_words=4,
                act_words=2, codebooks=1, program_words=2)
SIZE = "2 PEs, smallest memories"


def edge(h, unit, prefix):
    """The ports of one AXI4-Stream as a stream."""
    data, valid, ready, last = (getattr(unit, f"{prefix}_t{name}") for name in ("data", "valid", "ready", "last"))
    return SimpleNamespace(valid=valid, ready=ready, payload=Cat(data, last))


@proof("m_axis: TVALID, TDATA and TLAST stay until TREADY", size=SIZE)
def replies(h):
    unit = h.place("unit", Eie(CFG))
    h.trust_units()
    assume_stream_rules(h, edge(h, unit, "s_axis"), "s_axis")
    stream_rules(h, edge(h, unit, "m_axis"), "m_axis")
    h.reach(unit.m_axis_tvalid & ~unit.m_axis_tready, "a reply waits")


@proof("s_axil: answers stay until taken, follow accepted requests one to one and in time", size=SIZE)
def registers(h):
    unit = h.place("unit", Eie(CFG))
    h.trust_units()
    bus = SimpleNamespace(**{name.removeprefix("s_axil_"): getattr(unit, name)
                             for name in unit.signature.members if name.startswith("s_axil_")})
    axi_lite_rules(h, bus, waiting=2, latency=2)


@proof("wrong: the host may offer a beat and take it back", size=SIZE, fails="s_axis: valid stays until ready")
def withdrawn(h):
    unit = h.place("unit", Eie(CFG))
    stream_rules(h, edge(h, unit, "s_axis"), "s_axis")
