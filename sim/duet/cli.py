"""python -m sim duet: a workload on the RTL, every cycle compared with the golden model."""

import shlex
import sys
import threading
from pathlib import Path

from golden.common.cli import Parser, UsageError, print_workloads, progress_bar, run_main, write_json
from golden.duet.cli import add_arguments, base_cycles, prepare
from golden.duet.model import warm_up
from golden.duet.report import Rtl, evaluate, to_dict
from golden.duet.tables import print_report
from golden.duet.workloads import list_workloads
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.common.waves import wave_kind
from sim.duet.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = Parser(prog="python -m sim duet",
                    description="Run a workload on the RTL of DUET, and compare every cycle with the golden model.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write a waveform (.vcd, or .fst where possible)")
    argv = sys.argv[1:] if argv is None else argv
    args = parser.parse_args(argv)
    if args.list_workloads:
        print_workloads(dict(list_workloads()))
        return 0
    kind = wave_kind(args.waves)
    cfg, workload, program = prepare(args)
    try:
        ran = run_chip(cfg, program, workload, kind, args, f"python -m sim duet {shlex.join(argv)}")
    except ToolchainError as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1
    rtl = Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)
    result = evaluate(program, workload, ran.runs, preset=args.preset, seed=args.seed, wall_seconds=ran.wall_seconds,
                      base_cycles=base_cycles(cfg, workload, args.mode), rtl=rtl)
    print_report(result)
    print("everything was loaded through the stream port; counters read over AXI equal the model's")
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    if args.json is not None:
        write_json(args.json, to_dict(result))
    return 1 if result.functional_errors else 0


def run_chip(cfg, program, workload, kind, args, repeat):
    """Build while the cycle model is compiled, then simulate."""
    compiling = threading.Thread(target=warm_up)    # beside the C++ compiler
    compiling.start()
    built = build(cfg, kind)
    compiling.join()
    with progress_bar() as progress:
        task = progress.add_task("RTL in lockstep", total=None)
        return simulate(built, program, workload.network.inputs, seed=args.seed, waves_file=args.waves, repeat=repeat,
                        on_progress=lambda done, total: progress.update(task, completed=done, total=total))


if __name__ == "__main__":
    sys.exit(run_main(main))
