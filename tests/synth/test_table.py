"""The committed figures, and that the documentation shows them."""

import json
import re

import pytest

from golden.common.cli import run_main
from hdl import ACCELERATORS
from sim.common.build import ROOT
from synth import table

#: Accelerators with committed figures, and the units of them that README.md shows.
UNITS = {"eie": ["act_queue", "pointer_read", "spmat_read", "arithmetic", "act_rw", "lnzd", "pe"]}


def block(path, name):
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", (ROOT / path).read_text(), re.DOTALL)[1]


@pytest.mark.parametrize("accelerator", UNITS)
def test_documentation_has_the_committed_figures(accelerator):
    """If this fails: python -m synth.table, between the markers."""
    assert block(f"docs/{accelerator}.md", "synth") == table.markdown(accelerator)
    assert block("README.md", f"synth-{accelerator}") == table.markdown(accelerator, UNITS[accelerator])


def test_rows_and_columns(tmp_path, monkeypatch, capsys):
    figures = {"instances": 2, "area_um2": 1234.5, "critical_path_ns": 1.005}
    report = {"target": "asic", "conditions": {"library": "lib"}, "units": {"eie_lnzd": figures, "eie_pe": figures,
                                                                           "eie": {**figures, "instances": 1}}}
    (tmp_path / "eie-asic-lib.json").write_text(json.dumps(report))
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    assert run_main(table.main, ["eie", "--units", "lnzd"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| unit | instances | `lib`: um2, ns | the paper: um2, ns |"
    assert rows == ["| `eie_lnzd` | 2 | 1,234, 1.00 | 189 |", "| `eie` | 1 | 1,234, 1.00 |  |"]


@pytest.mark.parametrize(("argv", "message"), [
    (["nope"], f"accelerator must be one of {', '.join(ACCELERATORS)}, not 'nope'"),
    (["eie", "--units", "nope"], "unit of eie must be one of "),
])
def test_wrong_arguments(capsys, argv, message):
    assert run_main(table.main, argv) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_nothing_committed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    assert run_main(table.main, ["eie"]) == 2
    assert capsys.readouterr().err == "error: accelerator must have figures in synth/results, not 'eie'\n"
