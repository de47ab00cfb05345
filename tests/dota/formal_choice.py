"""Proofs of the choice of a round: equal to Algorithm 4 as it is told, one key after the other."""

from amaranth import *

from golden.dota.config import PRESETS
from hdl.dota.choice import ALL, FIFOS, MOST_FIRST, PAIRS, Choice
from sim.common.formal import proof

CFG = PRESETS["tiny"]
ORDERS = {"algorithm 4": (CFG,), "balanced": (CFG.replace(balance=True),)}
SIZE = "any 15 FIFOs, balance {0.balance}"


def key_by_key(m, some, longer, balance):
    """Algorithm 4: the FIFO taken from and the queries that were waiting, for each of up to four keys."""
    fewest_first = sorted(ALL, key=lambda owners: (owners.bit_count(), owners))
    if balance:
        singles, pairs = fewest_first[:4], [owners for owners in fewest_first if owners in PAIRS]
        ranks = [*((owners, some[owners]) for owners in singles), *((o, some[o] & longer[o]) for o in pairs),
                 *((owners, some[owners]) for owners in fewest_first[4:])]
    else:
        ranks = [(owners, some[owners]) for owners in fewest_first]
    waiting = Signal(4, name="waiting_0")
    for bit in range(4):
        m.d.comb += waiting[bit].eq(Cat(some[owners] for owners in ALL if owners >> bit & 1).any())
    steps = []
    for n in range(4):
        taken = Signal(FIFOS, name=f"taken_{n}")
        alone = [(owners, some[owners] & ((owners & ~waiting) == 0)) for owners in MOST_FIRST]
        shared = [(owners, there & ((owners & waiting) != 0)) for owners, there in ranks]
        found = Const(0)
        for place, (owners, there) in enumerate([*alone, *shared]):
            is_taken = Signal(name=f"is_{n}_{place}")
            m.d.comb += is_taken.eq(there & ~found)
            with m.If(is_taken & (waiting != 0)):
                m.d.comb += taken.eq(1 << owners)
            found = found | there
        after = Signal(4, name=f"waiting_{n + 1}")
        left = Signal(FIFOS, name=f"left_{n}")
        m.d.comb += after.eq(waiting)
        for owners in ALL:
            with m.If(taken[owners]):
                m.d.comb += [after.eq(waiting & ~owners), left.eq((1 << (owners & ~waiting)) & ~1)]
        steps.append((taken, waiting, left))
        waiting = after
    return steps, waiting


def placed(h, cfg):
    """The unit, the steps of the algorithm, and what it sends back, in order."""
    unit = h.place("unit", Choice(cfg))
    h.assume(~unit.some[0])
    steps, waiting = key_by_key(h.m, unit.some, unit.longer, cfg.balance)
    backs = [(Signal(FIFOS, name=f"back_from_{n}"), Signal(FIFOS, name=f"back_into_{n}")) for n in range(3)]
    count = Signal(3)
    for taken, _waiting, left in steps:
        before = count
        count = Signal(3, name=f"count_after_{taken.name}")
        h.m.d.comb += count.eq(before + (left != 0))
        for n, (source, into) in enumerate(backs):
            with h.m.If((left != 0) & (before == n)):
                h.m.d.comb += [source.eq(taken), into.eq(left)]
    return unit, steps, waiting, backs, count


def source_of(unit, back):
    """The FIFO that the query which is named by one bit takes from."""
    return [Mux(back[query], getattr(unit, f"source_{query}"), 0) for query in range(4)]


@proof("the FIFOs and the queries of a round are those of the algorithm", size=SIZE, cases=ORDERS, method="induction",
       depth=1)
def same_keys(h, cfg):
    unit, steps, waiting, _backs, _count = placed(h, cfg)
    h.prove(waiting == 0, "four keys are enough")
    h.prove(unit.pop == (steps[0][0] | steps[1][0] | steps[2][0] | steps[3][0]), "same FIFOs")
    for query in range(4):
        expected = 0
        for taken, before, _left in steps:
            mine = sum(1 << owners for owners in ALL if owners >> 3 - query & 1)
            expected = expected | Mux(before[3 - query], taken & mine, 0)
        h.prove(getattr(unit, f"source_{query}") == expected, f"query {query} takes the same key")
    h.reach((steps[3][0] != 0) & (waiting == 0), "a key for each query")


@proof("the keys that go back, at most two, are those of the algorithm; their order makes no difference", size=SIZE,
       cases=ORDERS, method="induction", depth=1)
def same_returns(h, cfg):
    unit, _steps, _waiting, backs, count = placed(h, cfg)
    (a_from, a_into), (b_from, b_into), _none = backs
    back = Cat(getattr(unit, f"back_{query}") for query in range(4))
    sources = [source_of(unit, each) for each in (back, unit.back_next)]
    x_from, y_from = (one[0] | one[1] | one[2] | one[3] for one in sources)
    same = (x_from == a_from) & (unit.into == a_into) & (y_from == b_from) & (unit.into_next == b_into)
    swapped = (x_from == b_from) & (unit.into == b_into) & (y_from == a_from) & (unit.into_next == a_into)
    h.prove(count <= 2, "at most two go back")
    h.prove(same | (swapped & (a_into != b_into) & (b_into != 0)), "same keys to the same FIFOs")
    h.reach((count == 2) & (a_into == b_into), "two into one FIFO")


@proof("two keys go back only if the first is for two queries, and all that the others need is shared with those two",
       size=SIZE, cases=ORDERS, method="induction", depth=1)
def two_returns(h, cfg):
    unit, steps, _waiting, _backs, count = placed(h, cfg)
    first = steps[0][0]
    for owners in PAIRS:
        others = [other for other in ALL if not other & owners or other.bit_count() > 2]
        h.prove((count < 2) | ~first[owners] | ~Cat(unit.some[other] for other in others).any(),
                f"shared with {owners:04b}")
    h.prove((count < 2) | Cat(first[owners] for owners in PAIRS).any(), "first key is for two")
    h.reach(count == 2, "two keys")


@proof("wrong: at most one key goes back, whatever is there", size=SIZE, cases={"algorithm 4": (CFG,)},
       fails="at most one goes back")
def one_return(h, cfg):
    unit, *_rest = placed(h, cfg)
    h.prove(unit.back_next == 0, "at most one goes back")
