"""The folders are the architecture: imports run one way, every bench is used, nothing leaks."""

import ast
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth.lib import stream
from amaranth.lib.wiring import Out

from hdl import ACCELERATORS
from sim.common.formal import formal_files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("golden", "hdl", "sim", "synth", "tests")
LARGEST_FILE = 1_000_000

#: What each package may import of ours: patterns of module names.
ALLOWED = {
    "golden": [r"golden\b.*"],
    "hdl": [r"hdl\b.*", r"golden\.common(\..*)?", r"golden\.\w+\.(config|formats|registers)"],
    "sim": [r"sim\b.*", r"hdl\b.*", r"golden\b.*"],
    "synth": [r"synth\b.*", r"hdl\b.*", r"golden\.common(\..*)?", r"golden\.\w+\.config"],
    "tests": [r".*"],
}
#: What a package must not import of others: golden runs with numpy alone.
FORBIDDEN = {"golden": ("amaranth", "cocotb", "cocotbext", "pyosys")}


def tracked_files():
    """Files that belong to the project: what git tracks, or would; everything outside a repository."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        names = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
        return [path for name in names if (path := ROOT / name).is_file()]
    skipped = {"build", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache"}
    return [path for path in ROOT.rglob("*")
            if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


def sources(package):
    return [path for path in tracked_files()
            if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == package]


def imported_modules(path):
    """Absolute names of the modules that a file imports; ``from a import b`` is ``a.b`` if b is a module."""
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = ROOT.joinpath(*module.split("."), alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                yield f"{module}.{alias.name}" if is_module else module


def forbidden_imports(package, path):
    for module in imported_modules(path):
        top = module.split(".")[0]
        if top in PACKAGES and not any(re.fullmatch(rule, module) for rule in ALLOWED[package]):
            yield module
        if top in FORBIDDEN.get(package, ()):
            yield module


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package):
    wrong = [f"{path.relative_to(ROOT)} imports {module}"
             for path in sources(package) for module in forbidden_imports(package, path)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("package", "statement", "is_allowed"), [
    ("golden", "import amaranth", False),
    ("golden", "from hdl.common import emit", False),
    ("golden", "from golden.common import config", True),
    ("hdl", "from golden.eie.config import EieConfig", True),
    ("hdl", "from golden.eie import spec", False),
    ("hdl", "from golden.eie.spec import anything", False),
    ("sim", "import tests", False),
    ("synth", "from sim.common import build", False),
])
def test_the_import_rule_itself(tmp_path, monkeypatch, package, statement, is_allowed):
    path = tmp_path / package / "probe.py"
    for module in ("hdl/common/emit", "golden/common/config", "golden/eie/spec", "sim/common/build"):
        (tmp_path / module).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{module}.py").touch()
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"def f():\n    {statement}\n")
    monkeypatch.setattr("tests.test_layout.ROOT", tmp_path)
    assert (not list(forbidden_imports(package, path))) == is_allowed


def test_no_large_files():
    large = [f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes"
             for path in tracked_files() if path.stat().st_size > LARGEST_FILE]
    assert not large, "\n".join(large)


def test_every_bench_is_run_by_a_test():
    tests = [path for path in sources("tests") if path.name.startswith("test_")]
    text = "\n".join(path.read_text() for path in tests)
    benches = [path for path in sources("tests") if path.name.startswith("tb_")]
    unused = [str(path.relative_to(ROOT)) for path in benches if not re.search(rf"\b{path.stem}\b", text)]
    assert not unused, "\n".join(unused)


def test_every_formal_file_is_run():
    """It lies where ``python -m sim.formal`` looks, and has the name of the unit that it proves."""
    files = {path.relative_to(ROOT) for path in sources("tests") if path.name.startswith("formal_")}
    lost = [str(path) for path in files if len(path.parts) != 3
            or not ROOT.joinpath("hdl", path.parts[1], f"{path.stem.removeprefix('formal_')}.py").exists()]
    assert not lost, "\n".join(lost)
    assert {path.relative_to(ROOT) for path in formal_files(ROOT)} == files


def test_every_stream_has_a_formal_proof():
    """A unit that hands on a stream has a property file: at least its handshake is proven."""
    missing = []
    for accelerator in ACCELERATORS:
        cfg = importlib.import_module(f"golden.{accelerator}.config").PRESETS["tiny"]
        for stem, unit in importlib.import_module(f"hdl.{accelerator}").UNITS.items():
            path = Path("tests", accelerator, f"formal_{stem}.py")
            if has_output_stream(unit(cfg)) and not (ROOT / path).exists():
                missing.append(str(path))
    assert not missing, "\n".join(missing)


def has_output_stream(component):
    return any(member.is_signature and isinstance(member.signature, stream.Signature) and member.flow == Out
               for member in component.signature.members.values())


def test_no_machine_paths():
    """No absolute path of a developer's machine in any text."""
    pattern = re.compile(r"(?<![\w.$)}/~-])/(?:home|root|work|tmp|Users|opt|mnt)/[\w.]+")
    wrong = []
    for path in tracked_files():
        if path.stat().st_size > LARGEST_FILE:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # data, not text
        wrong += [f"{path.relative_to(ROOT)}: {found}" for found in pattern.findall(text)]
    assert not wrong, "\n".join(wrong)
