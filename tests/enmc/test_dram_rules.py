"""Every timing rule binds: a controller that believes in one clock less is caught, whichever it is.

The commands come from the golden model, which the hardware equals in every cycle, and are held against two judges that
were written independently: the recorder of these tests, and the rules of the DRAM model.
"""

import random

import pytest

from golden.common.config import to_json
from golden.enmc.dram_timing import RULES
from hdl.enmc.dram_controller import DramController
from sim.common.runner import BenchFailure, run_unit
from tests.enmc.dram_judge import Independent
from tests.enmc.dram_recorder import Recorder, Violation
from tests.enmc.dram_surroundings import Surroundings, run
from tests.enmc.dram_traffic import Model, mixed
from tests.enmc.launch import TINY

#: No rule follows from others here: each one decides somewhere, and may be shortened.
TRUE = TINY.replace(cl=12, cwl=9, trcd=12, trp=14, tras=36, trc=55, tccd_s=5, tccd_l=8, trrd_s=5, trrd_l=9, tfaw=32,
                    twr=12, trtp=8, twtr_s=4, twtr_l=9, trfc=70, trefi=500)
JUDGES = {"recorder": Recorder, "independent": Independent}
#: What the judges call the rules.
NAMES = {"turnaround": "turnaround|tRTW"}


def traffic(seed):
    """Requests in which every rule is the last obstacle now and then."""
    return mixed(TRUE, random.Random(seed), 250, counts=(1, 1, 1, 2, 2, 3, 17))


def serve(model, judge, seed=1):
    """Commands of a model, held against the true rules."""
    return run(model, Surroundings(TRUE, traffic(seed), random.Random(seed), recorder=judge))


@pytest.mark.parametrize("judge", JUDGES)
def test_true_rules_are_kept(judge):
    serve(Model(TRUE), JUDGES[judge](TRUE))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("judge", JUDGES)
def test_one_clock_less_is_caught(judge, rule):
    model = Model(TRUE)
    model.s.timing.rules[RULES.index(rule)] -= 1
    pattern = NAMES.get(rule, rule)
    with pytest.raises(Violation, match=rf"(?i)^({pattern}): "):
        serve(model, JUDGES[judge](TRUE))


def test_all_rules_are_there():
    """Those of the configuration, but the latencies of data and the time between refreshes, and the turnaround."""
    times = [name for name in TRUE.__dataclass_fields__ if name.startswith("t")]
    assert set(RULES) == {*times, "turnaround"} - {"threshold", "trefi"}


def test_late_refreshes_are_caught():
    """Refreshes are postponed further than JEDEC allows."""
    slow = TRUE.replace(trefi=10 * TRUE.trefi)
    requests = mixed(TRUE, random.Random(1), 1200, counts=(1, 9))
    with pytest.raises(Violation, match="^tREFI: "):
        run(Model(slow), Surroundings(TRUE, requests, random.Random(1), recorder=Independent(TRUE)))


@pytest.mark.parametrize("rule", ["tccd_l", "tfaw", "trfc"])
def test_hardware_with_one_clock_less_is_caught(rule):
    """The same of the hardware."""
    short = TRUE.replace(**{rule: getattr(TRUE, rule) - 1})
    with pytest.raises(BenchFailure, match=f"{rule}: "):
        run_unit(DramController(short), name="enmc_dram_controller", cfg=short, seed=1, testcase="shortened_rule",
                 test_module="tests.enmc.tb_dram_controller", env={"DRAM_RULES": to_json(TRUE)})
