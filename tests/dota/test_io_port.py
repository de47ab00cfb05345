"""Stream port: rules of a command, golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fields import pack_fields, unpack_fields
from golden.dota import io_port as golden
from golden.dota.formats import BEAT_BITS, COMMAND_FIELDS, STEP_FIELDS, Op
from hdl.dota import io_port as hdl
from hdl.dota.io_port import IoPort
from sim.common.bench import to_signed
from tests.dota.io_port_commands import (
    is_legal_command,
    is_legal_step,
    legal_command,
    packet,
    random_packet,
    rule_cases,
    step_beats,
    step_cases,
    word_beats,
)
from tests.dota.io_port_traffic import Model, Traffic, run_model
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_io_port"


def is_legal(cfg, fields, ended):
    return bool(golden.is_legal(np.array(list(fields.values())), ended, cfg.words, cfg.lanes))


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


def test_rules_of_a_step():
    rng = random.Random(3)
    for name, changes, wanted in step_cases():
        beats = step_beats(rng, **changes)
        word = sum(beat << BEAT_BITS * i for i, beat in enumerate(beats))
        assert bool(golden.is_legal_step(np.array([to_signed(beat, BEAT_BITS) for beat in beats]))) == wanted, name
        assert is_legal_step(word) == wanted, name


def test_no_field_of_a_step_crosses_a_beat():
    """The host may put a step together beat by beat."""
    lsb = 0
    for name, bits in STEP_FIELDS.items():
        assert lsb // BEAT_BITS == (lsb + bits - 1) // BEAT_BITS, name
        lsb += bits
    assert lsb == golden.STEP_BEATS * BEAT_BITS
    assert sum(COMMAND_FIELDS.values()) == BEAT_BITS


@pytest.mark.parametrize("options", [{}, {"p_valid": 0.5, "p_ready": 0.4, "p_idle": 0.6}], ids=str)
def test_model_equals_spec(options):
    """Thousands of beats: every word where it belongs, every step, every reply once, and the error flag."""
    rng = random.Random(str(options))
    for cfg in CONFIGS.values():
        for _ in range(20 if word_beats(cfg) < 8 else 4):
            packets = [random_packet(cfg, rng) for _ in range(rng.randint(1, 20))]
            run_model(Model(cfg), Traffic(cfg, packets, rng, **options))


@pytest.mark.parametrize(("name", "cycles"), [("tiny", 7), ("small", 7), ("paper", 16)])
def test_cycles_of_a_word_that_is_read(name, cycles):
    """The next word is read while the beats of this one go out."""
    cfg, rng = CONFIGS[name], random.Random(4)
    taken = [run_model(Model(cfg), Traffic(cfg, [packet(cfg, rng, legal_command(cfg, rng, op=Op.READ, count=count))],
                                           rng)) for count in (10, 20)]
    assert taken[1] - taken[0] == 10 * cycles


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {state.name: getattr(golden, state.name)
                                                                for state in hdl.State}
    assert hdl.STEP_BEATS == golden.STEP_BEATS


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    """Words of half a beat, two beats and sixteen; one lane, two and four."""
    run_bench(IoPort, cfg, BENCH)


def test_bench_notices_a_command_that_does_not_wait():
    """Commands go on while a step runs."""
    assert_mutant_noticed(IoPort, TINY, BENCH, testcase="waits_for_the_lanes", old="busy & command[8]", new="1'h0",
                          match="dota_io_port: .* differ")


def test_bench_notices_a_shared_accumulator():
    """A READ and a second step with `reduce` do not wait for the first one."""
    assert_mutant_noticed(IoPort, CONFIGS["small"], BENCH, testcase="waits_for_the_accumulator",
                          old="= busy & reducing;", new="= 2'h0;", match="dota_io_port: .* differ")


def test_bench_notices_a_step_that_is_not_looked_at():
    """Any step starts, also one that does not exist."""
    assert_mutant_noticed(IoPort, TINY, BENCH, testcase="soup_with_cleared_flags", old="| step[1:0]", new="1'h1",
                          match="dota_io_port: .*(start|error).* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(IoPort)
