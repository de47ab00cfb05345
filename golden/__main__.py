"""python -m golden ACCEL: the golden model of an accelerator alone."""

import importlib
import importlib.util
import pkgutil
import sys

import golden
from golden.common.cli import UsageError, run_main


def accelerators() -> list[str]:
    """Packages of ``golden`` with a command line."""
    return sorted(m.name for m in pkgutil.iter_modules(golden.__path__)
                  if m.ispkg and importlib.util.find_spec(f"golden.{m.name}.cli") and m.name != "common")


def main(argv) -> int:
    """Hand the rest of the command line to the accelerator."""
    names = accelerators()
    usage = f"usage: python -m golden {{{','.join(names)}}} [--help]"
    if argv[:1] in (["-h"], ["--help"]):
        print(usage)
        return 0
    if not argv or argv[0] not in names:
        raise UsageError(f"accelerator must be one of {', '.join(names)}, "
                         f"not {argv[0]!r}" if argv else f"accelerator is missing; {usage}")
    return importlib.import_module(f"golden.{argv[0]}.cli").main(argv[1:])


if __name__ == "__main__":
    sys.exit(run_main(main))
