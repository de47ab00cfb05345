"""Traced runs of DUET whose waveforms are compared with earlier ones: ``python -m sim.regress duet``.

Together they use every unit and all modes: convolutions with strides, padding and odd shapes, fully connected layers
with weights on chip and off it, LSTM and GRU, little modules that keep all outputs, some and none, numbers at their
limits, a host that pauses, one that sends all stages at once, words that are read back, and commands that are refused.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from golden.common.fields import pack_fields
from golden.duet import host
from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS, DuetConfig
from golden.duet.formats import CELL_FIELDS, COMMAND_FIELDS, Cell, Function, Op, Target, target_words
from golden.duet.layers import Layer, Network
from golden.duet.packing import Write, pack, vector_positions
from golden.duet.program import Stage, job
from golden.duet.random_network import random_conv, random_fc, random_network, random_recurrent
from sim.common.regress import Run
from sim.common.waves import format_for
from sim.duet.accelerator import build, design, simulate

TINY = PRESETS["tiny"]
#: More rows than columns, a wide Speculator, fewer tags a cycle, small buffers, two buckets, few channels.
TALL = TINY.replace(rows=8, columns=2, tags=8, trees=8, systolic_columns=4, buckets=2, weight_words=4, channels=16)
#: No and any |y'| of a gate is beyond these thresholds of (5.2).
_ALL, _NONE = (1 << 31) - 1, -1


def _thresholds(layer: Layer, *thresholds: int) -> Layer:
    """The layer with other thresholds of (5.2), of the first gates."""
    own = layer.low.threshold.copy()
    own[:len(thresholds)] = thresholds
    return replace(layer, low=replace(layer.low, threshold=own))


def _full_scale(layer: Layer, **changes) -> Layer:
    """The layer with weights at the limits."""
    return replace(layer, w=np.where(layer.w > 0, (1 << 15) - 1, -1 << 15), **changes)


def _full_low(layer: Layer) -> Layer:
    """The layer with a little module whose sums are as large as they can be."""
    rows = np.where(np.arange(layer.outputs) % 2, 7, -8)
    return replace(layer, low=replace(layer.low, p=np.ones_like(layer.low.p), reduce_shift=0,
                                      w=np.broadcast_to(rows[:, None], layer.low.w.shape).copy()))


def _chain(rng):
    """Lists of channels that wait for each other, words of channels that are not full."""
    return random_network(rng, (3, 3, 2), [
        random_conv(rng, 3, 9, (2, 1), stride=2, pad=1, size=17), random_conv(rng, 9, 17, (1, 2), pad=2, size=4)])


def _edges(rng):
    """Padding beyond the map; outputs that are all sensitive, none, and numbers at the limits of the Speculator."""
    return random_network(rng, (2, 2, 5), [
        _thresholds(_full_low(random_conv(rng, 2, 5, (2, 3), pad=3, size=4)), -1 << 31),
        _thresholds(random_conv(rng, 5, 1, (1, 1), stride=2, size=3), (1 << 31) - 1),
        random_conv(rng, 1, 6, (2, 2), size=4)])


def _many_words(rng):
    """Pixels that come faster than the systolic array takes them; then a step of as many words as the PEs hold."""
    return random_network(rng, (1, 4, 5), [random_conv(rng, 1, 61, (1, 1), size=5), random_conv(rng, 61, 1, (1, 1))])


def _limits(rng):
    return random_network(rng, (32, 3, 6), [_full_scale(random_conv(rng, 32, 2, (1, 5)), shift=2),
                                            _full_scale(random_fc(rng, 2 * 3 * 2, 7))])


def _lstm(rng):
    return random_network(rng, (2, 3), [_thresholds(random_recurrent(rng, "lstm", 5, 3, size=4), _NONE, _ALL),
                                        random_fc(rng, 5, 3)])


def _gru(rng):
    return random_network(rng, (1, 20), [random_recurrent(rng, "gru", 17, 20, size=3),
                                         random_fc(rng, 17, 6, relu=True, size=5)])


def _mixed(rng):
    """Whatever the small buffers cut into parts."""
    return random_network(rng, (3, 5, 4), [
        random_conv(rng, 3, 16, pad=1, size=9), random_conv(rng, 16, 5, (2, 1), size=3),
        random_fc(rng, 5 * 4 * 4, 4, relu=True, size=3)])


def _stack(rng):
    return random_network(rng, (1, 20), [
        random_recurrent(rng, "gru", 17, 20, size=1), random_recurrent(rng, "lstm", 3, 17), random_fc(rng, 3, 2)])


def _network(make: Callable, mode: str, off_chip=None, seed=7) -> Callable:
    """The program of a network of random numbers."""
    def program(cfg):
        network = make(np.random.default_rng(seed))
        return compile_network(network, cfg, mode, off_chip=off_chip), network.inputs
    return program


#: Operands over the whole range of sigmoid and tanh, one of every segment of their table.
_SWEEP = (np.arange(256) - 128) * 256


def _functions(cfg):
    """Biases go through sigmoid and tanh; then stages that no network has: the cell unit alone, and nothing."""
    layer = Layer(kind="fc", w=np.zeros((256, 1), np.int64), b=_SWEEP, shift=0)
    program = compile_network(Network(layers=[layer], inputs=np.zeros((1, 1), np.int64)), cfg, "base", off_chip=True)
    first, place = program.stages[0], program.outputs[0]
    words = place.words
    state, ones, after = (cfg.glb_words - n * words for n in (1, 2, 3))    # far from all that the compiler has placed
    cell = {"length": 250, "a": place.base, "b": ones, "c": place.base, "d": ones}
    jobs = [job(CELL_FIELDS, op=Cell.LSTM, state=state, hidden=after, **cell),
            job(CELL_FIELDS, op=Cell.GRU, length=9, a=ones, b=ones, hidden=state, d=after),
            job(CELL_FIELDS, op=Cell.RESET, length=0, a=ones, hidden=state, d=after), None]
    stages = [first._replace(execute=first.execute | {"function": int(function)})
              for function in (Function.SIGMOID, Function.TANH)]
    sweep = pack(cfg, _SWEEP, vector_positions(cfg, 256), words)
    writes = [Write(Target.GLB, state, sweep), Write(Target.GLB, ones, np.full_like(sweep, (1 << 15) - 1))]
    return program._replace(load=[*program.load, *writes], stages=[*stages, *(
        Stage("", [], None, None, each, (None, None)) for each in jobs)]), np.zeros((1, 1), np.int64)


def _command(op, target, addr=0, count=1, **fields):
    return pack_fields(COMMAND_FIELDS, {"op": op, "target": target, "addr": addr, "count": count, **fields})


def _packets(cfg: DuetConfig):
    """Words of all memories are written and read, as far as they can be; then commands that are refused."""
    rng = np.random.default_rng(3)
    last = target_words(cfg)[Target.MAP] - 2
    bits = Write(Target.MAP, last, rng.integers(0, 2, (2, cfg.values)))
    return [host.write_packet(cfg, bits), [_command(Op.READ, Target.MAP, last, 2)],
            [_command(Op.WRITE, len(Target)), 1, 2], [_command(Op.WRITE, Target.LUT, zero=1)],
            [*host.write_packet(cfg, bits), 5], host.write_packet(cfg, bits)[:-1]]


def _run(what: str, cfg: DuetConfig, make: Callable, extra=None, **options) -> Run:
    def simulated(built, **files):
        program, inputs = make(cfg)
        return simulate(built, program, inputs, extra=extra(cfg) if extra else (), **options, **files)

    def trace(waves_file: Path):
        simulated(build(cfg, format_for(waves_file)), waves_file=waves_file)

    def cover(coverage_file: Path):
        return simulated(build(cfg, waves=False, coverage=True), coverage_file=coverage_file).seen

    return Run(what, lambda: design(cfg), trace, cover)


RUNS = {
    "tiny-chain": _run("two convolutions; all stages are sent at once, then commands that are refused; replies wait",
                       TINY, _network(_chain, "duet", seed=21), _packets, ahead=True, reply_stalls=(0, 1, 1)),
    "tiny-edges": _run("padding beyond the map; outputs that are all sensitive, some and none", TINY,
                       _network(_edges, "bos", seed=19)),
    "tiny-many-words": _run("buffers of the Speculator that fill; a step of all words of the PEs", TINY,
                            _network(_many_words, "ios")),
    "tiny-limits": _run("no little modules, numbers at their limits; the host pauses", TINY, _network(_limits, "base"),
                        stalls=(1, 0, 0, 1, 0)),
    "tiny-lstm": _run("an LSTM over two steps; gates that are all sensitive, some and none", TINY,
                      _network(_lstm, "os", seed=12)),
    "tiny-gru": _run("a GRU of two words, all weights off chip", TINY, _network(_gru, "ios", off_chip=True, seed=3)),
    "tiny-functions": _run("sigmoid and tanh over their whole range; the cell unit alone, and stages of nothing", TINY,
                           _functions),
    "tall-chain": _run("eight rows of two PEs, as many channels as there may be", TALL,
                       _network(_mixed, "duet", seed=15)),
    "tall-stack": _run("the same: GRU and LSTM in steps of small buffers", TALL, _network(_stack, "ios")),
}
