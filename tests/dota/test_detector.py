"""Detector of DOTA: golden model against the equations, and the hardware against the model."""

from typing import NamedTuple

import numpy as np
import pytest

from golden.dota import detector
from hdl.dota.count_row import CountRow
from hdl.dota.detector import Detector
from hdl.dota.digit_count import DigitCount
from hdl.dota.intake import Intake
from hdl.dota.select_row import SelectRow
from hdl.dota.selection import Selection
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_detector"
#: A group is one block; two passes.
ONE_BLOCK = CONFIGS["tall"].replace(keys=8)


def random_step(cfg, rng, count):
    """Scores of some groups, of which many are equal or few, their rows, and the settings that they share."""
    keys, spread = int(rng.integers(1, cfg.keys + 1)), int(rng.choice([2, 30, 1 << cfg.estimate_bits - 1]))
    groups = [(rng.integers(-spread, spread, (4, keys)), int(rng.integers(1, 16))) for _ in range(count)]
    return groups, {"keep": int(rng.integers(1, cfg.queue + 1)), "threshold": int(rng.integers(-spread, spread))}


def equations(scores, keep, threshold, rows):
    return detector.detect(scores, scores.shape[1], keep, threshold, [rows >> query & 1 for query in range(4)])


class Times(NamedTuple):
    """Cycles in which a group's last block was taken, its first word was offered and its last one taken."""

    taken: int
    first: int
    last: int


