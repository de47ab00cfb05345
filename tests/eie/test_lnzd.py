"""Leading non-zero detection node: golden model and hardware."""

import random

import pytest

from golden.eie import lnzd as golden
from hdl.eie import lnzd as hdl
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.eie.central import run_model
from tests.eie.lnzd_traffic import CONFIGS, LnzdModel, Scan, Traffic, every_ending, random_scan

BENCH = {"name": "eie_lnzd", "test_module": "tests.eie.tb_lnzd"}


def run(cfg, scans, rng, **options):
    """Cycles that the model needs; everything that comes out is checked."""
    return run_model(LnzdModel(cfg), Traffic(scans, cfg, rng, **options))


def test_merged_sorts_by_index():
    assert golden.merged([[(1, -5), (6, 7)], [], [(0, 2)], [(3, 3)]]) == [(0, 2), (1, -5), (3, 3), (6, 7)]


@pytest.mark.parametrize("density", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("p", [0.4, 1.0])
def test_model_equals_spec(density, p):
    rng = random.Random(f"{density} {p}")
    for cfg in CONFIGS:
        scans = [random_scan(cfg, rng, density) for _ in range(400)]
        run(cfg, scans, rng, p_valid=p, p_ready=p)


def test_model_ends_every_way():
    rng = random.Random(1)
    scans = every_ending(CONFIGS[0], rng)
    assert run(CONFIGS[0], scans, rng) == sum(scan.cycles for scan in scans) + 1


def test_cycles_of_a_scan():
    """One a cycle; one more if the child with the highest index ends with a null; one for nothing."""
    assert Scan([[], [], [], []]).cycles == 1
    assert Scan([[(1, 1), (3, 1)], [(2, 1)], [], []]).cycles == 3
    assert Scan([[(1, 1), (3, 1)], [(2, 1)], [], []], (False, True, True, True)).cycles == 3
    assert Scan([[(1, 1), (3, 1)], [(2, 1)], [], []], (True, False, False, False)).cycles == 4


def test_wrong_cfg_type():
    with pytest.raises(TypeError, match="^cfg must be an EieConfig, not None$"):
        hdl.LnzdNode(None)


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"i{cfg.index_bits}-d{cfg.data_bits}")
def test_rtl_equals_model(cfg):
    run_unit(hdl.LnzdNode(cfg), cfg=cfg, **BENCH)


def test_bench_notices_a_wrong_order():
    """The two upper children are compared the wrong way round."""
    cfg = CONFIGS[0]
    assert_mutant_fails(hdl.LnzdNode(cfg), cfg=cfg, **BENCH, testcase="interleavings",
                        old="skid_3__o__payload[4:0] < skid_2__o", new="skid_3__o__payload[4:0] > skid_2__o",
                        match="lnzd: ready, o differ|lnzd: ready differ")
