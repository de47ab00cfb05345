"""From a unit and a target to a report."""

import contextlib
import importlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from golden.common.cli import UsageError
from hdl import __version__
from hdl.common.cli import Choice
from synth.common import liberty
from synth.common.asic import Asic
from synth.common.ecp5 import Ecp5
from synth.common.generic import Generic
from synth.common.graph import CombinationalLoop
from synth.common.hierarchy import read_hierarchy
from synth.common.structure import Structure
from synth.common.tools import ToolError

__all__ = ["TARGETS", "Options", "paper_of", "run"]

TARGETS = ("generic", "ecp5", "asic")


class Options(NamedTuple):
    """What a run may be told.

    Attributes
    ----------
    library : Path or None
        Liberty file of target ``asic``; None is the default one.
    period : int
        Clock period to aim at [ps].
    sram_delay : int
        Clock to output of an SRAM [ps].
    seeds : int or None
        Placements of each unit; None: 3, or 1 where there are many units.
    jobs : int
        Tools that run at the same time.
    """

    library: Path | None = None
    period: int = 2000
    sram_delay: int = 0
    seeds: int | None = None
    jobs: int = os.cpu_count() or 1


def run(choice: Choice, target: str, options: Options) -> dict:
    """Measure a unit and everything below it.

    Parameters
    ----------
    choice : Choice
    target : str
        One of :data:`TARGETS`.
    options : Options

    Returns
    -------
    dict
        The report, see docs/synthesis.md.

    Raises
    ------
    UsageError
        If a tool or a library is missing, or a tool fails.
    """
    library = liberty.open_library(options.library) if target == "asic" else None
    try:
        with _progress(f"{choice.label} {target}") as (say, watch):
            hierarchy = read_hierarchy(choice.emit(), say)
            structure = Structure(hierarchy, say)
            made = {"generic": lambda: Generic(hierarchy, structure),
                    "ecp5": lambda: Ecp5(hierarchy, structure, seeds=options.seeds, say=say),
                    "asic": lambda: Asic(hierarchy, structure, library, period=options.period,
                                         sram_delay=options.sram_delay, say=say)}[target]()
            stages = [[partial(structure.job, unit) for unit in hierarchy.units], *made.stages(hierarchy.units)]
            _run_stages(stages, options.jobs, watch)
            return _report(choice, target, made, structure)
    except (ToolError, CombinationalLoop) as error:
        raise UsageError(str(error)) from error


def _run_stages(stages, jobs, watch):
    watch(0, sum(map(len, stages)))
    done = 0
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for stage in stages:
            futures = [pool.submit(work) for work in stage]
            try:
                for future in futures:
                    future.result()
                    done += 1
                    watch(done, None)
            except BaseException:
                for future in futures:
                    future.cancel()
                raise


def _report(choice, target, made, structure):
    hierarchy = structure.hierarchy
    paper = paper_of(choice.accelerator)
    counts = hierarchy.instances(hierarchy.top)

    def figures(unit):
        stem = "top" if unit == choice.accelerator else unit.removeprefix(f"{choice.accelerator}_")
        found = {"instances": counts[unit], **made.measure(unit), "ports": structure.ports(unit)}
        measured = paper.get("units", {}).get(stem)
        return {**found, "paper": {**measured, "where": paper["where"]}} if measured else found

    srams = [{"module": shape.kind, "depth": shape.depth, "width": shape.width, "count": count,
              "bits": count * shape.bits} for shape, count in sorted(hierarchy.srams(hierarchy.top).items())]
    report = {"unit": choice.label, "preset": choice.preset, "target": target, "config": hierarchy.design.config,
              "generator": f"Elision {__version__}", "tools": made.tools(), "conditions": made.conditions(),
              "description": made.describe(), **figures(hierarchy.top),
              "srams": srams}
    if len(hierarchy.units) > 1:
        report["units"] = {unit: figures(unit) for unit in hierarchy.units[:-1]}
    return report


def paper_of(accelerator: str) -> dict:
    """``PAPER`` of an accelerator: ``where`` it was measured, and ``units`` by stem. Empty when there is none."""
    return getattr(importlib.import_module(f"hdl.{accelerator}"), "PAPER", {})


@contextlib.contextmanager
def _progress(title):
    """(say, watch): a bar on a terminal; elsewhere a line for each tool that is started."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield (lambda text: print(f"{title}: {text}", file=sys.stderr, flush=True)), (lambda done, total: None)
        return
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   console=console, transient=True)
    with bar:
        task = bar.add_task(title, total=None)

        def watch(done, total):
            bar.update(task, completed=done, **({} if total is None else {"total": total}))

        yield (lambda text: bar.update(task, description=f"{title}: {text}")), watch
