"""The page of DOTA says what the code says, and the example for users runs."""

import importlib
import re

import numpy as np
import pytest

import sim.dota.cli
from golden.common.axi import markdown
from golden.dota import host, npz
from golden.dota.compiler import Read
from golden.dota.config import PRESETS
from golden.dota.encoder import plan_layers
from golden.dota.formats import COMMAND_FIELDS, STEP_FIELDS
from golden.dota.layers import Linear
from golden.dota.linear import commands_of
from golden.dota.model import Dota
from golden.dota.packing import pack_fx
from golden.dota.registers import registers
from tests.common.docs import DOCS, between, plan, run_example

PAGE = (DOCS / "dota.md").read_text()
OWN_NETWORK = (DOCS / "own-network.md").read_text().split("# Bring your own attention")[1]
#: Units with a plan; the scheduler's events are those of its timed model.
UNITS = ("multiplier", "pe", "row", "rmmu", "operands", "detector", "round_queue", "mfu", "exp", "divide", "quantize",
         "estimate", "exact", "fetch", "sram", "accumulator", "output", "io_port", "counters")
MODULES = {unit: unit for unit in UNITS} | {"scheduler": "scheduler_unit"}


def test_registers():
    """The table between the markers is made from the one that makes the hardware."""
    assert between(PAGE, "registers") == markdown(registers(PRESETS["paper"]))


@pytest.mark.parametrize(("name", "fields"), [("command", COMMAND_FIELDS), ("step", STEP_FIELDS)])
def test_formats(name, fields):
    """Each field stands once with its bits, counted from the lowest of its beat."""
    found = re.findall(r"^\| (\d+) \| ([\d:]+) \| `(\w+)` \|", between(PAGE, name), re.MULTILINE)
    expected, lsb = [], 0
    for field, width in fields.items():
        low = lsb % 64
        expected.append((str(lsb // 64), str(low) if width == 1 else f"{low + width - 1}:{low}", field))
        lsb += width
    assert found == expected


@pytest.mark.parametrize("unit", MODULES)
def test_coverage_plan(unit):
    assert sorted(plan(PAGE)[unit]) == sorted(importlib.import_module(f"golden.dota.{MODULES[unit]}").EVENTS)


def test_every_unit_has_a_plan():
    assert set(plan(PAGE)) - {"Unit", "---"} == set(MODULES)


@pytest.mark.parametrize("key", [*npz.ATTENTION_KEYS, "masks", *npz.LINEAR_KEYS])
def test_keys_of_files(key):
    assert f"`{key}`" in OWN_NETWORK


def test_beats():
    """The worked example of the stream is what the host sends and gets."""
    cfg = PRESETS["tiny"]
    layer = Linear(x=np.array([[3, -2]]), w=np.array([[7, 5], [-1, 2]]), shift=0)
    text = (DOCS / "verilog.md").read_text().split("### Beat by beat")[1].split("```")[1]
    shown = [(int(high + low, 16), last) for high, low, last in
             re.findall(r"([0-9a-f]{8})_([0-9a-f]{8})  (TLAST|     )", text)]
    wanted = []
    for on in (on for batch in commands_of(plan_layers(layer, cfg), cfg) for on in batch):
        packet = host.packet(cfg, on.command, on.lanes)
        wanted += [(beat, "     ") for beat in packet[:-1]] + [(packet[-1], "TLAST")]
    assert isinstance(on.command, Read) and shown[:-1] == wanted
    results = Dota(cfg).run_program(plan_layers(layer, cfg)).results["y"]
    assert results.tolist() == [[11, -7]]
    assert shown[-1] == (host.word_beats(cfg, pack_fx(cfg, results)[0])[0], "TLAST")


def test_example(tmp_path):
    """The example to copy makes a file whose expected outputs are those of the hardware."""
    run_example(OWN_NETWORK, "heads.npz", sim.dota.cli.main, tmp_path)
    with np.load(tmp_path / "heads.npz") as file:
        assert file["expected"].shape == file["q"].shape
