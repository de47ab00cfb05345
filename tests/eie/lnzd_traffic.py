"""Model and stimuli of the LNZD node, for the bench and for plain Python."""

import itertools
from typing import NamedTuple

import numpy as np

from golden.eie import lnzd
from golden.eie.config import EieConfig
from tests.common.units import gaps
from tests.eie.central import CompiledModel, Token, nonzero_values, scan_tokens, source

CONFIGS = [EieConfig(n_pe=4, regfile_words=8), EieConfig(n_pe=1, regfile_words=8, data_bits=8),
           EieConfig(n_pe=256, regfile_words=256, data_bits=32)]

#: A child that is not there.
NOBODY = Token(0, 0, True, True)


class LnzdInputs(NamedTuple):
    children: tuple[Token | None, ...]
    o_ready: bool


class LnzdOutputs(NamedTuple):
    ready: tuple[bool, ...]
    o: Token | None


IDLE = LnzdInputs((None,) * lnzd.CHILDREN, False)


class LnzdModel(CompiledModel):
    def __init__(self, cfg):
        super().__init__(lnzd, lambda: lnzd.state(cfg, 1))

    def step(self, x):
        s = self.s
        o = Token.compared(s.index[0], s.value[0], s.null[0], s.last[0]) if s.valid[0] else None
        index, value, null, last = (np.array(column, np.int64) for column in
                                    zip(*(child or NOBODY for child in x.children), strict=True))
        valid = np.array([child is not None for child in x.children], np.int64)
        ready = tuple(bool(lnzd.ready_of(s, 0, c)) for c in range(lnzd.CHILDREN))
        lnzd.clock(s, 0, valid, index, value, null, last, x.o_ready)
        return LnzdOutputs(ready, o)


class Scan(NamedTuple):
    """Elements (index, value) of four children; which of them end with a null although they have elements."""

    children: list[list[tuple[int, int]]]
    null_end: tuple[bool, ...] = (False,) * lnzd.CHILDREN

    @property
    def cycles(self):
        """Cycles that the node spends when all children offer at once and the output never stalls."""
        merged = lnzd.merged(self.children)
        ends_with_null = not merged or self.null_end[next(c for c, x in enumerate(self.children) if merged[-1] in x)]
        return len(merged) + ends_with_null


def scan_of(owners, cfg, rng, null_end=Scan._field_defaults["null_end"]):
    """A scan in which the element with the k-th lowest index belongs to child ``owners[k]``."""
    indices = sorted(rng.sample(range(1 << cfg.index_bits), len(owners)))
    children = [[] for _ in range(lnzd.CHILDREN)]
    for owner, element in zip(owners, zip(indices, nonzero_values(cfg, rng, len(owners)), strict=True), strict=True):
        children[owner].append(element)
    return Scan(children, null_end)


def random_scan(cfg, rng, density):
    """Every index is there with probability ``density``, in any child."""
    count = sum(rng.random() < density for _ in range(min(1 << cfg.index_bits, 24)))
    return scan_of([rng.randrange(lnzd.CHILDREN) for _ in range(count)], cfg, rng,
                   tuple(rng.random() < 0.5 for _ in range(lnzd.CHILDREN)))


def every_ending(cfg, rng):
    """Every child ends in every way after 0, 1 or 2 elements: 5**4 scans in random order and interleaving."""
    scans = []
    for ways in itertools.product([(0, True), (1, False), (1, True), (2, False), (2, True)], repeat=lnzd.CHILDREN):
        owners = [child for child, (count, _null) in enumerate(ways) for _ in range(count)]
        rng.shuffle(owners)
        scans.append(scan_of(owners, cfg, rng, tuple(null for _count, null in ways)))
    rng.shuffle(scans)
    return scans


class Traffic:
    """Children that offer scans one after the other, and the check of what the node makes of them.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``. A ``missing`` child always offers NOBODY.
    """

    def __init__(self, scans, cfg, rng, *, p_valid=1.0, p_ready=1.0, missing=()):
        self._scans, self._out, self._ready = scans, [[]], gaps(p_ready, rng)
        self._sources = {c: source([token for scan in scans for token in
                                    scan_tokens(scan.children[c], scan.null_end[c], rng, cfg)], p_valid, rng)
                         for c in range(lnzd.CHILDREN) if c not in missing}

    @property
    def done(self):
        """The ends of all scans came out."""
        return len(self._out) > len(self._scans)

    def inputs(self):
        children = [self._sources[c].offer()[1] if c in self._sources else NOBODY for c in range(lnzd.CHILDREN)]
        return LnzdInputs(tuple(children), next(self._ready))

    def taken(self, x, y):
        for c, child in self._sources.items():
            child.taken(y.ready[c])
        if y.o and x.o_ready:
            if not y.o.null:
                self._out[-1].append((y.o.index, y.o.value))
            if y.o.last:
                self._out.append([])

    def check(self):
        """Ascending, nothing lost, nothing doubled, nothing left over."""
        assert self._out == [*(lnzd.merged(scan.children) for scan in self._scans), []]
        assert all(child.done for child in self._sources.values())
