"""python -m sim.dota.bench: attention, layers and encoder blocks in RTL, every cycle compared.

Prints cycles against those of dense work at the full rate of the array, the share of the array that did useful work,
detection against exact work, and compared cycles a second; writes the same to build/bench/dota.json. Only ``text`` and
``text-linear`` are real, the figure is the source's, all others are random.
"""

import sys

from golden.common.cli import run_main
from golden.dota.compiler import plan_head
from golden.dota.config import PRESETS
from golden.dota.model import warm_up
from golden.dota.report import Rtl, evaluate, to_dict
from golden.dota.workloads import WORKLOADS, load
from sim.common.benchmark import run_benchmark
from sim.dota.accelerator import build, simulate

#: Small arrays for what is small, as the simulator of four lanes of 512 PEs takes minutes to build.
RUNS = {"tiny": ("fig-7-15", "decode"), "small": ("random", "encoder", "encoder-decode", "text-linear"),
        "paper": ("text", "random-384")}


def measure(built, preset: str, workload: str, seed: int) -> dict:
    """One workload on one build."""
    cfg = PRESETS[preset]
    work = load(workload, cfg, seed)
    plans = [plan_head(head, cfg) for head in work.heads]
    ran = simulate(built, cfg, plans, layers=() if work.layers is None else (work.layers,), seed=seed)
    rtl = Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)
    return to_dict(evaluate(cfg, work, ran.runs, preset=preset, seed=seed, wall_seconds=ran.wall_seconds, rtl=rtl))


def table(results) -> tuple[list, list]:
    """Heading and rows; of heads the sum of their attention, of layers that of the stages in FX16."""
    rows = []
    for (preset, workload), r in results.items():
        heads, stages = r["metrics"]["heads"], [s for s in r["metrics"]["stages"] if s["macs"]]
        pes = r["config"]["rows"] * r["config"]["columns"]
        exact = sum(h["cycles"]["attend"] for h in heads) + sum(s["cycles"] for s in stages)
        dense = sum(h["floor_dense"] for h in heads) + sum(-(-s["macs"] // (s["lanes"] * pes)) for s in stages)
        ratios = [h["detection"]["ratio"] for h in heads]
        rows.append([workload, preset, str(r["cycles"]), str(exact), str(dense), f"{r['utilization']:.1%}",
                     f"{sum(ratios) / len(ratios):.2f}" if ratios else "-", f"{r['cycles_per_second']:.0f}"])
    return ["workload", "preset", "cycles", "in FX16", "dense at most fast", "useful", "detect / exact",
            "compared/s"], rows


def main(argv=None) -> int:
    """Run the benchmark; 0 only if nothing differed."""
    return run_benchmark("dota", RUNS, description=__doc__.splitlines()[0], presets=PRESETS, workloads=WORKLOADS,
                         build=build, warm_up=warm_up, measure=measure, table=table, argv=argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
