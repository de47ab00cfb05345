"""Decoder: golden model and hardware."""

import random

import pytest

from golden.enmc import decoder as golden
from golden.enmc.formats import INSTRUCTION_BITS, Buffer
from golden.enmc.instruction import INSTRUCTIONS, decode
from golden.enmc.registers import REGISTERS
from hdl.enmc.decoder import Decoder, control_layout
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_decoder"


def test_fields_match_the_hardware():
    widths = {name: field.width for name, field in control_layout()}
    assert widths == golden.CONTROL_FIELDS


def test_legal_words_are_instructions():
    """Whatever has a meaning can be decoded by the host's side; what else that takes are operands without meaning."""
    names, others = set(), set()
    for word in range(1 << INSTRUCTION_BITS):
        try:
            instruction = decode(word & 1023 | word >> 10 << 11, 0)
        except ValueError:
            instruction = None
        if golden.controls_of(word):
            names.add(instruction.name)
        elif instruction is not None:
            others.add(instruction.name)
    assert names == set(INSTRUCTIONS) - {"QUERY", "RETURN"}
    assert not others & {"SIGMOID", "SOFTMAX", "BARRIER", "NOP", "CLR"}


def test_transfers_equal_the_definition():
    """Thousands of random LDR and STR: legal exactly if they fit buffer and rank."""
    rng, tables = random.Random(1), golden.tables(TINY)
    features = TINY.features * 4 // (8 * TINY.dq), TINY.exact_features * 4 // TINY.dq
    fits = {Buffer.FEATURE_INT4: range(1, features[0] + 1), Buffer.PSUM_INT4: range(4, 5),
            Buffer.WEIGHT_INT4: range(1, 1 << 16), Buffer.FEATURE_FP32: range(1, features[1] + 1),
            Buffer.WEIGHT_FP32: range(1, 1 << 16)}
    for _ in range(5000):
        buffer, count = rng.randrange(16), rng.choice([rng.randrange(70), rng.getrandbits(16)])
        addr = rng.choice([rng.getrandbits(32), rng.randrange(TINY.bursts), TINY.bursts - count]) & 0xFFFFFFFF
        legal = golden.control_of(tables, 10 << 8 | buffer << 4, addr, count) & 1
        assert legal == (buffer in fits and count in fits[buffer] and addr + count <= TINY.bursts)


@pytest.mark.parametrize("name", sorted(REGISTERS))
def test_init(name):
    """Of registers with access alone."""
    word = 9 << 8 | 1 << 7 | REGISTERS[name].number << 2
    assert golden.control_of(golden.tables(TINY), word, 1, 0) & 1 == (REGISTERS[name].access == "rw")


@configs("tiny", "single", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Decoder, cfg, BENCH)


def test_bench_notices_a_wrong_limit():
    assert_mutant_noticed(Decoder, TINY, BENCH, old="14'h2000", new="14'h2001", match="differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Decoder)
