"""The interpreter of jobs against the definitions of the units, and that its counts are those of the tags."""

import numpy as np
import pytest

from golden.duet import cell, executor_pe, mac_lut, spec_store
from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.formats import CELL_FIELDS, Cell, Function, Kind, Target
from golden.duet.interpret import Counts, Machine
from golden.duet.interpret_execute import execute
from golden.duet.interpret_speculate import speculate
from golden.duet.program import job
from golden.duet.spec import low_codes, low_outputs, quantise, reduced_input, sensitive
from tests.duet.launch import CONFIGS, TINY
from tests.duet.networks import conv_network, network_of

CFGS = pytest.mark.parametrize("cfg", [CONFIGS["tiny"], CONFIGS["square"]], ids=["tiny", "square"])


def loaded(program, x):
    """A machine before the first stage."""
    machine = Machine(program.cfg, program.memory)
    for write in (*program.load, *program.input_writes(x)):
        machine.write(write)
    return machine


def as_program(cfg, words):
    """Micro-instructions [n, 3] of words of the LUT."""
    return np.stack([words & (1 << cfg.input_bits) - 1, words >> cfg.input_bits & (1 << cfg.weight_bits) - 1,
                     words >> cfg.input_bits + cfg.weight_bits], axis=1)


@CFGS
@pytest.mark.parametrize("op", Cell)
@pytest.mark.parametrize("length", [1, 13, 40])
def test_cell(cfg, op, length):
    rng = np.random.default_rng([op, length])
    machine = Machine(cfg)
    values = rng.integers(-32768, 32768, (64, cfg.columns, cfg.pixels))
    machine.data[Target.GLB][:64] = np.where(rng.random(values.shape) < 0.2, 32767, values)
    places = dict(zip(("a", "b", "c", "d", "state", "hidden"), range(0, 60, 10), strict=True))
    wanted = machine.data[Target.GLB].copy()
    cell.apply(wanted, op, length, **places)
    machine.cell(job(CELL_FIELDS, op=op, length=length, **places))
    np.testing.assert_array_equal(machine.data[Target.GLB], wanted)


@CFGS
@pytest.mark.parametrize("name", ["3x3", "3x3-stride", "64-channels"])
def test_maps_and_orders(cfg, name):
    """What a job of the Speculator writes is what its store says."""
    network = network_of(name)
    program = compile_network(network, cfg.replace(lut=512, reduced_words=8), "duet")
    machine = loaded(program, network.inputs[0])
    stage = program.stages[0]
    before = {target: machine.data[target].copy() for target in (Target.GLB, Target.MAP)}
    speculate(machine, stage.speculate)
    own = stage.speculate
    place = program.outputs[0]
    # From the maps that it wrote back to those of the pixels of every tile.
    bits = machine.data[Target.MAP][place.map_base:place.map_base + place.words].reshape(-1)[place.positions]
    maps = []
    for tile in range(own["tiles_y"] * own["tiles_x"]):
        ty, tx = divmod(tile, own["tiles_x"])
        maps.append({y * cfg.side + x: bits[:, ty * cfg.side + y, tx * cfg.side + x] != 0
                     for y in range(cfg.side) for x in range(cfg.side)
                     if ty * cfg.side + y < own["height"] and tx * cfg.side + x < own["width"]})
    check_memories(machine, before, spec_store.store(program.cfg, own, maps))


@CFGS
@pytest.mark.parametrize("name", ["lstm-37", "gru-37", "fc"])
def test_approximations(cfg, name):
    network = network_of(name)
    program = compile_network(network, cfg, "duet")
    machine = loaded(program, network.inputs[0])
    own = program.stages[0].speculate
    before = {target: machine.data[target].copy() for target in (Target.GLB, Target.MAP)}
    layer, x = network.layers[0], network.inputs[0]
    x = np.concatenate([np.zeros(layer.outputs, np.int64), x[0]]) if layer.recurrent else x
    y = low_outputs(layer.low, reduced_input(layer.low, quantise(x)[None]))[0]
    function = layer.functions[0]
    speculate(machine, own)
    maps = sensitive(y, function, layer.low.threshold[0])
    codes = low_codes(y, function, layer.low.low_shift[0])
    check_memories(machine, before, spec_store.store(cfg, own, [{0: maps}], codes))


def check_memories(machine, before, written):
    """Only what the store says has changed, and it is there."""
    for target, words in ((Target.GLB, written.data), (Target.MAP, written.maps)):
        assert words or target == Target.GLB
        for addr, values in words.items():
            for place, value in values.items():
                before[target].reshape(len(before[target]), -1)[addr, place] = value
        np.testing.assert_array_equal(machine.data[target], before[target])


