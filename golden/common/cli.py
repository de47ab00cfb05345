"""What every command line of the project has in common: presets, settings, errors, JSON files.

Those that run a workload have more in common: :mod:`golden.common.command`.
"""

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from golden.common.config import with_settings


class UsageError(Exception):
    """The user asked for something impossible. The text is one line: the value and the rule."""


@contextlib.contextmanager
def user_input():
    """Turn the ValueErrors of a block that only reads user input into :class:`UsageError`."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


def run_main(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Run ``main(argv)``; the exit code.

    A :class:`UsageError` becomes one line on stderr and exit code 2. Any other exception is a
    fault of the program and keeps its traceback. A closed pipe or Ctrl-C ends quietly.
    """
    try:
        return main(sys.argv[1:] if argv is None else argv) or 0
    except UsageError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def dispatch(package, argv: Sequence[str]) -> int:
    """Hand a command line ``ACCEL ...`` to ``<package>.<ACCEL>.cli.main``.

    Raises
    ------
    UsageError
        If no accelerator of that name has a command line.
    """
    packages = [m.name for m in pkgutil.iter_modules(package.__path__) if m.ispkg and m.name != "common"]
    names = [name for name in packages if importlib.util.find_spec(f"{package.__name__}.{name}.cli")]
    if argv[:1] in (["-h"], ["--help"]):
        print(f"usage: python -m {package.__name__} {{{','.join(names)}}} [--help]")
        return 0
    if not argv:
        raise UsageError(f"accelerator must be one of {', '.join(names)}, and is missing")
    if argv[0] not in names:
        raise UsageError(f"accelerator must be one of {', '.join(names)}, not {argv[0]!r}")
    return importlib.import_module(f"{package.__name__}.{argv[0]}.cli").main(argv[1:])


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are :class:`UsageError`, without the usage text."""

    def error(self, message):
        raise UsageError(f"{message} (see --help)")


def add_config_arguments(parser: argparse.ArgumentParser, presets: Mapping[str, object], default: str):
    """Add ``--preset NAME`` and the repeatable ``--set KEY=VALUE``."""
    parser.add_argument("--preset", choices=sorted(presets), default=default,
                        help=f"configuration to start from (default: {default})")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
                        help="change one field of the configuration; may be repeated")


def config_from(args: argparse.Namespace, presets: Mapping[str, object]):
    """The configuration that ``--preset`` and ``--set`` describe.

    Raises
    ------
    UsageError
        If a setting is unknown or out of range.
    """
    with user_input():
        return with_settings(presets[args.preset], args.settings)


def write_json(path: Path | str, obj):
    """Write readable JSON; the file appears complete or not at all.

    Raises
    ------
    UsageError
        If the folder does not exist or cannot be written.
    """
    path = Path(path)
    text = json.dumps(obj, indent=2) + "\n"
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"JSON file must be writable, not {str(path)!r}: {error.strerror}") from error


def progress_bar():
    """A ``rich`` progress bar on the terminal, if there is one; gone when the work is done."""
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn
    return Progress(*Progress.get_default_columns(), TimeElapsedColumn(), transient=True,
                    console=Console(stderr=True), disable=not sys.stderr.isatty())
