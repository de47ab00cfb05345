"""Stream port: rules of a command, golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fields import pack_fields, unpack_fields
from golden.duet import io_port as golden
from golden.duet.formats import BEAT_BITS, COMMAND_FIELDS, chain_beats, target_words
from hdl.duet import io_port as hdl
from hdl.duet.io_port import IoPort
from tests.duet.io_port_commands import is_legal_command, legal_command, random_packet, rule_cases
from tests.duet.io_port_traffic import Model, Traffic, run_model
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_io_port"


def is_legal(cfg, fields, ended):
    words = np.array([*target_words(cfg).values(), chain_beats(cfg)])
    return bool(golden.is_legal(np.array(list(fields.values())), ended, words))


@configs(*CONFIGS)
def test_every_rule_at_its_boundary(cfg):
    for name, fields, ended, wanted in rule_cases(cfg):
        assert is_legal(cfg, fields, ended) == wanted, name
        assert is_legal_command(cfg, fields, ended) == wanted, name


def test_rules_equal_spec_on_random_commands():
    """Commands with one or two fields changed at random, or near their limits."""
    rng = random.Random(2)
    for cfg in CONFIGS.values():
        verdicts = set()
        for _ in range(2000):
            fields = legal_command(cfg, rng)
            for name in rng.sample(list(COMMAND_FIELDS), rng.randrange(3)):
                value = rng.choice([rng.getrandbits(COMMAND_FIELDS[name]), fields[name] + rng.randint(-1, 2)])
                fields[name] = min(max(value, 0), (1 << COMMAND_FIELDS[name]) - 1)
            assert unpack_fields(COMMAND_FIELDS, pack_fields(COMMAND_FIELDS, fields)) == fields
            ended = rng.random() < 0.5
            verdicts.add(is_legal(cfg, fields, ended))
            assert is_legal(cfg, fields, ended) == is_legal_command(cfg, fields, ended), fields
        assert verdicts == {False, True}
    assert sum(COMMAND_FIELDS.values()) == BEAT_BITS


@pytest.mark.parametrize("options", [{}, {"p_valid": 0.5, "p_ready": 0.4, "longest": 60}], ids=str)
def test_model_equals_spec(options):
    """Thousands of beats: every word where it belongs, every stage, every reply once, and the error flag."""
    rng = random.Random(str(options))
    for name, cfg in CONFIGS.items():
        for _ in range(3 if name == "paper" else 20):
            packets = [random_packet(cfg, rng) for _ in range(rng.randint(1, 20))]
            run_model(Model(cfg), Traffic(cfg, packets, rng, **options))


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {state.name: getattr(golden, state.name)
                                                                for state in hdl.State}
    assert hdl.INBOX_BEATS == golden.INBOX_BEATS


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(IoPort, cfg, BENCH)


def test_bench_notices_a_command_that_does_not_wait():
    """A WRITE goes on while a stage runs."""
    assert_mutant_noticed(IoPort, TINY, BENCH, testcase="stages_one_after_the_other", old="= ~ busy", new="= 1'h1",
                          match="duet_io_port: .* differ|stage")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(IoPort)
