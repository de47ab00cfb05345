"""Turning Verilog into a simulation program, once per content.

Everything that decides the result is hashed into the folder's name, so that a build is found
again whatever asked for it. Verilator's run-time library takes most of the compile time of a
small design and is the same for all of them: it is compiled once and copied into each build.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config

from sim.common import toolchain, waves

#: The checkout.
ROOT = Path(__file__).resolve().parents[2]
#: Everything that can be made again.
BUILD = ROOT / "build"

#: Options of every build. Assertions are fatal, and so are Verilator's warnings.
VERILATOR_FLAGS = ("--assert", "-O3", "--timescale", "1ns/1ps", "--vpi", "--no-public-flat-rw")
#: -O2 runs about a fifth faster than Verilator's -Os and compiles as fast.
MAKE_FLAGS = ("OPT_FAST=-O2", "OPT_GLOBAL=-O2")
#: Options that count lines, branches and toggles, see :mod:`sim.common.coverage_data`.
COVERAGE_FLAGS = ("--coverage-line", "--coverage-toggle")

#: Lint classes that Amaranth's Verilog triggers by design. Widths are waived on operators only: on
#: the ports of an instance a wrong width is a wiring fault. UNOPTFLAT and PINMISSING stay fatal.
LINT_CONTROL = """\
// A case over a whole enumeration has no default; registers keep their value on purpose.
lint_off -rule CASEINCOMPLETE
// Patterns with don't-care bits are tested in order.
lint_off -rule CASEOVERLAP
// Comparisons against the ends of a range are written out even where they are constant.
lint_off -rule UNSIGNED
lint_off -rule CMPCONST
// Python-sized operands: results are extended or cut to the target, as Amaranth defines.
lint_off -rule WIDTHEXPAND -file "*" -match "Operator*"
lint_off -rule WIDTHTRUNC -file "*" -match "Operator*"
"""


class BuildError(Exception):
    """The Verilog did not build. The text starts with the tool's first message."""


@dataclass(frozen=True)
class Build:
    """A finished simulation program.

    Attributes
    ----------
    name, top : str
        Name of the build; top module.
    folder : Path
        Where it lies; its name ends in the hash of the content.
    waves : str or None
        ``"fst"`` or ``"vcd"`` when tracing is built in.
    coverage : bool
        Code coverage is built in.
    """

    name: str
    top: str
    folder: Path
    waves: str | None
    coverage: bool = False

    @property
    def program(self) -> Path:
        """The executable."""
        return self.folder / self.top


def once(*units: str) -> str:
    """Control text: modules that occur often are compiled once.

    Verilator merges the code of instances only where it is the same to the letter. So nothing may be optimised through
    their ports; ``-fno-dfg`` and ``-fno-table`` (tables have numbers) keep it the same inside, too; and units with
    assertions, which print the path of their instance, must stand alone. Without this the model of an accelerator is
    ten times larger, and builds as much longer.
    """
    return "".join(f'no_inline -module "{unit}"\npublic_flat_rw -module "{unit}" -port "*"\n' for unit in units)


def build(name: str, sources: dict[str, str], top: str, *, control: str = "", flags: tuple[str, ...] = (),
          waves: bool | str | None = None, coverage: bool = False) -> Build:
    """Build Verilog text for the simulator, or find the finished build.

    Parameters
    ----------
    name : str
        First part of the folder's name.
    sources : dict of str to str
        File name to Verilog text, in compile order.
    top : str
        Top module. Its ports are always visible to the bench.
    control : str
        More lines of a Verilator control file, e.g. ``public_flat_rd -module "pe" -var "state"``
        or ``no_inline -module "pe"``. Nothing but the ports of the top is visible without them.
    flags : tuple of str
        More options for Verilator.
    waves : bool, str or None
        Build tracing in: ``"fst"``, ``"vcd"``, True for the better one this machine has. None asks
        the environment (``WAVES=1``).
    coverage : bool
        Count lines, branches and toggles.

    Raises
    ------
    BuildError
        If Verilator or the compiler rejects the text.
    ToolchainError
        If a tool is missing.
    """
    kind = _wave_kind(waves)
    flags = (*flags, *COVERAGE_FLAGS) if coverage else flags
    files = {"control.vlt": _control_text(top, control), **sources}
    key = _digest(json.dumps([list(files.items()), top, kind, flags]), _environment_key())
    folder = BUILD / "verilator" / f"{name}-{key}"
    done = Build(name, top, folder, kind, coverage)
    if _is_finished(folder):
        return done
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not _is_finished(folder):  # another process may have built it meanwhile
            runtime = _runtime(kind)
            _announce(name, files)
            _compile(folder, files, top, kind, flags, runtime=runtime)
    return done


def _wave_kind(request: bool | str | None) -> str | None:
    if request is None:
        request = waves.requested()
    return waves.format_for() if request is True else (request or None)


