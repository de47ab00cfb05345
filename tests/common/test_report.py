"""The JSON object of a run."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from golden.common.report import Rtl, figures
from tests.common.test_config import Example


def report(rtl=None):
    workload = SimpleNamespace(name="random", description="synthetic: any", synthetic=True)
    return SimpleNamespace(preset="tiny", cfg=Example(n=4), workload=workload, seed=3, cycles=100, functional_errors=2,
                           utilization=0.5, wall_seconds=4.0, rtl=rtl)


def test_model_alone():
    assert figures("nothing", report(), {"heads": [1]}) == {
        "accelerator": "nothing", "preset": "tiny", "config": asdict(Example(n=4)), "workload": "random", "seed": 3,
        "cycles": 100, "checked_cycles": 0, "mismatches": 0, "functional_errors": 2, "utilization": 0.5,
        "wall_seconds": 4.0, "cycles_per_second": 25.0,
        "metrics": {"description": "synthetic: any", "synthetic": True, "heads": [1]}}


def test_simulated():
    """Time and speed are those of the simulator, over all cycles that were compared."""
    alone, simulated = figures("nothing", report(), {}), figures("nothing", report(Rtl(300, 1, {}, 1.5)), {})
    changed = {"checked_cycles": 300, "mismatches": 1, "wall_seconds": 1.5, "cycles_per_second": 200.0}
    assert simulated == alone | changed


@pytest.mark.parametrize("rtl", [None, Rtl(0, 0, {}, 0.0)])
def test_no_time(rtl):
    """A run that took no time that could be measured divides by nothing."""
    short = report(rtl)
    short.wall_seconds = 0.0
    assert figures("nothing", short, {})["cycles_per_second"] >= 0
