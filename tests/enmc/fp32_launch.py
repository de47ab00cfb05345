"""Launching the tests of floating-point units: one unit in lockstep, many side by side."""

import re
from dataclasses import dataclass

import pytest

from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.enmc.fp32_cases import SideBySide

__all__ = ["SMALL", "assert_mutant_noticed", "assert_wrong_widths_are_refused", "run_blocks", "run_lockstep"]

LANES = 16
#: A format of which every pair of numbers is tried: widths of exponent and fraction.
SMALL = 3, 3


@dataclass(frozen=True)
class Nothing:
    """A unit without parameters."""


def run_lockstep(unit, bench):
    """The bench of the unit, a module."""
    stem = unit.__module__.split(".")[-1]
    run_unit(unit(), name=f"enmc_{stem}", cfg=Nothing(), test_module=bench)


def run_blocks(unit, bench, operation, *, pairs=None, form=None):
    """Many units side by side: corners and random ``pairs`` of single precision, or all of a small format."""
    name = f"enmc_{unit.__module__.split('.')[-1]}_" + (f"{form[0]}_{form[1]}" if form else "blocks")
    cfg = {"operation": operation, "lanes": LANES, **({"format": form} if form else {"pairs": pairs})}
    return run_unit(SideBySide(unit, LANES, form or (8, 23)), name=name, cfg=cfg, test_module=bench)


def assert_mutant_noticed(unit, bench, *, old, new, match, testcase):
    """The bench of the unit fails with ``match`` when ``old`` is replaced by ``new`` in its Verilog."""
    stem = unit.__module__.split(".")[-1]
    assert_mutant_fails(unit(), name=f"enmc_{stem}", cfg=Nothing(), test_module=bench, old=old, new=new,
                        match=match, testcase=testcase)


def assert_wrong_widths_are_refused(unit):
    """Each width has limits, and an error that names it, them and the value."""
    for name, limits, values in ("exponent_bits", "2..8", (1, 9, "8", 8.0)), ("fraction_bits", "2..23", (1, 24, None)):
        for value in values:
            text = re.escape(f"{name} must be an integer in {limits}, not {value!r}")
            with pytest.raises(ValueError, match=f"^{text}$"):
                unit(**{name: value})
