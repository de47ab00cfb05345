"""The Verilog that `python -m hdl eie` writes: small, stable, every unit once, and accepted by other tools."""

import json
import re

import pytest

from golden.common.config import to_json
from golden.eie.config import PRESETS
from hdl.common.yosys import modules_of
from sim.common.build import LINT_CONTROL
from tests.common.verilog import STYLE, assert_lint_is_clean, assert_names_are_plain, assert_yosys_accepts, lint, write

EMITTED = ("tiny", "small", "paper", "fast")

#: Every distinct unit, leaves first.
MODULES = ["elision_sram_1rw", "elision_sram_1r1w", "eie_registers", "eie_skid", "eie_sequencer", "eie_program",
           "eie_io_port_inbox", "eie_io_port", "eie_counters", "eie_ccu", "eie_act_queue_fifo", "eie_act_queue",
           "eie_pointer_read_columns", "eie_pointer_read", "eie_spmat_read", "eie_arithmetic", "eie_regfile",
           "eie_act_rw", "eie_io_tap", "eie_pe", "eie_lnzd", "eie"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of each preset; it is filled when it is asked for."""
    folders = {}

    def folder(preset):
        if preset not in folders:
            folders[preset] = tmp_path_factory.mktemp(preset)
            write("eie", preset, folders[preset])
        return folders[preset]

    return folder


@pytest.mark.parametrize("preset", EMITTED)
def test_every_unit_once(preset, written):
    folder = written(preset)
    assert (folder / "eie.f").read_text().split() == [f"{module}.v" for module in MODULES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["eie.core", "eie.f", "eie.json", *(f"{module}.v" for module in MODULES)])
    defined, used = set(), set()
    for module in MODULES:      # leaves first: what is used is there already
        text = (folder / f"{module}.v").read_text()
        assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [module]
        instances = set(re.findall(r"^  (eie\w*|elision\w*) (?:#\(|\w+ \()", text, re.MULTILINE))
        assert instances <= defined
        defined.add(module)
        used |= instances
    assert used == defined - {"eie"}
    assert json.loads((folder / "eie.json").read_text()) == {
        "generator": "Elision 0.1.0", "top": "eie", "config": json.loads(to_json(PRESETS[preset]))}


@pytest.mark.parametrize("preset", EMITTED)
def test_instances_of_the_top(preset, written):
    """A PE for each PE, and the nodes of the quadtree: 16 + 4 + 1 for 64."""
    text, cfg = (written(preset) / "eie.v").read_text(), PRESETS[preset]
    assert sorted(re.findall(r"^  eie_pe (\w+) ", text, re.MULTILINE)) == sorted(f"pe_{k}" for k in range(cfg.n_pe))
    nodes = [f"lnzd_{level}_{k}" for level in range(cfg.tree_levels) for k in range(cfg.n_pe // 4 ** (level + 1))]
    assert sorted(re.findall(r"^  eie_lnzd (\w+) ", text, re.MULTILINE)) == sorted(nodes)
    ports = re.search(r"^module eie\((.*?)\);", text, re.MULTILINE | re.DOTALL)[1].replace("\n", "").split(",")
    groups = [port.strip().rpartition("_")[0] for port in ports]
    assert list(dict.fromkeys(groups)) == ["", "s_axil", "s_axis", "m_axis"]
    assert [port.strip() for port in ports if "_" not in port] == ["clk", "rst", "probe"]


def test_size(written):
    """Of 64 PEs; what it would be with a module for each is a hundred times as much."""
    assert sum(path.stat().st_size for path in written("paper").glob("*.v")) < 500_000


@pytest.mark.parametrize("preset", EMITTED)
def test_names_are_plain(preset, written):
    assert_names_are_plain({path.name: path.read_text() for path in written(preset).glob("*.v")})


def test_signals_called_like_keywords():
    """They get an underscore, or two; what stands in a string is left alone."""
    lines = ["module m(a);", r"  wire \end , end_;", r"  assign \end  = \wait [0];", r'  $write("\n x");', "endmodule"]
    text = modules_of("\n".join(lines))
    assert text["m"].splitlines()[2:-1] == ["  wire end__, end_;", "  assign end__ = wait_[0];", r'  $write("\n x");']


@pytest.mark.parametrize("preset", ["tiny", "fast"])
def test_text_does_not_depend_on_the_hash_seed(preset, written, tmp_path):
    again = write("eie", preset, tmp_path, 1)
    assert again == {path.name: path.read_bytes() for path in written(preset).iterdir()}


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_lint(preset, written):
    assert_lint_is_clean(written(preset), "eie")


def test_lint_waivers_are_needed(written):
    """Without them Verilator complains, and about nothing else."""
    named = set(re.findall(r"-rule (\w+)", LINT_CONTROL)) | set(STYLE)
    classes, _ = lint(written("tiny"), "eie", "")
    assert set(STYLE) | {"CASEINCOMPLETE", "WIDTHEXPAND", "WIDTHTRUNC"} <= classes <= named


@pytest.mark.parametrize("preset", EMITTED)
def test_yosys(preset, written):
    assert_yosys_accepts(written(preset), "eie", flat=PRESETS[preset].n_pe <= 16)
