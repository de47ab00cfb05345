"""Programs: the interpreter makes of them what the equations say, jobs fit their fields, limits are one line."""

import re

import numpy as np
import pytest

from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.formats import Kind, Target, target_words
from golden.duet.interpret import Machine, run
from golden.duet.program import STAGE_FIELDS, packed
from golden.duet.random_network import random_conv, random_fc, random_network
from golden.duet.spec import MODES, forward
from tests.duet.launch import CONFIGS, TINY
from tests.duet.networks import SHAPES, conv_network, network_of, recurrent_network

#: Configurations beside ``tiny`` for shapes that fit them.
OTHERS = {"square": ("3x3", "3x3-stride", "lstm-37", "chain", "stack"),
          "paper": ("3x3", "chain", "5x5", "gru-37", "stack"), "tall": ("1x1", "fc", "lstm-1", "gru-37")}


def check(network, cfg, mode, **options):
    """Outputs of all layers are those of the equations; the program is one that the hardware can take."""
    program = compile_network(network, cfg, mode, **options)
    outputs, counts, machine = run(program, network.inputs)
    traces = forward(network, mode != "base")
    wanted = traces[-1].out[:, -1] if network.layers[-1].recurrent else traces[-1].out
    np.testing.assert_array_equal(outputs, wanted)
    for place, trace, layer in zip(program.outputs, traces, network.layers, strict=True):
        last = trace.out[-1, -1] if layer.recurrent else trace.out[-1]
        words = machine.read(place.base, place.words)
        np.testing.assert_array_equal(words.reshape(-1)[place.positions], last)
        if place.mapped and layer.kind == "conv":
            # The corrected OMap is the IMap of the next layer.
            maps = machine.data[Target.MAP][place.map_base:place.map_base + place.words]
            np.testing.assert_array_equal(maps.reshape(-1)[place.positions], last != 0)
    check_program(program)
    return program, counts


def check_program(program):
    """Jobs fit their fields, and all writes their memories."""
    cfg, words = program.cfg, target_words(program.cfg)
    writes = [*program.load, *program.zero, *(write for stage in program.stages for write in stage.writes)]
    for write in writes:
        assert 0 <= write.addr and write.addr + len(write.words) <= words[write.target]
    for stage in program.stages:
        assert stage.execute or stage.speculate
        for name, fields in STAGE_FIELDS.items():
            job = getattr(stage, name)
            if job is not None:
                assert job.keys() == fields.keys()
                packed(fields, job)
        if stage.execute:
            job = stage.execute
            assert 0 < job["lut_last"] <= job["lut_length"] <= cfg.lut and job["lut_base"] % cfg.tags == 0
            assert job["chunk"] * job["near_y"] * job["near_x"] <= cfg.input_words
            assert job["weight_words"] <= cfg.weight_words
            assert (job["passes"] - 1) * job["chunk"] < job["depth"] <= job["passes"] * job["chunk"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SHAPES)
def test_program_is_the_equations(name, mode):
    check(network_of(name), TINY, mode)


