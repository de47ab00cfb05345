"""Operand network: what reaches the PEs multiplies the right rows with each other, and the hardware."""

import numpy as np
import pytest

from golden.dota import estimate, fetch, operands, sram
from golden.dota.exact import DENSE, SCORE, SUM
from golden.dota.formats import ELEMENT_BITS, QUERIES, STEP_FIELDS, UNIT_BITS, Step
from golden.dota.packing import low_words, pack_fx, pack_low
from hdl.dota.operands import Operands
from tests.dota.estimate_work import LOW, events_of
from tests.dota.heads import numbers
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_operands"


def elements_of(unit, bits):
    """Two's complement numbers in a unit."""
    values = unit >> bits * np.arange(UNIT_BITS // bits) & (1 << bits) - 1
    return values - (values >> bits - 1 << bits)


@configs("tiny", "small", "flat", "tall")
@pytest.mark.parametrize("precision", LOW, ids=lambda precision: precision.name)
def test_low_precision_products(cfg, precision):
    """Blocks stream past a group: the PEs, as the array sums them up, make the products of the rows."""
    rng, bits = np.random.default_rng(precision), ELEMENT_BITS[precision]
    for elements in (1, 5, 40, 150):
        q, k = numbers(rng, bits, 7, elements), numbers(rng, bits, 2 * cfg.block + 1, elements)
        step = dict.fromkeys(STEP_FIELDS, 0) | {
            "step": Step.ATTEND, "precision": precision, "queries": len(q), "keys": len(k), "low_k_base": 1000,
            "low_words": low_words(cfg, elements, bits)}
        memory = dict(enumerate(pack_low(cfg, q, bits))) | dict(enumerate(pack_low(cfg, k, bits), 1000))
        found = products(cfg, step, memory)
        for (group, block), sums in found.items():
            rows = k[block * cfg.block:(block + 1) * cfg.block]
            queries = q[QUERIES * group:QUERIES * (group + 1)]
            np.testing.assert_array_equal(sums[:len(rows), :len(queries)], rows @ queries.T)
        assert len(found) == 2 * 3


def products(cfg, step, memory):
    """Sums [block][queries] of each (group, block), with PEs that are plain numpy."""
    s, d, f = operands.state(cfg, 1), operands.drive_state(cfg), fetch.state(cfg, 1)
    est, words = estimate.state(cfg, 1), sram.state(cfg, 1)
    precision = step["precision"]
    bits, slots = ELEMENT_BITS[precision], 1 << precision - 1
    segment = cfg.columns >> 3 - precision
    shape = cfg.rows, cfg.columns
    stationary, streaming = np.zeros((*shape, slots), np.int64), np.zeros(shape, np.int64)
    sums, found = np.zeros((cfg.block, QUERIES), np.int64), {}
    est.step[0, 1] = precision
    for event in events_of(cfg, step):
        a = event.arrival
        what = estimate.LOADS if a.loads else estimate.STREAMS
        est.arrivals[0, -1] = what, a.part, a.word, a.slot, a.key, a.part, a.words, a.fire, a.first, 0, 0
        words.rdata[0, sram.ESTIMATE] = memory[event.addr]
        operands.drive(s, 0, SCORE, False, f, est, words, d)
        load, take = d.load == 1, d.take == 1
        assert not load[:cfg.block].any() and not take[:cfg.block].any() and (d.fire[cfg.block:] == a.fire).all()
        stationary[load, a.slot] = d.operands[load]
        streaming[take] = d.operands[take]
        if not a.fire:
            continue
        if a.first:
            sums[:] = 0
        for row in range(cfg.block):
            for p in range(cfg.columns):
                at = cfg.block + row, p
                for slot in range(slots):
                    product = elements_of(streaming[at], bits) @ elements_of(stationary[*at, slot], bits)
                    sums[row, p // segment * slots + slot] += product
        if event.sums:
            found[event.sums[:2]] = sums.copy()
    return found


@configs("tiny", "small", "flat", "tall")
def test_exact_products(cfg):
    """FX16: elements of the queries with those of keys; weights, or elements of the inputs, with those of values."""
    rng = np.random.default_rng(3)
    q, banks = numbers(rng, 16, QUERIES, cfg.vector), numbers(rng, 16, 8, cfg.vector)
    s, d, f = operands.state(cfg, 1), operands.drive_state(cfg), fetch.state(cfg, 1)
    est, words = estimate.state(cfg, 1), sram.state(cfg, 1)
    words.data[0, :8] = pack_fx(cfg, banks)[0]
    for token, word in enumerate(pack_fx(cfg, q)[0]):
        operands.clock(s, 0, True, token, 3, word, True, 3)
    f.take[0], f.fire[0], f.out_other[0], f.out_tags[0, fetch.ELEMENT] = 15, 1, 2, cfg.vector - 1
    f.bank[0], f.out_weight[0] = [1, 0, 1, 3], [5, 6, 7, 8]
    for kind, weights, half in (SCORE, q, 0), (SUM, f.out_weight[0][:, None], 4), (DENSE, q[:, -1:], 0):
        operands.drive(s, 0, kind, True, f, est, words, d)
        low, high = (part - (part >> 15 << 16) for part in (d.operands & 0xFFFF, d.operands >> 16 & 0xFFFF))
        products_found = (low * high).ravel().reshape(2, QUERIES, cfg.vector)
        np.testing.assert_array_equal(products_found[0], weights * banks[f.bank[0] + half])
        if kind == DENSE:
            np.testing.assert_array_equal(products_found[1], weights * banks[4 + 2])
        assert d.take.sum() == cfg.pes // (1 if kind == DENSE else 2)


@configs("tiny", "small", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Operands, cfg, BENCH)


def test_bench_notices_values_instead_of_keys():
    """Scores take their words from the value banks."""
    assert_mutant_noticed(Operands, TINY, BENCH, testcase="random_work", old="kind == 1'h1", new="kind != 1'h1",
                          match="dota_operands: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Operands)
