"""python -m hdl dota: one module a unit, small, quick, plain, the same from run to run."""

import re
import subprocess
import sys

import pytest

from golden.dota.config import PRESETS
from hdl.common.emit import emit
from hdl.dota import UNITS
from hdl.dota.top import Dota
from sim.common.build import ROOT

#: Largest Verilog of the paper's preset [bytes].
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def paper():
    return emit(Dota(PRESETS["paper"]), name="dota", cfg=PRESETS["paper"])


def test_size(paper):
    assert len(paper.text) < LIMIT


def test_every_unit_once(paper):
    """Four lanes of 512 PEs, and one module for each unit."""
    modules = re.findall(r"^module (\w+)", paper.text, re.MULTILINE)
    assert len(modules) == len(set(modules))
    assert {f"dota_{stem}" for stem in UNITS if stem != "top"} <= set(modules)
    assert len(re.findall(r"^  dota_lane ", paper.files["dota.v"], re.MULTILINE)) == PRESETS["paper"].lanes
    assert len(re.findall(r"^  dota_row ", paper.files["dota_rmmu.v"], re.MULTILINE)) == PRESETS["paper"].rows
    assert len(re.findall(r"^  dota_pe ", paper.files["dota_row.v"], re.MULTILINE)) == PRESETS["paper"].columns


def test_names_are_plain(paper):
    assert "\\" not in paper.text


def test_text_does_not_depend_on_the_run(tmp_path):
    """Two hash seeds, the same bytes."""
    texts = []
    for seed in "1", "2":
        folder = tmp_path / seed
        command = [sys.executable, "-m", "hdl", "dota", "--preset", "tiny", "-o", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                       env={"PYTHONHASHSEED": seed, "PATH": ""})
        texts.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert texts[0] == texts[1]


def test_every_unit_can_be_emitted_alone(tmp_path):
    for stem, unit in UNITS.items():
        assert emit(unit(PRESETS["tiny"]), name=f"dota_{stem}", cfg=PRESETS["tiny"]).top == f"dota_{stem}"