def run_model(s, cfg, groups, settings, rng=None, p_valid=1.0, p_ready=1.0, pace=1):
    """Masks of groups in a row, and their Times; a block is offered at most every ``pace`` cycles."""
    rng = rng or np.random.default_rng(1)
    keys = groups[0][0].shape[1]
    blocks = -(-keys // cfg.block)
    pad = ((0, 0), (0, blocks * cfg.block - keys))
    items = [(block, rows, n == blocks - 1) for scores, rows in groups
             for n, block in enumerate(np.pad(scores, pad, constant_values=7).T.reshape(blocks, cfg.block, 4))]
    sent, cycle, after, owners, taken, first, last = 0, 0, 0, [], [], [], []
    while len(last) < len(groups):
        i_valid, o_ready = sent < len(items) and cycle >= after and rng.random() < p_valid, rng.random() < p_ready
        if detector.valid_of(s, 0):
            if len(owners) % blocks == 0 and len(first) == len(last):
                first.append(cycle)
            if o_ready:
                owners.append(s.owners[0].copy())
                assert detector.last_of(s, 0) == (len(owners) % blocks == 0)
                last += [cycle] * (len(owners) % blocks == 0)
        was_taken = i_valid and detector.ready_of(s, 0)
        block, rows, is_last = items[min(sent, len(items) - 1)]
        detector.clock(s, 0, i_valid, block, is_last, o_ready, keys, settings["keep"], settings["threshold"], rows,
                       cfg.estimate_bits)
        if was_taken:
            sent, after = sent + 1, cycle + pace
            taken += [cycle] * is_last
        cycle += 1
    assert detector.ready_of(s, 0) and not detector.busy_of(s, 0)
    owners = np.concatenate(owners).reshape(len(groups), -1)
    assert not owners[:, keys:].any()
    masks = [np.array([words[:keys] >> 3 - query & 1 for query in range(4)], bool) for words in owners]
    return masks, [Times(*times) for times in zip(taken, first, last, strict=True)]


@pytest.mark.parametrize(("name", "steps"), [("tiny", 700), ("tall", 200), ("paper", 4)])
def test_model_equals_spec(name, steps):
    """Thousands of groups, some in a row and some alone, with gaps and waits, on one detector."""
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    s = detector.state(cfg, 1)
    for n in range(steps):
        groups, settings = random_step(cfg, rng, 1 + n % 5)
        p_valid, p_ready = ((1, 1), (0.6, 0.5))[n % 2]
        masks, times = run_model(s, cfg, groups, settings, rng, p_valid, p_ready)
        for mask, (scores, rows) in zip(masks, groups, strict=True):
            np.testing.assert_array_equal(mask, equations(scores, rows=rows, **settings))
        keys = groups[0][0].shape[1]
        assert times[0].first == times[0].taken + detector.latency(cfg, keys)
        assert times[0].last == times[0].first - (-keys // cfg.block) - 1 or p_ready < 1


@pytest.mark.parametrize("name", ["tiny", "paper"])
def test_groups_overlap(name):
    """A group's scores come while the one before is selected in: the longer of the two decides, not their sum."""
    cfg, rng = CONFIGS[name], np.random.default_rng(2)
    groups, settings = random_step(cfg, rng, 4)
    groups = [(scores.repeat(cfg.keys, axis=1)[:, :cfg.keys], rows) for scores, rows in groups]
    blocks = cfg.keys // cfg.block
    _, fast = run_model(detector.state(cfg, 1), cfg, groups, settings)
    assert set(np.diff([times.last for times in fast])) == {detector.period(cfg, cfg.keys)} == {3 * (blocks + 4)}
    _, slow = run_model(detector.state(cfg, 1), cfg, groups, settings, pace=8)
    assert set(np.diff([times.last for times in slow])) == {8 * blocks}
    assert {times.first - times.taken for times in slow} == {detector.latency(cfg, cfg.keys)}


def test_equations():
    """Balanced rows by the row with the most strong scores; ties to the lower key; limits."""
    scores = np.array([[5, 1, 5, 5], [0, 0, 0, 0], [9, 8, 7, 6], [1, 2, 3, 4]])

    def keys_of(**settings):
        mask = equations(scores, **({"keep": 4, "threshold": 5, "rows": 15} | settings))
        return [np.flatnonzero(row).tolist() for row in mask]

    assert keys_of() == [[0, 1, 2, 3]] * 4                                  # query 3 has four
    assert keys_of(rows=0b1011) == [[0, 2, 3], [0, 1, 2], [], [1, 2, 3]]    # then query 1 decides: three
    assert keys_of(keep=2) == [[0, 2], [0, 1], [0, 1], [2, 3]]
    assert keys_of(threshold=10) == [[0], [0], [0], [3]]                    # nothing is strong: one each
    assert keys_of(threshold=10, rows=0b0010) == [[], [0], [], []]


@pytest.mark.parametrize("keep", [1, 13, 38])
def test_keep_alone_is_top_k(keep):
    """With the lowest threshold every row has exactly ``keep`` connections, the strongest ones."""
    rng = np.random.default_rng(keep)
    scores = rng.integers(-2048, 2048, (4, 384))
    mask = equations(scores, keep, -2048, 15)
    assert (mask.sum(axis=1) == keep).all()
    for row, chosen in zip(scores, mask, strict=True):
        assert row[chosen].min() >= np.sort(row)[-keep] and row[~chosen].max() <= row[chosen].min()


def test_cycles_of_the_paper():
    """Of 384 and 2,048 keys: two looks at 24 and 128 blocks, then the mask; and from one group to the next."""
    cfg = CONFIGS["paper"]
    assert [detector.latency(cfg, keys) for keys in (384, 2048)] == [66, 274]
    assert [detector.period(cfg, keys) for keys in (384, 2048)] == [84, 396]


@configs("tiny", "small", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Detector, cfg, BENCH)


@pytest.mark.parametrize("cfg", [ONE_BLOCK, TINY.replace(estimate_bits=16)], ids=["one-block", "16-bits"])
def test_other_rtl_equals_model(cfg):
    run_bench(Detector, cfg, BENCH)


def test_bench_notices_counters_that_are_not_cleared():
    """What one group has counted is still there in the next."""
    assert_mutant_noticed(Detector, TINY, BENCH, old="if (clear) begin", new="if (1'h0) begin", match="o differ",
                          testcase="full_throughput")


def test_bench_notices_groups_in_the_same_half():
    """Scores that arrive take the place of those that are selected in."""
    assert_mutant_noticed(Detector, TINY, BENCH, old=".w_addr({ half, block })", new=".w_addr({ 1'h0, block })",
                          match="o differ", testcase="full_throughput")


def test_wrong_cfg():
    for unit in Detector, Intake, CountRow, Selection, SelectRow, DigitCount:
        assert_wrong_cfg_is_refused(unit)
