"""Which keys are loaded in a round: the decision of Algorithm 4 for all queries at once."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.primitives import or_tree

from .layouts import check_cfg

__all__ = ["ALL", "FIFOS", "MOST_FIRST", "PAIRS", "Choice", "bit_of"]

#: FIFOs, named after the queries that need their keys, query 1 in the highest of four bits. Number 0 is not there.
FIFOS = 1 << QUERIES
ALL = range(1, FIFOS)
#: Those of keys that two queries need.
PAIRS = [owners for owners in ALL if owners.bit_count() == 2]
#: Order in which the first key of a round is looked for: needed by most, of those the one with query 1 first.
MOST_FIRST = sorted(ALL, key=lambda owners: (-owners.bit_count(), -owners))


def bit_of(query):
    """The bit of a query, 0 being the first, in the name of a FIFO."""
    return 1 << QUERIES - 1 - query


class Choice(wiring.Component):
    """One round of Algorithm 4 [Thesis 7.6.3], without a clock.

    The algorithm takes one key after the other, each for some of the queries that are still without. Its choices come
    to this, which takes all at once (equal to it for every input: ``tests/dota/formal_choice.py``):

    1. First a key that most queries need; it goes to all of them.
    2. Then the *rest*. If it is two queries and there is a key that just these two need, they take it.
    3. Otherwise each query of the rest takes a key of its own: one that it alone needs, else one that the fewest need.
       That one goes back, to the FIFO of the others that need it.

    At most two keys go back. Two do only if the first key is for just two queries, a and b, and every key that c or d
    needs is shared with either a or b (proven there, too). Then a and b have all the connections of c and d, and two
    more for the first key: their rows are longer. So **with equal rows at most one key goes back in a round**, whether
    there are four, or fewer.

    Parameters
    ----------
    cfg : DotaConfig
        Only ``balance`` matters: the order of ``golden.dota.scheduler.schedule(mask, balance)``.

    Members
    -------
    some : In(16)
        FIFOs that have a key, by their numbers; number 0 has none.
    longer : In(16)
        Pairs of which there are more keys than of the counterpart; ignored without ``balance``.
    pop : Out(16)
        FIFOs whose first key is taken, each at most once.
    source_0 .. source_3 : Out(16)
        The one that this query takes from; 0 if it has no connection left.
    back_0 .. back_3, back_next : Out(1), Out(4)
        The query whose key goes back, and the one whose key goes back after it, query 1 lowest; 0 if none.
    into, into_next : Out(16)
        The FIFO that it goes back to; 0 if none.
    """

    def __init__(self, cfg):
        self._balance = check_cfg(cfg).balance
        super().__init__({
            "some": In(FIFOS), "longer": In(FIFOS), "pop": Out(FIFOS),
            **{f"source_{query}": Out(FIFOS) for query in range(QUERIES)},
            **{f"back_{query}": Out(1) for query in range(QUERIES)},
            "back_next": Out(QUERIES), "into": Out(FIFOS), "into_next": Out(FIFOS),
        })

    def elaborate(self, platform):
        m = Module()
        some = self.some

        first = Signal(FIFOS)
        for place, owners in enumerate(MOST_FIRST):
            m.d.comb += first[owners].eq(some[owners] & ~_any(some, MOST_FIRST[:place]))

        # Queries that need a key and do not get the first one, by their bits in the names.
        rest = Signal(QUERIES)
        together = Signal(FIFOS)
        apart = Signal(QUERIES)
        for position in range(QUERIES):
            mine = [owners for owners in ALL if owners >> position & 1]
            m.d.comb += rest[position].eq(_any(some, mine) & ~_any(first, mine))
        m.d.comb += [together[owners].eq(some[owners] & (rest == owners)) for owners in PAIRS]
        m.d.comb += apart.eq(Mux(together.any(), 0, rest))

        # A key for one query alone.
        own = [self._own(m, position) for position in range(QUERIES)]
        took = [Signal(FIFOS, name=f"took_{position}") for position in range(QUERIES)]
        m.d.comb += [took[p].eq(Mux(apart[p], own[p], 0)) for p in range(QUERIES)]
        m.d.comb += self.pop.eq(first | together | took[0] | took[1] | took[2] | took[3])
        for query in range(QUERIES):
            position = QUERIES - 1 - query
            mine = sum(1 << owners for owners in ALL if owners >> position & 1)
            m.d.comb += getattr(self, f"source_{query}").eq(((first | together) & mine) | took[position])
        self._go_back(m, apart, own)
        return m

    def _own(self, m, position):
        """FIFO of the key that a query takes for itself alone: needed by the fewest, query 4 first."""
        own = Signal(FIFOS, name=f"own_{position}")
        mine = sorted((owners for owners in ALL if owners >> position & 1), key=lambda o: (o.bit_count(), o))
        offered = [(owners, self.some[owners]) for owners in mine]
        if self._balance:
            pairs = [owners for owners in mine if owners in PAIRS]
            many = [(owners, self.some[owners] & self.longer[owners]) for owners in pairs]
            offered = [*offered[:1], *many, *offered[1:]]
        taken = dict.fromkeys(mine, 0)
        for place, (owners, there) in enumerate(offered):
            before = Cat(there for _owners, there in offered[:place]).any() if place else 0
            taken[owners] |= there & ~before
        m.d.comb += [own[owners].eq(is_taken) for owners, is_taken in taken.items()]
        return own

    def _go_back(self, m, apart, own):
        """Which keys are needed again, and by whom."""
        back = Signal(QUERIES)
        into = [Signal(FIFOS, name=f"into_{position}") for position in range(QUERIES)]
        is_longer = [(own[position] & self.longer).any() for position in range(QUERIES)]
        for position in range(QUERIES):
            bit = 1 << position
            m.d.comb += back[position].eq(apart[position] & ~self.some[bit])
            m.d.comb += [into[position][owners ^ bit].eq(own[position][owners])
                         for owners in ALL if owners & bit and owners != bit]
        first, second = [], []
        # Of two that go to the same FIFO, the algorithm takes the one that query 4 comes first in.
        for position in range(QUERIES):
            others = [other for other in range(QUERIES) if other != position]
            earlier = [back[other] & self._precedes(other, position, is_longer) for other in others]
            query = QUERIES - 1 - position
            is_first = Signal(name=f"is_first_{position}")
            later = Signal(name=f"later_{position}")
            m.d.comb += [
                is_first.eq(~Cat(earlier).any()), later.eq(back[position] & ~is_first),
                getattr(self, f"back_{query}").eq(back[position] & is_first), self.back_next[query].eq(later),
            ]
            first.append(getattr(self, f"back_{query}"))
            second.append(later)
        for name, chosen in ("into", first), ("into_next", second):
            m.d.comb += getattr(self, name).eq(or_tree([Mux(is_chosen, fifo, 0)
                                                        for is_chosen, fifo in zip(chosen, into, strict=True)]))

    def _precedes(self, a, b, is_longer):
        """The query at position a, if both have to share, is served before that at b."""
        if not self._balance:
            return C(a < b, 1)
        return Mux(is_longer[a] == is_longer[b], a < b, is_longer[a])


def _any(bits, chosen):
    """Whether any of the chosen bits is set."""
    return (bits & sum(1 << index for index in chosen)).any()
