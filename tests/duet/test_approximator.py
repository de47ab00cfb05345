"""Approximate module behind the dimension reduction: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.jit import ENABLED
from golden.duet import approximator, low_output, mfu, switching_map
from hdl.duet.approximator import Approximator
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.low_work import biases, job, tile_vectors, vectors_of, weights

BENCH = "tests.duet.tb_approximator"
#: Jobs of a comparison with the definition; fewer where nothing is compiled.
MANY = 1500 if ENABLED else 40


def loaded(cfg, rng):
    """A state with weights and biases in its buffers."""
    s, tiles, words = approximator.state(cfg, 1), weights(cfg, rng), biases(cfg, rng)
    s.systolic.weights[0], s.low_output.bias[0] = tiles, words
    return s, tiles, words


def run(cfg, s, job, vectors, count, rng=None):
    """Send vectors, with gaps and stalls if ``rng`` is given; ``count`` approximations must leave, and no more.

    Returns (cycle, approximation) of all that leave.
    """
    found, cycle, quiet, offered = [], 0, 0, False
    vectors = vectors[::-1]
    nothing = 0, 0, False, np.zeros(cfg.trees, np.int64)
    while quiet < 2 * approximator.latency(cfg):
        offered = bool(vectors) and (offered or rng is None or rng.random() < 0.7)
        ready = rng is None or rng.random() < 0.7
        taken = offered and approximator.ready_of(s, 0)
        if ready and approximator.valid_of(s, 0):
            found.append((cycle, approximation(cfg, s)))
        pixel, word, last, values = vectors[-1] if offered else nothing
        approximator.clock(s, 0, offered, pixel, word, last, values, *job, ready)
        if taken:
            vectors.pop()
            offered = False
        cycle += 1
        quiet += not vectors and len(found) >= count
        assert cycle < 100_000
    return found


def approximation(cfg, s):
    """What is offered."""
    fields = [int(approximator.field_of(s, 0, field)) for field in range(4)]
    piece = low_output.Piece(fields[0], fields[1], bool(fields[2]), bool(fields[3]))
    return approximator.Approximation(
        piece, tuple(bool(approximator.sensitive_of(s, 0, index)) for index in range(cfg.columns)),
        tuple(int(approximator.code_of(s, 0, index)) & 15 for index in range(cfg.columns)))


@pytest.mark.parametrize("name", ["tiny", "tall", "square"])
def test_model_equals_spec(name):
    """Jobs of all sizes, several tiles each, with gaps and stalls: what leaves is the definition, in order."""
    cfg, rng = CONFIGS[name], random.Random(1)
    s, tiles, words = loaded(cfg, rng)
    for _ in range(MANY // 10 if name == "square" else MANY):
        work = job(cfg, rng)
        inputs = [tile_vectors(cfg, rng, work.reduced) for _ in range(rng.randint(1, 3))]
        expected = [item for tile in inputs for item in approximator.approximations(cfg, work, tile, tiles, words)]
        found = run(cfg, s, work, [vector for tile in inputs for vector in vectors_of(tile)],
                    len(expected), rng)
        assert [item for _cycle, item in found] == expected


def test_latency():
    """The parts move in step; the docstring's sum."""
    assert Approximator.LATENCY + TINY.trees == approximator.latency(TINY)
    assert mfu.LATENCY == switching_map.LATENCY


@configs("tiny", "tall", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Approximator, cfg, BENCH)


def test_bench_notices_a_field_that_is_a_step_late():
    """The pixel of an approximation belongs to its neighbour."""
    assert_mutant_noticed(Approximator, TINY, BENCH, testcase="random_jobs/function=RELU/p_valid=1.0/p_ready=1.0",
                          old="pixel_s3 <= ", new="pixel_s3 <= 1 ^ ", match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Approximator)