@pytest.mark.parametrize("mode", ["base", "os", "ios", "duet"])
def test_counts_are_those_of_tags(mode):
    """PE by PE and step by step with the definitions of the MAC LUT and the PE."""
    cfg = TINY
    network = conv_network(np.random.default_rng(1), channels=9, outputs=6, size=(5, 4), pad=1, low=6)
    program = compile_network(network, cfg, mode)
    machine = loaded(program, network.inputs[0])
    for stage in program.stages[:-1]:
        machine.stage(stage)
    own = program.stages[-1].execute
    macs = floor = 0
    wanted = np.zeros((own["channels"], own["tiles_y"] * own["tiles_x"], cfg.pixels), np.int64)
    for tile in range(wanted.shape[1]):
        order = np.arange(6)
        if own["ordered"]:
            order = machine.data[Target.GLB][own["order_base"] + tile].T.reshape(-1)[:6]
        for group in (order[:4], order[4:]):
            for step in range(own["passes"]):
                work = []       # of every PE
                for channel in group:
                    for column in range(cfg.columns):
                        sums, count = pe_step(machine, own, tile, step, channel, column)
                        wanted[channel, tile] += sums
                        work.append(count)
                macs, floor = macs + sum(work), floor + max(work)
    counts = execute(machine, own)
    assert (counts.macs, counts.floor) == (macs, floor)
    bias = network.layers[0].b
    value = np.maximum((wanted + bias[:, None, None] + (1 << own["shift"] - 1)) >> own["shift"], 0).clip(0, 32767)
    for channel in range(6):
        for tile in range(wanted.shape[1]):
            words = machine.data[Target.GLB][own["out_base"] + tile * own["out_depth"] + channel // cfg.columns]
            some = words[channel % cfg.columns] != 0
            assert (words[channel % cfg.columns][some] == value[channel, tile][some]).all()


def pe_step(machine, own, tile, step, channel, column):
    """Sums and number of MACs of a PE in a step."""
    cfg, (ty, tx) = machine.cfg, divmod(tile, own["tiles_x"])
    y, x = np.divmod(np.arange(cfg.pixels), cfg.side)
    omap = (ty * cfg.side + y < own["height"]) & (tx * cfg.side + x < own["width"])
    if own["use_omap"]:
        word = own["omap_base"] + tile * own["out_depth"] + channel // cfg.columns
        omap &= machine.data[Target.MAP][word, channel % cfg.columns] != 0
    first = own["weight_base"] + (channel * own["passes"] + step) * own["weight_words"]
    weights = machine.data[Target.GLB][first:first + own["weight_words"], column].reshape(-1)
    length = own["lut_last" if step == own["passes"] - 1 else "lut_length"]
    code = as_program(cfg, machine.data[Target.LUT][own["lut_base"]:own["lut_base"] + length])
    inputs, imap = near(machine, own, ty, tx, step, column)
    tags = mac_lut.valid(code, imap, omap)
    return executor_pe.step_sums(inputs, weights, code, tags, np.zeros(cfg.pixels)), int(tags.sum())


def near(machine, own, ty, tx, step, column):
    """Inputs and IMap of a column for a step, by input index."""
    cfg = machine.cfg
    inputs, imap = [], []
    for word in range(min(own["chunk"], own["depth"] - step * own["chunk"])):
        for dy in range(own["near_y"]):
            for dx in range(own["near_x"]):
                y, x = ty * own["stride"] - own["first_y"] + dy, tx * own["stride"] - own["first_x"] + dx
                there = 0 <= y < own["blocks_y"] and 0 <= x < own["blocks_x"]
                addr = (y * own["blocks_x"] + x) * own["depth"] + step * own["chunk"] + word
                inputs += (machine.data[Target.GLB][own["in_base"] + addr, column] if there
                           else np.zeros(cfg.pixels, np.int64)).tolist()
                if not own["use_imap"]:
                    imap += [True] * cfg.pixels
                else:
                    imap += (machine.data[Target.MAP][own["imap_base"] + addr, column] != 0 if there
                             else np.zeros(cfg.pixels, bool)).tolist()
    return np.array(inputs), np.array(imap)


def test_fetched_words():
    """Inputs are loaded once for a tile if a group has one step, else once for every step of a group that works."""
    for channels, passes, words in ((4, 1, 9), (8, 2, 9 * 2 * 3)):
        network = conv_network(np.random.default_rng(2), channels=channels, outputs=12, size=(2, 2), pad=1, low=0)
        program = compile_network(network, TINY, "base")
        counts = execute(loaded(program, network.inputs[0]), program.stages[0].execute)
        assert program.stages[0].execute["passes"] == passes
        assert counts.input_words == words and counts.steps == 3 * passes and counts.weight_words == 12 * passes * 3


def test_counts_add_up():
    one = Counts(*range(10))
    assert one.plus(one) == Counts(*range(0, 20, 2))
    assert Counts().utilization(TINY) == 0.0 and Counts(macs=32, floor=4).utilization(TINY) == 0.5


def test_vector_jobs_keep_insensitive_outputs():
    """(5.1): what the Speculator has left there stays."""
    network = network_of("lstm-37")
    program = compile_network(network, PRESETS["tiny"])
    machine = loaded(program, network.inputs[0])
    own = program.stages[1].execute
    assert own["kind"] == Kind.VECTOR and own["function"] == Function.SIGMOID
    machine.stage(program.stages[0])
    words = slice(own["out_base"], own["out_base"] + own["out_depth"])
    maps = machine.data[Target.MAP][own["omap_base"]:own["omap_base"] + own["out_depth"]].copy()
    before = machine.data[Target.GLB][words].copy()
    execute(machine, own)
    after = machine.data[Target.GLB][words]
    assert np.array_equal(after[maps == 0], before[maps == 0]) and (after != before)[maps != 0].any()
