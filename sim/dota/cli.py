"""python -m sim dota: a workload on the RTL, every cycle compared with the golden model."""

import shlex
import sys
import threading
from pathlib import Path

from golden.common.cli import Parser, UsageError, print_workloads, progress_bar, run_main, write_json
from golden.dota.cli import add_arguments, prepare
from golden.dota.model import warm_up
from golden.dota.report import Rtl, evaluate, to_dict
from golden.dota.tables import print_report
from golden.dota.waves import Waves
from golden.dota.workloads import list_workloads
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.common.waves import wave_kind
from sim.dota.accelerator import build, simulate
from sim.dota.masks import schedule_masks


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = Parser(prog="python -m sim dota",
                    description="Run a workload on the RTL of DOTA, and compare every cycle with the golden model.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write a waveform (.vcd, or .fst where possible)")
    parser.add_argument("--golden-waves", type=Path, metavar="FILE",
                        help="write the golden model's waveform of the same cycles (.vcd)")
    argv = sys.argv[1:] if argv is None else argv
    args = parser.parse_args(argv)
    if args.list_workloads:
        print_workloads(dict(list_workloads()))
        return 0
    kind = wave_kind(args.waves)
    if args.golden_waves is not None:
        Waves.check(args.golden_waves)
    cfg, workload, plans = prepare(args)
    repeat = f"python -m sim dota {shlex.join(argv)}"
    try:
        if workload.masks is None or plans:
            ran = run_chip(cfg, plans, [] if workload.layers is None else [workload.layers], kind, args, repeat)
            runs, rounds = ran.runs, None
            rtl = Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)
        else:
            ran = schedule_masks(cfg, workload.masks, seed=args.seed, waves_file=args.waves, repeat=repeat)
            runs, rounds = [], ran.rounds
            rtl = Rtl(ran.checked_cycles, 0, {}, ran.wall_seconds)
    except ToolchainError as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1
    result = evaluate(cfg, workload, runs, preset=args.preset, seed=args.seed, wall_seconds=rtl.wall_seconds,
                      rounds=rounds, rtl=rtl)
    print_report(result)
    if rtl.counters:
        print("everything was loaded through the stream port; counters read over AXI equal the model's")
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    if args.json is not None:
        write_json(args.json, to_dict(result))
    return 1 if result.functional_errors else 0


def run_chip(cfg, plans, layers, kind, args, repeat):
    """Build while the cycle model is compiled, then simulate."""
    compiling = threading.Thread(target=warm_up)    # beside the C++ compiler
    compiling.start()
    built = build(cfg, kind)
    compiling.join()
    with progress_bar() as progress:
        task = progress.add_task("RTL in lockstep", total=None)
        return simulate(built, cfg, plans, layers=layers, seed=args.seed, waves_file=args.waves,
                        golden_waves=args.golden_waves, repeat=repeat,
                        on_progress=lambda done, total: progress.update(task, completed=done, total=total))


if __name__ == "__main__":
    sys.exit(run_main(main))
