"""python -m sim enmc: a workload on the RTL, every cycle compared with the golden model."""

import sys
from pathlib import Path

from golden.common.cli import UsageError, run_main
from golden.common.command import finish
from golden.enmc.cli import add_arguments, prepare
from golden.enmc.model import warm_up
from golden.enmc.report import Rtl, Run, evaluate, to_dict
from golden.enmc.tables import print_report
from golden.enmc.workloads import WORKLOADS
from sim.common import command
from sim.enmc import dram_trace
from sim.enmc.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = command.parser_of("enmc", add_arguments)
    parser.add_argument("--dram-trace", type=Path, metavar="FILE", help="write every command of the DRAM (.csv), and "
                        "check the file against the rules of DDR4")
    parser.add_argument("--load", choices=("direct", "ports"), default="direct", help="how the classifier gets into "
                        "the DRAM: at once, or by ordinary writes of the host (default: %(default)s)")
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args, kind, repeat):
    if args.dram_trace is not None and not args.dram_trace.absolute().parent.is_dir():
        raise UsageError(f"DRAM trace must be in an existing folder, not {str(args.dram_trace)!r}")
    what = prepare(args)
    ran = run_dimm(what, kind, args, repeat)
    rtl = Rtl(ran.checked_cycles, 0, ran.violations, ran.wall_seconds)
    report = evaluate(what, Run(ran.runs, ran.batches, ran.activity), preset=args.preset, seed=args.seed,
                      wall_seconds=ran.wall_seconds, rtl=rtl)
    print_report(report)
    if args.load == "ports":
        print("everything was written by the host through the DIMM")
    violations = 0 if args.dram_trace is None else _check(what.cfg, args.dram_trace)
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    return finish(args, to_dict(report)) or int(violations > 0)


def _check(cfg, file):
    """Read the file of commands again; violations that its checker finds in it."""
    ranks = dram_trace.check_trace(file, cfg)
    dram_trace.print_report(ranks)
    violations = sum(entry.rules.total for entry in ranks.values())
    print(f"DRAM commands: {file}, {violations} violations")
    return violations


def run_dimm(what, kind, args, repeat):
    """Build while the cycle model is compiled, then simulate."""
    built = command.build_beside(warm_up, lambda: build(what.cfg, kind))
    with command.lockstep_options(args, repeat) as options:
        return simulate(built, what.cfg, [what.jobs(n) for n in range(what.batches)], ports=args.load == "ports",
                        dram_trace=args.dram_trace, **options)


if __name__ == "__main__":
    sys.exit(run_main(main))
