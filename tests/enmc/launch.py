"""What the pytest side of the unit tests of ENMC shares: configurations and the check of ``cfg``."""

from golden.enmc.config import PRESETS
from tests.common import launch
from tests.common.launch import assert_mutant_noticed, choose, run_bench

__all__ = ["CONFIGS", "TINY", "assert_mutant_noticed", "assert_wrong_cfg_is_refused", "configs", "run_bench"]

TINY = PRESETS["tiny"]

#: Corners of the parameter space: narrow and wide data pins, one input and several, slow and fast DRAM.
CONFIGS = {
    "tiny": TINY,
    "middle": TINY.replace(dq=32, column_bits=7, batch=4, features=256, results=8, cl=11, cwl=9, trcd=11, trp=11,
                           tras=28, trc=39, tfaw=20, twr=12, trtp=6, twtr_l=6, trfc=128, trefi=1200),
    "single": TINY.replace(batch=1, weights=32, indices=2, cl=16, cwl=12),
    "paper": PRESETS["rank"],
}

configs = choose(CONFIGS)


def assert_wrong_cfg_is_refused(unit):
    """Anything but a configuration of ENMC is a TypeError that names it."""
    launch.assert_wrong_cfg_is_refused(unit, "an EnmcConfig")
