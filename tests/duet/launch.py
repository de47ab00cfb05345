"""What the pytest side of the unit tests of DUET shares: configurations and the check of ``cfg``."""

from golden.duet.config import PRESETS
from tests.common import launch
from tests.common.launch import assert_mutant_noticed, choose, run_bench

__all__ = ["CONFIGS", "TINY", "assert_mutant_noticed", "assert_wrong_cfg_is_refused", "configs", "run_bench"]

TINY = PRESETS["tiny"]

#: Corners of the parameter space: more rows than columns, a wide Speculator, large tiles, small buffers.
CONFIGS = {
    "tiny": TINY,
    "tall": TINY.replace(rows=8, columns=2, tags=8, input_words=4, weight_words=2, trees=8, systolic_columns=4,
                         buckets=2),
    "square": TINY.replace(side=4, columns=4, rows=2, lut=256, tags=32, trees=4, systolic_columns=16, reduced_words=2),
    "paper": PRESETS["paper"],
}

configs = choose(CONFIGS)


def assert_wrong_cfg_is_refused(unit):
    """Anything but a configuration of DUET is a TypeError that names it."""
    launch.assert_wrong_cfg_is_refused(unit, "a DuetConfig")
