"""What the Verilog of every accelerator must be: plain, the same from run to run, every unit once and alone."""

import re
import subprocess
import sys

from hdl.common.emit import emit
from sim.common import toolchain
from sim.common.build import LINT_CONTROL, ROOT

__all__ = ["STYLE", "assert_lint_is_clean", "assert_names_are_plain", "assert_the_same_twice",
           "assert_units_stand_alone", "assert_units_stand_once", "assert_yosys_accepts", "lint", "write"]

#: Lint classes beside those of LINT_CONTROL that Verilator's -Wall reports, and why they are waived.
STYLE = {
    "UNUSEDSIGNAL": "payloads are split into named fields for the reader, whether a unit uses them or not",
    "PROCASSINIT": "registers have an initial value and a reset: FPGA flows use the one, ASIC flows the other",
}

_YOSYS = """
import sys
from pyosys import libyosys as ys
design = ys.Design()
for command in sys.argv[1:]:
    ys.run_pass(command, design)
"""


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


def lint(folder, top, control):
    """Classes of the messages of Verilator's -Wall about the files of ``<top>.f``, and its output."""
    files = (folder / f"{top}.f").read_text().split()
    (folder / "lint.vlt").write_text(f"`verilator_config\n{control}")
    done = subprocess.run([toolchain.prepare().verilator, "--lint-only", "-Wall", "-Wno-fatal", "--top-module", top,
                           "lint.vlt", *files], cwd=folder, capture_output=True, text=True, check=False)
    (folder / "lint.vlt").unlink()
    output = "".join(f"{line}\n" for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- "))
    assert done.returncode == 0, output[-2000:]
    return set(re.findall(r"^%(?:Warning|Error)-(\w+)", output, re.MULTILINE)), output


def assert_lint_is_clean(folder, top, **waived):
    """Verilator's -Wall reports nothing but the waived classes: those of ``STYLE``, and ``waived`` with the reason."""
    control = LINT_CONTROL + "".join(f"// {why}\nlint_off -rule {rule}\n" for rule, why in {**STYLE, **waived}.items())
    classes, output = lint(folder, top, control)
    assert not classes and not output, output[:2000]


def assert_yosys_accepts(folder, top, *, flat=False):
    """Modules and ports fit; every net has one driver; there is neither loop nor latch.

    ``flat``: nor a loop through several units.
    """
    files = (folder / f"{top}.f").read_text().split()
    commands = [f"read_verilog -sv -D SYNTHESIS {' '.join(files)}", f"hierarchy -check -top {top}", "proc",
                "check -assert", "select -assert-none t:$dlatch t:$adlatch"]
    if flat:
        commands += ["flatten", "check -assert"]
    done = subprocess.run([sys.executable, "-c", _YOSYS, *commands], cwd=folder, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("Found and reported 0 problems.") == commands.count("check -assert")
