"""Programs: what the host sends for a batch, what it means, and records back to results."""

import numpy as np
import pytest

from golden.enmc.classifier import jobs_of
from golden.enmc.compiler import (
    EXACT,
    Records,
    Work,
    decode_records,
    encode_records,
    encoded,
    expected_reads,
    full_program,
    per_input,
    screen_program,
)
from golden.enmc.decoder import LEGAL, control_of, tables
from golden.enmc.formats import PIN_FIELDS, RECORD_FIELDS, Buffer, Function
from golden.enmc.instruction import Instruction, decode, word_of
from golden.enmc.interpret import Interpreter, Rank
from golden.enmc.packing import Segment, features_image, pack_rows, pack_tiles, plan_layout
from golden.enmc.registers import REGISTERS
from golden.enmc.workloads import load
from tests.enmc.launch import CONFIGS, TINY, configs

every_config = configs(*CONFIGS)
LAYOUT = plan_layout(TINY.replace(ranks=2), classes=40, elements=6, size=5, inputs=3)
#: Lowest address pin among the command pins.
_ADDRESS = sum(PIN_FIELDS.values()) - PIN_FIELDS["a"]
WORK = Work(threshold=-7, function=Function.SOFTMAX, scores=True)


def names(program):
    return [i.name for i in program]


def test_screen_program():
    """As the docstring of the module says, with the numbers of a small layout."""
    program = screen_program(LAYOUT, 0, 0, WORK)
    assert LAYOUT.batch == 2 and [len(LAYOUT.share(rank)) for rank in (0, 1)] == [32, 8]
    tile = ["LDR", "LDR", "MUL_ADD_INT4", "STR", "FILTER"]
    assert names(program) == ["INIT"] * 8 + ["LDR"] * 2 + tile * 2 + ["BARRIER"]
    registers = {i.reg: i.data for i in program if i.name == "INIT"}
    assert list(registers)[-1] == "batch"
    assert set(registers) == {name for name, r in REGISTERS.items() if r.access == "rw"}
    assert registers == {"classes": 32, "first_class": 0, "screen_bursts": 3, "threshold": 2**32 - 7,
                         "row_base": LAYOUT.row_base, "row_bursts": 2, "mode": 2 | EXACT, "batch": 2}
    loads = [(i.buffer, i.addr, i.count) for i in program if i.name == "LDR"]
    assert loads == [(Buffer.FEATURE_INT4, LAYOUT.feature_base, 1), (Buffer.FEATURE_FP32, LAYOUT.exact_base, 4),
                     (Buffer.PSUM_INT4, 0, 4), (Buffer.WEIGHT_INT4, 4, 3),
                     (Buffer.PSUM_INT4, 7, 4), (Buffer.WEIGHT_INT4, 11, 3)]
    assert [(i.addr - LAYOUT.score_base, i.count) for i in program if i.name == "STR"] == [(0, 8), (8, 8)]


def test_other_batches_and_ranks():
    """The last batch is shorter; the second rank has its own classes; scores and exact results may be left out."""
    program = screen_program(LAYOUT, 1, 1, WORK._replace(scores=False, exact=False, function=Function.NONE))
    assert names(program) == ["INIT"] * 8 + ["LDR"] * 3 + ["MUL_ADD_INT4", "FILTER", "BARRIER"]
    registers = {i.reg: i.data for i in program if i.name == "INIT"}
    assert (registers["first_class"], registers["classes"], registers["batch"], registers["mode"]) == (32, 8, 1, 0)
    assert program[8].addr == LAYOUT.features_at(1) == LAYOUT.feature_base + 1
    few = plan_layout(TINY.replace(ranks=2), classes=3, elements=6, size=5, inputs=1)
    assert screen_program(few, 1, 0, WORK) == full_program(few, 1, 0) == []


@pytest.mark.parametrize(("function", "finish"), [(Function.NONE, "MOVE"), (Function.SIGMOID, "SIGMOID"),
                                                  (Function.SOFTMAX, "SOFTMAX")])
def test_full_program(function, finish):
    """Every row for every input, and a record of each."""
    program = full_program(LAYOUT, 1, 0, function)
    assert names(program) == ["INIT"] * 8 + ["LDR"] + ["LDR", "MUL_ADD_FP32", finish] * 16 + ["BARRIER"]
    tags = [(i.label, i.batch) for i in program if i.name == finish]
    assert tags == [(32 + label, batch) for label in range(8) for batch in range(2)]
    assert [(i.addr, i.count) for i in program[9::3] if i.name == "LDR"] == [
        (LAYOUT.row_base + 2 * label, 2) for label in range(8) for _ in range(2)]


def test_programs_can_be_sent():
    """Every instruction has an encoding that is decoded to the same."""
    for program in (screen_program(LAYOUT, 0, 0, WORK), full_program(LAYOUT, 1, 1), full_program(LAYOUT, 0, 0, 1)):
        sent = list(encoded(program))
        assert len(sent) == len(program)
        for instruction, (addr, data) in zip(program, sent, strict=True):
            wanted = instruction
            if instruction.reg is not None:
                wanted = instruction._replace(reg=REGISTERS[instruction.reg].number)
            assert decode(addr, data) == wanted


@every_config
def test_hardware_takes_all(cfg):
    """The decoder finds nothing illegal, with the longest loads that fit its buffers and with scores stored."""
    limits = tables(cfg)
    layout = plan_layout(cfg, classes=3 * cfg.classes + 1, elements=cfg.exact_features - 1, size=cfg.features, inputs=1)
    many = plan_layout(cfg, classes=3 * cfg.classes + 1, elements=5, size=3, inputs=cfg.batch + 1)
    for place, n in ((layout, 0), (many, 0), (many, 1)):
        for program in (screen_program(place, 0, n, WORK), full_program(place, 0, n, Function.SIGMOID)):
            for instruction, (addr, data) in zip(program, encoded(program), strict=True):
                data = data or 0
                control = control_of(limits, word_of(addr << _ADDRESS), data & 0xFFFFFFFF, data >> 32)
                assert control >> LEGAL & 1, instruction


