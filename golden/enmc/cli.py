"""python -m golden enmc: the cycle model on a workload, with the same report as the simulator."""

import sys
import time

from golden.common import command
from golden.common.cli import Parser, run_main, user_input

from .config import DEFAULT_PRESET, PRESETS
from .plan import Plan, plan
from .report import Run, evaluate, to_dict
from .tables import print_report
from .workloads import DEFAULT_WORKLOAD, WORKLOADS, load

#: Inputs of ``tokens`` that are run unless another number is asked for: about a minute of simulation.
TOKENS_INPUTS = 128


def add_arguments(parser) -> None:
    """The options that the model and the simulator share."""
    command.add_arguments(parser, PRESETS, DEFAULT_PRESET, DEFAULT_WORKLOAD)
    parser.add_argument("--inputs", type=int, metavar="N", help="run only the first N inputs (default: all, of "
                        f"tokens {TOKENS_INPUTS})")
    parser.add_argument("--batch", type=int, metavar="N", help="inputs that share the weights that are read (default: "
                        "as many as fit)")
    parser.add_argument("--classes", type=int, metavar="N", help="take only the first N classes, as one rank of a "
                        "larger system owns them")
    parser.add_argument("--candidates", type=float, metavar="N", help="choose the threshold for N candidates of an "
                        "input on average (default: the workload's)")
    parser.add_argument("--scores", action="store_true", help="also write the approximate scores of all classes into "
                        "the DRAM, and read them back")
    parser.add_argument("--in-order", action="store_true", help="leave neighbouring classes together in a tile "
                        "(default: they go to different tiles and ranks)")
    parser.add_argument("--full", action="store_true", help="classify all classes exactly, without screening")


def prepare(args) -> Plan:
    """What the options of :func:`add_arguments` ask for.

    Raises
    ------
    UsageError
        If an option is out of range, or the workload is unknown, malformed or does not fit.
    """
    cfg = command.checked_config(args, PRESETS, inputs=1, batch=1, classes=1)
    inputs = TOKENS_INPUTS if args.inputs is None and args.workload == "tokens" else args.inputs
    with user_input():
        workload = load(args.workload, cfg, args.seed)
        return plan(cfg, workload, inputs=inputs, batch=args.batch, classes=args.classes,
                    candidates=args.candidates, scores=args.scores, full=args.full,
                    deal=not args.in_order)


def main(argv=None) -> int:
    """Run the command; 0 if the model agrees with layer 1, else 1."""
    parser = Parser(prog="python -m golden enmc", description="Run the cycle model of ENMC on a workload.")
    add_arguments(parser)
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args):
    what = prepare(args)
    run, seconds = run_model(what)
    report = evaluate(what, run, preset=args.preset, seed=args.seed, wall_seconds=seconds)
    print_report(report)
    return command.finish(args, to_dict(report))


def run_model(what: Plan) -> tuple[Run, float]:
    """All batches in the cycle model, and the seconds that they took."""
    from .model import Dimm, warm_up  # takes time to load
    with command.compiled(warm_up) as progress:
        dimm, answers, batches = Dimm(what.cfg), [], []
        start = time.perf_counter()
        for n in progress.track(range(what.batches), description="cycle model"):
            answers.append(dimm.run(what.jobs(n)))
            batches.append(dimm.host.worked)
        return Run(answers, batches, dimm.activity), time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(run_main(main))
