"""python -m golden duet: the cycle model on a workload, with the same report as the simulator."""

import sys
import time

from golden.common import command
from golden.common.cli import Parser, run_main, user_input

from .compiler import compile_network
from .config import DEFAULT_PRESET, PRESETS
from .modes import ALL, compile_modes, print_modes, reports_of, to_dict_of_modes
from .report import to_dict
from .spec import MODES
from .tables import print_report
from .workloads import DEFAULT_WORKLOAD, WORKLOADS, load

__all__ = ["add_arguments", "main", "prepare", "show"]


def add_arguments(parser) -> None:
    """The options that the model and the simulator share."""
    command.add_arguments(parser, PRESETS, DEFAULT_PRESET, DEFAULT_WORKLOAD)
    parser.add_argument("--mode", choices=(*MODES, ALL), default="duet",
                        help="base: no skipping; os, ios: switching of outputs, of inputs too; bos, duet: "
                        "the same with adaptive mapping; all: these five on the same inputs, in one table beside the "
                        "source's figures (default: duet)")
    parser.add_argument("--inputs", type=int, metavar="N", help="run only the first N inputs (default: 2)")
    parser.add_argument("--tiles", type=int, metavar="N", help="of a single convolution, only N tiles of the map")
    parser.add_argument("--channels", type=int, metavar="N", help="of a single convolution, only N output channels")


def prepare(args):
    """Configuration, workload and programs by mode that the options of :func:`add_arguments` ask for.

    Raises
    ------
    UsageError
        If an option is out of range, or the workload is unknown, malformed or does not fit.
    """
    cfg = command.checked_config(args, PRESETS, inputs=1, tiles=1, channels=1)
    workload = load(args.workload, cfg, args.seed)
    if args.tiles is not None or args.channels is not None:
        workload = workload.part(cfg, args.tiles, args.channels)
    workload = workload.limited(2 if args.inputs is None else args.inputs)
    with user_input():
        return cfg, workload, compile_modes(workload, cfg, args.mode)


def run_model(program, inputs) -> tuple[list, float]:
    """A run of the cycle model for every input, and the seconds of the runs."""
    from .model import Duet, warm_up  # takes time to load
    with command.compiled(warm_up) as progress:
        model = Duet(program.cfg)
        start = time.perf_counter()
        chip = model.load(program)
        runs = [model.run(program, x, chip) for x in progress.track(inputs, description="cycle model")]
    return runs, time.perf_counter() - start


def _base_cycles(cfg, workload, programs) -> int | None:
    """Cycles of the cycle model in mode ``base``; None if that is what runs anyway."""
    if "base" in programs:
        return None
    program = compile_network(workload.network, cfg, "base", limits=workload.limits)
    runs, _ = run_model(program, workload.network.inputs)
    return sum(counters["cycles"] for run in runs for counters in run.counts)


def show(args, cfg, workload, programs, run, notes=()) -> int:
    """Run programs, print what comes out, and write the JSON file; the exit code.

    Parameters
    ----------
    run : callable
        As that of :func:`golden.duet.modes.reports_of`.
    notes : list of str
        Lines that are printed at the end.
    """
    reports = reports_of(programs, workload, run, preset=args.preset, seed=args.seed,
                         base_cycles=_base_cycles(cfg, workload, programs))
    if args.mode == ALL:
        print_modes(reports)
    else:
        print_report(reports[args.mode])
    for note in notes:
        print(note)
    return command.finish(args, to_dict_of_modes(reports) if args.mode == ALL else to_dict(reports[args.mode]))


def main(argv=None) -> int:
    """Run the command; 0 if the model agrees with layer 1, else 1."""
    parser = Parser(prog="python -m golden duet", description="Run the cycle model of DUET on a workload.")
    add_arguments(parser)
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args):
    cfg, workload, programs = prepare(args)
    return show(args, cfg, workload, programs, lambda program: (*run_model(program, workload.network.inputs), None))


if __name__ == "__main__":
    sys.exit(run_main(main))
