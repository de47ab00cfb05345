"""Multicast controller: golden model and hardware."""

import pytest

from golden.duet.multicast import matches
from hdl.duet.multicast import Multicast
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.duet.shapes import MulticastShape

BENCH = "tests.duet.tb_multicast"


def test_definition():
    """Exactly the owner of an ID takes what is for it; all take what is for all."""
    for count in (2, 16):
        for tag in range(count + 1):
            meant = [own for own in range(count) if matches(tag, own, count)]
            assert meant == (list(range(count)) if tag == count else [tag])


@pytest.mark.parametrize("count", [4, 16])
def test_rtl_equals_model(count):
    run_unit(Multicast(count), name="duet_multicast", cfg=MulticastShape(count), test_module=BENCH)


def test_bench_notices_a_deaf_controller():
    """What is meant for all is not taken."""
    assert_mutant_fails(Multicast(4), name="duet_multicast", cfg=MulticastShape(4), test_module=BENCH,
                        old="tag == 3'h4", new="tag == 3'h5", match="match differ")


@pytest.mark.parametrize("count", [1, 33, "4"])
def test_wrong_count(count):
    with pytest.raises(ValueError, match=rf"^count must be an integer in 2\.\.32, not {count!r}$"):
        Multicast(count)
