"""Executor: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import executor
from golden.duet.config import PRESETS
from golden.duet.formats import SUM_BITS
from hdl.common.emit import emit
from hdl.duet.executor import Executor
from sim.common.runner import run_unit
from tests.common.units import make
from tests.duet.executor_model import Inputs, Model, bits_of, fields
from tests.duet.executor_traffic import Feeder, random_work
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused

BENCH = "tests.duet.tb_executor"
#: 16 PEs of the paper's size.
CORNER = PRESETS["paper"].replace(rows=4, columns=4, systolic_columns=16)


def test_definition():
    """A step of two PEs by hand: they share the input or the output map, and the slower one decides."""
    program = [(0, 0, 0), (1, 0, 0), (1, 1, 1)]
    sums, cycles = executor.step_spec(
        [[2, 3]], [[[10, 100]], [[20, 200]]], program, [[True, True]], [[True, False], [True, True]],
        np.zeros((2, 1, 2), int))
    assert sums.tolist() == [[[20 + 30, 0]], [[40 + 60, 600]]]
    assert cycles == 3 + 1
    assert executor.group_spec([[[1, 2], [1 << 31, 5]]]).tolist() == [[1 - (1 << 31), 7]]


@pytest.mark.parametrize("name", ["tiny", "tall", "square"])
def test_model_equals_spec(name):
    """Random maps, programs and loads: every sum, and the cycles of every step."""
    cfg = CONFIGS[name]
    for seed in range(24 if name == "tiny" else 8):
        work = random_work(cfg, np.random.default_rng(seed), 6)
        rng = random.Random(seed)
        feeder = Feeder(cfg, work, rng, p=rng.choice([0.5, 1.0]), p_drain=rng.choice([0.1, 1.0]))
        model, first, cycles = Model(cfg), 0, []
        while len(feeder.sums) < len(work.sums) * cfg.pixels:
            if model.s.control.step_done[0]:
                cycles.append(feeder.cycle - first)
            first = feeder.cycle if model.s.control.first[0] else first
            x = feeder.offer()
            feeder.taken(x, model.step(x))
        assert cycles == work.cycles
        found = np.array([bits_of(sums.sums, cfg.rows, SUM_BITS) for sums in feeder.sums])
        expected = np.concatenate([sums.T for sums in work.sums]) & (1 << SUM_BITS) - 1
        assert (found == expected).all()


@pytest.mark.parametrize(("step_late", "expected"), [(0, executor.BUILD_LATENCY + 3), (20, 20 + executor.STEP_LATENCY)])
def test_latency_of_a_step(step_late, expected):
    """From the build of three words, or from a step that comes later, to the first MACs."""
    model, form = Model(TINY), fields(TINY)
    build = make(form["build"], base=0, words=3, length=48, bank=0, omap_bank=0, use_imap=0, use_omap=0, inside=15)
    step = make(form["step"], input_bank=0, weight_bank=0, last=1)
    # The build is taken in cycle 0; MACs are counted two cycles after they were issued.
    macs = [model.step(Inputs(build=build if cycle == 0 else None, step=step if cycle == step_late else None)).macs
            for cycle in range(40)]
    assert next(cycle for cycle, count in enumerate(macs) if count) == expected + 2


@pytest.mark.parametrize(("cfg", "testcase"), [
    pytest.param(TINY, None, id="tiny"), pytest.param(CONFIGS["tall"], None, id="tall"),
    pytest.param(CORNER, ["full_throughput", "skipped_macs_cost_nothing", "latency_of_sums"], id="corner")])
def test_rtl_equals_model(cfg, testcase):
    run_unit(Executor(cfg), name="duet_executor", cfg=cfg, test_module=BENCH, testcase=testcase,
             control='no_inline -module "duet_executor_pe"\n')


def test_units_are_emitted_once():
    """However large the array, its Verilog has one PE."""
    units = emit(Executor(PRESETS["paper"]), name="duet_executor", cfg=PRESETS["paper"]).units
    assert units == ("duet_multicast_16", "duet_noc", "duet_map_pick", "duet_mac_lut", "duet_steps",
                     "duet_step_control", "duet_tag_queue", "duet_executor_pe", "duet_executor_row", "duet_executor")


def test_bench_notices_a_broken_chain():
    """Column 2 does not add what comes from column 1."""
    assert_mutant_noticed(Executor, TINY, BENCH, old=".chain_in(pe_2__chain_in)", new=".chain_in(32'h0)",
                          match="sums differ", testcase="full_throughput")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Executor)
