"""Loader, Executor, store and global buffer together: jobs of compiled networks, against the definition of the jobs."""

import numpy as np
import pytest

from golden.duet import step_loads
from golden.duet.compiler import compile_network
from golden.duet.formats import Target
from golden.duet.interpret import Machine
from golden.duet.interpret_execute import execute
from golden.duet.spec import MODES
from tests.duet.execute_path import ExecutePath
from tests.duet.launch import CONFIGS
from tests.duet.networks import network_of

#: A network and the modes it is run in.
RUNS = [("3x3", MODES), ("3x3-stride", ("duet",)), ("5x3", ("base", "bos")), ("far-padding", ("duet",)),
        ("64-channels", ("duet",)), ("chain", MODES), ("no-low", ("duet",)), ("lstm-37", ("duet", "base")),
        ("gru-1", ("duet",)), ("stack", ("ios",))]


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for name, modes in RUNS for mode in modes])
def test_jobs_of_a_network(name, mode):
    """Memories after every job of the Executor are those of the interpreter, bit by bit, and the words that were
    fetched are as many."""
    cfg, network = CONFIGS["tiny"], network_of(name)
    program = compile_network(network, cfg, mode)
    machine, path, cycles, floor = Machine(cfg, program.memory), ExecutePath(cfg), 0, 0
    for write in [*program.load, *program.input_writes(network.inputs[0])]:
        machine.write(write)
    for stage in program.stages:
        for write in stage.writes:
            machine.write(write)
        if stage.execute:
            before = path.loader.steps.seen.copy()
            cycles += path.run(machine, stage.execute)
            counts = execute(machine, stage.execute)
            floor += counts.floor
            for target, memory in ((Target.GLB, path.glb.data), (Target.MAP, path.glb.map)):
                np.testing.assert_array_equal(memory[0], machine.data[target].reshape(memory[0].shape), stage.name)
            assert fetched(path, before) == (counts.weight_words, counts.input_words, counts.steps)
        machine.stage(stage._replace(execute=None, writes=[]))
    assert cycles >= floor


def fetched(path, before):
    """Words of weights, of inputs, and steps, since the counters stood at ``before``."""
    seen = path.loader.steps.seen - before
    return (seen[step_loads.WEIGHT_WORD] + seen[step_loads.MEMORY_WORD], seen[step_loads.INPUT_WORD],
            seen[step_loads.STEP])
