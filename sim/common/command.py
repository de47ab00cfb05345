"""``python -m sim ACCEL``: a workload on the RTL, every cycle compared with the golden model."""

import contextlib
import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from golden.common import command
from golden.common.cli import Parser, UsageError, progress_bar
from golden.common.vcd import VcdFile
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.common.waves import wave_kind

__all__ = ["build_beside", "lockstep_options", "parser_of", "run"]


def parser_of(accelerator: str, add_arguments: Callable) -> Parser:
    """The options of the golden model, and those of waveforms."""
    parser = Parser(prog=f"python -m sim {accelerator}",
                    description=f"Run a workload on the RTL of {accelerator.upper()}, and compare every cycle with the "
                    "golden model.")
    add_arguments(parser)
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write a waveform (.vcd, or .fst where possible)")
    parser.add_argument("--golden-waves", type=Path, metavar="FILE",
                        help="write the golden model's waveform of the same cycles (.vcd)")
    return parser


def run(parser: Parser, argv, workloads: Mapping[str, tuple], body: Callable) -> int:
    """Run the command; the exit code: that of ``body``, or 1 if something differed or could not be built.

    Parameters
    ----------
    parser : Parser
        Of :func:`parser_of`.
    body : callable
        ``body(args, kind, repeat)``: ``kind`` of waveform that is asked for or None, and the command that repeats it.

    Raises
    ------
    UsageError
        If the options ask for something impossible, or there is no toolchain.
    """
    argv = sys.argv[1:] if argv is None else argv

    def checked(args):
        kind = wave_kind(args.waves)
        if args.golden_waves is not None:
            VcdFile.check(args.golden_waves)
        try:
            return body(args, kind, " ".join([parser.prog, *map(shlex.quote, argv)]))
        except ToolchainError as error:
            raise UsageError(str(error)) from error
        except (BenchFailure, BuildError) as failure:
            print(failure, file=sys.stderr)
            return 1

    return command.run(parser, argv, workloads, checked)


def build_beside(warm_up: Callable, build: Callable):
    """``build()``, with the cycle model compiled beside the C++ compiler."""
    compiling = threading.Thread(target=warm_up)
    compiling.start()
    built = build()
    compiling.join()
    return built


@contextlib.contextmanager
def lockstep_options(args, repeat: str, text: str = "RTL in lockstep", total: int | None = None):
    """A progress bar, and what the command line says of every run: keywords of :func:`sim.common.job.lockstep`."""
    with progress_bar() as bar:
        task = bar.add_task(text, total=total)
        yield {"seed": args.seed, "waves_file": args.waves, "golden_waves": args.golden_waves, "repeat": repeat,
               "on_progress": lambda done, total: bar.update(task, completed=done, total=total)}
