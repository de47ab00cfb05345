"""python -m hdl enmc: one module a unit, small, quick, plain, the same from run to run."""

import pytest

from golden.enmc.config import PRESETS
from hdl.common.emit import emit
from hdl.enmc import PAPER, UNITS
from hdl.enmc.dimm import Dimm
from tests.common.verilog import (
    assert_names_are_plain,
    assert_the_same_twice,
    assert_units_stand_alone,
    assert_units_stand_once,
)

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
    assert_units_stand_once(paper, UNITS, {
        ("enmc", "enmc_rank"): cfg.ranks, ("enmc_screener", "enmc_screen_lane"): cfg.classes,
        ("enmc_exact_dot", "enmc_fp32_multiply"): cfg.burst_words})


def test_names_are_plain(paper):
    assert_names_are_plain(paper.files)


def test_text_does_not_depend_on_the_run(tmp_path):
    assert_the_same_twice("enmc", "tiny", tmp_path)


def test_every_unit_can_be_emitted_alone():
    assert_units_stand_alone("enmc", UNITS, PRESETS["tiny"])


def test_what_the_source_reports():
    """Its table adds up; units and boxes are ours."""
    areas, powers = zip(*PAPER["table"].values(), strict=True)
    assert round(sum(areas[:-1]), 3) == areas[-1] and round(sum(powers[:-1]), 1) == powers[-1]
    assert set(PAPER["units"]) | {unit for units, _ in PAPER["boxes"].values() for unit in units} <= set(UNITS)
    assert PAPER["units"]["rank"]["area_um2"] == pytest.approx(1e6 * areas[-1])
