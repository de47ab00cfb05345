"""Encoder blocks: what the program does with the lanes, on the model and in RTL, where every cycle is compared."""

import json

import numpy as np
import pytest

import golden.dota.cli
import sim.dota.cli
from golden.common.cli import UsageError
from golden.dota.compiler import Read, Run, Write
from golden.dota.config import PRESETS
from golden.dota.encoder import lanes_of, layout_of, plan_block, plan_layers
from golden.dota.formats import MOST_CHUNKS, Step
from golden.dota.layers import Linear, random_block
from golden.dota.linear import RunAll, commands_of
from golden.dota.model import Dota
from sim.dota import accelerator
from tests.dota.launch import CONFIGS, TINY

SMALL = PRESETS["small"]


def a_block(cfg, seed=1, **sizes):
    return random_block(np.random.default_rng(seed), cfg,
                        **{"tokens": 9, "heads": 4, "dim": 3, "inner": 40, "keep": 3} | sizes)


def check(results, layers, cfg):
    """The numbers of layer 1."""
    wanted = layers.results(cfg)
    for name, values in results.items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name)


@pytest.mark.parametrize(("cfg", "sizes"), [
    (TINY, {}), (TINY, {"tokens": 1, "past": 12}), (TINY, {"tokens": 3, "past": 6, "heads": 3}),
    (SMALL, {"heads": 6, "dim": 9, "inner": 33}), (TINY.replace(lanes=4), {"tokens": 5, "inner": 140}),
    (TINY.replace(lanes=8), {"heads": 2, "dim": 1, "inner": 3, "tokens": 4}), (CONFIGS["flat"], {"dim": 8}),
    (PRESETS["paper"], {"tokens": 5, "dim": 70, "inner": 300})],
    ids=["tiny", "decode", "past", "six-heads", "four-lanes", "idle-lanes", "flat", "paper"])
def test_model_equals_layer_1(cfg, sizes):
    """Heads in turns, lanes without work, words that are not full, parts of the inner layer, keys from the cache."""
    block = a_block(cfg, **sizes)
    model = Dota(cfg)
    run = model.run_program(plan_block(block, cfg))
    check(run.results, block, cfg)
    assert set(run.results) == {"o", "y", "f", "out"}
    assert not model.state.lanes.sram.conflicts.any() and not model.state.io.error[0]
    assert set(run.cycles) == {"project", "transform", "linear", "attend", "project_out", "ffn"}


