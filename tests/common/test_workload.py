"""Workloads by name or file, and the table of them."""

import re

import pytest

from golden.common.cli import UsageError
from golden.common.workload import find, print_workloads

WORKLOADS = {"alpha-1": ("real: the first", lambda cfg, seed: {"made": (cfg, seed)}, False),
             "alpha-2": ("synthetic: the second", lambda cfg, seed: {"made": seed}, True)}


def of_file(path, cfg, seed):
    return {"read": (path.read_text(), cfg, seed)}


def test_built_in():
    assert find("alpha-1", WORKLOADS, of_file, "cfg", 3) == {
        "name": "alpha-1", "description": "real: the first", "synthetic": False, "made": ("cfg", 3)}
    assert find("alpha-2", WORKLOADS, of_file, "cfg", 3)["synthetic"]


@pytest.mark.parametrize("name", ["own.npz", "own"])
def test_file(tmp_path, name):
    """Any name will do for a file that is there."""
    path = tmp_path / name
    path.write_text("content")
    assert find(str(path), WORKLOADS, of_file, "cfg", 3) == {
        "name": str(path), "description": "user's file", "read": ("content", "cfg", 3)}


def test_a_built_in_name_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alpha-1").touch()
    assert "made" in find("alpha-1", WORKLOADS, of_file, "cfg", 3)


def test_a_missing_file_is_left_to_the_reader():
    with pytest.raises(FileNotFoundError):
        find("none.npz", WORKLOADS, of_file, "cfg", 3)


@pytest.mark.parametrize(("name", "hint"), [
    ("alpha-3", "did you mean alpha-2 or alpha-1?"), ("xyzzy", "--list-workloads shows all names"),
    ("folder", "--list-workloads shows all names")])
def test_unknown_name(tmp_path, monkeypatch, name, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=rf"^workload must be a built-in name or an \.npz file, not '{name}'; "
                                         rf"{re.escape(hint)}$"):
        find(name, WORKLOADS, of_file, "cfg", 3)


def test_table(capsys):
    print_workloads(WORKLOADS | {"b": ("corner case: short", None, True)})
    assert capsys.readouterr().out == ("alpha-1  real: the first\nalpha-2  synthetic: the second\n"
                                       "b        corner case: short\n")
