"""The whole accelerator: cycle model against the interpreter, RTL against the cycle model in every cycle."""

import numpy as np
import pytest

from golden.duet import interpret
from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.model import Duet
from golden.duet.spec import MODES
from golden.duet.workloads import load
from sim.duet.accelerator import build, simulate

TINY = PRESETS["tiny"]


def program_of(name, mode, inputs=1, cfg=TINY):
    workload = load(name, cfg, 1).limited(inputs)
    return compile_network(workload.network, cfg, mode, limits=workload.limits), workload.network.inputs


def assert_runs(program, inputs, runs):
    """Outputs, and MACs, steps and words of weights of every stage, are those of the interpreter."""
    outputs, counts, _ = interpret.run(program, inputs)
    for run, output, own in zip(runs, outputs, counts, strict=True):
        assert np.array_equal(run.output, output)
        told = [tuple(stage[name] for name in ("macs", "steps", "weight_words", "input_words")) for stage in run.counts]
        assert told == [(each.macs, each.steps, each.weight_words, each.input_words) for each in own]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["fig-5-3", "fig-5-4", "digits-cnn", "digits-lstm"])
def test_model_equals_interpreter(name, mode):
    program, inputs = program_of(name, mode, 2)
    model = Duet(TINY)
    chip = model.load(program)
    runs = [model.run(program, x, chip) for x in inputs]
    assert_runs(program, inputs, runs)
    # A cycle in which a PE issues a MAC, for each MAC of the busiest one.
    floors = [each.floor for own in interpret.run(program, inputs)[1] for each in own]
    assert [stage["mac_cycles"] for run in runs for stage in run.counts] == floors


@pytest.mark.parametrize(("name", "mode"), [("fig-5-3", "duet"), ("fig-5-4", "duet"), ("digits-lstm", "duet"),
                                            *(("digits-cnn", mode) for mode in MODES)])
def test_rtl_equals_model(name, mode):
    program, inputs = program_of(name, mode, 1)
    ran = simulate(build(TINY), program, inputs, stalls=(0, 1) if name == "digits-cnn" else (), reply_stalls=(1, 0))
    assert_runs(program, inputs, ran.runs)
