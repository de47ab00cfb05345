"""What the Verilog of every accelerator must be: plain, the same from run to run, every unit once and alone."""

import re
import subprocess
import sys

from hdl.common.emit import emit
from sim.common.build import ROOT

__all__ = ["assert_names_are_plain", "assert_the_same_twice", "assert_units_stand_alone", "assert_units_stand_once",
           "write"]


def write(accelerator, preset, folder, hash_seed=0) -> dict[str, bytes]:
    """Run ``python -m hdl`` in a process of its own, without anything on PATH; returns its files."""
    subprocess.run([sys.executable, "-m", "hdl", accelerator, "--preset", preset, "-o", str(folder)], cwd=ROOT,
                   check=True, capture_output=True, env={"PYTHONHASHSEED": str(hash_seed), "PATH": ""})
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_the_same_twice(accelerator, preset, folder):
    """Two hash seeds, the same bytes."""
    assert write(accelerator, preset, folder / "1", 1) == write(accelerator, preset, folder / "2", 2)


def assert_names_are_plain(files):
    """No escaped names, no names that count, no trace of the generator's files."""
    for name, text in files.items():
        text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text)
        assert "\\" not in text, name
        assert not re.search(r"\w\$\d|\[-1:0\]", text), name
        assert not re.search(r"\.py|src =", text), name
        assert str(ROOT) not in text, name


def assert_units_stand_once(design, units, instances):
    """One module for each unit; ``instances``: (unit, what it has) to how many of them."""
    modules = re.findall(r"^module (\w+)", design.text, re.MULTILINE)
    assert len(modules) == len(set(modules))
    assert {f"{design.top}_{stem}" for stem in units if stem != "top"} <= set(modules)
    for (parent, part), count in instances.items():
        text = design.files[f"{parent}.v"]
        assert len(re.findall(rf"^  {part} ", text, re.MULTILINE)) == count, (parent, part)


def assert_units_stand_alone(accelerator, units, cfg):
    """Every unit can be emitted by itself."""
    for stem, unit in units.items():
        name = f"{accelerator}_{stem}"
        assert emit(unit(cfg), name=name, cfg=cfg).top == name
