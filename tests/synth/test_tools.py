"""Running tools: results are found again, failures are one line."""

import pytest

from synth.common import tools

SCRIPT = "read_verilog a.v\nhierarchy -check -top a\nwrite_json a.json\n"


@pytest.fixture(autouse=True)
def _build(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "BUILD", tmp_path)


def run(text, script=SCRIPT, said=None):
    return tools.yosys("try", "a", script, {"a.v": text}, say=None if said is None else said.append)


def test_unchanged_is_not_run_again():
    said = []
    first = run("module a; endmodule\n", said=said)
    stamp = (first.folder / "a.json").stat().st_mtime_ns
    second = run("module a; endmodule\n", said=said)
    assert (first.cached, second.cached) == (False, True) and second.folder == first.folder
    assert (second.folder / "a.json").stat().st_mtime_ns == stamp and said == ["try a"]


def test_any_change_is_run_again(tmp_path):
    library = tmp_path / "cells"
    folders = {run("module a; endmodule\n").folder, run("module a; wire b; endmodule\n").folder,
               run("module a; endmodule\n", SCRIPT + "stat\n").folder}
    for text in ("one", "two"):
        library.write_text(text)
        folders.add(tools.yosys("try", "a", SCRIPT, {"a.v": "module a; endmodule\n"},
                                links={"cells": library}).folder)
    assert len(folders) == 5


def test_version_is_part_of_the_key(monkeypatch):
    before = run("module a; endmodule\n").folder
    monkeypatch.setattr(tools, "version", lambda package: "0.0")
    assert run("module a; endmodule\n").folder != before


def test_failure_is_one_line_and_not_kept():
    for _ in range(2):
        with pytest.raises(tools.ToolError, match=r"^pyosys on a must succeed, not end with: ERROR: .* \(log in "
                                                  r"\S+/log\)$") as error:
            run("module b; endmodule\n")
        assert "\n" not in str(error.value)


def test_interrupted_run_is_repeated():
    job = run("module a; endmodule\n")
    (job.folder / "finished").unlink()
    assert not run("module a; endmodule\n").cached


def test_missing_package():
    tools.version.cache_clear()
    with pytest.raises(tools.ToolError, match=r"^Python package nosuch must be installed: run make env-synth$"):
        tools.version("nosuch")
