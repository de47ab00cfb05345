"""python -m sim enmc: a workload on the RTL, every cycle compared with the golden model."""

import shlex
import sys
import threading
from pathlib import Path

from golden.common.cli import Parser, UsageError, print_workloads, progress_bar, run_main, write_json
from golden.enmc.cli import add_arguments, prepare
from golden.enmc.model import warm_up
from golden.enmc.report import Rtl, Run, evaluate, to_dict
from golden.enmc.tables import print_report
from golden.enmc.waves import Waves
from golden.enmc.workloads import list_workloads
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.common.waves import wave_kind
from sim.enmc import dram_trace
from sim.enmc.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = Parser(prog="python -m sim enmc",
                    description="Run a workload on the RTL of ENMC, and compare every cycle with the golden model.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write a waveform (.vcd, or .fst where possible)")
    parser.add_argument("--golden-waves", type=Path, metavar="FILE",
                        help="write the golden model's waveform of the same cycles (.vcd)")
    parser.add_argument("--dram-trace", type=Path, metavar="FILE", help="write every command of the DRAM (.csv), and "
                        "check the file against the rules of DDR4")
    parser.add_argument("--load", choices=("direct", "ports"), default="direct", help="how the classifier gets into "
                        "the DRAM: at once, or by ordinary writes of the host (default: %(default)s)")
    argv = sys.argv[1:] if argv is None else argv
    args = parser.parse_args(argv)
    if args.list_workloads:
        print_workloads(dict(list_workloads()))
        return 0
    kind = wave_kind(args.waves)
    if args.golden_waves is not None:
        Waves.check(args.golden_waves)
    if args.dram_trace is not None and not args.dram_trace.absolute().parent.is_dir():
        raise UsageError(f"DRAM trace must be in an existing folder, not {str(args.dram_trace)!r}")
    what = prepare(args)
    try:
        ran = run_dimm(what, kind, args, f"python -m sim enmc {shlex.join(argv)}")
    except ToolchainError as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1
    rtl = Rtl(ran.checked_cycles, 0, ran.violations, ran.wall_seconds)
    report = evaluate(what, Run(ran.runs, ran.batches, ran.activity), preset=args.preset, seed=args.seed,
                      wall_seconds=ran.wall_seconds, rtl=rtl)
    print_report(report)
    if args.load == "ports":
        print("everything was written by the host through the DIMM")
    violations = 0 if args.dram_trace is None else _check(what.cfg, args.dram_trace)
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    if args.json is not None:
        write_json(args.json, to_dict(report))
    return 1 if report.errors.total or violations else 0


def _check(cfg, file):
    """Read the file of commands again; violations that its checker finds in it."""
    ranks = dram_trace.check_trace(file, cfg)
    dram_trace.print_report(ranks)
    violations = sum(entry.rules.total for entry in ranks.values())
    print(f"DRAM commands: {file}, {violations} violations")
    return violations


def run_dimm(what, kind, args, repeat):
    """Build while the cycle model is compiled, then simulate."""
    compiling = threading.Thread(target=warm_up)    # beside the C++ compiler
    compiling.start()
    built = build(what.cfg, kind)
    compiling.join()
    with progress_bar() as progress:
        task = progress.add_task("RTL in lockstep", total=None)
        return simulate(built, what.cfg, [what.jobs(n) for n in range(what.batches)], seed=args.seed,
                        ports=args.load == "ports", dram_trace=args.dram_trace, waves_file=args.waves,
                        golden_waves=args.golden_waves, repeat=repeat,
                        on_progress=lambda done, total: progress.update(task, completed=done, total=total))


if __name__ == "__main__":
    sys.exit(run_main(main))
