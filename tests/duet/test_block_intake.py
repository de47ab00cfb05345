"""Intake of the Speculator: golden model and hardware."""

import numpy as np

from golden.duet import block_intake
from golden.duet.formats import Kind
from golden.duet.quantizer import quantize_array
from hdl.duet.block_intake import BlockIntake
from tests.duet.front import job_array, job_bits
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_block_intake"


def test_model_equals_spec():
    """Thousands of words: values are quantised, and those of pixels that a window may reach are kept."""
    rng = np.random.default_rng(1)
    for cfg in (TINY, CONFIGS["square"]):
        s, side = block_intake.state(cfg, 1), cfg.side
        for _ in range(2000):
            kind, stride, windows = Kind(int(rng.integers(2))), int(rng.integers(1, 8)), rng.integers(1, 16, 2).tolist()
            top, left, y, x, word = (int(rng.integers(low, high)) for low, high in (
                (-15, 100), (-15, 100), (0, 64), (0, 64), (0, cfg.activation_words)))
            values = rng.integers(-1 << 15, 1 << 15, cfg.values)
            job = job_array(job_bits({"kind": kind.value, "stride": stride, "windows_y": windows[0],
                                      "windows_x": windows[1]}))
            block_intake.clock(s, 0, job, top, left, True, y, x, word, values)
            reached = np.zeros((1000, 1000), bool)
            for pixel_y, pixel_x in np.ndindex(side, side):
                from_y, from_x = 20 + top + pixel_y * stride, 20 + left + pixel_x * stride
                reached[from_y:from_y + windows[0] * side, from_x:from_x + windows[1] * side] = True
            if kind == Kind.VECTOR or stride <= side * min(windows):
                block = reached[20 + y * side:20 + (y + 1) * side, 20 + x * side:20 + (x + 1) * side]
                kept = np.ones_like(block) if kind == Kind.VECTOR else block
                assert block_intake.mask_of(s, 0) == sum(1 << k for k, bit in enumerate(kept.ravel()) if bit)
            assert block_intake.valid_of(s, 0)
            assert (s.y[0], s.x[0], s.word[0]) == (y, x, word)
            assert [block_intake.value_of(s, 0, k) for k in range(cfg.values)] == quantize_array(values).tolist()
        block_intake.clock(s, 0, job, 0, 0, False, 0, 0, 0, values)
        assert not block_intake.valid_of(s, 0)


def test_latency():
    assert BlockIntake.LATENCY == block_intake.LATENCY


@configs("tiny", "square")
def test_rtl_equals_model(cfg):
    run_bench(BlockIntake, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(BlockIntake)


def test_mutant_is_noticed():
    """Rows in front of the first one are kept."""
    assert_mutant_noticed(BlockIntake, TINY, BENCH, old="$signed(y_distance) >= $signed(1'h0)", new="1'h1",
                          match="w_mask differ", testcase="edges_of_a_tile")
