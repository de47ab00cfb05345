"""python -m sim dota: a workload on the RTL, every cycle compared with the golden model."""

import sys

from golden.common.cli import run_main
from golden.common.command import finish
from golden.dota.cli import add_arguments, prepare
from golden.dota.model import warm_up
from golden.dota.report import Rtl, evaluate, to_dict
from golden.dota.tables import print_report
from golden.dota.workloads import WORKLOADS
from sim.common import command
from sim.dota.accelerator import build, simulate
from sim.dota.masks import schedule_masks


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = command.parser_of("dota", add_arguments)
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args, kind, repeat):
    cfg, workload, plans = prepare(args)
    if workload.masks is None or plans:
        ran = run_chip(cfg, plans, [] if workload.layers is None else [workload.layers], kind, args, repeat)
        runs, rounds = ran.runs, None
        rtl = Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)
    else:
        ran = schedule_masks(cfg, workload.masks, seed=args.seed, waves_file=args.waves, repeat=repeat)
        runs, rounds = [], ran.rounds
        rtl = Rtl(ran.checked_cycles, 0, {}, ran.wall_seconds)
    result = evaluate(cfg, workload, runs, preset=args.preset, seed=args.seed, wall_seconds=rtl.wall_seconds,
                      rounds=rounds, rtl=rtl)
    print_report(result)
    if rtl.counters:
        print("everything was loaded through the stream port; counters read over AXI equal the model's")
    if ran.waves is not None:
        print(f"waveform: {ran.waves}")
    return finish(args, to_dict(result))


def run_chip(cfg, plans, layers, kind, args, repeat):
    """Build while the cycle model is compiled, then simulate."""
    built = command.build_beside(warm_up, lambda: build(cfg, kind))
    with command.lockstep_options(args, repeat) as options:
        return simulate(built, cfg, plans, layers=layers, **options)


if __name__ == "__main__":
    sys.exit(run_main(main))
