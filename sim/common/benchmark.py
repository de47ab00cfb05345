"""What the benchmarks of the accelerators share: options, builds, progress, the file of figures, the verdict."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from golden.common.cli import Parser, UsageError, progress_bar, write_json

from .build import ROOT

#: Width of the table when it does not go to a terminal.
WIDTH = 140


def run_benchmark(accelerator: str, runs: Mapping[str, Sequence[str]], *, description: str, presets: Mapping,
                  workloads: Mapping, build: Callable, warm_up: Callable, measure: Callable, table: Callable,
                  argv=None) -> int:
    """Run workloads on the hardware, every cycle compared; 0 only if nothing differed.

    Parameters
    ----------
    accelerator : str
    runs : mapping of str to sequence of str
        Workloads of each preset, unless the options choose.
    presets, workloads : mapping
        Those that there are, by name.
    build : callable
        ``build(cfg)``: the simulator.
    warm_up : callable
        Compiles the golden model.
    measure : callable
        ``measure(built, preset, workload, seed)``: the JSON object of a run.
    table : callable
        ``table(results)`` with results by (preset, workload): heading and rows, as lists of strings.

    Raises
    ------
    UsageError
        If an option names something that there is not.
    """
    parser = Parser(prog=f"python -m sim.{accelerator}.bench", description=description)
    parser.add_argument("--presets", default=",".join(runs), help="comma-separated (default: %(default)s)")
    parser.add_argument("--workloads", help="comma-separated (default: those that are meant for the preset)")
    parser.add_argument("--seed", type=int, default=1)
    result = ROOT / "build" / "bench" / f"{accelerator}.json"
    parser.add_argument("--json", type=Path, default=result, metavar="FILE",
                        help=f"(default: {result.relative_to(ROOT)})")
    args = parser.parse_args(argv)
    chosen = _names("presets", args.presets, presets)
    only = None if args.workloads is None else _names("workloads", args.workloads, workloads)
    pairs = [(preset, workload) for preset in chosen for workload in only or runs.get(preset, ())]

    start = time.perf_counter()
    warm_up()
    builds, results = {}, {}
    with progress_bar() as progress:
        task = progress.add_task("benchmark", total=len(pairs))
        for preset, workload in pairs:
            progress.update(task, description=f"{preset} {workload}")
            if preset not in builds:
                began = time.perf_counter()
                built = build(presets[preset])
                builds[preset] = time.perf_counter() - began
            results[preset, workload] = measure(built, preset, workload, args.seed)
            progress.advance(task)
    _show(*table(results), results, builds, time.perf_counter() - start)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.json, {"builds": builds, "runs": list(results.values())})
    print(f"figures: {args.json}")
    return 1 if any(r["mismatches"] or r["functional_errors"] for r in results.values()) else 0


def _names(what, text, known):
    names = text.split(",")
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"{what} must be of {', '.join(known)}, not {unknown[0]!r}")
    return names


def _show(headings, rows, results, builds, seconds):
    """The table and the verdict for people; the first column is text, the others are figures."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for n, heading in enumerate(headings):
        table.add_column(heading, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)
    compared = sum(r["checked_cycles"] for r in results.values())
    wrong = sum(r["mismatches"] + r["functional_errors"] for r in results.values())
    console.print(f"{compared} compared cycles, {wrong} differences; builds "
                  f"{', '.join(f'{p} {s:.0f} s' for p, s in builds.items())} (cached ones take no time); "
                  f"{seconds:.0f} s in all", soft_wrap=True)
