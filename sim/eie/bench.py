"""python -m sim.eie.bench: the layers of Table III and the corner cases in RTL, every cycle compared.

Prints cycles against the floor for presets ``paper`` and ``fast``, compared cycles a second and build times, and
writes the same to build/bench/eie.json. The layers have the shapes and densities of [EIE Table III]; their weights
are random.
"""

import sys

import numpy as np

from golden.common.cli import run_main
from golden.eie.compiler import pack
from golden.eie.config import PRESETS
from golden.eie.model import warm_up
from golden.eie.report import Rtl, evaluate, to_dict
from golden.eie.workloads import WORKLOADS, load
from sim.common.benchmark import run_benchmark
from sim.eie.accelerator import build, simulate

#: Actual time of the paper's EIE [us, Table IV]; times 800 MHz these are cycles.
PAPER_MICROSECONDS = {"alex-6": 30.3, "alex-7": 12.2, "alex-8": 9.9, "vgg-6": 34.4, "vgg-7": 8.7, "vgg-8": 8.4,
                      "nt-we": 8.0, "nt-wd": 13.9, "nt-lstm": 7.5}
CLOCK_MHZ = 800
CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")
RUNS = dict.fromkeys(("paper", "fast"), (*PAPER_MICROSECONDS, *CORNERS))


def measure(built, preset: str, workload: str, seed: int) -> dict:
    """One workload on one build, one input vector."""
    cfg = PRESETS[preset]
    work = load(workload, cfg, seed)
    image = pack(work.layers, cfg)
    ran = simulate(built, image, work.activations[:1], seed=seed)
    rtl = Rtl(np.stack([run.outputs for run in ran.runs]), ran.checked_cycles, 0, ran.wall_seconds)
    return to_dict(evaluate(image, work, ran.runs, preset=preset, seed=seed, wall_seconds=ran.wall_seconds, rtl=rtl))


def table(results) -> tuple[list, list]:
    """Heading and rows: a workload a row, presets beside each other."""
    presets, workloads = (list(dict.fromkeys(names)) for names in zip(*results, strict=True))
    headings = ["workload (synthetic)"]
    for preset in presets:
        headings += [f"{preset}: cycles", "floor", "x floor", "compared/s"]
    rows = []
    for workload in workloads:
        cells = [workload]
        for preset in presets:
            r = results[preset, workload]
            over = f"{r['metrics']['cycles_over_floor']:.3f}" if r["metrics"]["floor"] else "-"
            cells += [str(r["cycles"]), str(r["metrics"]["floor"]), over, f"{r['cycles_per_second']:.0f}"]
        time_us = PAPER_MICROSECONDS.get(workload)
        rows.append([*cells, f"{time_us * CLOCK_MHZ:.0f}" if time_us else ""])
    return [*headings, "paper's silicon"], rows


def main(argv=None) -> int:
    """Run the benchmark; 0 only if nothing differed."""
    return run_benchmark("eie", RUNS, description=__doc__.splitlines()[0], presets=PRESETS, workloads=WORKLOADS,
                         build=build, warm_up=warm_up, measure=measure, table=table, argv=argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
