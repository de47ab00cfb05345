"""Words of the binary formats: every field where the box says, nothing lost, nothing that does not fit."""

import random

import pytest

from golden.common.fields import pack_fields, unpack_fields
from golden.eie.config import PRESETS
from golden.eie.formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    PASS_BITS,
    PASS_FIELDS,
    Mem,
    Op,
    Walk,
    beats,
    mem_bits,
    mem_words,
    pack_command,
)

FORMATS = {"command": COMMAND_FIELDS, "pass": PASS_FIELDS}


@pytest.mark.parametrize("fields", FORMATS.values(), ids=FORMATS)
def test_round_trip(fields):
    rng = random.Random(1)
    for _ in range(500):
        values = {name: rng.choice([0, (1 << width) - 1, rng.randrange(1 << width)])
                  for name, width in fields.items()}
        word = pack_fields(fields, values)
        assert unpack_fields(fields, word) == values
        assert word < 1 << sum(fields.values())


@pytest.mark.parametrize("fields", FORMATS.values(), ids=FORMATS)
def test_fields_do_not_overlap(fields):
    words = [pack_fields(fields, {name: (1 << width) - 1}) for name, width in fields.items()]
    assert sum(words) == (1 << sum(fields.values())) - 1
    lsb = 0
    for word, width in zip(words, fields.values(), strict=True):
        assert word == ((1 << width) - 1) << lsb
        lsb += width


def test_sizes():
    assert sum(COMMAND_FIELDS.values()) == BEAT_BITS
    assert sum(PASS_FIELDS.values()) <= PASS_BITS
    assert PASS_BITS % BEAT_BITS == 0


def test_no_pass_field_crosses_a_beat():
    """A reader may look at one beat at a time."""
    lsb = 0
    for width in PASS_FIELDS.values():
        assert lsb // BEAT_BITS == (lsb + width - 1) // BEAT_BITS
        lsb += width


def test_wrong_value():
    with pytest.raises(ValueError, match=r"^shift must be in 0\.\.255, not 256$"):
        pack_fields(PASS_FIELDS, {"shift": 256})
    with pytest.raises(ValueError, match=r"^load must be in 0\.\.1, not -1$"):
        pack_fields(PASS_FIELDS, {"load": -1})


def test_wrong_field():
    with pytest.raises(ValueError, match="^field must be one of load, clear, .*, not 'lode'$"):
        pack_fields(PASS_FIELDS, {"lode": 1})


def test_command():
    word = pack_command(Op.READ, Mem.ACT_SRAM, walk=Walk.INTERLEAVED, pe=3, addr=5, count=7)
    assert word == 1 | 5 << 4 | 1 << 8 | 3 << 16 | 5 << 24 | 7 << 44
    assert unpack_fields(COMMAND_FIELDS, word)["count"] == 7


@pytest.mark.parametrize("cfg", PRESETS.values(), ids=PRESETS)
def test_commands_reach_every_word(cfg):
    """Addresses of all memories fit the command, and so does the number of words in an interleaved walk."""
    words, bits = mem_words(cfg), mem_bits(cfg)
    assert set(words) == set(bits) == set(Mem)
    for mem, size in words.items():
        pack_command(Op.WRITE, mem, pe=cfg.n_pe - 1, addr=size - 1, count=size)
    pack_command(Op.WRITE, Mem.ACT_SRAM, walk=Walk.INTERLEAVED, count=cfg.vector_length)
    assert bits[Mem.SPMAT] == cfg.spmat_width
    assert 1 << bits[Mem.PTR] > cfg.spmat_entries


@pytest.mark.parametrize("cfg", PRESETS.values(), ids=PRESETS)
def test_pass_reaches_every_address(cfg):
    largest = {"codebook": cfg.codebooks - 1, "shift": 2 * cfg.data_bits - 1, "in_rows": cfg.regfile_words,
               "in_base": cfg.act_words - 1, "out_rows": cfg.regfile_words, "out_base": cfg.act_words - 1,
               "column_base": cfg.ptr_words - 1, "bias_column": cfg.ptr_words - 1,
               "bias_value": 1 << cfg.data_bits - 2}
    assert unpack_fields(PASS_FIELDS, pack_fields(PASS_FIELDS, largest)).items() >= largest.items()


@pytest.mark.parametrize(("bits", "count"), [(1, 1), (64, 1), (65, 2), (192, 3), (512, 8)])
def test_beats(bits, count):
    assert beats(bits) == count