def test_data_stays_in_the_lanes():
    """The host sends X, weights and Y and gets sums: no Q, K, V, Z or inner activation goes to or fro."""
    block = a_block(SMALL)
    batches = list(commands_of(plan_block(block, SMALL), SMALL))
    commands = [on.command for batch in batches for on in batch]
    assert not any(isinstance(command, Read) for command in commands)
    sums = sum(command.words for command in commands if isinstance(command, RunAll))
    assert sums == 2 * 9 * -(-12 // SMALL.vector)
    steps = [int(command.step["step"]) for command in commands if isinstance(command, Run)]
    assert steps.count(Step.ATTEND) == 4
    # X and Y go to both lanes at once, and so do all steps of linear layers.
    assert sum(on.lanes == 3 and isinstance(on.command, Write) for batch in batches for on in batch) == 2
    assert all(on.lanes == 3 for batch in batches for on in batch
               if isinstance(on.command, Run) and on.command.step["step"] == Step.LINEAR)


def test_past_is_written_by_the_host():
    """Keys and values of the cache are the only ones that are written; the new token's come from the array."""
    block = a_block(TINY, tokens=1, past=12)
    commands = [on.command for batch in commands_of(plan_block(block, TINY), TINY) for on in batch]
    layout = layout_of(block, TINY)
    cached = [command for command in commands if isinstance(command, Write)
              and any(command.addr == base + 13 * chunk for base in (layout.keys, layout.values) for chunk in (0, 1))
              and len(command.words) == 12]
    assert len(cached) == 4 * 2 * 2


@pytest.mark.parametrize(("lanes", "heads", "used"), [(1, 4, 1), (2, 4, 2), (4, 4, 4), (8, 4, 4), (4, 6, 2), (4, 3, 1)])
def test_lanes(lanes, heads, used):
    block = a_block(TINY, heads=heads, dim=1)
    assert lanes_of(block, TINY.replace(lanes=lanes)) == used


@pytest.mark.parametrize(("sizes", "message"), [
    ({"tokens": 33}, r"^keys must be at most 32 \(32 that the detector takes and what 4 banks hold\), not 33$"),
    ({"tokens": 30, "dim": 4}, r"^Q~ and K~ of a lane's heads must take at most 128 words, not 256: choose a larger "),
    ({"inner": 80}, r"^Y and U and a row of weights for each input must take at most 256 words, not 372: choose a "),
    ({"tokens": 3, "dim": 9}, r"^inputs of a layer must be at most 32 \(16 words of 2 elements, and room for "),
    ({"tokens": 21, "dim": 8, "heads": 2}, r"^K, Q, V, X and a row of weights for each input must take at most 256 "),
])
def test_does_not_fit(sizes, message):
    block = a_block(TINY, **sizes)
    with pytest.raises(UsageError, match=message):
        list(commands_of(plan_block(block, TINY), TINY))


def layers_of(cfg, rng):
    """Layers that use all ways: several blocks and groups, one word, sums over lanes and steps, then a block.

    The first two clip nothing, but the second would, if it looked at what the first has left in half of the array.
    """
    def numbers(*shape):
        return rng.integers(-(1 << 15), 1 << 15, shape)

    v, most = cfg.vector, MOST_CHUNKS * cfg.vector
    quiet = [Linear(x=np.full((4, most + 1), x), w=np.full((words * v, most + 1), w), shift=shift)
             for x, w, words, shift in (((1 << 15) - 1, (1 << 15) - 1, 2, 28), (3, 5, 1, 0))]
    layers = [Linear(x=numbers(tokens, inputs), w=numbers(outputs, inputs), frac_x=0, frac_w=0, shift=shift, relu=relu)
              for tokens, inputs, outputs, shift, relu in (
                  (1, 1, 1, 15, False), (5, v + 1, 3 * v, 17, True), (4, 2 * v, v, 12, False),
                  (2, most + 1, v + 1, 18, True), (3, 2 * most + 1, 1, 19, False))]
    return [*quiet, *layers, random_block(rng, cfg, tokens=5, heads=4, dim=2, inner=35 * cfg.lanes, keep=2), layers[1],
            random_block(rng, cfg, tokens=1, past=6, heads=4, dim=1, inner=5, keep=2)]


@pytest.mark.parametrize("cfg", [TINY, TINY.replace(lanes=4), CONFIGS["flat"].replace(lanes=2)],
                         ids=["tiny", "four-lanes", "flat"])
def test_rtl_equals_model(cfg):
    """One after the other, so that each begins with what the last one left; the host pauses on both streams."""
    layers = layers_of(cfg, np.random.default_rng([6, cfg.lanes]))
    ran = accelerator.simulate(accelerator.build(cfg), cfg, [], layers=layers, stalls=(1, 0, 0, 1, 0),
                               reply_stalls=(1, 1, 0, 1, 0, 0, 0))
    assert len(ran.runs) == len(layers)
    for run, each in zip(ran.runs, layers, strict=True):
        check(run.results, each, cfg)
    # Cycles of what sends nothing are those of the model alone; pauses of the host make the rest longer.
    for run, each in zip(ran.runs, layers, strict=True):
        alone = Dota(cfg).run_program(plan_layers(each, cfg)).cycles
        assert run.cycles.keys() == alone.keys()
        assert all(run.cycles[phase] == alone[phase] for phase in ("attend", "project", "transform") if phase in alone)


@pytest.mark.parametrize("workload", ["encoder", "encoder-decode"])
@pytest.mark.parametrize("preset", ["tiny", "small"])
def test_golden_cycles_equal_rtl_cycles(preset, workload, tmp_path):
    """Without pauses model and RTL report the same cycles in every stage."""
    reports = []
    for cli in (golden.dota.cli, sim.dota.cli):
        file = tmp_path / "report.json"
        assert cli.main(["--preset", preset, "--workload", workload, "--json", str(file)]) == 0
        reports.append(json.loads(file.read_text()))
    model, rtl = reports
    assert rtl["metrics"]["stages"] == model["metrics"]["stages"] and len(model["metrics"]["stages"]) == 6
    assert rtl["cycles"] == model["cycles"] == sum(stage["cycles"] for stage in model["metrics"]["stages"])
    assert rtl["mismatches"] == rtl["functional_errors"] == 0 < rtl["utilization"] == model["utilization"] < 1
