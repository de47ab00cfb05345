"""Waveform files: FST where the machine can build it, VCD elsewhere; one file a run."""

import os
from pathlib import Path

from golden.common.cli import UsageError
from sim.common.toolchain import fst_available


def requested() -> bool:
    """Whether the environment asks for waves: ``WAVES=1``."""
    return os.environ.get("WAVES", "").strip().lower() not in ("", "0", "no", "off", "false")


def format_for(path: Path | str | None = None) -> str:
    """``"fst"`` or ``"vcd"``: what the file's name says, or the best this machine can build.

    Raises
    ------
    ValueError
        If the name ends in neither, or in .fst where lz4 and zlib cannot be compiled against.
    """
    if path is None:
        return "fst" if fst_available() else "vcd"
    suffix = Path(path).suffix.lower()
    if suffix not in (".fst", ".vcd"):
        raise ValueError(f"waves must be a file ending in .fst or .vcd, not {str(path)!r}")
    if suffix == ".fst" and not fst_available():
        raise ValueError(f"waves must be a .vcd file, not {str(path)!r}: FST needs lz4.h and zlib.h")
    return suffix[1:]


def wave_kind(path: Path | None) -> str | None:
    """:func:`format_for` of a file that the user asked for; None for none.

    Raises
    ------
    UsageError
        If its folder does not exist, or from :func:`format_for`.
    """
    if path is None:
        return None
    if not path.absolute().parent.is_dir():
        raise UsageError(f"waveform must be in an existing folder, not {str(path)!r}")
    try:
        return format_for(path)
    except ValueError as error:
        raise UsageError(str(error)) from error


def build_arguments(kind: str | None) -> list[str]:
    """Verilator options that build tracing of this kind in."""
    return {None: [], "vcd": ["--trace-vcd"], "fst": ["--trace-fst"]}[kind]


def run_arguments(path: Path) -> list[str]:
    """Options of the simulation program that write the trace to ``path``."""
    return ["--trace", "--trace-file", str(path)]
