"""Leading non-zero detection node: a merge that neither loses nor doubles nor reorders."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import CHILDREN
from hdl.eie.lnzd import LnzdNode
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

CFG = EieConfig(n_pe=4, regfile_words=2, data_bits=8)
SIZE = "8 indices, 8 bits"
#: Cycles within which the node offers an end that is due.
LATENCY = 3


def children(h, node, ascending=True):
    """Children that keep the contract: indices ascend, none occurs in two children, null only marks an end."""
    ports = [getattr(node, f"i{c}") for c in range(CHILDREN)]
    for c, port in enumerate(ports):
        assume_stream_rules(h, port, f"i{c}")
        h.assume(~(port.valid & port.p.null) | port.p.last)
        # PE c owns the indices that are c modulo the number of PEs: none occurs in two children.
        h.assume(~port.valid | port.p.null | (port.p.index[:2] == c))
        before = Signal(range(-1, 1 << CFG.index_bits), init=-1, name=f"i{c}_index_before")
        with h.m.If(port.valid & port.ready):
            h.m.d.sync += before.eq(Mux(port.p.last, -1, port.p.index))
        if ascending:
            h.assume(~port.valid | port.p.null | (port.p.index > before))
    return ports


@proof("an offered token stays until it is taken", size=SIZE)
def handshakes(h):
    node = handshake(h, LnzdNode(CFG))
    children(h, node)


@proof("indices ascend inside of a scan, and null comes only with last", size=SIZE)
def ascending(h):
    node = h.place("node", LnzdNode(CFG))
    children(h, node)
    before = Signal(range(-1, 1 << CFG.index_bits), init=-1)
    with h.m.If(node.o.valid & node.o.ready):
        h.m.d.sync += before.eq(Mux(node.o.p.last, -1, node.o.p.index))
    h.prove(~node.o.valid | node.o.p.null | (node.o.p.index > before), "indices ascend")
    h.prove(~(node.o.valid & node.o.p.null) | node.o.p.last, "null implies last")
    h.reach(node.o.valid & node.o.p.last & (before == 5), "the end of a scan with several elements")


def ended_ahead(h, node, ports):
    """For each child, how many scans it has ended that the node has not: its slots may hold the start of the next."""
    done = node.o.valid & node.o.ready & node.o.p.last
    counts = [Signal(range(4), name=f"i{c}_ended_ahead") for c in range(CHILDREN)]
    for port, count in zip(ports, counts, strict=True):
        h.m.d.sync += count.eq(count + (port.valid & port.ready & port.p.last) - done)
    return done, counts


@proof("one last for each round of ends, after all children have ended, and without delay", size=SIZE)
def ends(h):
    node = h.place("node", LnzdNode(CFG))
    _done, counts = ended_ahead(h, node, children(h, node))
    all_ended = Signal()
    h.m.d.comb += all_ended.eq(Cat(count != 0 for count in counts).all())
    h.prove(~(node.o.valid & node.o.p.last) | all_ended, "last only after every child has ended")
    late = Signal(range(LATENCY + 1))
    h.m.d.sync += late.eq(Mux(all_ended & ~node.o.valid, late + 1, 0))
    h.prove(late < LATENCY, "a token is offered as long as an end is due")
    h.reach(node.o.valid & node.o.p.last & node.o.p.null, "an end without an element")


@proof("every element of every child comes out exactly once, before the end of its scan", size=SIZE)
def once(h):
    m = h.m
    node = h.place("node", LnzdNode(CFG))
    ports = children(h, node)
    done, counts = ended_ahead(h, node, ports)
    # One index, chosen by the solver, and one element of it, chosen as it is taken from its child.
    index = h.constant("index", CFG.index_bits)
    choose = h.free("choose")
    chosen, left, taken = Signal(name="chosen"), Signal(name="left"), Signal(name="taken")
    inside, scans_before, count = Signal(range(4)), Signal(range(4)), Signal(range(4))
    offered = node.o.valid & ~node.o.p.null & (node.o.p.index == index)
    for c, port in enumerate(ports):
        with m.If(index[:2] == c):
            m.d.comb += [taken.eq(port.valid & port.ready & ~port.p.null & (port.p.index == index)),
                         count.eq(counts[c])]
    m.d.sync += inside.eq(inside + taken - (offered & node.o.ready))
    h.prove(~offered | (inside != 0), "no element that was not taken before")

    # It belongs to the scan that ends after ``scans_before`` others.
    h.assume(~choose | (taken & ~chosen))
    here = chosen & ~left & (scans_before == 0)
    with m.If(choose):
        m.d.sync += [chosen.eq(1), scans_before.eq(count - done)]
    with m.Elif(here & offered & node.o.ready):
        m.d.sync += left.eq(1)
    with m.Elif(chosen & done & ~left):
        m.d.sync += scans_before.eq(scans_before - 1)
    h.prove(~(here & done) | offered, "it comes before its scan ends")
    h.reach(left, "it passes")
    h.reach(left & (counts[0] == 1) & (counts[3] == 0), "while children are in different scans")


@proof("the value of an element stays with its index", size=SIZE)
def together(h):
    node = h.place("node", LnzdNode(CFG))
    key = h.constant("key", CFG.data_bits)
    for port in children(h, node):
        h.assume(~port.valid | port.p.null | (port.p.value.as_unsigned() == (key ^ port.p.index)))
    h.prove(~node.o.valid | node.o.p.null | (node.o.p.value.as_unsigned() == (key ^ node.o.p.index)), "its own value")
    h.reach(node.o.valid & ~node.o.p.null & (node.o.p.value == -100), "an element")


@proof("wrong: a node sorts children whose indices do not ascend", size=SIZE, fails="indices ascend")
def unsorted(h):
    node = h.place("node", LnzdNode(CFG))
    children(h, node, ascending=False)
    before = Signal(range(-1, 1 << CFG.index_bits), init=-1)
    with h.m.If(node.o.valid & node.o.ready):
        h.m.d.sync += before.eq(Mux(node.o.p.last, -1, node.o.p.index))
    h.prove(~node.o.valid | node.o.p.null | (node.o.p.index > before), "indices ascend")
