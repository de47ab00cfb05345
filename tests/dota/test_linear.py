"""Programs of linear layers on the cycle model: the numbers of layer 1, for all sizes and splits."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.dota.compiler import Read, Run, Write
from golden.dota.config import PRESETS
from golden.dota.formats import MOST_CHUNKS
from golden.dota.layers import Linear, linear, split_linear
from golden.dota.linear import On, RunAll, commands_of, plan_layer, total_product
from golden.dota.model import Dota
from golden.dota.quantize import quantize_array
from tests.dota.launch import CONFIGS, TINY

LOW, HIGH = -(1 << 15), (1 << 15) - 1


def numbers(rng, *shape):
    """Full-range FX16, the limits more often than not."""
    return rng.choice([rng.integers(LOW, HIGH + 1, shape), rng.choice([LOW, HIGH, 0, 1], shape)], axis=0)


def a_layer(rng, tokens, inputs, outputs, shift=16, relu=False):
    return Linear(x=numbers(rng, tokens, inputs), w=numbers(rng, outputs, inputs), frac_x=0, frac_w=0, shift=shift,
                  relu=relu)


def run_layer(layer, cfg, model=None):
    """Compare with layer 1; the model and the run."""
    model = model or Dota(cfg)
    run = model.run_program(plan_layer(layer, cfg))
    assert np.array_equal(run.results["y"], layer.results(cfg)["y"])
    assert not model.state.lanes.sram.conflicts.any()
    return model, run


def run_sum(cfg, xs, weights, shift, relu=False, model=None):
    model = model or Dota(cfg)
    run = model.run_program(total_product(cfg, xs, weights, phase="linear", shift=shift, relu=relu))
    assert np.array_equal(run.results["y"], split_linear(zip(xs, weights, strict=True), shift, relu))
    assert not model.state.lanes.sram.conflicts.any()
    return model, run


def steps(program, cfg):
    """The steps of a program."""
    return [on.command.step for batch in commands_of(program, cfg) for on in batch if isinstance(on.command, Run)]


@pytest.mark.parametrize("tokens", range(1, 10))
def test_tokens(tokens):
    rng = np.random.default_rng(tokens)
    run_layer(a_layer(rng, tokens, 3, 6), TINY)
    run_sum(TINY, [numbers(rng, tokens, 3)], [numbers(rng, 3, 6)], 15)


@pytest.mark.parametrize("name", ["tiny", "small", "flat", "tall"])
def test_sizes(name):
    """Inputs around a word, outputs of one word (half the array), an odd number and several."""
    cfg = CONFIGS[name]
    v, rng = cfg.vector, np.random.default_rng(1)
    for inputs in (1, v - 1 or 1, v, v + 1, 2 * v, 3 * v - 1):
        for outputs in (1, v, v + 1, 2 * v, 5 * v - 1):
            shift, relu, tokens = int(rng.integers(0, 32)), bool(rng.integers(2)), int(rng.integers(1, 7))
            run_layer(a_layer(rng, tokens, inputs, outputs, shift, relu), cfg)
            run_sum(cfg, [numbers(rng, tokens, inputs)], [numbers(rng, inputs, outputs)], shift, relu)


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_lanes(lanes):
    """The accumulator adds up all lanes before it rounds, halves up, and clips."""
    cfg, rng = TINY.replace(lanes=lanes), np.random.default_rng(lanes)
    for _ in range(10):
        tokens, inputs, outputs = (int(rng.integers(1, most)) for most in (10, 8, 9))
        xs, ws = ([numbers(rng, *shape) for _ in range(lanes)] for shape in ((tokens, inputs), (inputs, outputs)))
        run_sum(cfg, xs, ws, int(rng.integers(0, 32)), bool(rng.integers(2)))


def test_fewer_lanes_than_there_are():
    """Lanes that do not take part hold nothing up and add nothing."""
    cfg, rng = TINY.replace(lanes=4), np.random.default_rng(3)
    model, _ = run_sum(cfg, [numbers(rng, 5, 3)] * 4, [numbers(rng, 3, 5)] * 4, 12)
    run_sum(cfg, [numbers(rng, 5, 3)] * 2, [numbers(rng, 3, 5)] * 2, 12, model=model)
    run_sum(cfg, [numbers(rng, 5, 3)], [numbers(rng, 3, 5)], 12, model=model)


@pytest.mark.parametrize("lanes", [1, 2])
def test_sums_over_steps(lanes):
    """More inputs than a step takes: the sums of all but the last part stay in the accumulator."""
    cfg, rng = TINY.replace(lanes=lanes), np.random.default_rng(4)
    most = MOST_CHUNKS * cfg.vector
    for inputs, tokens in ((most, 5), (most + 1, 5), (3 * most - 1, 2)):
        xs, ws = ([numbers(rng, *shape) for _ in range(lanes)] for shape in ((tokens, inputs), (inputs, 7)))
        run_sum(cfg, xs, ws, 18)
    kinds = {(step["first"], step["emit"]) for step in steps(
        total_product(cfg, xs, ws, phase="linear", shift=18), cfg)}
    assert kinds == {(True, False), (False, False), (False, True)}


def test_weights_of_parts():
    """They are written once for all groups of tokens if all parts fit together; else part by part."""
    rng = np.random.default_rng(11)
    layer = a_layer(rng, 5, 33, 5)
    run_layer(layer, TINY)
    words = sum(len(on.command.words) for batch in commands_of(plan_layer(layer, TINY), TINY) for on in batch
                if isinstance(on.command, Write))
    assert words == 5 * 17 + 3 * 33
    cfg = CONFIGS["flat"].replace(bank_words=8, keys=8)
    layer = a_layer(rng, 3, 65, 12)
    assert {step["keys"] for step in steps(plan_layer(layer, cfg), cfg)} == {32, 1}
    run_layer(layer, cfg)


def test_tokens_and_outputs_in_parts():
    """Inputs fill their bank, weights theirs."""
    cfg, rng = TINY, np.random.default_rng(5)
    layer = a_layer(rng, 45, 30, 40)
    writes = [on.command.addr for batch in commands_of(plan_layer(layer, cfg), cfg) for on in batch
              if isinstance(on.command, Write)]
    assert writes.count(8 * cfg.bank_words) == 15       # tokens: results have 20 words each, 3 tokens in a bank
    assert max(step["blocks"] for step in steps(plan_layer(layer, cfg), cfg)) == 8      # 256 words of weights
    run_layer(layer, cfg)


def test_limits():
    """ReLU, saturation at both ends, rounding: the same as layer 1, and the flag says whether anything was clipped."""
    rng = np.random.default_rng(6)
    for shift in (0, 13, 16, 31, 40):
        for relu in (False, True):
            x, w = numbers(rng, 6, 4), numbers(rng, 4, 7)
            clipped = quantize_array(x @ w, shift, relu, 16)[1].any()
            model, _ = run_layer(Linear(x=x, w=w.T, frac_x=0, frac_w=0, shift=shift, relu=relu), TINY)
            assert bool(model.state.saturated[0]) == clipped
            model, _ = run_sum(TINY, [x], [w], shift, relu)
            assert bool(model.state.saturated[0]) == clipped


def test_what_the_second_half_has_left_does_not_saturate():
    """A result of one word is not clipped by what an earlier layer left in the other half of the array."""
    v, model = TINY.vector, Dota(TINY)
    run_sum(TINY, [np.full((4, 2), HIGH)], [np.full((2, 2 * v), HIGH)], 20, model=model)
    assert not model.state.saturated[0]
    run_sum(TINY, [np.full((4, 2), 3)], [np.full((2, v), 5)], 0, model=model)
    assert not model.state.saturated[0]


def test_paper():
    """The full array once, and how many of its cycles multiply."""
    cfg, rng = PRESETS["paper"], np.random.default_rng(7)
    layer = a_layer(rng, 6, 130, 200, 20)
    _, run = run_layer(layer, cfg)
    # 2 groups; a wide step for 128 outputs, another for 72; every one of the 3 words of inputs has its own overhead.
    assert run.cycles == {"linear": run.cycles["linear"]} and run.cycles["linear"] > 2 * 2 * 130
    assert run.cycles["linear"] < 2 * 2 * (130 + 3 * 12 + 20)


@pytest.mark.parametrize("tokens", [1, 4, 5])
def test_cycles(tokens):
    """Exact: 2 cycles around the step, 1 a group, then for each block its words of inputs and its results."""
    cfg, rng = PRESETS["small"], np.random.default_rng(8)
    _, run = run_layer(a_layer(rng, tokens, 20, 4 * cfg.vector), cfg)
    assert run.cycles["linear"] == cycles(cfg, tokens, 20, 4)


def cycles(cfg, tokens, inputs, words):
    """Cycles of a wide layer whose results stay in the lane."""
    total, chunks = STEP, -(-inputs // cfg.vector)
    for first in range(0, tokens, 4):
        group = min(4, tokens - first)
        total += GROUP + words // 2 * (chunks * (group + CHUNK) + inputs + DRAIN + 2 * group)
    return total


#: Cycles of a step, a group, an input word and a block beside their useful ones, see :func:`test_cycles`.
STEP, GROUP, CHUNK, DRAIN = 2, 1, 3, 5


@pytest.mark.parametrize(("tokens", "inputs", "outputs", "match"), [
    (1, 257, 3, r"^words of a token must be at most 128 \(two banks\), not 129 for its inputs$"),
    (1, 2, 129, r"^words of a token must be at most 64 \(a bank\), not 1 for its inputs and 65 for its results$"),
])
def test_does_not_fit(tokens, inputs, outputs, match):
    layer = a_layer(np.random.default_rng(9), tokens, inputs, outputs)
    with pytest.raises(UsageError, match=match):
        list(commands_of(plan_layer(layer, TINY), TINY))


def test_wrong_number_of_words():
    """A step that does not send what the program says."""
    model = Dota(TINY)
    step = {"step": 2, "queries": 1, "keys": 1, "chunks": 1, "blocks": 1, "reduce": 1, "first": 1, "emit": 1}
    with pytest.raises(RuntimeError, match=r"^step must send 2 words and TLAST after them, not 1$"):
        model.run_all(1, RunAll("linear", step, 2))


def test_program_shape():
    """A batch has commands for lanes; reads and sums are all that is answered."""
    layer = a_layer(np.random.default_rng(10), 2, 2, 2)
    batches = list(commands_of(plan_layer(layer, TINY), TINY))
    assert all(isinstance(on, On) and on.lanes == 1 for batch in batches for on in batch)
    assert [[type(on.command) for on in batch] for batch in batches] == [[Write], [Write, Run], [Read]]
    assert np.array_equal(linear(layer.x, layer.w.T, layer.shift),
                          Dota(TINY).run_program(plan_layer(layer, TINY)).results["y"])
