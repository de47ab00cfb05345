"""What the pytest side of the unit tests of EIE shares: configurations and the check of ``cfg``."""

from golden.eie.config import PRESETS
from tests.common import launch
from tests.common.launch import assert_mutant_noticed, choose, run_bench

__all__ = ["CONFIGS", "TINY", "assert_mutant_noticed", "assert_wrong_cfg_is_refused", "configs", "run_bench"]

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

configs = choose(CONFIGS)


def assert_wrong_cfg_is_refused(unit):
    """Anything but a configuration of EIE is a TypeError that names it."""
    launch.assert_wrong_cfg_is_refused(unit, "an EieConfig")
