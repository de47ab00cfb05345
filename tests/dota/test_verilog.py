"""python -m hdl dota: one module a unit, small, quick, plain, the same from run to run."""

import pytest

from golden.dota.config import PRESETS
from hdl.common.emit import emit
from hdl.dota import UNITS
from hdl.dota.top import Dota
from tests.common.verilog import (
    assert_names_are_plain,
    assert_the_same_twice,
    assert_units_stand_alone,
    assert_units_stand_once,
)

#: Largest Verilog of the paper's preset [bytes].
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def paper():
    return emit(Dota(PRESETS["paper"]), name="dota", cfg=PRESETS["paper"])


def test_size(paper):
    assert len(paper.text) < LIMIT


def test_every_unit_once(paper):
    """Four lanes of 512 PEs, and one module for each unit."""
    cfg = PRESETS["paper"]
    assert_units_stand_once(paper, UNITS, {("dota", "dota_lane"): cfg.lanes, ("dota_rmmu", "dota_row"): cfg.rows,
                                           ("dota_row", "dota_pe"): cfg.columns})


def test_names_are_plain(paper):
    assert_names_are_plain(paper.files)


def test_text_does_not_depend_on_the_run(tmp_path):
    assert_the_same_twice("dota", "tiny", tmp_path)


def test_every_unit_can_be_emitted_alone():
    assert_units_stand_alone("dota", UNITS, PRESETS["tiny"])
