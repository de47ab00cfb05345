"""Detector of DOTA: golden model against the equations, and the hardware against the model."""

import numpy as np
import pytest

from golden.dota import detector
from hdl.dota.detector import Detector
from hdl.dota.select_row import SelectRow
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_detector"
#: A group is one block; two passes.
ONE_BLOCK = CONFIGS["tall"].replace(keys=8)


def random_case(cfg, rng):
    """Scores, of which many are equal or few, and settings."""
    keys, spread = int(rng.integers(1, cfg.keys + 1)), int(rng.choice([2, 30, 1 << cfg.estimate_bits - 1]))
    scores = rng.integers(-spread, spread, (4, keys))
    return scores, {"keep": int(rng.integers(1, cfg.queue + 1)), "threshold": int(rng.integers(-spread, spread)),
                    "rows": int(rng.integers(1, 16))}


def equations(scores, keep, threshold, rows):
    return detector.detect(scores, scores.shape[1], keep, threshold, [rows >> query & 1 for query in range(4)])


def run_model(s, cfg, scores, settings, rng, p_valid, p_ready):
    """Mask of a group, and cycles from the last block to the first word, and to the last one."""
    keys = scores.shape[1]
    blocks = -(-keys // cfg.block)
    padded = np.pad(scores, ((0, 0), (0, blocks * cfg.block - keys)), constant_values=7).T.reshape(blocks, cfg.block, 4)
    sent, cycle, owners, ends = 0, 0, [], {}
    while len(owners) < blocks:
        i_valid, o_ready = sent < blocks and rng.random() < p_valid, rng.random() < p_ready
        if detector.valid_of(s, 0):
            ends.setdefault("first", cycle)
            if o_ready:
                owners.append(s.owners[0].copy())
                assert detector.last_of(s, 0) == (len(owners) == blocks)
        taken = i_valid and detector.ready_of(s, 0)
        detector.clock(s, 0, i_valid, padded[min(sent, blocks - 1)], sent == blocks - 1, o_ready, keys,
                       settings["keep"], settings["threshold"], settings["rows"], cfg.estimate_bits)
        if taken:
            sent, ends["taken"] = sent + 1, cycle
        cycle += 1
    assert detector.ready_of(s, 0) and not detector.busy_of(s, 0)
    owners = np.concatenate(owners)
    assert not owners[keys:].any()
    mask = np.array([owners[:keys] >> 3 - query & 1 for query in range(4)], bool)
    return mask, ends["first"] - ends["taken"], cycle - 1 - ends["taken"]


@pytest.mark.parametrize(("name", "groups"), [("tiny", 2000), ("tall", 500), ("paper", 10)])
def test_model_equals_spec(name, groups):
    """Thousands of groups, with gaps and waits, on one detector."""
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    s = detector.state(cfg, 1)
    for n in range(groups):
        scores, settings = random_case(cfg, rng)
        p_valid, p_ready = ((1, 1), (0.6, 0.5))[n % 2]
        mask, first, last = run_model(s, cfg, scores, settings, rng, p_valid, p_ready)
        np.testing.assert_array_equal(mask, equations(scores, **settings))
        blocks = -(-scores.shape[1] // cfg.block)
        assert first == detector.latency(cfg, scores.shape[1])
        assert last == first + blocks - 1 or p_ready < 1


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
    """From the last block to the mask of 384 and 2,048 keys: two looks at 24 and 128 blocks."""
    cfg = CONFIGS["paper"]
    assert [detector.latency(cfg, keys) for keys in (384, 2048)] == [66, 274]


@configs("tiny", "small", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Detector, cfg, BENCH)


@pytest.mark.parametrize("cfg", [ONE_BLOCK, TINY.replace(estimate_bits=16)], ids=["one-block", "16-bits"])
def test_other_rtl_equals_model(cfg):
    run_bench(Detector, cfg, BENCH)


def test_bench_notices_counters_that_are_not_cleared():
    """What one pass has counted is still there in the next."""
    assert_mutant_noticed(Detector, TINY, BENCH, old="clear = 1'h1;", new="clear = 1'h0;", match="o differ",
                          testcase="full_throughput")


def test_wrong_cfg():
    for unit in Detector, SelectRow:
        assert_wrong_cfg_is_refused(unit)
