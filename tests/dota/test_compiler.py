"""From heads to commands: where everything lies, what does not fit, and that it comes to the right outputs."""

import itertools

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.dota.compiler import Read, Run, Write, place_head, plan_head
from golden.dota.formats import BANKS, MOST_CHUNKS, STEP_FIELDS, Step
from golden.dota.model import Dota
from golden.dota.packing import low_rows, low_words
from golden.dota.spec import attention
from tests.dota.heads import any_head
from tests.dota.launch import CONFIGS, TINY, configs

SMALL, TALL = CONFIGS["small"], CONFIGS["tall"]
#: Queries and keys.
LENGTHS = (1, 1), (5, 5), (29, 13), (4, 7), (13, 28), (40, 3)
DIMS = 1, 3, 17


def head_of(cfg, seed=1, **shape):
    return any_head(np.random.default_rng(seed), **{"queries": 5, "keys": 5, "dim": 3, **shape})


def check(cfg, model, head):
    """The golden accelerator, told what the plan says, comes to the outputs of layer 1, and no bank is asked twice."""
    plan = plan_head(head, cfg)
    check_plan(cfg, plan)
    done = model.run(plan)
    np.testing.assert_array_equal(done.z, attention(head, cfg.estimate_bits).z)
    assert not model.state.lanes.sram.conflicts.any()
    assert all(done.cycles.values())


