"""Making the project's Python environment: ``python -m sim.common.environment GROUP ...``

``--freeze`` renews constraints.txt, ``--clean`` and ``--distclean`` remove what was made.

Runs under the system's Python with nothing installed. The environment lies in ``.venv``; each
dependency group of pyproject.toml is installed into it once, and again when its pins change.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

#: Installs every group; the pip that a new environment starts with may know no dependency groups.
PIP = "pip==26.3"
#: Oldest Python that the project runs on.
MIN_PYTHON = (3, 11)


def missing_prerequisites():
    """One line for each thing that must be on the machine and is not."""
    lines = []
    if tuple(sys.version_info[:2]) < MIN_PYTHON:
        lines.append("Python must be 3.11 or newer, not {}.{}: make PYTHON=/path/to/python3 ...".format(
            *sys.version_info[:2]))
    compiler = (os.environ.get("CXX") or "g++").split()[0]
    for tool, what in ((compiler, "a C++ compiler"), ("make", "GNU make"), ("perl", "perl")):
        if shutil.which(tool) is None:
            lines.append(f"{what} must be installed: {tool!r} is not on PATH")
    return lines


def group_digest(group):
    """Hash of everything that decides what a group installs."""
    texts = [(ROOT / name).read_text() for name in ("pyproject.toml", "constraints.txt")]
    # Only the pins count: editing the lint rules must not reinstall anything.
    pins = texts[0].split("[dependency-groups]")[1].split("\n[")[0]
    return hashlib.sha256("\0".join((PIP, sys.version, group, pins, texts[1])).encode()).hexdigest()[:16]


def install(groups):
    """Create ``.venv`` if it is not there and install the groups whose stamp is not current."""
    import fcntl

    with open(ROOT / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PYTHON.exists():
            _say("making .venv")
            _call([sys.executable, "-m", "venv", "--clear", str(VENV)],
                  "the venv module must work: install python3-venv")
        if not (VENV / PIP).exists():
            _pip(["install", PIP])
            (VENV / PIP).touch()
        for group in groups:
            stamp = VENV / f"group-{group}"
            digest = group_digest(group)
            if stamp.exists() and stamp.read_text() == digest:
                continue
            _say(f"installing dependency group {group} into .venv (takes a minute the first time)")
            _pip(["install", "--group", group, "--constraint", "constraints.txt"])
            stamp.write_text(digest)


def freeze():
    """Write the versions that are installed now to constraints.txt."""
    command = [str(PYTHON), "-m", "pip", "freeze", "--disable-pip-version-check"]
    pins = subprocess.check_output(command, cwd=str(ROOT), text=True)
    head = "# Exact versions of everything that the dependency groups bring along: `make constraints`.\n"
    (ROOT / "constraints.txt").write_text(head + pins)


def clean(*, everything):
    """Remove build products and caches, and with ``everything`` the environment too."""
    for name in ("build", ".pytest_cache", ".ruff_cache", *((".venv",) if everything else ())):
        shutil.rmtree(str(ROOT / name), ignore_errors=True)
    if everything and (ROOT / ".venv.lock").exists():
        (ROOT / ".venv.lock").unlink()
    for package in ("golden", "hdl", "sim", "synth", "tests"):
        for cache in list((ROOT / package).rglob("__pycache__")):
            shutil.rmtree(cache, ignore_errors=True)


def _pip(arguments):
    quiet = ["-qq", "--disable-pip-version-check", "--no-input"]
    _call([str(PYTHON), "-m", "pip", *arguments, *quiet], "pip must be able to install the pinned packages")


def _call(command, rule):
    if subprocess.call(command, cwd=str(ROOT)):
        raise SystemExit("error: {} (failed: {})".format(rule, " ".join(command)))


def _say(text):
    print(text, file=sys.stderr, flush=True)


def main(arguments):
    if arguments == ["--freeze"]:
        return freeze()
    if arguments in (["--clean"], ["--distclean"]):
        return clean(everything=arguments == ["--distclean"])
    problems = missing_prerequisites()
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    if problems:
        return 2
    install(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
