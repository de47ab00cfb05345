"""The page of EIE says what the code says."""

import importlib
import re
from pathlib import Path

import pytest

from golden.common.axi import markdown
from golden.common.fifo import FifoModel
from golden.eie.config import PRESETS
from golden.eie.registers import registers

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "eie.md").read_text()
UNITS = ("pointer_read", "spmat_read", "arithmetic", "regfile", "act_rw", "lnzd", "program", "sequencer", "io_port",
         "counters")


def test_registers():
    """The table between the markers is made from the one that makes the hardware."""
    table = PAGE.split("<!-- registers -->\n")[1].split("<!-- /registers -->")[0]
    assert table == markdown(registers(PRESETS["paper"]))


def plan():
    """Events by unit, read from the coverage plan of the page."""
    events, unit = {}, ""
    for line in PAGE.split("## Coverage plan")[1].splitlines():
        if line.startswith("|") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3:
            unit = cells[0].strip("`") or unit
            events.setdefault(unit, []).extend(cells[1].split(", "))
    return events


@pytest.mark.parametrize("unit", UNITS)
def test_coverage_plan(unit):
    assert sorted(plan()[unit]) == sorted(importlib.import_module(f"golden.eie.{unit}").EVENTS)


def test_coverage_plan_of_the_queue():
    assert sorted(plan()["act_queue"]) == sorted(FifoModel.EVENTS)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in DOCS.glob("*.md"))])
def test_links_and_files_exist(page):
    text = (ROOT / page).read_text()
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("http") or ((ROOT / page).parent / link).exists(), link
    for name in re.findall(r"`((?:golden|hdl|sim|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / name).exists(), name
