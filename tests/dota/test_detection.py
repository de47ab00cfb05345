"""Detection against exact work: the two sides of an attention step add up, and are what they are called."""

import io

import numpy as np
import pytest
from rich.console import Console

from golden.dota.compiler import plan_head
from golden.dota.config import PRESETS
from golden.dota.detection import measure
from golden.dota.model import Dota
from golden.dota.report import evaluate, to_dict
from golden.dota.tables import print_report
from golden.dota.workloads import Workload, random_head

TINY = PRESETS["tiny"]


def head_of(**shape):
    return random_head(np.random.default_rng(3), TINY, **{"queries": 12, "keys": 20, "dim": 4, "keep": 3} | shape)


@pytest.mark.parametrize("shape", [{}, {"queries": 5, "threshold": 0}, {"queries": 1}, {"inputs": 9, "keys": 12}])
def test_same_cycles_as_a_whole_run(shape):
    """A head whose Q~ and K~ are put there takes as long as one that has made them."""
    head = head_of(**shape)
    alone = measure(head, TINY)
    assert alone.total == Dota(TINY).run(plan_head(head, TINY)).cycles["attend"]
    assert alone.exact + alone.waits == alone.total
    assert 0 < alone.detect < alone.total and alone.exact > 0
    assert alone.groups == head.groups and alone.ratio == alone.detect / alone.exact


def test_more_keys_take_longer_to_detect_and_more_connections_longer_to_compute():
    few, keys, connections = (measure(head_of(**shape), TINY) for shape in ({}, {"keys": 32}, {"keep": 12}))
    assert keys.detect > few.detect and connections.exact > few.exact
    assert keys.ratio > few.ratio > connections.ratio
    assert connections.detect == few.detect, "detection must be measured without the exact work"


def test_first_groups_only():
    """As many as fit and are asked for; behind the first, each takes alike."""
    head = head_of(queries=24)
    two, three, six = (measure(head, TINY, groups) for groups in (2, 3, 32))
    assert (two.groups, three.groups, six.groups) == (2, 3, 6)
    assert six.detect - two.detect == 4 * (three.detect - two.detect)


def test_report():
    """Every head has it, in the table and in the JSON."""
    head = head_of()
    workload = Workload(name="made up", description="a head", heads=[head])
    runs = [Dota(TINY).run(plan_head(head, TINY))]
    report = evaluate(TINY, workload, runs, preset="tiny", seed=1, wall_seconds=1.0)
    expected = measure(head, TINY)
    assert report.heads[0].detection == expected
    assert to_dict(report)["metrics"]["heads"][0]["detection"] == expected._asdict() | {"ratio": expected.ratio}
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=120, highlight=False))
    line = stream.getvalue().split("detect / exact")[1].splitlines()[2].split()
    assert line[2:5] == [f"{expected.detect / 3:.1f}", f"{expected.exact / 3:.1f}", f"{expected.ratio:.2f}"]
