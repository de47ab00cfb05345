"""Launching unit benches: what the pytest side of the unit tests shares."""

import pytest

from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails


def choose(configurations):
    """``@configs(*names)`` for a table of configurations: run a test with each of the named ones."""
    def configs(*names):
        return pytest.mark.parametrize("cfg", [pytest.param(configurations[name], id=name) for name in names])

    return configs


def run_bench(unit, cfg, bench: str):
    """Build a unit and run its bench, a module."""
    run_unit(unit(cfg), name=_name(unit), cfg=cfg, test_module=bench)


def assert_mutant_noticed(unit, cfg, bench: str, *, old, new, match, testcase=None):
    """The bench of a unit fails with ``match`` when ``old`` is replaced by ``new`` in its Verilog."""
    assert_mutant_fails(unit(cfg), name=_name(unit), cfg=cfg, test_module=bench, old=old, new=new, match=match,
                        testcase=testcase)


def assert_wrong_cfg_is_refused(unit, expected: str):
    """Anything but a configuration of the accelerator, such as ``an EieConfig``, is a TypeError that names it."""
    with pytest.raises(TypeError, match=rf"^cfg must be {expected}, not 'tiny'$"):
        unit("tiny")


def _name(unit) -> str:
    """``<accelerator>_<stem>``."""
    return "_".join(unit.__module__.split(".")[-2:])