def _control_text(top: str, control: str) -> str:
    lines = control.replace("`verilator_config", "")
    return f'`verilator_config\npublic_flat_rw -module "{top}" -port "*"\n{LINT_CONTROL}{lines.strip()}\n'


def _environment_key() -> str:
    """Whatever changes the result besides the sources: tools, flags, the library linked to."""
    return json.dumps([toolchain.versions(), VERILATOR_FLAGS, MAKE_FLAGS, toolchain.prepare(),
                       str(cocotb_tools.config.libs_dir)])


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _is_finished(folder: Path) -> bool:
    return (folder / "finished").exists()


def _announce(name: str, files: dict[str, str]):
    """Say that a build starts and how long it may take: as long as the last of its name, or a guess."""
    earlier = sorted((BUILD / "verilator").glob(f"{name}-*/finished"), key=lambda path: path.stat().st_mtime)
    size = sum(map(len, files.values()))
    seconds = float(earlier[-1].read_text().split()[0]) if earlier else 1 + size / 10_000
    print(f"building {name} (first time, about {seconds:.0f} s)", file=sys.stderr, flush=True)


def _runtime(kind: str | None) -> Path:
    """Folder with Verilator's run-time library compiled for these tools and flags."""
    folder = BUILD / "verilator" / f"runtime-{_digest(str(kind), _environment_key())}"
    if not _is_finished(folder):
        with locked(folder.with_name(f"{folder.name}.lock")):
            if not _is_finished(folder):
                print("building the simulator's run-time library (once, about 7 s)",
                      file=sys.stderr, flush=True)
                text = "module probe(input clk, output reg q); always @(posedge clk) q <= ~q; endmodule\n"
                files = {"control.vlt": _control_text("probe", ""), "probe.v": text}
                _compile(folder, files, "probe", kind, (), runtime=None)
    return folder


def _compile(folder: Path, files: dict[str, str], top: str, kind: str | None, flags, *, runtime: Path | None):
    if len(str(folder).split()) > 1:
        raise BuildError(f"the checkout must lie in a folder without spaces, not {str(ROOT)!r}")
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for file_name, text in files.items():
        write_if_changed(folder / file_name, text)
    tools = toolchain.prepare()
    with open(folder / "build.log", "w") as log:
        _call(_verilator_command(tools, folder, files, top, kind, flags), folder, log)
        if runtime is not None:
            # After Verilator, so that make sees objects newer than the makefile.
            for item in _runtime_objects(folder):
                if (runtime / item).exists():
                    shutil.copyfile(runtime / item, folder / item)
        _call(["make", "-j2", "-f", "Vtop.mk", *tools.make_variables, *MAKE_FLAGS], folder, log)
    if runtime is not None:
        # A finished build is never made again: only the program is needed from now on.
        for pattern in ("*.o", "*.a", "*.gch"):
            for product in folder.glob(pattern):
                product.unlink()
    (folder / "finished").write_text(f"{time.monotonic() - started:.1f}\n")


def _verilator_command(tools, folder: Path, files: dict[str, str], top: str, kind: str | None, flags):
    """The command line that cocotb's own runner would use, with our flags."""
    libs = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [tools.verilator, "-cc", "--exe", "-Mdir", str(folder), "--top-module", top,
            "--prefix", "Vtop", "-o", top,
            "-LDFLAGS", f"-Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator",
            *VERILATOR_FLAGS, *flags, *waves.build_arguments(kind), str(main), *files]


def _runtime_objects(folder: Path) -> list[str]:
    """Object files of the run-time library, as Verilator lists them for this design."""
    text = (folder / "Vtop_classes.mk").read_text()
    names = []
    for block in re.findall(r"^VM_GLOBAL_(?:FAST|SLOW) \+= \\\n((?:.*\\\n)*)", text, re.MULTILINE):
        names += block.replace("\\", " ").split()
    return [f"{name}.o" for name in names]


def _call(command: list[str], folder: Path, log):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    log.write(f"$ {' '.join(command)}\n{done.stdout}")
    if done.returncode:
        raise BuildError(f"{_first_message(done.stdout)}\nlog: {log.name}")


def _first_message(output: str) -> str:
    """The first complaint of Verilator or the compiler, with its context lines."""
    lines = output.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("%") or re.search(r"\berror:", line):
            rest = lines[i + 1:i + 6]
            end = next((k for k, more in enumerate(rest) if more.startswith("%")), len(rest))
            return "\n".join([line, *rest[:end]])
    return "\n".join(lines[-5:]) or "the build failed without a message"


def write_if_changed(path: Path, text: str) -> bool:
    """Write a text file unless it already holds ``text``; whether it was written."""
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


@contextlib.contextmanager
def locked(path: Path):
    """Hold an exclusive lock among processes while the body runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
