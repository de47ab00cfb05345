"""The page of ENMC says what the code says, and the example for users runs."""

import importlib
import json
import pkgutil
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import golden.enmc
import hdl.enmc
import sim.enmc.cli
from golden.enmc import npz
from golden.enmc.config import PRESETS
from golden.enmc.formats import RECORD_FIELDS
from golden.enmc.instruction import encode
from hdl.enmc.dimm import Dimm
from tests.common.docs import between, plan
from tests.enmc import fp32_pipeline

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "enmc.md").read_text()
VERILOG = (DOCS / "verilog.md").read_text()
OWN_NETWORK = (DOCS / "own-network.md").read_text().split("# Bring your own classifier")[1]
#: Models with a plan, found by their events; multiplier and adder share theirs.
MODULES = {name: module for _, name, _ in pkgutil.iter_modules(golden.enmc.__path__)
           if hasattr(module := importlib.import_module(f"golden.enmc.{name}"), "EVENTS")}
MODULES["fp32_pipeline"] = fp32_pipeline


@pytest.mark.parametrize("unit", MODULES)
def test_coverage_plan(unit):
    assert sorted(plan(PAGE)[unit]) == sorted(MODULES[unit].EVENTS)


def test_every_unit_has_a_plan():
    assert set(plan(PAGE)) - {"Unit", "---"} == set(MODULES)


def test_record():
    """Each field of a record stands once with its bits."""
    expected, lsb = [], 0
    for field, width in RECORD_FIELDS.items():
        expected.append((str(lsb) if width == 1 else f"{lsb + width - 1}:{lsb}", field))
        lsb += width
    assert re.findall(r"^\| ([\d:]+) \| `(\w+)` \|", between(PAGE, "record"), re.MULTILINE) == expected


def test_timing():
    """All times of the configuration, of both presets."""
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", between(PAGE, "timing"), re.MULTILINE)
    paper, tiny = PRESETS["paper"], PRESETS["tiny"]
    names = [name for name in vars(paper) if name in ("cl", "cwl") or re.match("t[cfrw]", name)]
    assert found == [(name, str(getattr(paper, name)), str(getattr(tiny, name))) for name in names]


def test_files_exist():
    """Every file that the page names; a name without a folder lies in one of ENMC's."""
    folders = [ROOT, *(ROOT / part / "enmc" for part in ("golden", "hdl", "sim", "tests"))]
    missing = {path for path in re.findall(r"`([\w/]+\.py)`", PAGE)
               if not any((folder / path).is_file() for folder in folders)}
    assert missing == set()


def test_block_diagram():
    """All units are in it, by the names of their files."""
    words = " ".join(text.text or "" for text in ElementTree.parse(DOCS / "enmc-blocks.svg").iter())
    assert {unit for unit in hdl.enmc.UNITS if unit != "top" and not re.search(rf"\b{unit}\b", words)} == set()


def test_encoded():
    """The codes on the page of the ports are those of the encoder."""
    operands = {"INIT": {"reg": "threshold", "data": 100}, "QUERY": {"reg": "status"},
                "LDR": {"buffer": "WEIGHT_INT4", "addr": 0x40, "count": 32}}
    rows = re.findall(r"^\| `(\w+)`[^|]*\| `(\w+)` \| `?(\w*)`? ?\|", between(VERILOG, "encoded"), re.MULTILINE)
    assert len(rows) == 6
    for name, addr, data in rows:
        assert (int(addr, 16), int(data, 16) if data else None) == encode(name, **operands.get(name, {}))


def test_ports():
    """All ports of the DIMM stand on their page."""
    section = VERILOG.split("## Ports of `enmc`")[1].split("\n## ")[0]
    shown = "".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
    ports = {name.replace("dram_0", "dram_<r>") for name in Dimm(PRESETS["rank"]).signature.members}
    assert set(re.findall(r"`([a-z_<>]+)`", shown)) == ports


@pytest.mark.parametrize("key", npz.KEYS)
def test_keys_of_files(key):
    assert f"`{key}`" in OWN_NETWORK


def test_example(tmp_path, monkeypatch, capsys):
    """The example to copy makes a file; hardware, model and equations agree on it."""
    code = OWN_NETWORK.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "make_classifier.py").write_text(code)
    runpy.run_path("make_classifier.py")
    assert capsys.readouterr().out in OWN_NETWORK
    assert sim.enmc.cli.main(["--preset", "tiny", "--workload", "classes.npz", "--json", "report.json"]) == 0
    report = json.loads(Path("report.json").read_text())
    assert (report["mismatches"], report["functional_errors"], report["metrics"]["violations"]) == (0, 0, 0)
    with np.load("classes.npz") as file:
        assert report["metrics"]["classes"] == len(file["w"])
