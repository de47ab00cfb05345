"""python -m hdl duet: one module a unit, small, quick, plain, accepted by other tools, the same from run to run."""

import pytest

from golden.duet.config import PRESETS
from hdl.common.emit import emit
from hdl.duet import PAPER, UNITS
from hdl.duet.top import Duet
from tests.common.verilog import (
    assert_lint_is_clean,
    assert_names_are_plain,
    assert_the_same_twice,
    assert_units_stand_alone,
    assert_units_stand_once,
    assert_yosys_accepts,
)

#: Largest Verilog of the paper's preset [bytes].
LIMIT = 2_000_000


@pytest.fixture(scope="module")
def paper():
    return emit(Duet(PRESETS["paper"]), name="duet", cfg=PRESETS["paper"])


@pytest.fixture(scope="module")
def folder(paper, tmp_path_factory):
    """Where it is written to."""
    path = tmp_path_factory.mktemp("paper")
    paper.write(path)
    return path


def test_size(paper):
    assert len(paper.text) < LIMIT


def test_every_unit_once(paper):
    """16 rows of 16 PEs, 16 trees, 16 systolic rows; one module for each unit. Rows and columns have the same one."""
    cfg = PRESETS["paper"]
    units = {stem: unit for stem, unit in UNITS.items() if stem != "multicast"}
    assert_units_stand_once(paper, units, {
        ("duet_executor", "duet_executor_row"): cfg.rows, ("duet_executor_row", "duet_executor_pe"): cfg.columns,
        ("duet_alignment", "duet_adder_tree"): cfg.trees, ("duet_systolic", "duet_systolic_row"): cfg.trees,
        ("duet_mac_lut", "duet_map_pick"): cfg.tags,
        ("duet_noc", f"duet_multicast_{cfg.rows}"): cfg.rows + cfg.columns})


def test_names_are_plain(paper):
    assert_names_are_plain(paper.files)


def test_lint(folder):
    assert_lint_is_clean(folder, "duet", SYMRSVDWORD="sensitive is a word of the source; this is not SystemC",
                         VARHIDDEN="an instance may be called like a port of its unit")


def test_yosys(folder):
    assert_yosys_accepts(folder, "duet")


def test_text_does_not_depend_on_the_run(tmp_path):
    assert_the_same_twice("duet", "tiny", tmp_path)


def test_every_unit_can_be_emitted_alone():
    assert_units_stand_alone("duet", UNITS, PRESETS["tiny"])


def test_what_the_source_reports():
    """Parts of the Speculator do not add up to it; the whole is that of its percentages; units and boxes are ours."""
    table, units = PAPER["table"], PAPER["units"]
    whole = table["global buffer"] + table["Executor"] + table["Speculator"]
    parts = list(table.values())[3:]
    assert (round(whole, 3), round(sum(parts), 3)) == (10.590, 1.231)
    assert (round(100 * table["Executor"] / whole, 1), round(100 * table["Speculator"] / whole, 1)) == (40.0, 6.6)
    assert units["top"]["area_um2"] == pytest.approx(1e6 * whole)
    assert PAPER["whole"] == pytest.approx(1e6 * (table["Executor"] + sum(parts)))
    assert set(units) | {unit for boxed, _ in PAPER["boxes"].values() for unit in boxed} <= set(UNITS)
    assert all(units[boxed]["area_um2"] == area for (boxed,), area in PAPER["boxes"].values())
