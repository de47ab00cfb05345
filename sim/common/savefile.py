"""Views that belong to a waveform: a save file of GTKWave and a command file of Surfer, grouped by blocks.

``run.vcd`` gets ``run.gtkw`` (``gtkwave run.vcd run.gtkw``) and ``run.sucl`` (``surfer --command-file run.sucl
run.vcd``; Surfer does not read the other). Ports of the top come first, then every block inside it. Of blocks that
are there many times, such as ``pe_0 .. pe_63``, the first is shown in detail; the others are closed groups of their
own signals.
"""

import re
from pathlib import Path
from typing import NamedTuple

from sim.common.wavefile import WaveError, scopes_of

__all__ = ["write_beside"]

#: Groups open down to this depth below the top; deeper ones are there and closed.
_OPEN_DEPTH = 1


class _Group(NamedTuple):
    """A block: its title, its signals (name, width) and the blocks in it."""

    title: str
    path: str
    signals: list
    groups: list
    closed: bool


def write_beside(waveform: Path) -> list[Path]:
    """Write both files beside a waveform.

    Raises
    ------
    WaveError
        If the waveform cannot be read, or what writes the files is not installed.
    """
    try:
        from vcd.gtkw import GTKWSave
    except ModuleNotFoundError as error:
        raise WaveError("pyvcd must be installed to write a save file: make env-waves") from error
    groups = [_group(scope, 0, detailed=True) for scope in scopes_of(waveform)]
    save_file, commands = waveform.with_suffix(".gtkw"), waveform.with_suffix(".sucl")
    with open(save_file, "w") as file:
        save = GTKWSave(file)
        save.dumpfile(waveform.name, abspath=False)     # both may move together
        save.zoom_markers(-20.0)
        save.signals_width(320)
        for group in groups:
            _gtkwave(save, group)
    lines = []
    for group in groups:
        _surfer(lines, group)
    commands.write_text("\n".join([*lines, "zoom_fit", ""]))
    return [save_file, commands]


def _group(scope, depth: int, *, detailed: bool) -> _Group:
    """The block of a scope; of repeated blocks inside it only the first is detailed."""
    inner, seen = [], set()
    for child in scope.scopes:
        stem = re.sub(r"\d+", "#", child.name)
        inner.append(_group(child, depth + 1, detailed=detailed and stem not in seen))
        seen.add(stem)
    signals = [(name, width) for name, width in scope.signals.items() if _is_own(name, scope)]
    return _Group(scope.name, scope.path, signals, inner if detailed else [],
                  depth > _OPEN_DEPTH or not detailed)


def _is_own(name: str, scope) -> bool:
    """Neither a temporary of the Verilog's writer nor a wire on the port of a block inside."""
    wires = [f"{part}__" for inner in scope.scopes for part in (inner.name, re.sub(r"_\d*$", "", inner.name))]
    return not (re.fullmatch(r"_\w*_", name) or name.startswith(tuple(wires)))


def _gtkwave(save, group: _Group):
    with save.group(group.title, closed=group.closed):
        for name, width in group.signals:
            bits = f"[{width - 1}:0]" if width > 1 else ""
            save.trace(f"{group.path}.{name}{bits}")
        for inner in group.groups:
            _gtkwave(save, inner)


def _surfer(lines: list[str], group: _Group, depth: int = 0):
    """Surfer's commands cannot name a group, so blocks are divided by their names; what is closed is left out."""
    if depth and group.closed:
        return
    lines.append(f"divider_add {group.path}")
    lines += [f"variable_add {group.path}.{name}" for name, _width in group.signals]
    for inner in group.groups:
        _surfer(lines, inner, depth + 1)
