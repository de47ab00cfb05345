"""python -m sim.coverage [ACCEL ...]: code coverage and named events of the fixed runs, and what they must reach."""

import importlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from golden.common.cli import Parser, UsageError, run_main
from sim.common import coverage_report, toolchain
from sim.common.build import BUILD
from sim.common.coverage_data import CoverageError
from sim.common.coverage_report import Goals
from sim.common.regress import Run
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError
from sim.regress import registered as registered_runs


def registered() -> dict[str, tuple[Mapping[str, Run], Goals]]:
    """Runs and goals of every accelerator that has runs: ``sim.<accel>.regress`` and ``sim.<accel>.coverage``."""
    found = {}
    for name, runs in registered_runs().items():
        goals = importlib.import_module(f"sim.{name}.coverage")
        found[name] = runs, Goals(goals.PLAN, goals.EXCEPTIONS)
    return found


def main(argv) -> int:
    """Report; 1 if a planned event is missing or a module fell below its floor."""
    table = registered()
    parser = Parser(prog="python -m sim.coverage", description="Simulate the fixed runs of the regression with code "
                    "coverage, and hold lines, branches, toggles and named events against what they must reach.")
    parser.add_argument("accelerators", nargs="*", metavar="ACCEL", help=f"{', '.join(table)} (default: all)")
    parser.add_argument("--accept", action="store_true", help="make the figures of now the floors in tests/regress")
    args = parser.parse_args(argv)
    for name in args.accelerators:
        if name not in table:
            raise UsageError(f"accelerator must be one of {', '.join(table)}, not {name!r}")
    try:
        return max(_one(name, *table[name], args.accept) for name in args.accelerators or table)
    except (ToolchainError, CoverageError) as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1


def _one(accelerator: str, runs: Mapping[str, Run], goals: Goals, accept: bool) -> int:
    started, out = time.perf_counter(), BUILD / "coverage" / accelerator
    report = coverage_report.collect(accelerator, runs, goals, out,
                                     lambda name: print(f"{accelerator}/{name}", file=sys.stderr, flush=True))
    file = coverage_report.write(report, out)
    print(coverage_report.table(report))
    for unit, exceptions in goals.exceptions.items():
        for reason in dict.fromkeys(exceptions.values()):
            events = ", ".join(event for event, why in exceptions.items() if why == reason)
            print(f"not held here: {unit}: {events}: {reason}")
    problems = report.problems()
    for line in problems:
        print(f"EVENTS {line}")
    changed = accept and coverage_report.accept(report)
    fallen = [] if accept else _fallen(report)
    if accept:
        print(f"floors {'accepted' if changed else 'unchanged'}")
    seconds = time.perf_counter() - started
    print(f"{accelerator}: {len(runs)} runs, {seconds:.0f} s; sources with counts: {_shown(file)}")
    return 1 if problems or fallen else 0


def _fallen(report) -> list[str]:
    committed = coverage_report.load_floors(report.accelerator)
    fallen = coverage_report.fallen(report, committed["floors"])
    for line in fallen:
        print(f"FELL {line}")
    if fallen:
        now = toolchain.versions()["verilator"]
        if committed["simulator"] not in (None, now):
            print(f"the floors are of {committed['simulator']}, this is {now}: it may count differently")
        print(f"if that is meant: python -m sim.coverage {report.accelerator} --accept")
    return fallen


def _shown(file: Path) -> Path:
    return file.parent.relative_to(BUILD.parent) if file.is_relative_to(BUILD.parent) else file.parent


if __name__ == "__main__":
    sys.exit(run_main(main))
