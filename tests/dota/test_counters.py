"""Performance counters: golden model and hardware."""

import random

import pytest

from golden.dota import counters as golden
from golden.dota.registers import COUNTER_BITS, COUNTERS
from hdl.dota.counters import Counters
from tests.dota.counters_traffic import Inputs, Model, expected, random_cycle
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_counters"


@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_model_equals_spec(density):
    rng = random.Random(density)
    for _ in range(100):
        model, history = Model(TINY), [random_cycle(rng, density) for _ in range(rng.randrange(30))]
        for x in [*history, Inputs(), Inputs()]:
            model.step(x)
        assert model.step(Inputs()) == expected(history)


def test_totals_wrap():
    history = [[1] * len(COUNTERS), [(1 << COUNTER_BITS) - 1] + [2] * (len(COUNTERS) - 1)]
    assert list(golden.totals(history).values()) == [0] + [3] * (len(COUNTERS) - 1)
    assert set(golden.totals([]).values()) == {0}


def test_counters_wrap():
    """Of the hardware this is proven, see formal_counters: it takes 2**24 cycles to get there."""
    model = Model(TINY)
    model.s.total[:] = (1 << COUNTER_BITS) - 2
    for x in [Inputs(amounts=(1,) * len(COUNTERS))] * 4 + [Inputs()] * 2:
        y = model.step(x)
    assert set(model.step(Inputs())) == {2} and set(y) == {2}


def test_every_counter_has_a_port():
    members = Counters(TINY).signature.members
    assert [name for name in members if name in COUNTERS] == list(COUNTERS)


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Counters, cfg, BENCH)


def test_bench_notices_a_lost_carry():
    """A counter that adds only the low half of its amount."""
    assert_mutant_noticed(Counters, TINY, BENCH, testcase="one_amount_alone",
                          old="= macs + macs_amount", new="= macs + macs_amount[11:0]",
                          match="dota_counters: macs differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Counters)
