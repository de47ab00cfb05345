"""python -m sim.eie.bench: the layers of Table III and the corner cases in RTL, every cycle compared.

Prints cycles against the floor for presets ``paper`` and ``fast``, compared cycles a second and build times, and
writes the same to build/bench/eie.json. The layers have the shapes and densities of [EIE Table III]; their weights
are random.
"""

import sys
import time
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from golden.common.cli import Parser, UsageError, progress_bar, run_main, write_json
from golden.eie.compiler import pack
from golden.eie.config import PRESETS
from golden.eie.model import warm_up
from golden.eie.report import Rtl, evaluate, to_dict
from golden.eie.workloads import WORKLOADS, load
from sim.common.build import ROOT
from sim.eie.accelerator import build, simulate

#: Actual time of the paper's EIE [us, Table IV]; times 800 MHz these are cycles.
PAPER_MICROSECONDS = {"alex-6": 30.3, "alex-7": 12.2, "alex-8": 9.9, "vgg-6": 34.4, "vgg-7": 8.7, "vgg-8": 8.4,
                      "nt-we": 8.0, "nt-wd": 13.9, "nt-lstm": 7.5}
CLOCK_MHZ = 800
CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")
RESULT = ROOT / "build" / "bench" / "eie.json"


def measure(built, preset: str, workload: str, seed: int) -> dict:
    """One workload on one build, one input vector."""
    cfg = PRESETS[preset]
    work = load(workload, cfg, seed)
    image = pack(work.layers, cfg)
    ran = simulate(built, image, work.activations[:1], seed=seed)
    rtl = Rtl(np.stack([run.outputs for run in ran.runs]), ran.checked_cycles, 0, ran.wall_seconds)
    return to_dict(evaluate(image, work, ran.runs, preset=preset, seed=seed, wall_seconds=ran.wall_seconds, rtl=rtl))


def main(argv=None) -> int:
    """Run the benchmark; 0 only if nothing differed."""
    parser = Parser(prog="python -m sim.eie.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="paper,fast", help="comma-separated (default: %(default)s)")
    parser.add_argument("--workloads", default=",".join((*PAPER_MICROSECONDS, *CORNERS)),
                        help="comma-separated (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=RESULT, metavar="FILE", help="(default: build/bench/eie.json)")
    args = parser.parse_args(argv)
    presets, workloads = args.presets.split(","), args.workloads.split(",")
    for name, known, given in (("presets", PRESETS, presets), ("workloads", WORKLOADS, workloads)):
        if unknown := [x for x in given if x not in known]:
            raise UsageError(f"{name} must be of {', '.join(known)}, not {unknown[0]!r}")

    start = time.perf_counter()
    warm_up()
    builds, results = {}, {}
    with progress_bar() as progress:
        task = progress.add_task("benchmark", total=len(presets) * len(workloads))
        for preset in presets:
            began = time.perf_counter()
            built = build(PRESETS[preset])
            builds[preset] = time.perf_counter() - began
            for workload in workloads:
                progress.update(task, description=f"{preset} {workload}")
                results[preset, workload] = measure(built, preset, workload, args.seed)
                progress.advance(task)
    show(presets, workloads, results, builds, time.perf_counter() - start)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.json, {"builds": builds, "runs": [results[p, w] for p in presets for w in workloads]})
    print(f"figures: {args.json}")
    return 1 if any(r["mismatches"] or r["functional_errors"] for r in results.values()) else 0


def show(presets, workloads, results, builds, seconds):
    """The table for people."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column("workload (synthetic)", no_wrap=True)
    for preset in presets:
        for heading in (f"{preset}: cycles", "floor", "x floor", "compared/s"):
            table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("paper's silicon", justify="right", no_wrap=True)
    for workload in workloads:
        cells = []
        for preset in presets:
            r = results[preset, workload]
            over = f"{r['metrics']['cycles_over_floor']:.3f}" if r["metrics"]["floor"] else "-"
            cells += [str(r["cycles"]), str(r["metrics"]["floor"]), over, f"{r['cycles_per_second']:.0f}"]
        time_us = PAPER_MICROSECONDS.get(workload)
        table.add_row(workload, *cells, f"{time_us * CLOCK_MHZ:.0f}" if time_us else "")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 140
    console.print(table)
    compared = sum(r["checked_cycles"] for r in results.values())
    wrong = sum(r["mismatches"] + r["functional_errors"] for r in results.values())
    console.print(f"{compared} compared cycles, {wrong} differences; builds "
                  f"{', '.join(f'{p} {s:.0f} s' for p, s in builds.items())} (cached ones take no time); "
                  f"{seconds:.0f} s in all", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(run_main(main))
