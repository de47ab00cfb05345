"""Arithmetic unit: golden model and hardware."""

import random
from typing import NamedTuple

import pytest

from golden.eie import arithmetic
from hdl.eie.arithmetic import Arithmetic
from tests.eie.accumulate import accumulate
from tests.eie.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_arithmetic"


class Entry(NamedTuple):
    first: bool
    v: int
    z: int
    value: int


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("words", [2, 64])
def test_model_equals_spec(bits, words):
    """Thousands of random entries with gaps, many on the same few accumulators: sums and flags of plain integers."""
    rng = random.Random(f"{bits}-{words}")
    cfg = TINY.replace(data_bits=bits, regfile_words=words)

    def number():
        return rng.choice([rng.randint(-1 << bits - 1, (1 << bits - 1) - 1), rng.randint(-9, 9), -1 << bits - 1])

    for _ in range(40):
        s = arithmetic.state(cfg, 1)
        s.codebook[0] = table = [0, *(number() for _ in range(16 * cfg.codebooks - 1))]
        shift, codebook = rng.randrange(2 * bits), rng.randrange(cfg.codebooks)
        entries = [Entry(rng.random() < 0.4, rng.randrange(16), rng.choice([0, 0, 1, rng.randrange(16)]), number())
                   for _ in range(100)]
        entries[0] = entries[0]._replace(first=True)
        sums, answer, waiting, kept = {}, (False, 0), entries[::-1], 0
        for _ in range(200):
            if s.w_valid[0]:
                kept += 1
            written = {int(s.w_row[0]): int(s.w_sum[0])} if s.w_valid[0] else {}
            enable, row = arithmetic.read_of(s, 0)
            assert not (enable and row in written)
            i = waiting.pop() if waiting and rng.random() < 0.8 else None
            fields = i or Entry(False, 0, 0, 0)
            arithmetic.clock(s, 0, i is not None, *fields, codebook, shift, *answer, False, words, bits)
            answer = (row in sums, sums.get(row, 0)) if enable else (True, 77)
            sums |= written
        expected, clipped, bad, expected_kept = accumulate(entries, table[16 * codebook:], shift, words, bits)
        assert (sums, bool(s.saturated[0]), bool(s.row_error[0]), kept) == (expected, clipped, bad, expected_kept)


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(Arithmetic, cfg, BENCH)


@pytest.mark.parametrize(("distance", "use", "hit"), [(1, "operand = {}", "one_ahead"), (2, "if ({})", "two_ahead"),
                                                      (3, "else if ({})", "three_ahead")])
def test_bench_notices_a_missing_bypass(distance, use, hit):
    assert_mutant_noticed(Arithmetic, TINY, BENCH, old=use.format(hit), new=use.format("1'h0"), match="w_value",
                          testcase=f"same_accumulator/distance={distance}")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Arithmetic)
