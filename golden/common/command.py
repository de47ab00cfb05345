"""A command line that runs a workload of an accelerator, in its model or in the simulator."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from golden.common.cli import Parser, UsageError, add_config_arguments, config_from, progress_bar, write_json
from golden.common.workload import print_workloads

__all__ = ["add_arguments", "checked_config", "compiled", "finish", "run"]


def add_arguments(parser: Parser, presets: Mapping[str, object], preset: str, workload: str) -> None:
    """Which configuration, which workload, and where its figures go; ``preset`` and ``workload`` are the defaults."""
    add_config_arguments(parser, presets, preset)
    parser.add_argument("--workload", metavar="W", default=workload,
                        help="a name of --list-workloads or an .npz file (default: %(default)s)")
    parser.add_argument("--list-workloads", action="store_true",
                        help="print the names with one line each and end")
    parser.add_argument("--seed", type=int, default=1, help="of random workloads (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")


def checked_config(args, presets: Mapping[str, object], **least: int):
    """The configuration that the options of :func:`add_arguments` describe, when the others are good, too.

    Raises
    ------
    UsageError
        If a setting is wrong, a number is below its ``least`` (0 for the seed), or the JSON file lies in a folder that
        is not there.
    """
    cfg = config_from(args, presets)
    for name, low in {"seed": 0, **least}.items():
        value = getattr(args, name)
        if value is not None and value < low:
            raise UsageError(f"{name} must be at least {low}, not {value}")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise UsageError(f"JSON file must be in an existing folder, not {str(args.json)!r}")
    return cfg


def run(parser: Parser, argv: Sequence[str] | None, workloads: Mapping[str, tuple], body: Callable) -> int:
    """Print the workloads if the command line asks for that, otherwise ``body(args)``; the exit code."""
    args = parser.parse_args(argv)
    if args.list_workloads:
        print_workloads(workloads)
        return 0
    return body(args)


@contextlib.contextmanager
def compiled(warm_up: Callable):
    """The progress bar of a cycle model, after ``warm_up`` compiled it."""
    with progress_bar() as progress:
        task = progress.add_task("compiling the cycle model", total=None)
        warm_up()
        progress.remove_task(task)
        yield progress


def finish(args, figures: dict) -> int:
    """Write the JSON file if the command line asks for one; the exit code: 1 if the figures tell of errors."""
    if args.json is not None:
        write_json(args.json, figures)
    return 1 if figures["functional_errors"] else 0