def test_record_bits():
    """Fields as in ``RECORD_FIELDS``, low bits first; invalid records fill bursts."""
    records = Records(score=np.array([-2, 5], np.int32), label=np.array([0x123456, 7]), batch=np.array([3, 0]),
                      exacts=np.array([True, False]), function=np.array([2, 0]), exact=np.array([1.5, 0], np.float32),
                      value=np.array([-1.0, 0], np.float32))
    words = encode_records(records)
    assert [hex(word) for word in words[0]] == ["0xfffffffe", "0xb3123456", "0x3fc00000", "0xbf800000"]
    assert sum(RECORD_FIELDS.values()) == 128
    filled = np.concatenate([words[:1], np.zeros((1, 4), np.uint32), words[1:], np.zeros((1, 4), np.uint32)])
    for shape in ((4, 4), (1, 16), (2, 8)):
        for back, wanted in zip(decode_records(filled.reshape(shape)), records, strict=True):
            assert np.array_equal(back, wanted) and back.dtype == wanted.dtype
    assert [part.label.tolist() for part in per_input(decode_records(filled), 4)] == [[7], [], [], [0x123456]]
    assert len(decode_records(np.zeros((0, 4), np.uint32)).label) == 0


@every_config
def test_instructions_alone(cfg):
    """ADD, MUL and MUL_ADD of both kinds: products, sums, sums as if the features were 1."""
    rng = np.random.default_rng(1)
    layout = plan_layout(cfg, classes=cfg.classes, elements=5, size=4, inputs=1)
    w, f = rng.integers(-8, 8, (cfg.classes, 4), dtype=np.int8), rng.integers(-8, 8, (1, 4), dtype=np.int8)
    row, h = (rng.standard_normal((1, 5)).astype(np.float32) for _ in range(2))
    rank = Rank(cfg)
    tiles = pack_tiles(cfg, w, np.arange(cfg.classes, dtype=np.int32))[0]
    for segment in (Segment(0, tiles), Segment(layout.row_base, pack_rows(cfg, row, np.ones(1))),
                    *features_image(layout, 0, f, h)):
        rank.write(segment)
    base = screen_program(layout, 0, 0, Work(threshold=0))
    product = (w.astype(int) @ f[0]).tolist()
    total, start = w.astype(int).sum(axis=1), np.arange(cfg.classes)
    for name, wanted in (("MUL_ADD_INT4", start + product), ("MUL_INT4", product), ("ADD_INT4", start + total)):
        program = [i if i.name != "MUL_ADD_INT4" else i._replace(name=name) for i in base if i.name != "FILTER"]
        program.insert(-1, Instruction("STR", buffer=Buffer.PSUM_INT4, addr=layout.score_base, count=4))
        words = rank.run(program, range(layout.score_base, layout.score_base + 4)).words
        assert words.view(np.int32).ravel().tolist() == list(wanted)
    row_load = Instruction("LDR", buffer=Buffer.WEIGHT_FP32, addr=layout.row_base, count=layout.row_bursts)
    tag = {"score": 3, "label": 9, "batch": 0}
    for steps, wanted in ((["MUL_FP32"], (row * h).sum() + 1), (["MUL_FP32", "MUL_ADD_FP32"], 2 * (row * h).sum() + 2),
                          (["MUL_FP32", "ADD_FP32"], (row * h).sum() + row.sum() + 2)):
        work = [i for name in steps for i in (row_load, Instruction(name, **tag))]
        program = [*base[:10], *work, Instruction("MOVE", **tag)]
        records = decode_records(rank.run(program).records)
        assert np.allclose(records.exact, wanted, atol=1e-5)
        assert (records.score[0], records.label[0], records.function[0]) == (3, 9, 0)


def test_reads_are_foreseen():
    """Bursts that a program reads, from the number of its candidates."""
    for preset, exact in (("tiny", True), ("paper", True), ("paper", False)):
        cfg = CONFIGS[preset].replace(ranks=2)
        w = load("random", cfg, 1)
        layout, dimm, work = w.layout(cfg), Interpreter(cfg), Work(threshold=w.screener.threshold, exact=exact)
        read, found = [0, 0], [0, 0]
        for n in range(layout.batches):
            answers = dimm.run(jobs_of(layout, n, work, w.screener, w.w, w.b, w.h, first=n == 0))
            for rank, answer in enumerate(answers):
                more = expected_reads(layout, rank, n, answer.counters["found"] - found[rank], exact)
                assert answer.counters["bursts_read"] == read[rank] + more
                read[rank], found[rank] = answer.counters["bursts_read"], answer.counters["found"]


def test_wrong_programs():
    """The interpreter does not guess."""
    rank = Rank(TINY)
    base = screen_program(plan_layout(TINY, classes=4, elements=5, size=4, inputs=1), 0, 0, Work(threshold=0))
    with pytest.raises(ValueError, match=r"^WEIGHT_INT4 must hold 2 bursts, not 0$"):
        rank.run([i for i in base if i.buffer != Buffer.WEIGHT_INT4])
    with pytest.raises(ValueError, match=r"^count of STR must be 4 for 1 inputs, not 8$"):
        rank.run([*base[:-1], Instruction("STR", buffer=Buffer.PSUM_INT4, addr=0, count=8)])
    with pytest.raises(ValueError, match=r"^burst must be in 0\.\.8191, not 8192$"):
        rank.write(Segment(8192, np.zeros((1, 4), np.uint32)))
