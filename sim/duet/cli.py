"""python -m sim duet: a workload on the RTL, every cycle compared with the golden model."""

import shlex
import sys
import threading
from pathlib import Path

from golden.common.cli import Parser, UsageError, print_workloads, progress_bar, run_main
from golden.duet.cli import add_arguments, prepare, show
from golden.duet.model import warm_up
from golden.duet.modes import ALL
from golden.duet.report import Rtl
from golden.duet.waves import Waves
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
    if (args.waves or args.golden_waves) and args.mode == ALL:
        raise UsageError(f"waveforms must be left out with mode {ALL}, which has a run for each mode")
    cfg, workload, programs = prepare(args)
    notes = ["everything was loaded through the stream port; counters read over AXI equal the model's"]

    def run(program):
        ran = simulate_chip(built, program, workload, args,
                            f"python -m sim duet {shlex.join([*argv, '--mode', program.mode])}")
        if ran.waves is not None:
            notes.append(f"waveform: {ran.waves}")
        return ran.runs, ran.wall_seconds, Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)

    try:
        built = build_chip(cfg, kind)
        return show(args, cfg, workload, programs, run, notes)
    except ToolchainError as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1


def build_chip(cfg, kind):
    """Build while the cycle model is compiled."""
    compiling = threading.Thread(target=warm_up)    # beside the C++ compiler
    compiling.start()
    built = build(cfg, kind)
    compiling.join()
    return built


def simulate_chip(built, program, workload, args, repeat):
    """A program on the inputs."""
    with progress_bar() as progress:
        task = progress.add_task(f"RTL in lockstep, mode {program.mode}", total=None)
        return simulate(built, program, workload.network.inputs, seed=args.seed, waves_file=args.waves,
                        golden_waves=args.golden_waves, repeat=repeat,
                        on_progress=lambda done, total: progress.update(task, completed=done, total=total))


if __name__ == "__main__":
    sys.exit(run_main(main))
