"""Output unit: golden model against the definition, and the hardware."""

import numpy as np
import pytest

from golden.dota import output
from golden.dota.formats import FX_BITS
from golden.dota.quantize import quantize_array
from hdl.dota.output import Output
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_output"


@pytest.mark.parametrize("p", [0.5, 1])
@configs("tiny", "small")
def test_model_equals_spec(cfg, p):
    """Hundreds of wide beats, with gaps and waits: all elements in order, the last word marked as its beat was."""
    rng, n = np.random.default_rng(1), 2 * cfg.vector
    s, expected, found, sent = output.state(cfg), [], [], 0
    values, last, offers = rng.integers(-1 << 40, 1 << 40, n), False, False
    wide, shift, relu = True, 23, True
    while sent < 400 or s.words[0]:
        offers = offers or (sent < 400 and rng.random() < p)
        ready = rng.random() < p
        if s.o_valid[0] and ready:
            first = cfg.vector * s.half[0]
            found.append((s.values[first:first + cfg.vector].tolist(), bool(output.last_of(s))))
        taken = offers and output.ready_of(s)
        if taken:
            elements = quantize_array(values, shift, relu, FX_BITS)[0].tolist()
            expected += [(elements[:cfg.vector], False), (elements[cfg.vector:], last)]
        output.clock(s, offers, values, last, wide, shift, relu, ready)
        if taken:
            values, last, offers, sent = rng.integers(-1 << 40, 1 << 40, n), rng.random() < 0.3, False, sent + 1
    assert found == expected and len(found) == 800


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Output, cfg, BENCH)


def test_bench_notices_a_word_too_few():
    """The second word of a wide beat never comes."""
    assert_mutant_noticed(Output, TINY, BENCH, testcase="full_throughput", old="wide ? 2'h2 : 2'h1", new="2'h1",
                          match="dota_output: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Output)
