"""Instruction generator: golden model and hardware."""

import random

from golden.enmc import generator as golden
from hdl.enmc.generator import Generator
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_generator"


def test_model_equals_spec():
    """Thousands of random candidates, random stalls."""
    rng = random.Random(1)
    for _ in range(400):
        s, taken, wanted = golden.state(TINY, 1), [], []
        registers = (rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(24), rng.choice([0, 1, 2, 4, 5, 6]))
        items = [(rng.getrandbits(32) - (1 << 31), rng.getrandbits(24), rng.randrange(8)) for _ in range(10)]
        for item in items:
            wanted += golden.instructions(item, *registers)
        while len(taken) < len(wanted):
            valid, ready = bool(items) and rng.random() < 0.7, rng.random() < 0.7
            if s.valid[0] and ready:
                taken.append((int(s.word[0]), int(s.low[0]) | int(s.high[0]) << 32))
            take = valid and not s.held[0]
            golden.clock(s, 0, valid, *(items[0] if valid else (0, 0, 0)), ready, *registers)
            if take:
                items.pop(0)
        assert taken == wanted and not golden.busy_of(s, 0)


def test_constants():
    assert (Generator.LATENCY, Generator.PERIODS) == (golden.LATENCY, golden.PERIODS)


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Generator, cfg, BENCH)


def test_bench_notices_a_lost_part_of_the_product():
    assert_mutant_noticed(Generator, TINY, BENCH, old="row_bursts[15:8]", new="row_bursts[7:0]", match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Generator)
