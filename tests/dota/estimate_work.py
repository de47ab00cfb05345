"""Steps of the estimate unit at random, and what it has to do for them: ``golden.dota.packing``, row by row."""

import random
from typing import NamedTuple

import numpy as np

from golden.dota.config import DotaConfig
from golden.dota.formats import BANKS, ELEMENT_BITS, QUERIES, STEP_FIELDS, Precision, Step
from golden.dota.packing import low_rows, low_words, unpack_low

LOW = Precision.INT8, Precision.INT4, Precision.INT2


class Arrival(NamedTuple):
    """What a word is for, as the array sees it."""

    loads: bool
    part: int
    word: int
    words: int
    slot: int
    key: int
    fire: bool
    first: bool


class Event(NamedTuple):
    """One read, or one write of a result; ``sums`` after the last fire of a block: (group, block, last)."""

    name: str
    addr: int
    arrival: Arrival | None = None
    sums: tuple | None = None


def parts_of(cfg: DotaConfig) -> int:
    """Words that a unit of all rows of a block takes."""
    return cfg.block // cfg.keys_per_word


def most_words(cfg: DotaConfig, precision: Precision) -> int:
    """Words of a row that one fire takes: the PEs of a sum hold a unit each."""
    return (cfg.columns >> Precision.INT2 - precision) // cfg.units_per_key


def random_step(cfg: DotaConfig, rng: random.Random, kind: Step, **changes) -> dict:
    """A step whose addresses exist; Q~ (or X), K~ (or weights) and results do not overlap."""
    precision = changes.get("precision", rng.choice(LOW))
    most = most_words(cfg, precision)
    step = dict.fromkeys(STEP_FIELDS, 0) | {
        "step": kind, "precision": precision, "out_precision": rng.choice(LOW),
        "queries": rng.choice([rng.randint(1, 4), rng.randint(1, 11)]), "keys": rng.randint(1, 4 * cfg.block),
        "blocks": rng.randint(1, 4), "low_words": rng.choice([1, most, rng.randint(1, 2 * most + 1)])} | changes
    rows = low_rows(cfg, step["queries"]) // cfg.block * parts_of(cfg)
    step["z_stride"] = low_words(cfg, step["blocks"] * cfg.block - rng.choice([0, rng.randrange(cfg.block)]),
                                 ELEMENT_BITS[step["out_precision"]])
    sizes = {"low_q_base": rows * step["low_words"], "low_k_base": blocks_of(cfg, step) * parts_of(cfg)
             * step["low_words"], "z_base": rows * step["z_stride"]}
    base = rng.randint(0, BANKS * cfg.bank_words - sum(sizes.values()))
    for name in rng.sample(list(sizes), 3):
        step[name] = base
        base += sizes[name]
    return step


def groups_of(step) -> int:
    return -(-step["queries"] // QUERIES)


def blocks_of(cfg, step) -> int:
    """Blocks that stream."""
    return step["blocks"] if step["step"] == Step.LOW else -(-step["keys"] // cfg.block)


def row_address(cfg, base, row, row_words, word) -> int:
    """Where word ``word`` of a row lies."""
    return base + (row // cfg.block * row_words + word) * parts_of(cfg) + row % cfg.block // cfg.keys_per_word


def events_of(cfg: DotaConfig, step: dict) -> list[Event]:
    """Reads, and writes of results, in their order."""
    events, blocks = [], blocks_of(cfg, step)
    for group in range(groups_of(step)):
        for block in range(blocks):
            events += _block(cfg, step, group, block, block == blocks - 1)
            if step["step"] == Step.LOW:
                events += _results(cfg, step, group, block)
    return events


def _parts_of_group(cfg, group):
    """Rows of a group that share a word: first row of each."""
    together = min(QUERIES, cfg.keys_per_word)
    return [QUERIES * group + first for first in range(0, QUERIES, together)]


def _block(cfg, step, group, block, last):
    """Fires of a group with a block: its units are loaded unless they are still there."""
    row_words, most = step["low_words"], most_words(cfg, step["precision"])
    for begin in range(0, row_words, most):
        words = min(most, row_words - begin)
        if block == 0 or row_words > most or step["step"] == Step.LOW:
            for part, row in enumerate(_parts_of_group(cfg, group)):
                for word in range(words):
                    addr = row_address(cfg, step["low_q_base"], row, row_words, begin + word)
                    for slot in range(1 << step["precision"] - 1):
                        yield Event("read", addr, Arrival(True, part, word, words, slot, row % cfg.keys_per_word, False,
                                                          begin == 0))
        for word in range(words):
            for part in range(parts_of(cfg)):
                ends = word == words - 1 and part == parts_of(cfg) - 1
                row = block * cfg.block + part * cfg.keys_per_word
                yield Event("read", row_address(cfg, step["low_k_base"], row, row_words, begin + word),
                            Arrival(False, part, word, words, 0, 0, ends, begin == 0),
                            (group, block, last) if ends and begin + words == row_words else None)


def _results(cfg, step, group, block):
    """Each word that the results of a group with a block go to is read and written."""
    bits = cfg.block * ELEMENT_BITS[step["out_precision"]]
    per_row = cfg.units_per_key * 32
    first = block * bits // per_row
    for row in _parts_of_group(cfg, group):
        for word in range(first, min(first + max(1, bits // per_row), step["z_stride"])):
            addr = row_address(cfg, step["z_base"], row, step["z_stride"], word)
            yield Event("read", addr)
            yield Event("write", addr)


def cycles_of(cfg: DotaConfig, step: dict) -> int:
    """Cycles of a step when the detector never waits, by hand: those in which ``busy`` is high.

    One for each word; 9 from the last read of a group (in a transformation: of a block) to its sums; 3 for each word
    that results go to; one to begin a group.
    """
    events = events_of(cfg, step)
    words = sum(event.arrival is not None for event in events)
    results = sum(event.name == "write" for event in events)
    flushes = groups_of(step) * (step["blocks"] if step["step"] == Step.LOW else 1)
    return groups_of(step) + words + 9 * flushes + 3 * results


def expected_results(cfg: DotaConfig, step: dict, sums: dict) -> np.ndarray:
    """Rows of results from the sums [block][queries] of each (group, block), clipped; int64 [queries, elements]."""
    bits = ELEMENT_BITS[step["out_precision"]]
    rows = np.zeros((QUERIES * groups_of(step), step["blocks"] * cfg.block), np.int64)
    for (group, block), values in sums.items():
        rows[QUERIES * group:QUERIES * group + QUERIES, block * cfg.block:block * cfg.block + cfg.block] = values.T
    return np.clip(rows, -(1 << bits - 1), (1 << bits - 1) - 1)[:step["queries"]]


def results_in(cfg: DotaConfig, step: dict, memory) -> np.ndarray:
    """The rows that lie in the memory, int64 [queries, elements]: as many elements as the rows have words for."""
    bits = ELEMENT_BITS[step["out_precision"]]
    elements = min(step["blocks"] * cfg.block, step["z_stride"] * cfg.units_per_key * 32 // bits)
    rows = low_rows(cfg, step["queries"]) // cfg.block * parts_of(cfg) * step["z_stride"]
    return unpack_low(cfg, memory[step["z_base"]:step["z_base"] + rows], (step["queries"], elements), bits)
