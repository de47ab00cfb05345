"""The core file next to the Verilog: FuseSoC reads it and hands every file on."""

import os
import subprocess
import sys

import pytest
import yaml

from golden.common.cli import Parser
from hdl import __version__
from hdl.common.cli import parse_choice
from hdl.common.core_file import core_text


def fusesoc(folder, *argv):
    """Output of FuseSoC, which sees nothing of the user's configuration."""
    home = folder / "home"
    environment = {**os.environ, "HOME": str(home), **{f"XDG_{kind}_HOME": str(home / kind)
                                                       for kind in ("CONFIG", "CACHE", "DATA", "STATE")}}
    command = [sys.executable, "-c", "from fusesoc.main import main; main()", "--cores-root", "rtl", *argv]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("core")
    design = parse_choice(Parser(), ["eie.act_queue", "--preset", "tiny"])[1].emit()
    design.write(folder / "rtl")
    return folder, design


def test_fusesoc_knows_the_core(emitted):
    folder, _design = emitted
    shown = fusesoc(folder, "core", "show", f"elision::eie_act_queue:{__version__}")
    assert all(f"{target} " in shown for target in ("default", "lint", "synth"))


@pytest.mark.parametrize(("target", "defines"), [("lint", {}), ("synth", {"SYNTHESIS": True})])
def test_fusesoc_takes_every_file(emitted, target, defines):
    folder, design = emitted
    fusesoc(folder, "run", "--setup", "--target", target, "--work-root", target, "elision::eie_act_queue")
    (description,) = (folder / target).glob("*.eda.yml")
    made = yaml.safe_load(description.read_text())
    assert [os.path.basename(file["name"]) for file in made["files"]] == list(design.files)
    assert all((folder / target / file["name"]).read_text() == design.files[os.path.basename(file["name"])]
               for file in made["files"])
    assert made["toplevel"] == "eie_act_queue"
    assert {name: value["default"] for name, value in made["parameters"].items()} == defines


def test_fusesoc_refuses_a_core_without_its_files(emitted, tmp_path):
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "a.core").write_text(core_text("a", ["missing.v"], "1.0.0"))
    with pytest.raises(AssertionError, match=r"missing\.v"):
        fusesoc(tmp_path, "run", "--setup", "--target", "synth", "--work-root", "w", "elision::a")


def test_text_is_yaml_with_files_in_order():
    text = core_text("top", ["b.v", "a.v"], "1.2.3")
    assert text.startswith("CAPI=2:\n")
    core = yaml.safe_load(text.replace("CAPI=2:\n", ""))
    assert core["name"] == "elision::top:1.2.3" and core["filesets"]["rtl"]["files"] == ["b.v", "a.v"]
