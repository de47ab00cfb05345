"""Addresses of bursts: every one has a place of its own, and neighbours lie where they can be read fastest."""

import re

import numpy as np
import pytest

from golden.enmc.address import Location, burst_of, fields_of, location
from tests.enmc.launch import CONFIGS, TINY, configs


@configs(*CONFIGS)
def test_location_and_back(cfg):
    """Corners and random bursts, one by one and as arrays."""
    rng = np.random.default_rng(1)
    bursts = np.concatenate([rng.integers(cfg.bursts, size=1000), [0, 1, cfg.bursts - 1]])
    places = location(cfg, bursts)
    assert np.array_equal(burst_of(cfg, *places), bursts)
    for k, burst in enumerate(bursts.tolist()):
        assert location(cfg, burst) == Location(*(int(part[k]) for part in places))


def test_every_burst_has_its_place():
    places = location(TINY, np.arange(TINY.bursts))
    assert len(set(zip(*(part.tolist() for part in places), strict=True))) == TINY.bursts


@configs(*CONFIGS)
def test_neighbours(cfg):
    """Two bank groups by turns; a page stays in a row of each; the next page has two other banks."""
    page = 2 * cfg.page_bursts
    for first in 0, 5 * page, cfg.bursts - page:
        places = location(cfg, first + np.arange(page))
        assert (places.bank_group & 1).tolist() == [0, 1] * cfg.page_bursts
        assert places.column.tolist() == [8 * (k // 2) for k in range(page)]
        assert len(set(zip(places.bank_group >> 1, places.bank, places.row, strict=True))) == 1
    assert location(cfg, page) == Location(bank_group=2, bank=0, row=0, column=0)
    assert location(cfg, 2 * page) == Location(bank_group=0, bank=1, row=0, column=0)
    assert location(cfg, cfg.pairs * page) == Location(bank_group=0, bank=0, row=1, column=0)
    assert location(cfg, cfg.bursts - 1) == Location(3, 3, 2**cfg.row_bits - 1, 2**cfg.column_bits - 8)


def test_fields():
    assert fields_of(TINY) == {"bg0": (0, 1), "column": (1, 3), "bg1": (4, 1), "ba": (5, 2), "row": (7, 6)}


def test_any_column_of_a_burst():
    assert {burst_of(TINY, 1, 2, 3, 8 + k) for k in range(8)} == {burst_of(TINY, 1, 2, 3, 8)}


@pytest.mark.parametrize(("call", "message"), [
    (lambda: location(TINY, TINY.bursts), f"burst must be in 0..{TINY.bursts - 1}, not {TINY.bursts}"),
    (lambda: location(TINY, np.array([0, -1])), f"burst must be in 0..{TINY.bursts - 1}, not -1"),
    (lambda: burst_of(TINY, 4, 0, 0, 0), "bank_group must be in 0..3, not 4"),
    (lambda: burst_of(TINY, 0, 4, 0, 0), "bank must be in 0..3, not 4"),
    (lambda: burst_of(TINY, 0, 0, 64, 0), "row must be in 0..63, not 64"),
    (lambda: burst_of(TINY, 0, 0, 0, 64), "column must be in 0..63, not 64"),
])
def test_wrong_addresses(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()
