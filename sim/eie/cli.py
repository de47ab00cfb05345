"""python -m sim eie: a workload on the RTL, every cycle compared with the golden model."""

import shlex
import sys
import threading
from pathlib import Path

import numpy as np

from golden.common.cli import Parser, UsageError, progress_bar, run_main, write_json
from golden.eie.cli import add_arguments, list_workloads, prepare
from golden.eie.model import warm_up
from golden.eie.report import Rtl, evaluate, to_dict
from golden.eie.tables import print_report
from golden.eie.waves import Waves
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.common.waves import wave_kind
from sim.eie.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = Parser(prog="python -m sim eie",
                    description="Run a workload on the RTL of EIE, and compare every cycle with the golden model.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write a waveform (.vcd, or .fst where possible)")
    parser.add_argument("--golden-waves", type=Path, metavar="FILE",
                        help="write the golden model's waveform of the same cycles (.vcd)")
    parser.add_argument("--load", choices=("auto", "ports", "at-once"), default="auto",
                        help="how matrix and pointers get into the SRAMs: through the stream port, or by the "
                        "simulator at once (default: by size)")
    argv = sys.argv[1:] if argv is None else argv
    args = parser.parse_args(argv)
    if args.list_workloads:
        list_workloads()
        return 0
    kind = wave_kind(args.waves)
    if args.golden_waves is not None:
        Waves.check(args.golden_waves)
    cfg, workload, image = prepare(args)
    vectors = workload.activations[:args.images]
    try:
        compiling = threading.Thread(target=warm_up)    # beside the C++ compiler
        compiling.start()
        built = build(cfg, kind)
        compiling.join()
        with progress_bar() as progress:
            task = progress.add_task("RTL in lockstep", total=len(vectors))
            ran = simulate(built, image, vectors, seed=args.seed, waves_file=args.waves,
                           golden_waves=args.golden_waves,
                           at_once={"auto": None, "ports": False, "at-once": True}[args.load],
                           on_progress=lambda done, total: progress.update(task, completed=done, total=total),
                           repeat=f"python -m sim eie {shlex.join(argv)}")
    except ToolchainError as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1
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
    if args.json is not None:
        write_json(args.json, to_dict(result))
    return 1 if result.functional_errors else 0


if __name__ == "__main__":
    sys.exit(run_main(main))
