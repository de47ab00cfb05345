"""Memory of a lane: every port reads what was written last, in its time; no conflict if the contract is kept."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import BANKS
from hdl.dota.sram import FLAT_PORTS, GATHER_BANKS, LaneSram
from sim.common.formal import proof

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4, estimate_bits=8)
B = CFG.bank_words
SIZE = "10 banks of 4 words, bits 0 and 31 of them"


def ends(word):
    """The bits of a word that are followed: all bits go the same ways."""
    return Cat(word[0], word[-1])


def place(h, name, addr):
    """Bank and row of an address, by the arithmetic of the contract."""
    bank, row = Signal(range(BANKS), name=f"{name}_in"), Signal(range(B), name=f"{name}_row")
    with h.m.If(addr < 8 * B):
        h.m.d.comb += [bank.eq(addr // (4 * B) * 4 + addr % 4), row.eq(addr % (4 * B) // 4)]
    with h.m.Else():
        h.m.d.comb += [bank.eq(addr // B), row.eq(addr % B)]
    return bank, row


def environment(h):
    """The memory, and nothing that its contract forbids; bank and row of each flat port by name."""
    unit = h.place("unit", LaneSram(CFG))
    places = {}
    for name in FLAT_PORTS:
        port = getattr(unit, name)
        h.assume(~port.en | (port.addr < CFG.words))
        places[name] = place(h, name, port.addr)
        for other in list(places)[:-1]:
            both = getattr(unit, other).en & port.en
            h.assume(~both | (places[other][0] != places[name][0]))
        for bank in range(GATHER_BANKS):
            h.assume(~(unit.gather_en[bank] & port.en & (places[name][0] == bank)))
    return unit, places


def watched(h, unit, places):
    """A word that the solver chooses, and a copy of it: (bank, row, copy, whether it is known)."""
    addr = h.constant("addr", CFG.address_bits)
    h.assume(addr < CFG.words)
    bank, row = place(h, "chosen", addr)
    copy, known = Signal(2, name="copy"), Signal(name="known")
    for name in FLAT_PORTS:
        port = getattr(unit, name)
        with h.m.If(port.en & port.write & (places[name][0] == bank) & (places[name][1] == row)):
            h.m.d.sync += [copy.eq(ends(port.wdata)), known.eq(1)]
    return bank, row, copy, known


@proof("a flat read gives two cycles later what was written last, and keeps it until the port's next data", size=SIZE)
def flat_ports(h):
    unit, places = environment(h)
    bank, row, copy, known = watched(h, unit, places)
    for name in FLAT_PORTS:
        port = getattr(unit, name)
        reads = port.en & ~port.write
        hit = h.past(reads & (places[name][0] == bank) & (places[name][1] == row) & known, f"{name}_hit")
        word = h.past(copy, f"{name}_word")
        hit2, word2 = h.past(hit, f"{name}_hit_2"), h.past(word, f"{name}_word_2")
        h.prove(~hit2 | (ends(port.rdata) == word2), f"{name} reads what was written last")
        quiet = ~h.past(h.past(reads, f"{name}_reads", init=1), f"{name}_reads_2", init=1)
        h.prove(~quiet | (ends(port.rdata) == h.past(ends(port.rdata), f"{name}_before")), f"{name} keeps its data")
        h.reach(hit2 & (ends(port.rdata) == 1) & (copy == 2), f"{name} reads, and the word is written again")


@proof("a gathered word comes one cycle later, and stays until its bank is read again", size=SIZE)
def gathers(h):
    unit, places = environment(h)
    bank, row, copy, known = watched(h, unit, places)
    for number in range(GATHER_BANKS):
        here = unit.gather_en[number] & (unit.gather_row[number] == row) & (bank == number) & known
        hit, word = h.past(here, f"hit_{number}"), h.past(copy, f"word_{number}")
        data = ends(unit.gather_data[number])
        h.prove(~hit | (data == word), f"bank {number} gives what was written last")
        flat = Cat(getattr(unit, name).en & ~getattr(unit, name).write & (places[name][0] == number)
                   for name in FLAT_PORTS).any()
        kept = ~h.past(unit.gather_en[number] | flat, f"used_{number}", init=1)
        h.prove(~kept | (data == h.past(data, f"before_{number}")), f"bank {number} keeps its data")
    h.reach(h.past(unit.gather_en.all() & known, "all") & (ends(unit.gather_data[7]) == 1), "all banks at once")


@proof("wrong: two flat ports may use one bank", size=SIZE, fails="bank 9 must be used once in a cycle, not .. times")
def one_bank(h):
    unit = h.place("unit", LaneSram(CFG))
    for name in FLAT_PORTS:
        h.assume(~getattr(unit, name).en | (getattr(unit, name).addr >= 9 * B) & (getattr(unit, name).addr < 10 * B))
