"""python -m golden eie: the cycle model on a workload, with the same report as the simulator."""

import contextlib
import sys
import time
from pathlib import Path

from golden.common import command
from golden.common.cli import Parser, run_main, user_input
from golden.common.vcd import VcdFile

from .compiler import Image, pack
from .config import DEFAULT_PRESET, PRESETS, EieConfig
from .report import evaluate, to_dict
from .tables import print_report
from .workloads import DEFAULT_WORKLOAD, WORKLOADS, Workload, load

#: Input vectors that a built-in workload runs unless told otherwise.
BUILT_IN_IMAGES = 20


def add_arguments(parser) -> None:
    """The options that the model and the simulator share."""
    command.add_arguments(parser, PRESETS, DEFAULT_PRESET, DEFAULT_WORKLOAD)
    parser.add_argument("--images", type=int, metavar="N",
                        help=f"run only the first N input vectors (default: {BUILT_IN_IMAGES} of a built-in workload, "
                        "all of a file)")


def prepare(args) -> tuple[EieConfig, Workload, Image]:
    """Configuration, workload and packed image that the options of :func:`add_arguments` ask for.

    Raises
    ------
    UsageError
        If an option is out of range, or the workload is unknown, malformed or does not fit.
    """
    if args.images is None and args.workload in WORKLOADS:
        args.images = BUILT_IN_IMAGES
    cfg = command.checked_config(args, PRESETS, images=1)
    workload = load(args.workload, cfg, args.seed)
    with user_input():
        return cfg, workload, pack(workload.layers, cfg)


def main(argv=None) -> int:
    """Run the command; 0 if the model agrees with layer 1, else 1."""
    parser = Parser(prog="python -m golden eie", description="Run the cycle model of EIE on a workload.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write the model's waveform (.vcd)")
    return command.run(parser, argv, WORKLOADS, _run)


def _run(args):
    if args.waves is not None:
        VcdFile.check(args.waves)
    _, workload, image = prepare(args)
    runs, seconds = run_model(image, workload.activations[:args.images], args.waves)
    result = evaluate(image, workload, runs, preset=args.preset, seed=args.seed, wall_seconds=seconds)
    print_report(result)
    if args.waves is not None:
        print(f"waveform: {args.waves}")
    return command.finish(args, to_dict(result))


def run_model(image: Image, vectors, waves_file: Path | None = None) -> tuple[list, float]:
    """A run of the cycle model for every vector, and the seconds they took without compiling the model.

    With ``waves_file`` all their cycles go into a waveform.
    """
    from .model import Eie, warm_up  # takes time to load
    from .waves import Waves, run_traced
    with command.compiled(warm_up) as progress:
        model = Eie(image.cfg)
        model.load(image)
        runs, seconds = [], 0.0
        with contextlib.nullcontext() if waves_file is None else Waves(waves_file, image.cfg) as waves:
            for vector in progress.track(vectors, description="cycle model"):
                start = time.perf_counter()
                runs.append(model.run(image, vector) if waves is None else run_traced(model, image, vector, waves))
                seconds += time.perf_counter() - start
    return runs, seconds


if __name__ == "__main__":
    sys.exit(run_main(main))
