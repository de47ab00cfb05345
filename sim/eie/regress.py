"""Traced runs of EIE whose waveforms are compared with earlier ones: ``python -m sim.regress eie``.

Together they use every unit: computing and I/O mode, several passes with loads, stores and swaps, bias, ReLU, sums that
saturate, empty columns, pointers read ahead, a host that pauses, and a tree of two levels.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from golden.eie.compiler import pack
from golden.eie.config import PRESETS, EieConfig
from golden.eie.workloads import WORKLOADS, random_layers
from hdl.common.emit import emit
from hdl.eie.top import Eie
from sim.common.regress import Run
from sim.common.waves import format_for
from sim.eie.accelerator import build, simulate

TINY = PRESETS["tiny"]
#: More PEs than a node of the tree has children; memories small enough to load through the port.
SMALL = TINY.replace(n_pe=16, data_bits=8, spmat_words=32, ptr_words=64, act_words=16, codebooks=2, program_words=8)


def _workload(name: str, vectors: int | None = None):
    def make(cfg):
        made = WORKLOADS[name][1](cfg, 1)
        return made["layers"], made["activations"][:vectors]
    return make


def _random(seed: int, vectors: int, **kwargs):
    def make(cfg):
        layers, activations = random_layers(np.random.default_rng(seed), cfg, **kwargs)
        return layers, np.stack([np.roll(activations, k) for k in range(vectors)])
    return make


def _run(what: str, cfg: EieConfig, make: Callable, **options) -> Run:
    def trace(waves_file: Path):
        layers, activations = make(cfg)
        simulate(build(cfg, format_for(waves_file)), pack(layers, cfg), activations, waves_file=waves_file, **options)

    def cover(coverage_file: Path):
        layers, activations = make(cfg)
        return simulate(build(cfg, waves=False, coverage=True), pack(layers, cfg), activations,
                        coverage_file=coverage_file, **options).seen

    return Run(what, lambda: emit(Eie(cfg), name="eie", cfg=cfg), trace, cover)


RUNS = {
    "tiny-layers": _run("layers of several passes: load, store, swap, bias, ReLU", TINY,
                        _random(7, 6, layers=3, wide=True), at_once=True),
    "tiny-empty-columns": _run("runs of empty columns, queues fill", TINY, _workload("empty-columns"), at_once=True),
    "tiny-run-ahead": _run("the same with pointers read ahead", TINY.replace(run_ahead=True),
                           _workload("empty-columns"), at_once=True),
    "tiny-run-ahead-busy": _run("full columns, so that those read ahead wait; scans that end without an element",
                                TINY.replace(run_ahead=True), _random(19, 3, layers=2, wide=True), at_once=True),
    "tiny-empty-input": _run("nothing to broadcast but a bias", TINY, _workload("all-zero-input"), at_once=True),
    "tiny-saturating": _run("sums that saturate; everything goes through the port, and the host pauses", TINY,
                            _workload("saturating"), stalls=(1, 0, 0, 1, 1, 0, 1)),
    "tree-16": _run("16 PEs of 8 bits, two levels of the tree", SMALL, _random(4, 4, layers=2), at_once=True),
}
