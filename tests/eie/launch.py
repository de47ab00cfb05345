"""What the pytest side of the unit tests of EIE shares: configurations, launching a bench, the check of ``cfg``."""

import pytest

from golden.eie.config import PRESETS
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails

#: The preset with memories that a bench fills in a moment.
TINY = PRESETS["tiny"].replace(spmat_words=16, ptr_words=32, act_words=16)

#: Corners of the parameter space; in ``narrow`` there is one PE and every field is as small as it can be.
CONFIGS = {
    "tiny": TINY,
    "wide": TINY.replace(n_pe=64, fifo_depth=3, data_bits=32, regfile_words=256, spmat_width=512, spmat_words=4,
                         act_words=512),
    "narrow": TINY.replace(n_pe=1, fifo_depth=1, data_bits=8, regfile_words=2, spmat_words=8, ptr_words=4, act_words=2,
                           codebooks=1),
    "ahead-1": TINY.replace(run_ahead=True, run_ahead_columns=1),
    "ahead-4": TINY.replace(run_ahead=True, run_ahead_columns=4, data_bits=32),
}


def configs(*names):
    """Decorator: run a test with each of these configurations."""
    return pytest.mark.parametrize("cfg", [pytest.param(CONFIGS[name], id=name) for name in names])


def run_bench(unit, cfg, bench: str):
    """Build a unit and run its bench, a module."""
    run_unit(unit(cfg), name=_name(unit), cfg=cfg, test_module=bench)


def assert_mutant_noticed(unit, cfg, bench: str, *, old, new, match, testcase=None):
    """The bench of a unit fails with ``match`` when ``old`` is replaced by ``new`` in its Verilog."""
    assert_mutant_fails(unit(cfg), name=_name(unit), cfg=cfg, test_module=bench, old=old, new=new, match=match,
                        testcase=testcase)


def assert_wrong_cfg_is_refused(unit):
    """Anything but a configuration of EIE is a TypeError that names it."""
    with pytest.raises(TypeError, match=r"^cfg must be an EieConfig, not 'tiny'$"):
        unit("tiny")


def _name(unit) -> str:
    return f"eie_{unit.__module__.rsplit('.', 1)[-1]}"
