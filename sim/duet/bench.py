"""python -m sim.duet.bench: a CNN in all modes, LSTMs and GRUs, parts of large layers in RTL, every cycle compared.

Prints cycles, those of the Executor beside its floor and of the Speculator, the share of the PEs that worked, and
compared cycles a second; writes the same to build/bench/duet.json. Only ``cnn-*`` and ``lstm`` are real, all others are
random.
"""

import sys
from typing import NamedTuple

import numpy as np

from golden.common.cli import run_main
from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.layers import Network
from golden.duet.model import warm_up
from golden.duet.modes import sums
from golden.duet.random_network import random_conv, random_inputs
from golden.duet.report import Rtl, evaluate, to_dict
from golden.duet.spec import MODES
from golden.duet.workloads import Workload, load
from sim.common.benchmark import run_benchmark
from sim.duet.accelerator import build, simulate


class Case(NamedTuple):
    """A built-in workload, ``dense``, and the options of the simulator that cut it to size."""

    workload: str
    mode: str = "duet"
    inputs: int = 1
    tiles: int | None = None
    channels: int | None = None


#: ``dense``: nothing to skip, so the Executor has to come to its full rate.
CASES = {
    **{f"cnn-{mode}": Case("digits-cnn", mode, 2) for mode in MODES},
    "lstm": Case("digits-lstm"),
    "gru": Case("random-gru"),
    "layers": Case("random"),
    "dense": Case("dense", "base"),
    **{f"alexnet-conv3-{mode}": Case("alexnet-conv3", mode, tiles=4, channels=32) for mode in ("base", "duet")},
    **{f"resnet18-{mode}": Case("resnet18-block", mode, tiles=8, channels=32) for mode in ("base", "duet")},
}
RUNS = {"tiny": ("cnn-base", "cnn-duet", "lstm", "gru", "layers", "dense"),
        "paper": tuple(name for name in CASES if name != "layers")}


def dense(cfg, seed: int) -> Workload:
    """A convolution without a little module, of an input without zeros."""
    rng = np.random.default_rng(seed)
    layer = random_conv(rng, 3 * cfg.columns, 2 * cfg.rows, pad=1)
    inputs = random_inputs(rng, (1, 3 * cfg.columns, 2 * cfg.side, 3 * cfg.side), density=1.0)
    inputs[inputs == 0] = 1
    return Workload(name="dense", description="synthetic: nothing to skip", synthetic=True,
                    network=Network(layers=[layer], inputs=inputs))


def measure(built, preset: str, case: str, seed: int) -> dict:
    """One case on one build."""
    cfg, (name, mode, inputs, tiles, channels) = PRESETS[preset], CASES[case]
    workload = dense(cfg, seed) if name == "dense" else load(name, cfg, seed)
    if tiles is not None:
        workload = workload.part(cfg, tiles, channels)
    workload = workload.limited(inputs)
    program = compile_network(workload.network, cfg, mode, limits=workload.limits)
    ran = simulate(built, program, workload.network.inputs, seed=seed)
    rtl = Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)
    report = evaluate(program, workload, ran.runs, preset=preset, seed=seed, wall_seconds=ran.wall_seconds, rtl=rtl)
    return to_dict(report) | {"case": case, "sums": sums(report)._asdict()}


def table(results) -> tuple[list, list]:
    """Heading and rows."""
    rows = []
    for (preset, case), r in results.items():
        own = r["sums"]
        share = f"{own['insensitive'] / own['outputs']:.1%}"
        rows.append([case, preset, f"{r['cycles']:,}", f"{own['execute']:,}", f"{own['floor']:,}",
                     f"{r['utilization']:.1%}", f"{own['speculate']:,}", f"{own['exposed']:,}", share,
                     f"{own['weight_bytes'] / 1024:,.1f}", f"{r['checked_cycles']:,}",
                     f"{r['cycles_per_second']:,.0f}"])
    return ["case", "preset", "cycles", "Executor", "its floor", "MACs", "Speculator", "not hidden", "insensitive",
            "weights, KB", "compared", "compared/s"], rows


def main(argv=None) -> int:
    """Run the benchmark; 0 only if nothing differed."""
    return run_benchmark("duet", RUNS, description=__doc__.splitlines()[0], presets=PRESETS, workloads=CASES,
                         build=build, warm_up=warm_up, measure=measure, table=table, argv=argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
