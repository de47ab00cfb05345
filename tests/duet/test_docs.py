"""The page of DUET says what the code says, and the example for users runs."""

import re

import numpy as np
import pytest

import golden.duet
import hdl.duet
import sim.duet.cli
from golden.common.axi import markdown
from golden.duet import npz
from golden.duet.config import PRESETS
from golden.duet.formats import COMMAND_FIELDS, Target, chain_beats, chain_fields, target_beats, target_words
from golden.duet.registers import registers
from tests.common.docs import DOCS, between, bits_of, missing_files, models, not_drawn, plan, run_example

PAGE = (DOCS / "duet.md").read_text()
OWN_NETWORK = (DOCS / "own-network.md").read_text().split("# Bring your own network to DUET")[1]
MODULES = models(golden.duet)
#: What the block diagram leaves to the units that these are parts of.
INNER = {"activation", "approximator", "block_intake", "executor_row", "map_pick", "map_words", "multicast",
         "order_words", "reader", "reducer", "row_walk", "step_loads", "tag_queue", "top", "vector_words",
         "weight_requests", "window_walk"}


@pytest.mark.parametrize("unit", MODULES)
def test_coverage_plan(unit):
    assert sorted(plan(PAGE)[unit]) == sorted(MODULES[unit].EVENTS)


def test_every_unit_has_a_plan():
    assert set(plan(PAGE)) - {"Unit", "---"} == set(MODULES)


def test_registers():
    """The table between the markers is made from the one that makes the hardware."""
    assert between(PAGE, "registers") == markdown(registers(PRESETS["paper"]))


def test_command():
    assert re.findall(r"^\| 0 \| ([\d:]+) \| `(\w+)` \|", between(PAGE, "command"), re.MULTILINE) \
        == bits_of(COMMAND_FIELDS)


def test_scan_chain():
    """Each field of the jobs stands once with its bits; the IDs, which depend on the configuration, in the text."""
    fields = chain_fields(PRESETS["paper"])
    jobs = {name: width for name, width in fields.items() if not re.match(r"(row|column)_id_\d+$", name)}
    assert re.findall(r"^\| ([\d:]+) \| `(\w+)` \|", between(PAGE, "chain"), re.MULTILINE) == bits_of(jobs)
    assert list(fields)[:len(jobs)] == list(jobs)
    told = [f"{sum(chain_fields(PRESETS[name]).values())}{unit}, {chain_beats(PRESETS[name])}{end}"
            for name, unit, end in (("paper", " bits", " beats"), ("tiny", "", ""))]
    assert f"The scan chain has {told[0]} (`tiny`: {told[1]}), low bits first." in PAGE


def test_targets():
    """Words of every memory and beats of each, in `paper`."""
    cfg = PRESETS["paper"]
    rows = re.findall(r"^\| (\d) \| [^|]+ \| ([\d,]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert [tuple(int(cell.replace(",", "")) for cell in row) for row in rows] \
        == [(target, target_words(cfg)[target], target_beats(cfg)[target]) for target in Target]


def test_files_exist():
    """Every file that the page names."""
    assert missing_files(PAGE, "duet") == set()


def test_block_diagram():
    """All units but the inner ones are in it."""
    assert not_drawn("duet-blocks.svg", hdl.duet.UNITS) == INNER


@pytest.mark.parametrize("key", ["kind", *npz.BIG["conv"], *npz.LITTLE, "low_shift"])
def test_keys_of_files(key):
    assert f"`l0_{key}`" in OWN_NETWORK


def test_example(tmp_path):
    """The example to copy makes a file; hardware, model and equations agree on it."""
    metrics = run_example(OWN_NETWORK, "my.npz", sim.duet.cli.main, tmp_path)["metrics"]
    with np.load(tmp_path / "my.npz") as file:
        assert metrics["inputs"] == len(file["input"])
