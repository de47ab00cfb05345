"""python -m golden dota: the cycle model on a workload, with the same report as the simulator."""

import dataclasses
import sys
import time

from golden.common import command
from golden.common.cli import Parser, UsageError, run_main, user_input

from .compiler import plan_head
from .config import DEFAULT_PRESET, PRESETS
from .encoder import plan_layers
from .linear import commands_of
from .report import evaluate, to_dict
from .tables import print_report
from .workloads import DEFAULT_WORKLOAD, WORKLOADS, load


def add_arguments(parser) -> None:
    """The options that the model and the simulator share."""
    command.add_arguments(parser, PRESETS, DEFAULT_PRESET, DEFAULT_WORKLOAD)
    parser.add_argument("--heads", type=int, metavar="N", help="run only the first N heads (default: all)")


def prepare(args):
    """Configuration, workload and plans of its heads that the options of :func:`add_arguments` ask for.

    Raises
    ------
    UsageError
        If an option is out of range, or the workload is unknown, malformed or does not fit.
    """
    cfg = command.checked_config(args, PRESETS, heads=1)
    workload = load(args.workload, cfg, args.seed)
    if args.heads is not None:
        expected = None if workload.expected is None else workload.expected[:args.heads]
        workload = dataclasses.replace(workload, heads=workload.heads[:args.heads], expected=expected)
    if workload.layers is not None:
        if args.heads is not None:
            raise UsageError(f"heads must be left out with {args.workload}, which is run as a whole, not {args.heads}")
        for _ in commands_of(plan_layers(workload.layers, cfg), cfg):     # says so if it does not fit
            pass
    with user_input():
        return cfg, workload, [plan_head(head, cfg) for head in workload.heads]


def main(argv=None) -> int:
    """Run the command; 0 if the model agrees with layer 1, else 1."""
    parser = Parser(prog="python -m golden dota", description="Run the cycle model of DOTA on a workload.")
    add_arguments(parser)
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args):
    cfg, workload, plans = prepare(args)
    runs, seconds = run_model(cfg, plans, workload.layers)
    result = evaluate(cfg, workload, runs, preset=args.preset, seed=args.seed, wall_seconds=seconds)
    print_report(result)
    return command.finish(args, to_dict(result))


def run_model(cfg, plans, layers=None) -> tuple[list, float]:
    """A run of the cycle model for every plan, in lane ``n % lanes``, or of layers, and the seconds of the runs."""
    if not plans and layers is None:
        return [], 0.0
    from .model import Dota, warm_up  # takes time to load
    with command.compiled(warm_up) as progress:
        model = Dota(cfg)
        start = time.perf_counter()
        if layers is not None:
            progress.add_task("cycle model", total=None)
            runs = [model.run_program(plan_layers(layers, cfg))]
        else:
            runs = [model.run(plan, n % cfg.lanes) for n, plan in
                    enumerate(progress.track(plans, description="cycle model"))]
    return runs, time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(run_main(main))
