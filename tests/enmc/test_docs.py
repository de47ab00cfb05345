"""The page of ENMC says what the code says, and the example for users runs."""

import re

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
from tests.common.docs import DOCS, between, bits_of, missing_files, models, not_drawn, plan, run_example
from tests.enmc import fp32_pipeline

PAGE = (DOCS / "enmc.md").read_text()
VERILOG = (DOCS / "verilog.md").read_text()
OWN_NETWORK = (DOCS / "own-network.md").read_text().split("# Bring your own classifier")[1]
#: Multiplier and adder share their plan.
MODULES = models(golden.enmc) | {"fp32_pipeline": fp32_pipeline}


@pytest.mark.parametrize("unit", MODULES)
def test_coverage_plan(unit):
    assert sorted(plan(PAGE)[unit]) == sorted(MODULES[unit].EVENTS)


def test_every_unit_has_a_plan():
    assert set(plan(PAGE)) - {"Unit", "---"} == set(MODULES)


def test_record():
    """Each field of a record stands once with its bits."""
    assert re.findall(r"^\| ([\d:]+) \| `(\w+)` \|", between(PAGE, "record"), re.MULTILINE) == bits_of(RECORD_FIELDS)


def test_timing():
    """All times of the configuration, of both presets."""
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", between(PAGE, "timing"), re.MULTILINE)
    paper, tiny = PRESETS["paper"], PRESETS["tiny"]
    names = [name for name in vars(paper) if name in ("cl", "cwl") or re.match("t[cfrw]", name)]
    assert found == [(name, str(getattr(paper, name)), str(getattr(tiny, name))) for name in names]


def test_files_exist():
    """Every file that the page names."""
    assert missing_files(PAGE, "enmc") == set()


def test_block_diagram():
    """All units but the whole are in it."""
    assert not_drawn("enmc-blocks.svg", hdl.enmc.UNITS) == {"top"}


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


def test_example(tmp_path):
    """The example to copy makes a file; hardware, model and equations agree on it."""
    metrics = run_example(OWN_NETWORK, "classes.npz", sim.enmc.cli.main, tmp_path)["metrics"]
    assert metrics["violations"] == 0
    with np.load(tmp_path / "classes.npz") as file:
        assert metrics["classes"] == len(file["w"])
