"""Words to beats: golden model and hardware."""

import random

import pytest

from golden.common.beats import WordsToBeatsInputs, WordsToBeatsModel
from hdl.common.beats import WordsToBeats
from sim.common.runner import run_unit
from tests.common.configs import BeatsConfig
from tests.common.mutation import assert_mutant_fails

BENCH = {"name": "beats", "test_module": "tests.common.tb_beats"}
#: Less than a beat, one, some with a rest, many.
CONFIGS = [BeatsConfig(32, 64), BeatsConfig(64, 64), BeatsConfig(100, 64), BeatsConfig(6, 3), BeatsConfig(1024, 64)]


def unit(cfg):
    return WordsToBeats(cfg.word_bits, cfg.beat_bits)


@pytest.mark.parametrize("word_bits", [32, 64, 100, 1024])
def test_model_equals_spec(word_bits):
    """Thousands of words under random gaps and stalls: their beats, each once, in order."""
    rng = random.Random(word_bits)
    model, beats = WordsToBeatsModel(word_bits, 64), -(-word_bits // 64)
    words = [(rng.getrandbits(word_bits), rng.random() < 0.3) for _ in range(3000 // beats)]
    expected = [(word >> 64 * i & (1 << 64) - 1, last and i == beats - 1) for word, last in words for i in range(beats)]
    sent, received = 0, []
    while len(received) < len(expected):
        x = WordsToBeatsInputs(words[sent] if sent < len(words) and rng.random() < 0.7 else None, rng.random() < 0.7)
        y = model.step(x)
        sent += x.i is not None and y.i_ready
        if y.o is not None and x.o_ready:
            received.append(y.o)
    assert received == expected
    assert model.step(WordsToBeatsInputs()).o is None


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"{cfg.word_bits}-{cfg.beat_bits}")
def test_rtl_equals_model(cfg):
    run_unit(unit(cfg), cfg=cfg, **BENCH)


def test_bench_notices_a_beat_too_many():
    cfg = BeatsConfig(6, 3)
    assert_mutant_fails(unit(cfg), cfg=cfg, **BENCH, testcase="full_throughput",
                        old="behind <= 1'h1", new="behind <= 1'h0", match="beats: .* differ")


@pytest.mark.parametrize(("changes", "match"), [
    ({"word_bits": 0}, "^word_bits must be a positive integer, not 0$"),
    ({"beat_bits": "8"}, "^beat_bits must be a positive integer, not '8'$"),
])
def test_wrong_widths(changes, match):
    with pytest.raises(ValueError, match=match):
        WordsToBeats(**{"word_bits": 8, "beat_bits": 8} | changes)