@pytest.mark.parametrize(("config", "name"), [(config, name) for config, names in OTHERS.items() for name in names])
def test_other_configurations(config, name):
    for mode in ("base", "duet"):
        check(network_of(name, 2), CONFIGS[config].replace(glb_words=4096), mode)


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed):
    """Convolutions of any shape, one after the other, then fully connected layers."""
    rng = np.random.default_rng(seed)
    shape, layers = (int(rng.integers(1, 20)), int(rng.integers(1, 12)), int(rng.integers(1, 12))), []
    at = shape
    for _ in range(int(rng.integers(1, 4))):
        kernel = tuple(int(n) for n in rng.integers(1, 6, 2))
        pad = int(rng.integers(max(kernel) // 2, 4))
        layers.append(random_conv(rng, at[0], int(rng.integers(1, 24)), kernel, stride=int(rng.integers(1, 4)),
                                  pad=pad, size=int(rng.integers(0, 12))))
        at = layers[-1].output_shape(at)
    if rng.random() < 0.7:
        layers.append(random_fc(rng, int(np.prod(at)), 7, relu=True, size=int(rng.integers(0, 9))))
    check(random_network(rng, shape, layers), TINY.replace(input_words=32), MODES[seed % len(MODES)])


@pytest.mark.parametrize("off_chip", [None, False, True])
@pytest.mark.parametrize("name", ["chain", "stack", "lstm-37"])
def test_where_weights_are(name, off_chip):
    program, _ = check(network_of(name), TINY, "duet", off_chip=off_chip)
    vectors = [stage.execute for stage in program.stages if stage.execute and stage.execute["kind"] == Kind.VECTOR]
    wanted = {None: name != "chain", False: False, True: True}[off_chip]
    assert vectors and vectors[0]["off_chip"] == wanted
    assert bool(len(program.memory)) == any(job["off_chip"] for job in vectors)


def test_weights_that_do_not_fit_are_written_in_parts():
    """A convolution is cut into parts of whole words of channels, each with its own weights, orders and maps."""
    rng = np.random.default_rng(3)
    network = conv_network(rng, channels=16, outputs=44, size=(5, 6), pad=1, low=9, count=2)
    small = TINY.replace(glb_words=256)
    for mode in MODES:
        program, counts = check(network, small, mode)
        whole, together = check(network, TINY, mode)
        parts = [stage.execute["channels"] for stage in program.stages if stage.execute]
        assert len(parts) > 2 and sum(parts) == 44 and not any(n % TINY.columns for n in parts[:-1])
        assert all(stage.writes for stage in program.stages if stage.execute)
        assert not any(stage.writes for stage in whole.stages)
        for own, other in zip(counts, together, strict=True):
            assert sum(c.macs for c in own) == sum(c.macs for c in other)


def test_parts_are_pipelined():
    """The Speculator works on a part while the Executor works on the one before."""
    rng = np.random.default_rng(4)
    network = random_network(rng, (4, 4, 4), [random_conv(rng, 4, 8, pad=1, size=4),
                                              random_conv(rng, 8, 64, pad=1, size=4)])
    program, _ = check(network, TINY.replace(glb_words=256), "duet")
    names = [stage.name for stage in program.stages]
    assert names[:3] == ["speculate l0", "execute l0 | speculate l1.0", "execute l1.0 | speculate l1.1"]
    depends = [stage.speculate["depends"] for stage in program.stages if stage.speculate]
    assert depends == [0, 1] + [0] * (len(depends) - 2)


def test_small_memories_are_written_again():
    """Programs, projections, INT4 weights and biases that do not fit together."""
    cfg = TINY.replace(projection_words=128, low_tiles=16)
    rng = np.random.default_rng(5)
    network = random_network(rng, (4, 4, 4), [random_conv(rng, 4, 24, pad=1, size=16),
                                              random_conv(rng, 24, 8, (5, 5), pad=2, size=8),
                                              random_conv(rng, 8, 24, pad=1, size=8)], 2)
    program, _ = check(network, cfg, "duet")
    targets = {write.target for stage in program.stages for write in stage.writes}
    assert targets == {Target.LUT, Target.PROJECTION, Target.LOW_WEIGHTS}


@pytest.mark.parametrize(("kind", "names"), [
    ("lstm", ["speculate l0 t0 i", "execute l0 t0 i | speculate l0 t0 f", "execute l0 t0 f | speculate l0 t0 g",
              "execute l0 t0 g | speculate l0 t0 o", "execute l0 t0 o", "speculate l0 t1 i"]),
    ("gru", ["speculate l0 t0 r", "execute l0 t0 r | speculate l0 t0 z", "execute l0 t0 z | speculate l0 t0 n",
             "execute l0 t0 n", "speculate l0 t1 r"])])
def test_gate_pipeline(kind, names):
    """Only the first speculation of a time step is exposed [Thesis 5.2.2]; the cell comes last, r h after r."""
    network = recurrent_network(np.random.default_rng(6), kind, hidden=5, features=3)
    program = compile_network(network, TINY)
    assert [stage.name for stage in program.stages][:len(names)] == names
    cells = [bool(stage.cell) for stage in program.stages][:len(names)]
    assert cells == ([False] * 4 + [True, False] if kind == "lstm" else [False, True, False, True, False])
    assert not any(stage.speculate["depends"] for stage in program.stages if stage.speculate)


def test_modes():
    """What each mode switches on [Thesis 5.3.3]."""
    network = network_of("chain")
    for mode in MODES:
        jobs = [stage.execute for stage in compile_network(network, TINY, mode).stages if stage.execute]
        with_low = [layer.low is not None for layer in network.layers]
        conv = [layer.kind == "conv" for layer in network.layers]
        assert [bool(job["use_omap"]) for job in jobs] == [low and mode != "base" for low in with_low]
        assert [bool(job["ordered"]) for job in jobs] == [
            low and is_conv and mode in ("bos", "duet") for low, is_conv in zip(with_low, conv, strict=True)]
        # The fifth layer has no little module, so nobody makes a map for the sixth.
        assert [bool(job["use_imap"]) for job in jobs] == [mode in ("ios", "duet")] * 5 + [False]


def test_counts():
    """Skipping: MACs add up, rows of insensitive outputs are not fetched, and the order of the modes holds."""
    network = conv_network(np.random.default_rng(7), channels=9, outputs=24, size=(8, 7), pad=1, low=8)
    found = {mode: run(compile_network(network, TINY, mode), network.inputs)[1][0][-1] for mode in MODES}
    base = found["base"]
    assert base.dense == base.macs and not base.skipped_output and base.outputs == 24 * 56 and not base.insensitive
    for mode, own in found.items():
        assert own.dense == base.dense == own.macs + own.skipped_output + own.skipped_input
        assert own.floor * TINY.rows * TINY.columns >= own.macs and own.utilization(TINY) <= 1
        assert bool(own.skipped_input) == (mode in ("ios", "duet"))
    assert found["os"].macs == found["bos"].macs and found["ios"].macs == found["duet"].macs
    assert base.floor > found["os"].floor > found["bos"].floor and found["ios"].floor > found["duet"].floor
    assert found["duet"].weight_words == found["os"].weight_words < base.weight_words


def test_weight_traffic_of_gates_is_that_of_sensitive_outputs():
    network = network_of("lstm-128")
    _, counts = check(network, TINY, "duet")
    sensitive = int(forward(network, True)[0].sensitive.sum())
    total = counts[0][0]
    for own in counts[0][1:]:
        total = total.plus(own)
    words = compile_network(network, TINY).stages[0].speculate["depth"]
    assert total.weight_words == sensitive * words and total.outputs - total.insensitive == sensitive



def conv(**fields):
    return conv_network(np.random.default_rng(8), **{"channels": 4, "outputs": 4, "size": (8, 8), **fields})


def fully_connected(outputs, low=0):
    rng = np.random.default_rng(9)
    return random_network(rng, (3,), [random_fc(rng, 3, outputs, relu=True, size=low)])


@pytest.mark.parametrize(("network", "changes", "message"), [
    (lambda: conv(channels=64, outputs=16, pad=1, low=0), {"glb_words": 512},
     r"layer 0: weights of 4 channels need \d+ words of the global buffer, and \d+ are left"),
    (lambda: conv(size=(60, 60), pad=1), {"glb_words": 64},
     "layer 0: inputs need 900 words of the global buffer, and 64 are left"),
    (lambda: conv(kernel=(7, 7), pad=3), {},
     "layer 0: a step of a 7 x 7 kernel with stride 1 needs 25 words of inputs, and input_words is 16"),
    (lambda: conv(kernel=(5, 5), pad=2), {"lut": 64},
     "layer 0: a step of a 5 x 5 kernel with stride 1 needs 100 micro-instructions, and lut is 64"),
    (lambda: conv(kernel=(5, 5), pad=2), {"weight_words": 2},
     "layer 0: a step of a 5 x 5 kernel with stride 1 needs 7 words of weights, and weight_words is 2"),
    (lambda: conv(low=40), {"reduced_words": 8},
     "layer 0: the little module needs 10 words of the reduced input, and reduced_words is 8"),
    (lambda: conv(channels=32, pad=1), {"activation_words": 64},
     "layer 0: the little module needs 128 words of the activation buffer, and activation_words is 64"),
    (lambda: conv(low=40), {"projection_words": 32},
     "layer 0: values of the projection need 40 words of the projection buffer, and 32 are left"),
    (lambda: network_of("lstm-128"), {"low_tiles": 16},
     "layer 0: INT4 weights need 48 words of the QDR weight buffer, and 16 are left"),
    (lambda: network_of("lstm-128"), {"glb_words": 128},
     r"layer 0: weights need 16 words of the global buffer, and \d+ are left"),
    (lambda: conv(size=(700, 1), kernel=(1, 1)), {},
     r"layer 0: height of the input map must be at most 510 \(255 blocks of 2 pixels\), not 700"),
    (lambda: conv(size=(1, 1021), kernel=(1, 1), stride=3), {"side": 4, "lut": 256},
     r"layer 0: width of the input map must be at most 1020 \(255 blocks of 4 pixels\), not 1021"),
    (lambda: conv(size=(3, 500), kernel=(1, 1), pad=14), {},
     (r"layer 0: width of the output map of a 1 x 1 kernel with stride 1 and pad 14 must be at most 510 "
      r"\(255 tiles of 2 pixels\), not 528")),
    (lambda: conv(pad=15), {}, r"layer 0: pad must be at most 14 \(7 blocks of 2 pixels\), not 15"),
    (lambda: conv(size=(40, 4), kernel=(31, 1)), {"input_words": 32},
     ("layer 0: blocks of 2 pixels that a tile reaches over with a 31 x 1 kernel, stride 1 and pad 0 must be at most "
      "15 each way, not 16")),
    (lambda: conv(size=(20, 4), kernel=(15, 1), low=4), {},
     ("layer 0: blocks of 2 pixels that the little module reaches over with a 15 x 1 kernel and stride 1 must be at "
      "most 8 each way, not 9")),
    (lambda: fully_connected(255 * 8 + 1, low=4), {},
     r"layer 0: outputs of a layer with a little module must be at most 2040 \(255 times 8\), not 2041"),
    (lambda: fully_connected(65536), {"glb_words": 65536}, r"layer 0: outputs must be at most 65535, not 65536"),
])
def test_what_does_not_fit_is_one_line(network, changes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        compile_network(network(), TINY.replace(**changes))


def test_wrong_mode_and_limits():
    network = network_of("1x1")
    with pytest.raises(ValueError, match=r"^mode must be one of base, os, bos, ios, duet, not 'fast'$"):
        compile_network(network, TINY, "fast")
    with pytest.raises(ValueError, match=r"^limits must be 3 thresholds, largest first, not \[1, 2, 3\]$"):
        compile_network(network, TINY, limits=[1, 2, 3])


def test_interpreter_refuses_a_write_outside():
    program = compile_network(network_of("1x1"), TINY)
    machine = Machine(TINY)
    with pytest.raises(ValueError, match=r"^addr must be in 0\.\.4095, not 4096$"):
        machine.write(program.input_writes(network_of("1x1").inputs[0])[0]._replace(
            addr=4096, words=np.zeros((1, TINY.values), np.int64)))


def test_a_wrong_job_is_noticed():
    """The comparison above bites: programs with one field changed come to other outputs."""
    network = network_of("chain")
    program = compile_network(network, TINY)
    wanted = forward(network, True)[-1].out
    noticed = re.compile("execute")
    for field in ("first_y", "weight_base", "imap_base", "out_depth", "bias_base", "lut_base", "near_x"):
        stages = [stage._replace(execute={**stage.execute, field: stage.execute[field] + 1})
                  if stage.execute and stage.layers[0] == 1 else stage for stage in program.stages]
        assert any(noticed.match(stage.name) for stage in stages)
        with pytest.raises((AssertionError, IndexError, ValueError)):
            np.testing.assert_array_equal(run(program._replace(stages=stages), network.inputs)[0], wanted)


def test_presets_take_a_network():
    for cfg in PRESETS.values():
        check(network_of("3x3"), cfg, "duet")