def spans(step, cfg, sizes):
    """Words that a step reads and writes by name: (first, end)."""
    parts = cfg.block // cfg.keys_per_word
    rows = low_rows(cfg, step["queries"]) // cfg.block * parts
    if step["step"] == Step.LOW:
        return {"in": (step["low_q_base"], step["low_q_base"] + rows * step["low_words"]),
                "matrix": (step["low_k_base"], step["low_k_base"] + step["blocks"] * parts * step["low_words"]),
                "out": (step["z_base"], step["z_base"] + rows * step["z_stride"])}
    keys = -(-step["keys"] // cfg.block) * parts
    return {"q": (step["q_base"], step["q_base"] + step["chunks"] * step["q_stride"]),
            "k": (step["k_base"], step["k_base"] + step["chunks"] * step["k_stride"]),
            "v": (step["v_base"], step["v_base"] + step["chunks"] * step["v_stride"]),
            "low q": (step["low_q_base"], step["low_q_base"] + rows * step["low_words"]),
            "low k": (step["low_k_base"], step["low_k_base"] + keys * step["low_words"])}


def check_plan(cfg, plan):
    """Fields fit, addresses exist, what a step reads was written, and it writes over nothing else that it needs."""
    written = np.zeros(BANKS * cfg.bank_words, bool)
    for command in plan.commands:
        if isinstance(command, Write):
            assert 0 <= command.addr and command.addr + len(command.words) <= cfg.words
            assert command.words.shape[1:] == (cfg.units_per_word,)
            written[command.addr:command.addr + len(command.words)] = True
        elif isinstance(command, Run):
            step = command.step
            assert all(0 <= value < 1 << STEP_FIELDS[name] for name, value in step.items())
            used = spans(step, cfg, plan)
            assert all(0 <= first <= end <= cfg.words for first, end in used.values())
            for (one, a), (other, b) in itertools.combinations(used.items(), 2):
                assert a[1] <= b[0] or b[1] <= a[0], f"{one} {a} and {other} {b} overlap"
            out = used.pop("out", None)
            assert all(written[first:end].all() for first, end in used.values())
            if out:
                written[slice(*out)] = True
            else:
                assert used["k"][1] <= 4 * cfg.bank_words == step["v_base"] and used["v"][1] <= 8 * cfg.bank_words
                assert (step["z_base"], step["z_stride"]) == (step["q_base"], step["q_stride"])
    reads = [command for command in plan.commands if isinstance(command, Read)]
    found = sorted((command.chunk, row) for command in reads
                   for row in range(command.first, command.first + command.count))
    assert found == [*itertools.product(range(-(-plan.head.dim // cfg.vector)), range(plan.head.queries))]


@configs("tiny", "small")
def test_outputs_equal_spec(cfg):
    """Odd lengths and widths, several chunks, all precisions, with a threshold and without."""
    model, n = Dota(cfg), 0
    for (queries, keys), dim in itertools.product(LENGTHS, DIMS):
        for bits, transform_bits in (2, 8), (4, 4), (8, 2), (4, 8):
            n += 1
            head = head_of(cfg, n, queries=queries, keys=keys, dim=dim, inputs=1 + n % 11, size=1 + n % 7, bits=bits,
                           transform_bits=transform_bits, keep=1 + n % 6, identity=n % 5 == 0,
                           threshold=None if n % 2 else n % 50 - 25)
            if keys * -(-dim // cfg.vector) <= 4 * cfg.bank_words:
                check(cfg, model, head)
    assert n == len(LENGTHS) * len(DIMS) * 4


@configs("flat", "tall")
def test_outputs_of_other_shapes(cfg):
    """Words with several units of a row, and rows of a block in several words."""
    model, rng = Dota(cfg), np.random.default_rng(7)
    for n in range(60):
        shape = {name: int(rng.integers(1, 20)) for name in ("queries", "keys", "dim", "inputs", "size", "keep")}
        bits, transform_bits = (int(rng.choice([2, 4, 8])) for _ in range(2))
        check(cfg, model, head_of(cfg, n, **shape | {"keep": min(shape["keep"], cfg.queue)}, bits=bits,
                                  transform_bits=transform_bits, threshold=None if n % 3 else 0))


@pytest.mark.parametrize(("bank_words", "size", "length", "inputs"), [
    (64, 4, 64, 120), (64, 12, 64, 120), (32, 4, 40, 120), (32, 4, 64, 5), (32, 12, 16, 120), (32, 12, 40, 60)])
def test_last_block_of_a_row_is_short(bank_words, size, length, inputs):
    """A block of INT8 results takes two words, but the row has one left: nothing behind it is touched."""
    cfg = TALL.replace(bank_words=bank_words)
    head = head_of(cfg, 1, queries=length, keys=length, inputs=inputs, size=size, bits=8)
    assert low_words(cfg, size, 8) % 2
    check(cfg, Dota(cfg), head)


def test_parts():
    """X and queries in parts: more than one step of each, and all rows come back."""
    cfg = TINY.replace(bank_words=32)
    head = head_of(cfg, 3, queries=20, keys=11, dim=4, inputs=40, size=6)
    plan = plan_head(head, cfg)
    phases = [command.phase for command in plan.commands if isinstance(command, Run)]
    assert phases.count("attend") > 1 and phases.count("project") > 2
    assert phases.count("project") == phases.count("transform")         # X of queries and of keys are not the same
    check(cfg, Dota(cfg), head)


def test_shared_x_is_sent_once():
    """Self-attention: one projection, two transformations; none where X is not projected."""
    for identity, phases in (False, ["project", "transform", "transform", "attend"]), (True, ["transform"] * 2
                                                                                        + ["attend"]):
        plan = plan_head(head_of(TINY, identity=identity), TINY)
        assert [command.phase for command in plan.commands if isinstance(command, Run)] == phases


def test_places():
    """Queries have bank 8 and Q~, K~ bank 9; or queries go behind the keys, and Q~, K~ have both banks."""
    place = place_head(head_of(TINY), TINY)
    assert (place.queries, place.room, place.low_q, place.low_k) == (8 * 64, 8, 9 * 64, 9 * 64 + 8)
    big = head_of(TINY, queries=28, keys=28, dim=2, size=14, bits=4)
    place = place_head(big, TINY)
    assert (place.queries, place.room, place.low_q, place.low_k) == (28, 28, 8 * 64, 8 * 64 + 56)
    check(TINY, Dota(TINY), big)


BLOCKED = "choose a smaller k or fewer bits for the predictor"


@pytest.mark.parametrize(("cfg", "shape", "text"), [
    (TINY, {"keys": 33}, "keys must be at most 32 (32 that the detector takes and what 4 banks hold), not 33"),
    (TINY, {"keys": 18, "dim": 30},
     "keys must be at most 17 (32 that the detector takes and what 4 banks hold), not 18"),
    (TINY, {"dim": 33}, f"d must be at most 32 ({MOST_CHUNKS} words of 2 elements), not 33"),
    (TINY, {"keys": 20, "keep": 17}, "connections of a row must be at most 16 (the queue), not 17"),
    (SMALL, {"inputs": 512, "transform_bits": 2},
     "inputs of the predictor in INT2 must be at most 511 (its sums have 12 bits), not 512"),
    (SMALL, {"size": 512, "bits": 2},
     "k of the predictor in INT2 must be at most 511 (its sums have 12 bits), not 512"),
    (TINY, {"threshold": 2048}, "threshold must be in -2048..2047, not 2048"),
    (TINY, {"threshold": -2049}, "threshold must be in -2048..2047, not -2049"),
    (TINY, {"queries": 32, "keys": 32, "size": 40},
     f"Q~ and K~ must take at most 64 words, or 128 if queries fit behind the keys, not 160 + 160: {BLOCKED}"),
    (TINY, {"inputs": 600, "size": 9},
     "X P must fit into 512 words with its matrices, not 1872 and 306 for every 2 rows: choose a smaller k"),
    (TALL.replace(bank_words=16, keys=64), {"queries": 60, "keys": 60, "size": 5},
     "queries must have room for 8 of them, not for 4"),
], ids=lambda value: value.split(" must")[0] if isinstance(value, str) else "")
def test_what_does_not_fit(cfg, shape, text):
    head = head_of(cfg, **shape)
    with pytest.raises(UsageError) as error:
        plan_head(head, cfg)
    assert str(error.value) == text


@pytest.mark.parametrize(("cfg", "shape"), [
    (TINY, {"keys": 32, "dim": 16}), (TINY, {"keys": 17, "dim": 30}), (TINY, {"keys": 20, "keep": 16}),
    (TINY, {"dim": 32}),
    (SMALL, {"inputs": 511, "transform_bits": 2}), (TINY, {"threshold": 2047}), (TINY, {"threshold": -2048})], ids=str)
def test_what_just_fits(cfg, shape):
    check(cfg, Dota(cfg), head_of(cfg, **shape))
