"""I/O port: rules of a command, golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.fields import pack_fields, unpack_fields
from golden.eie import io_port as golden
from golden.eie.formats import COMMAND_FIELDS
from hdl.eie import io_port as hdl
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.eie.central import run_model
from tests.eie.io_port_commands import is_legal_command, legal_command, random_packet, rule_cases
from tests.eie.io_port_traffic import CONFIGS, IoPortModel, Traffic

BENCH = {"name": "eie_io_port", "test_module": "tests.eie.tb_io_port"}


def label(cfg):
    return f"n{cfg.n_pe}-s{cfg.spmat_width}-d{cfg.data_bits}"


def is_legal(cfg, fields, ended):
    return bool(golden.is_legal(np.array(list(fields.values())), ended, golden.state(cfg).words, cfg.n_pe))


@pytest.mark.parametrize("cfg", CONFIGS, ids=label)
def test_every_rule_at_its_boundary(cfg):
    for name, fields, ended, wanted in rule_cases(cfg, random.Random(1)):
        assert is_legal(cfg, fields, ended) == wanted, name
        assert is_legal_command(cfg, fields, ended) == wanted, name


def test_rules_equal_spec_on_random_commands():
    """Commands with one or two fields changed at random, or near their limits."""
    rng = random.Random(2)
    for cfg in CONFIGS:
        verdicts = set()
        for _ in range(3000):
            fields = legal_command(cfg, rng)
            for name in rng.sample(list(COMMAND_FIELDS), rng.randrange(3)):
                value = rng.choice([rng.getrandbits(COMMAND_FIELDS[name]), fields[name] + rng.randint(-1, 2)])
                fields[name] = min(max(value, 0), (1 << COMMAND_FIELDS[name]) - 1)
            assert unpack_fields(COMMAND_FIELDS, pack_fields(COMMAND_FIELDS, fields)) == fields
            ended = rng.random() < 0.5
            verdicts.add(is_legal(cfg, fields, ended))
            assert is_legal(cfg, fields, ended) == is_legal_command(cfg, fields, ended), fields
        assert verdicts == {False, True}


@pytest.mark.parametrize("options", [{}, {"p_valid": 0.5, "p_ready": 0.4, "p_idle": 0.6}], ids=str)
def test_model_equals_spec(options):
    rng = random.Random(str(options))
    for cfg in CONFIGS:
        for _ in range(30 if cfg.n_pe < 64 else 3):
            packets = [random_packet(cfg, rng) for _ in range(rng.randint(1, 10))]
            run_model(IoPortModel(cfg), Traffic(cfg, packets, rng, **options))


def test_states_match_golden():
    assert {state.name: state.value for state in hdl.State} == {
        name: getattr(golden, name) for name in ("COMMAND", "CHECK", "WRITE", "READ", "WAIT", "SEND", "SKIP")}


def test_wrong_cfg_type():
    with pytest.raises(TypeError, match="^cfg must be an EieConfig, not None$"):
        hdl.IoPort(None)


@pytest.mark.parametrize("cfg", CONFIGS, ids=label)
def test_rtl_equals_model(cfg):
    run_unit(hdl.IoPort(cfg), cfg=cfg, **BENCH)


def test_bench_notices_a_command_that_does_not_wait():
    """Commands are taken while a program runs."""
    cfg = CONFIGS[0]
    assert_mutant_fails(hdl.IoPort(cfg), cfg=cfg, **BENCH, testcase="waits_for_the_program",
                        old="& idle", new="| idle", match="io_port: .* differ")
