"""python -m sim.enmc.bench: screening, rows in full and real data in RTL, every cycle compared.

Prints cycles, the share of the data pins that refresh leaves, the share of the cycles in which the FP32 MACs work, the
candidates, and compared cycles a second; writes the same to build/bench/enmc.json. Only ``tokens`` is real, all others
are random.
"""

import sys
from typing import NamedTuple

from golden.common.cli import run_main
from golden.enmc.config import PRESETS
from golden.enmc.model import warm_up
from golden.enmc.plan import plan
from golden.enmc.report import Rtl, Run, evaluate, to_dict
from golden.enmc.workloads import load
from sim.common.benchmark import run_benchmark
from sim.enmc.accelerator import build, simulate


class Case(NamedTuple):
    """A built-in workload, and how ``golden.enmc.plan.plan`` cuts it to size."""

    workload: str
    options: dict


#: ``screening``: a tile after another at the speed of the DRAM. ``rows``: all classes in full, d 512. What the options
#: of the simulator do is ``--classes``, ``--batch``, ``--inputs`` and ``--full``.
CASES = {
    "random": Case("random", {}),
    "every-class": Case("every-class", {}),
    "no-class": Case("no-class", {}),
    "screening": Case("transformer-w268k", {"classes": 8192, "batch": 1, "inputs": 1}),
    "screening-4": Case("transformer-w268k", {"classes": 8192, "batch": 4, "inputs": 4}),
    "rows": Case("transformer-w268k", {"classes": 256, "batch": 1, "inputs": 1, "full": True}),
    "tokens-640": Case("tokens", {"classes": 640, "inputs": 8}),
    "tokens": Case("tokens", {"inputs": 128}),
}
RUNS = {"tiny": ("random", "every-class", "no-class"), "rank": ("screening", "screening-4", "rows", "tokens-640"),
        "paper": ("tokens",)}

#: Cycles that make a share: bursts are counted where they end, which says nothing of a few cycles.
LEAST = 100


def measure(built, preset: str, case: str, seed: int) -> dict:
    """One case on one build."""
    cfg, (workload, options) = PRESETS[preset], CASES[case]
    what = plan(cfg, load(workload, cfg, seed), **options)
    ran = simulate(built, cfg, [what.jobs(n) for n in range(what.batches)], seed=seed)
    rtl = Rtl(ran.checked_cycles, 0, ran.violations, ran.wall_seconds)
    report = evaluate(what, Run(ran.runs, ran.batches, ran.activity), preset=preset, seed=seed,
                      wall_seconds=ran.wall_seconds, rtl=rtl)
    return to_dict(report) | {"case": case}


def _mean(ranks, stage, quantity) -> str:
    """Of all ranks, weighted by their cycles."""
    parts = [rank[stage] for rank in ranks]
    cycles = sum(part["cycles"] for part in parts)
    return f"{sum(part['cycles'] * part[quantity] for part in parts) / cycles:.1%}" if cycles >= LEAST else "-"


def table(results) -> tuple[list, list]:
    """Heading and rows. ``pins``: of the clocks that refresh leaves while only that unit has work, or any."""
    rows = []
    for (preset, case), r in results.items():
        ranks, quality = r["metrics"]["ranks"], r["metrics"]["quality"]
        rows.append([case, preset, f"{r['cycles']:,}", f"{quality['candidates']:.1f}",
                     *(_mean(ranks, stage, "possible") for stage in ("screening", "executing", "whole")),
                     _mean(ranks, "executing", "fp32"), f"{r['checked_cycles']:,}", f"{r['cycles_per_second']:,.0f}"])
    return ["case", "preset", "cycles", "candidates", "pins: screening", "executing", "whole", "FP32 MACs, executing",
            "compared", "compared/s"], rows


def main(argv=None) -> int:
    """Run the benchmark; 0 only if nothing differed."""
    return run_benchmark("enmc", RUNS, description=__doc__.splitlines()[0], presets=PRESETS, workloads=CASES,
                         build=build, warm_up=warm_up, measure=measure, table=table, argv=argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
