"""python -m sim eie: a workload on the RTL, every cycle compared with the golden model."""

import sys

import numpy as np

from golden.common.cli import run_main
from golden.common.command import finish
from golden.eie.cli import add_arguments, prepare
from golden.eie.model import warm_up
from golden.eie.report import Rtl, evaluate, to_dict
from golden.eie.tables import print_report
from golden.eie.workloads import WORKLOADS
from sim.common import command
from sim.eie.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = command.parser_of("eie", add_arguments)
    parser.add_argument("--load", choices=("auto", "ports", "at-once"), default="auto",
                        help="how matrix and pointers get into the SRAMs: through the stream port, or by the "
                        "simulator at once (default: by size)")
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args, kind, repeat):
    cfg, workload, image = prepare(args)
    vectors = workload.activations[:args.images]
    built = command.build_beside(warm_up, lambda: build(cfg, kind))
    with command.lockstep_options(args, repeat, total=len(vectors)) as options:
        ran = simulate(built, image, vectors, at_once={"auto": None, "ports": False, "at-once": True}[args.load],
                       **options)
    rtl = Rtl(np.stack([run.outputs for run in ran.runs]), ran.checked_cycles, 0, ran.wall_seconds)
    result = evaluate(image, workload, ran.runs, preset=args.preset, seed=args.seed, wall_seconds=ran.wall_seconds,
                      rtl=rtl)
    print_report(result)
    how = "at once by the simulator" if ran.at_once else "through the stream port"
    print(f"matrix and pointers were loaded {how}; counters read over AXI equal the model's")
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    if args.golden_waves is not None:
        print(f"waveform of the golden model: {args.golden_waves}")
    return finish(args, to_dict(result))


if __name__ == "__main__":
    sys.exit(run_main(main))
