"""Traced runs of DOTA whose waveforms are compared with earlier ones: ``python -m sim.regress dota``.

Together they use every unit: estimates in all precisions, ties, a threshold, partial groups, vectors of several words,
bank conflicts, linear layers, a host that pauses, and lanes side by side.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from golden.dota.compiler import plan_head
from golden.dota.config import PRESETS, DotaConfig
from golden.dota.workloads import load, random_head
from hdl.common.emit import emit
from hdl.dota.top import Dota
from sim.common.regress import Run
from sim.common.waves import format_for
from sim.dota.accelerator import build, simulate

TINY = PRESETS["tiny"]
#: Two lanes of four rows of sixteen PEs, and the scheduler's better choice.
FLAT = TINY.replace(lanes=2, columns=16, keys=64, balance=True)


def _workload(name: str):
    return lambda cfg: load(name, cfg, 1).heads


def _random(*shapes: dict):
    def make(cfg):
        rng = np.random.default_rng(9)
        return [random_head(rng, cfg, **shape) for shape in shapes]
    return make


def _none(_cfg):
    return []


def _run(what: str, cfg: DotaConfig, make: Callable = _none, block: str | None = None, **options) -> Run:
    """Heads that ``make`` gives, or the encoder block of a workload."""
    def simulated(built, **files):
        layers = [] if block is None else [load(block, cfg, 1).layers]
        return simulate(built, cfg, [plan_head(head, cfg) for head in make(cfg)], layers=layers, **options, **files)

    def trace(waves_file: Path):
        simulated(build(cfg, format_for(waves_file)), waves_file=waves_file)

    def cover(coverage_file: Path):
        return simulated(build(cfg, waves=False, coverage=True), coverage_file=coverage_file).seen

    return Run(what, lambda: emit(Dota(cfg), name="dota", cfg=cfg), trace, cover)


RUNS = {
    "tiny-fig-7-15": _run("the worked example: 12 connections, 7 loads", TINY, _workload("fig-7-15")),
    "tiny-equal-scores": _run("all estimates equal, a last group of one query; the host pauses", TINY,
                              _workload("equal-scores"), stalls=(1, 0, 0, 1, 1, 0, 1)),
    "tiny-saturating": _run("numbers at the limits of FX16; one connection, and all of them", TINY,
                            _workload("saturating")),
    "tiny-precisions": _run("INT2, INT4 and INT8, a threshold, vectors of several words", TINY, _random(
        {"queries": 9, "keys": 13, "dim": 5, "keep": 3}, {"queries": 1, "keys": 23, "dim": 2, "bits": 2},
        {"queries": 5, "keys": 1, "dim": 1, "bits": 8, "transform_bits": 4},
        {"queries": 7, "keys": 30, "dim": 3, "threshold": 4, "keep": 9, "transform_bits": 2})),
    "tiny-encoder": _run("an encoder block: linear layers, attention, sums for the host, which pauses", TINY,
                         block="encoder-decode", reply_stalls=(0, 1, 1, 0, 0)),
    "flat-lanes": _run("two lanes side by side, the scheduler's better choice", FLAT, _random(
        {"queries": 12, "keys": 40, "dim": 7, "keep": 6}, {"queries": 21, "keys": 33, "dim": 12, "keep": 9},
        {"queries": 6, "keys": 64, "dim": 3, "keep": 16})),
}
