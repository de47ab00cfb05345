"""Sequencer: golden model and hardware."""

import random

import pytest

from golden.eie import sequencer as golden
from golden.eie.formats import CAUSES
from hdl.eie import sequencer as hdl
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.eie.central import run_model
from tests.eie.sequencer_traffic import CONFIGS, OPEN_END, SequencerModel, Traffic, random_program, work_of

BENCH = {"name": "eie_sequencer", "test_module": "tests.eie.tb_sequencer"}


def run(cfg, works, rng, **options):
    """Cycles by cause of the model; what the program did is checked."""
    traffic = Traffic(cfg, works, rng, **options)
    run_model(SequencerModel(cfg), traffic)
    return traffic.causes


@pytest.mark.parametrize("options", [{}, {"p_valid": 0.4, "p_ready": 0.4, "busy": 9},
                                     {"p_valid": 0.8, "p_ready": 0.8, "busy": 3, "p_host": 0.2}], ids=str)
def test_model_equals_spec(options):
    rng = random.Random(str(options))
    for cfg in CONFIGS:
        for _ in range(100):
            works = random_program(cfg, rng)
            causes = run(cfg, works, rng, **options)
            assert set(causes) <= set(CAUSES)
            if not options:
                assert causes.total() == sum(work.cycles for work in works)


def test_refused_pass_waits_for_the_work_before_it():
    """Else the host could reach memories that PEs still read, and the next program would find them at work."""
    rng = random.Random(1)
    works = [work_of(CONFIGS[0], rng, 5, **OPEN_END), work_of(CONFIGS[0], rng, 5)._replace(illegal=True)]
    causes = [run(CONFIGS[0], works, random.Random(2), busy=busy) for busy in (0, 500)]
    assert causes[1]["stall_drain"] > 100 > causes[0]["stall_drain"]
    assert causes[0]["broadcasts"] == causes[1]["broadcasts"]


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {
        name: getattr(golden, name) for name in ("IDLE", "DISPATCH", "RUN", "BIAS", "DRAIN", "STORE")}


def test_causes_match_golden():
    assert [cause.name.lower() for cause in sorted(hdl.Cause, key=lambda cause: cause.value)] == list(CAUSES)
    assert [getattr(golden, cause.upper()) for cause in CAUSES] == [cause.value for cause in hdl.Cause]


def test_wrong_cfg_type():
    with pytest.raises(TypeError, match="^cfg must be an EieConfig, not None$"):
        hdl.Sequencer(None)


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"n{cfg.n_pe}-d{cfg.data_bits}")
def test_rtl_equals_model(cfg):
    run_unit(hdl.Sequencer(cfg), cfg=cfg, **BENCH)


def test_bench_notices_an_early_drain():
    """The end of a pass does not wait for the PEs."""
    cfg = CONFIGS[0]
    assert_mutant_fails(hdl.Sequencer(cfg), cfg=cfg, **BENCH, testcase="refused_pass",
                        old="~ any_busy", new="~ 1'b0", match="sequencer: .*state.* differ")
