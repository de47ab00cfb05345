"""Traced runs of ENMC whose waveforms are compared with earlier ones: ``python -m sim.regress enmc``.

Together they use every unit and every instruction: thresholds that all classes, some and none are above, all functions,
one to four inputs, approximate scores alone and written back, weights in parts, ordinary traffic of the host between
programs, refreshes of both sides, a host that pauses, and two ranks.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from golden.enmc.compiler import EXACT
from golden.enmc.config import PRESETS, EnmcConfig
from golden.enmc.formats import Buffer, Function
from golden.enmc.instruction import Instruction
from golden.enmc.interpret import Job
from golden.enmc.packing import Segment
from golden.enmc.plan import plan
from golden.enmc.workloads import Workload, random
from hdl.common.emit import emit
from hdl.enmc.dimm import Dimm
from sim.common.regress import Run
from sim.common.waves import format_for
from sim.enmc.accelerator import build, simulate

TINY = PRESETS["tiny"]
#: Two ranks, wider data pins, and as many inputs as the source has.
PAIR = TINY.replace(ranks=2, dq=32, batch=4, features=256)


def _batches(classes, elements, size, inputs, candidates, *, function=Function.SOFTMAX, exact=True,
             **options) -> Callable:
    """Jobs of a classifier of random numbers; ``options`` are those of ``golden.enmc.plan.plan``."""
    def make(cfg):
        fields = random(cfg, 1, classes=classes, elements=elements, size=size, inputs=inputs, candidates=candidates,
                        function=function)
        what = plan(cfg, Workload(name="random", description="", **fields), **options)
        what = dataclasses.replace(what, work=what.work._replace(exact=exact))
        return [what.jobs(n) for n in range(what.batches)]
    return make


#: Where the program below has its data, and bursts of its columns and rows.
_TILES, _FEATURES, _ROWS, _INPUTS, _SCORES, _END = 0, 96, 100, 220, 240, 256
_SCREEN, _ROW = 2, 3
#: Rows that are not like the others.
_GREAT, _INFINITE, _NO_NUMBER = 20, 21, 22


def _load(buffer, addr, count):
    return Instruction("LDR", buffer=buffer, addr=addr, count=count)


def _init(**values):
    return [Instruction("INIT", reg=name, data=value & 0xFFFFFFFF) for name, value in values.items()]


def _tile(number, *products, psums=True):
    """A tile whose partial sums are those of several products, each with weights of its own."""
    addr = _TILES + 16 * number
    program = [_load(Buffer.PSUM_INT4, addr, 4)] * psums
    for part, name in enumerate(products):
        program += [_load(Buffer.WEIGHT_INT4, addr + 4 + _SCREEN * part, _SCREEN), Instruction(name)]
    return program


def _row(label, *products, finish, batch=0, between=()):
    """A result of several products, each with weights of its own."""
    tag = {"score": -label, "label": label, "batch": batch}
    program = []
    for part, name in enumerate(products):
        program += [_load(Buffer.WEIGHT_FP32, _ROWS + _ROW * (label + part), _ROW), Instruction(name, **tag)]
    return [*program, *between, Instruction(finish, **tag)]


def _features(inputs):
    return [_load(Buffer.FEATURE_INT4, _FEATURES, 1), _load(Buffer.FEATURE_FP32, _INPUTS, inputs * _ROW)]


def _image(cfg):
    """Random tiles and rows; of some weights and rows the largest, and what is no number."""
    rng = np.random.default_rng(11)
    words = rng.integers(0, 1 << 32, (_END, cfg.burst_words), dtype=np.uint64).astype(np.uint32)
    words[_ROWS:_SCORES] = rng.normal(size=(_SCORES - _ROWS, cfg.burst_words)).astype(np.float32).view(np.uint32)
    for tile in range(6):   # biases
        place = _TILES + 16 * tile
        words[place:place + 4] = rng.integers(-40, 40, (4, cfg.burst_words), dtype=np.int32).view(np.uint32)
    words[_FEATURES, 0] = words[_TILES + 4, :] = 0x88888888
    rows = words[_ROWS:_INPUTS].view(np.float32).reshape(-1, _ROW * cfg.burst_words)
    rows[_GREAT] *= 1000
    rows[_INFINITE, 0], rows[_NO_NUMBER, 0] = np.inf, np.nan
    return words


def _every_instruction(cfg):
    """Two batches with all instructions, INT4 columns and FP32 rows in parts; a CLR while records wait."""
    start = _init(classes=40, first_class=7, screen_bursts=_SCREEN, threshold=60, row_base=_ROWS, row_bursts=_ROW)
    nop, barrier, filter_ = Instruction("NOP"), Instruction("BARRIER"), Instruction("FILTER")
    passed = Instruction("MOVE", buffer1=Buffer.INDEX, buffer2=Buffer.OUTPUT, score=-9, label=77, batch=1)
    first = [
        *start, *_init(mode=int(Function.SIGMOID) | EXACT, batch=2), *_features(2),
        *_tile(0, "MUL_ADD_INT4", "ADD_INT4", "MUL_ADD_INT4"),
        Instruction("STR", buffer=Buffer.PSUM_INT4, addr=_SCORES, count=8), filter_, nop,
        *_tile(1, "MUL_INT4", "MUL_ADD_INT4", psums=False), filter_, barrier,
        *_row(3, "MUL_FP32", "MUL_ADD_FP32", "ADD_FP32", finish="SOFTMAX"),
        *_row(4, "MUL_ADD_FP32", "MUL_FP32", finish="SIGMOID", batch=1),
        *_row(5, "ADD_FP32", finish="MOVE", batch=1, between=[passed]), passed,
        *(step for label in (6, 6, _GREAT, 3, _INFINITE, _NO_NUMBER)
          for step in _row(label, "MUL_ADD_FP32", finish="SOFTMAX")),
        barrier, Instruction("CLR"),
    ]
    # Bits that a register does not have are cut off.
    second = [*start, *_init(mode=int(Function.NONE) | EXACT, threshold=20, classes=1 << 30 | 40, batch=1),
              *_features(1)]
    for tile in range(2, 4):
        second += [*_tile(tile, "MUL_ADD_INT4"), filter_]
    return [[Job([Segment(0, _image(cfg))], first, range(_SCORES, _SCORES + 8))],
            [Job([], [*second, filter_, filter_, filter_, barrier])]]


def _run(what: str, cfg: EnmcConfig, make: Callable, **options) -> Run:
    def trace(waves_file: Path):
        simulate(build(cfg, format_for(waves_file)), cfg, make(cfg), waves_file=waves_file, **options)

    def cover(coverage_file: Path):
        return simulate(build(cfg, waves=False, coverage=True), cfg, make(cfg), coverage_file=coverage_file,
                        **options).seen

    return Run(what, lambda: emit(Dimm(cfg), name="enmc", cfg=cfg), trace, cover)


RUNS = {
    "tiny-softmax": _run("some candidates, softmax, scores written back and read by the host; a batch of two, one of "
                         "one", TINY, _batches(83, 23, 7, 3, 9, scores=True)),
    "tiny-every-class": _run("every class a candidate, sigmoid; buffers fill, as the host pauses", TINY,
                             _batches(40, 127, 64, 1, np.inf, function=Function.SIGMOID), stalls=(0, 0, 1)),
    "tiny-no-class": _run("nothing above the threshold, an input a batch; everything is written through the pins", TINY,
                          _batches(20, 12, 5, 6, 0, batch=1), ports=True),
    "tiny-scores-alone": _run("candidates that are not classified, as fast as they come", TINY,
                              _batches(40, 12, 5, 2, np.inf, exact=False)),
    "tiny-full": _run("classification without screening", TINY,
                      _batches(20, 14, 7, 2, 1, function=Function.NONE, full=True)),
    "tiny-instructions": _run("every instruction, weights in parts, CLR while records wait; the host pauses", TINY,
                              _every_instruction, stalls=(0, 0, 0, 0, 0, 1, 0)),
    "pair": _run("two ranks, four inputs a batch, ordinary traffic between", PAIR,
                 _batches(80, 12, 33, 5, 6, scores=True), ports=True),
}
