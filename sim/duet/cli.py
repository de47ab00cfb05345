"""python -m sim duet: a workload on the RTL, every cycle compared with the golden model."""

import sys

from golden.common.cli import UsageError, run_main
from golden.duet.cli import add_arguments, prepare, show
from golden.duet.model import warm_up
from golden.duet.modes import ALL
from golden.duet.report import Rtl
from golden.duet.workloads import WORKLOADS
from sim.common import command
from sim.duet.accelerator import build, simulate


def main(argv=None) -> int:
    """Run the command; 0 only if nothing differed."""
    parser = command.parser_of("duet", add_arguments)
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args, kind, repeat):
    if (args.waves or args.golden_waves) and args.mode == ALL:
        raise UsageError(f"waveforms must be left out with mode {ALL}, which has a run for each mode")
    cfg, workload, programs = prepare(args)
    notes = ["everything was loaded through the stream port; counters read over AXI equal the model's"]

    def run(program):
        with command.lockstep_options(args, f"{repeat} --mode {program.mode}",
                                      f"RTL in lockstep, mode {program.mode}") as options:
            ran = simulate(built, program, workload.network.inputs, **options)
        if ran.waves is not None:
            notes.append(f"waveform: {ran.waves}")
        return ran.runs, ran.wall_seconds, Rtl(ran.checked_cycles, 0, ran.counters, ran.wall_seconds)

    built = command.build_beside(warm_up, lambda: build(cfg, kind))
    return show(args, cfg, workload, programs, run, notes)


if __name__ == "__main__":
    sys.exit(run_main(main))
