"""python -m hdl enmc: one module a unit, small, quick, plain, the same from run to run."""

import re
import subprocess
import sys

import pytest

from golden.enmc.config import PRESETS
from hdl.common.emit import emit
from hdl.enmc import PAPER, UNITS
from hdl.enmc.dimm import Dimm
from sim.common.build import ROOT

#: Largest Verilog of the paper's preset [bytes].
LIMIT = 1_000_000


@pytest.fixture(scope="module")
def paper():
    return emit(Dimm(PRESETS["paper"]), name="enmc", cfg=PRESETS["paper"])


def test_size(paper):
    assert len(paper.text) < LIMIT


def test_every_unit_once(paper):
    """Eight ranks with 64 lanes of two INT4 MACs and 16 FP32 MACs each, and one module for each unit."""
    cfg = PRESETS["paper"]
    modules = re.findall(r"^module (\w+)", paper.text, re.MULTILINE)
    assert len(modules) == len(set(modules))
    assert {f"enmc_{stem}" for stem in UNITS if stem != "top"} <= set(modules)
    assert len(re.findall(r"^  enmc_rank ", paper.files["enmc.v"], re.MULTILINE)) == cfg.ranks
    assert len(re.findall(r"^  enmc_screen_lane ", paper.files["enmc_screener.v"], re.MULTILINE)) == cfg.classes
    assert len(re.findall(r"^  enmc_fp32_multiply ", paper.files["enmc_exact_dot.v"], re.MULTILINE)) == cfg.burst_words


def test_names_are_plain(paper):
    assert "\\" not in paper.text


def test_text_does_not_depend_on_the_run(tmp_path):
    """Two hash seeds, the same bytes."""
    texts = []
    for seed in "1", "2":
        folder = tmp_path / seed
        command = [sys.executable, "-m", "hdl", "enmc", "--preset", "tiny", "-o", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                       env={"PYTHONHASHSEED": seed, "PATH": ""})
        texts.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert texts[0] == texts[1]


def test_every_unit_can_be_emitted_alone():
    for stem, unit in UNITS.items():
        assert emit(unit(PRESETS["tiny"]), name=f"enmc_{stem}", cfg=PRESETS["tiny"]).top == f"enmc_{stem}"


def test_what_the_source_reports():
    """Its table adds up; units and boxes are ours."""
    areas, powers = zip(*PAPER["table"].values(), strict=True)
    assert round(sum(areas[:-1]), 3) == areas[-1] and round(sum(powers[:-1]), 1) == powers[-1]
    assert set(PAPER["units"]) | {unit for units, _ in PAPER["boxes"].values() for unit in units} <= set(UNITS)
    assert PAPER["units"]["rank"]["area_um2"] == pytest.approx(1e6 * areas[-1])
