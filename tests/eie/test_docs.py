"""The page of EIE says what the code says."""

import importlib
import re

import pytest

from golden.common.axi import markdown
from golden.common.fifo import FifoModel
from golden.eie.config import PRESETS
from golden.eie.registers import registers
from tests.common.docs import DOCS, ROOT, between, plan

PAGE = (DOCS / "eie.md").read_text()
UNITS = ("pointer_read", "spmat_read", "arithmetic", "regfile", "act_rw", "lnzd", "program", "sequencer", "io_port",
         "counters")


def test_registers():
    """The table between the markers is made from the one that makes the hardware."""
    assert between(PAGE, "registers") == markdown(registers(PRESETS["paper"]))


@pytest.mark.parametrize("unit", UNITS)
def test_coverage_plan(unit):
    assert sorted(plan(PAGE)[unit]) == sorted(importlib.import_module(f"golden.eie.{unit}").EVENTS)


def test_coverage_plan_of_the_queue():
    assert sorted(plan(PAGE)["act_queue"]) == sorted(FifoModel.EVENTS)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in DOCS.glob("*.md"))])
def test_links_and_files_exist(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("http") or ((ROOT / page).parent / link).exists(), link
    for name in re.findall(r"`((?:golden|hdl|sim|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / name).exists(), name
