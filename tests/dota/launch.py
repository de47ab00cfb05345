"""What the pytest side of the unit tests of DOTA shares: configurations and the check of ``cfg``."""

from golden.dota.config import PRESETS
from tests.common import launch
from tests.common.launch import assert_mutant_noticed, choose, run_bench

__all__ = ["CONFIGS", "TINY", "assert_mutant_noticed", "assert_wrong_cfg_is_refused", "configs", "run_bench"]

TINY = PRESETS["tiny"]

#: Corners of the parameter space: words longer and shorter than a row, one key or several in a word.
CONFIGS = {
    "tiny": TINY,
    "small": PRESETS["small"],
    "flat": TINY.replace(rows=4, columns=16, keys=64),
    "tall": TINY.replace(rows=16, columns=4, keys=64, queue=8, estimate_bits=8),
    "paper": PRESETS["paper"],
}

configs = choose(CONFIGS)


def assert_wrong_cfg_is_refused(unit):
    """Anything but a configuration of DOTA is a TypeError that names it."""
    launch.assert_wrong_cfg_is_refused(unit, "a DotaConfig")
