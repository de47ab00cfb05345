"""python -m synth ACCEL|UNIT --target ecp5|asic|generic: what an accelerator, or one of its units, costs."""

import os
import sys
from pathlib import Path

from golden.common.cli import Parser, run_main, write_json
from hdl.common.cli import parse_choice
from synth.common import ecp5, flow, liberty
from synth.common.report import print_report


def number(text) -> int:
    """A positive integer."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def add_options(parser):
    """Add the arguments of :class:`synth.common.flow.Options`."""
    parser.add_argument("--liberty", type=Path, metavar="FILE",
                        help=f"cell library of target asic, may be gzipped (default: {liberty.DEFAULT})")
    parser.add_argument("--period", type=number, default=2000, metavar="PS", help="period to aim at (default: 2000)")
    parser.add_argument("--sram-delay", type=int, default=0, metavar="PS",
                        help="clock to output of every SRAM in target asic (default: 0)")
    parser.add_argument("--seeds", type=number,
                        help=f"placements in target ecp5 (default: 3, with more than {ecp5.MANY} units 1)")
    parser.add_argument("--jobs", type=number, default=os.cpu_count() or 1, help="tools at the same time")


def options_from(args) -> flow.Options:
    """The options that were given."""
    return flow.Options(args.liberty, args.period, args.sram_delay, args.seeds, args.jobs)


def main(argv) -> int:
    """Measure; print the tables."""
    parser = Parser(prog="python -m synth", description="Size and speed of an accelerator or of one of its units. "
                    "Results are kept in build/synth and found again.")
    parser.add_argument("--target", required=True, choices=[*flow.TARGETS, "all"],
                        help="all: every target that this machine has a library for")
    add_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report; with all, one for each target")
    args, choice = parse_choice(parser, argv)
    options = options_from(args)
    if args.target != "all":
        reports = {args.target: flow.run(choice, args.target, options)}
        print_report(reports[args.target])
    else:
        reports = {}
        for target in flow.TARGETS:
            if target == "asic" and options.library is None and not liberty.DEFAULT.exists():
                print("target asic is left out: pass --liberty FILE, or install the Debian package qflow-tech-osu018")
                continue
            reports[target] = flow.run(choice, target, options)
            print_report(reports[target])
    if args.json:
        write_json(args.json, reports if args.target == "all" else reports[args.target])
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
