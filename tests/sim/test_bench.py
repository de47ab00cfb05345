"""The pieces of unit benches that run without a simulator."""

import random

import pytest

from sim.common.bench import Fields, Gaps, Source, signed, to_raw, to_signed, unsigned


@pytest.mark.parametrize(("p", "ones"), [(0, 0), (1, 1000)])
def test_gaps_at_the_ends_are_constant(p, ones):
    gaps = Gaps(p, random.Random(1))
    assert sum(next(gaps) for _ in range(1000)) == ones


def test_gaps_reach_their_probability():
    gaps = Gaps(0.3, random.Random(1))
    assert 250 < sum(next(gaps) for _ in range(1000)) < 350


def test_wrong_probability():
    with pytest.raises(ValueError, match=r"^p must be a probability in 0\.\.1, not 2$"):
        Gaps(2, random.Random(1))


def test_source_holds_an_item_until_it_is_taken():
    source = Source([5, 6], Gaps(1, random.Random(1)))
    assert [source.offer(), source.offer()] == [(True, 5), (True, 5)]
    source.taken(False)
    assert source.offer() == (True, 5)
    source.taken(True)
    assert source.offer() == (True, 6)
    source.taken(True)
    assert source.done
    assert source.offer() == (False, 0)


def test_source_never_withdraws():
    source, offered = Source(range(50), Gaps(0.3, random.Random(2))), None
    rng = random.Random(3)
    while not source.done:
        valid, payload = source.offer()
        assert offered is None or (valid and payload == offered)
        ready = rng.random() < 0.5
        source.taken(ready)
        offered = payload if valid and not ready else None


def test_fields_round_trip():
    entry = Fields(index=unsigned(3), value=signed(4), last=unsigned(1))
    assert entry.bits == 8
    for index in range(8):
        for value in range(-8, 8):
            assert entry.unpack(entry.pack(index=index, value=value, last=1)) == (index, value, 1)
    assert entry.pack(index=5, value=-2, last=0) == 0b0_1110_101


@pytest.mark.parametrize("value", [-9, 8])
def test_fields_cut_nothing_off(value):
    with pytest.raises(ValueError, match=rf"^value must be in -8\.\.7, not {value}$"):
        Fields(value=signed(4)).pack(value=value)


def test_signed_and_raw_are_inverse():
    assert [to_signed(to_raw(v, 4), 4) for v in range(-8, 8)] == list(range(-8, 8))
    with pytest.raises(ValueError, match="^value must fit into 4 bits, not 16$"):
        to_raw(16, 4)
