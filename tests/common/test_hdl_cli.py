"""python -m hdl: files of an accelerator or a unit, one-line errors."""

import json

import pytest

from golden.common.cli import run_main
from hdl.__main__ import main


def run(*argv):
    return run_main(main, list(map(str, argv)))


def test_accelerator(tmp_path, capsys):
    assert run("eie", "--preset", "tiny", "--set", "fifo_depth=3", "-o", tmp_path) == 0
    out = capsys.readouterr().out
    files = (tmp_path / "eie.f").read_text().split()
    assert sorted(files) == sorted(p.name for p in tmp_path.glob("*.v"))
    assert json.loads((tmp_path / "eie.json").read_text())["config"]["fifo_depth"] == 3
    assert all(str(tmp_path / name) in out for name in files)


def test_unit(tmp_path):
    assert run("eie.lnzd", "--preset", "tiny", "-o", tmp_path) == 0
    assert (tmp_path / "eie_lnzd.f").read_text() == "eie_skid.v\neie_lnzd.v\n"


@pytest.mark.parametrize(("argv", "message"), [
    (["nope", "-o", "x"], "accelerator must be one of eie, dota, enmc, duet, not 'nope'"),
    (["eie.nope", "-o", "x"], "unit of eie must be one of "),
    (["eie"], "the following arguments are required: -o/--output"),
    (["eie", "--set", "data_bits=7", "-o", "x"], "data_bits must be "),
    (["eie", "--preset", "tiny", "-o", "/dev/null/x"], "output must be a folder that can be written, not "),
])
def test_wrong_arguments(capsys, argv, message):
    assert run(*argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"error: {message}")
