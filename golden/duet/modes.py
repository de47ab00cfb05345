"""All modes on the same inputs, side by side, and what the source says of them [Thesis 5.3.3]."""

from typing import NamedTuple

from . import paper_figures
from .compiler import compile_network
from .report import Report, evaluate, to_dict
from .spec import MODES
from .tables import TEXT, new_console, new_table, print_heading, share

__all__ = ["ALL", "Sums", "compile_modes", "print_modes", "reports_of", "sums", "to_dict_of_modes"]

#: The option that asks for all modes.
ALL = "all"


class Sums(NamedTuple):
    """Layers of a run together; fields as those of :class:`golden.duet.report.LayerReport` and its counts."""

    execute: int
    floor: int
    macs: int
    speculate: int
    exposed: int
    outputs: int
    insensitive: int
    weight_bytes: int

    def utilization(self, cfg) -> float:
        """MACs over those that all PEs could make in the Executor's cycles."""
        return self.macs / (self.execute * cfg.rows * cfg.columns) if self.execute else 0.0


def compile_modes(workload, cfg, mode: str) -> dict:
    """Programs by mode: of one, or of all of them in the order in which they are shown.

    Raises
    ------
    ValueError
        If a layer does not fit.
    """
    return {name: compile_network(workload.network, cfg, name, limits=workload.limits)
            for name in (MODES if mode == ALL else (mode,))}


def reports_of(programs: dict, workload, run, *, preset, seed, base_cycles=None) -> dict[str, Report]:
    """Run programs and compare each run with its equations.

    Parameters
    ----------
    programs : dict of str to Program
        Of :func:`compile_modes`.
    run : callable
        ``run(program)``: runs, seconds, and the :class:`golden.duet.report.Rtl` or None.
    base_cycles : int or None
        Of mode ``base``, if that is not one of ``programs``.
    """
    reports = {}
    for mode, program in programs.items():
        runs, seconds, rtl = run(program)
        base = base_cycles if mode == "base" or "base" not in reports else reports["base"].cycles
        reports[mode] = evaluate(program, workload, runs, preset=preset, seed=seed, wall_seconds=seconds,
                                 base_cycles=base, rtl=rtl)
    return reports


def sums(report: Report, convolutions: bool = False) -> Sums:
    """All layers, or the convolutions alone."""
    kinds = [layer.kind for layer in report.workload.network.layers]
    own = [layer for layer, kind in zip(report.layers, kinds, strict=True) if kind == "conv" or not convolutions]
    counted = ("floor", "macs", "outputs", "insensitive")
    return Sums(**{name: sum(getattr(layer.counts if name in counted else layer, name) for layer in own)
                   for name in Sums._fields})


def to_dict_of_modes(reports: dict[str, Report]) -> dict:
    """For JSON: what is the same of all modes, and the object of each."""
    modes = {mode: to_dict(report) for mode, report in reports.items()}
    first = modes["base"]
    return {name: first[name] for name in ("accelerator", "preset", "config", "workload", "seed")} | {
        name: sum(own[name] for own in modes.values())
        for name in ("checked_cycles", "mismatches", "functional_errors")} | {"modes": modes}


def print_modes(reports: dict[str, Report], console=None) -> None:
    """Print a table of the modes, one of the convolutions beside the source's figures, and the verdict."""
    console = console or new_console()
    base = reports["base"]
    print_heading(base, ", ".join(reports), console)
    console.print(_whole(reports))
    if any(layer.kind == "conv" for layer in base.workload.network.layers):
        console.print(_convolutions(reports))
        console.print("source: speedup and MAC utilisation, averages over the convolutions of its networks", **TEXT)
    console.print(_verdict(reports.values()), **TEXT)


def _whole(reports):
    base = reports["base"]
    checked = () if base.rtl is None else ("mismatches",)
    table = new_table("all layers", ("cycles", "speedup", *_HEADINGS, *checked))
    for mode, report in reports.items():
        table.add_row(mode, str(report.cycles), _ratio(base.cycles, report.cycles),
                      *_cells(report, sums(base), sums(report)),
                      *(() if report.rtl is None else (str(report.rtl.mismatches),)))
    return table


def _convolutions(reports):
    table, base = new_table("convolutions", (*_HEADINGS, "source")), sums(reports["base"], True)
    for mode, report in reports.items():
        table.add_row(mode, *_cells(report, base, sums(report, True)), source(mode))
    return table


#: In two lines, so that the table is not wider than the text.
_HEADINGS = ("Executor", "speedup", "its\nfloor", "MAC\nutil.", "Speculator", "not\nhidden", "insensitive",
             "weights,\nKB")


def _cells(report, base, own):
    return (str(own.execute), _ratio(base.execute, own.execute), str(own.floor),
            f"{own.utilization(report.cfg):.1%}", str(own.speculate), str(own.exposed),
            share(own.insensitive, own.outputs), f"{own.weight_bytes / 1024:.1f}")


def _ratio(base, own):
    return f"{base / max(own, 1):.2f}"


def source(mode: str) -> str:
    """Speedup and MAC utilisation that the source prints; it prints no utilisation of ``base``."""
    utilization = paper_figures.UTILIZATION.get(mode)
    return f"{paper_figures.SPEEDUP[mode]:.2f}, {'-' if utilization is None else f'{utilization:.0%}'}"


def _verdict(reports):
    errors = sum(report.functional_errors for report in reports)
    text = f"{errors} differences from the equations"
    runs = [report.rtl for report in reports if report.rtl is not None]
    if not runs:
        return f"in the model; {text}"
    checked, seconds = sum(rtl.checked_cycles for rtl in runs), sum(rtl.wall_seconds for rtl in runs)
    return (f"{checked} cycles compared with the hardware, {sum(rtl.mismatches for rtl in runs)} mismatches, "
            f"{checked / max(seconds, 1e-9):.0f} compared cycles/s; {text}")
