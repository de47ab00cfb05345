"""The fast timing model equals the cycle model: cycles of every pass, their causes, and entries."""

import dataclasses

import numpy as np
import pytest

from golden.eie import model, timing
from golden.eie.compiler import pack
from golden.eie.config import PRESETS, EieConfig
from golden.eie.formats import COUNTERS
from golden.eie.spec import network_outputs
from golden.eie.workloads import TABLE3, load, random_layers

TINY = PRESETS["tiny"]
CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")
CONFIGS = {"tiny": TINY, "ahead": TINY.replace(run_ahead=True, run_ahead_columns=1), "one-pe": TINY.replace(n_pe=1),
           "depth-1": TINY.replace(fifo_depth=1), "ahead-depth-1": TINY.replace(fifo_depth=1, run_ahead=True),
           "paper": PRESETS["paper"], "fast": PRESETS["fast"]}
#: What the random programs must be, each at least once.
FEATURES = {"one_pe", "many_pes", "odd_tree", "depth_1", "deep_queue", "ahead", "ahead_1_column", "several_layers",
            "loaded", "stored", "unfinished", "bias", "null_pass", "null_unfinished", "no_entry", "empty_columns"}


def vectors_of(layers, activations, bits):
    return [activations, *(outputs for outputs, _ in network_outputs(layers, activations, bits)[:-1])]


def assert_equal(image, activations, vectors):
    """Compare; returns the work."""
    work = timing.work_of(image, vectors)
    fast, run = timing.run(work, image.cfg), model.run(image, activations)
    where = f"cfg={image.cfg}, program={image.program}"
    assert fast.passes.tolist() == [list(p[:fast.passes.shape[1]]) for p in run.passes], where
    assert fast.cycles == run.cycles, where
    assert fast.entries == sum(p.entries for p in run.passes), where
    return work


def check(layers, activations, cfg):
    return assert_equal(pack(layers, cfg), activations, vectors_of(layers, activations, cfg.data_bits))


def features(cfg, layers, work):
    """Names of what a random program is."""
    load_rows, bias, finish, store_rows = work.passes.T
    null = np.diff(work.first) == 0
    has = {"one_pe": cfg.n_pe == 1, "many_pes": cfg.n_pe >= 64, "odd_tree": cfg.n_pe in (2, 8, 32, 128),
           "depth_1": cfg.fifo_depth == 1, "deep_queue": cfg.fifo_depth > 8, "ahead": cfg.run_ahead,
           "ahead_1_column": cfg.run_ahead and cfg.run_ahead_columns == 1, "several_layers": len(layers) > 1,
           "loaded": load_rows.any(), "stored": store_rows.any(), "unfinished": not finish.all(),
           "bias": (bias >= 0).any(), "null_pass": null.any(), "null_unfinished": (null & (finish == 0)).any(),
           "no_entry": not work.broadcast_counts().any(), "empty_columns": (work.broadcast_counts() == 0).any()}
    return {name for name, there in has.items() if there}


def random_config(rng):
    small = rng.random() < 0.7
    return EieConfig(n_pe=1 << int(rng.integers(0, 6 if small else 9)), fifo_depth=int(rng.choice([1, 1, 2, 3, 8, 17])),
                     run_ahead=bool(rng.random() < 0.5), run_ahead_columns=int(rng.choice([1, 2, 3, 8])),
                     regfile_words=int(rng.choice([2, 4, 8, 16])), spmat_words=2048, ptr_words=2048,
                     act_words=int(rng.choice([16, 64])), codebooks=4, program_words=64)


def test_random_programs():
    seen = set()
    for seed in range(300):
        rng = np.random.default_rng([seed, 11])
        cfg = random_config(rng)
        layers, activations = random_layers(rng, cfg)
        seen |= features(cfg, layers, check(layers, activations, cfg))
    assert seen == FEATURES


def test_programs_that_the_compiler_does_not_write():
    """Any pass may finish, and have a bias column."""
    seen = set()
    for seed in range(100):
        rng = np.random.default_rng([seed, 12])
        cfg = random_config(rng).replace(regfile_words=4, act_words=64)
        layers, activations = random_layers(rng, cfg, layers=1, wide=True)
        image = pack(layers, cfg)
        columns = image.pointers.shape[1] - 1
        program = []
        for word in image.program:
            finish = word.finish or int(rng.random() < 0.3)
            program.append(word._replace(finish=finish, bias=int(rng.random() < 0.5),
                                         bias_column=int(rng.integers(columns))))
        work = assert_equal(dataclasses.replace(image, program=program), activations, [activations])
        _, bias, finish, _ = work.passes.T
        seen |= set(zip((bias >= 0).tolist(), finish.tolist(), (np.diff(work.first) == 0).tolist(), strict=True))
    assert len(seen) == 8       # bias or not, finished or not, without any element or not


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("name", CORNERS)
def test_corners(name, cfg):
    workload = load(name, cfg, 3)
    for activations in workload.activations:
        check(workload.layers, activations, cfg)


@pytest.mark.parametrize("preset", ["paper", "fast", "small"])
def test_digits(preset):
    workload = load("digits", PRESETS[preset], 0)
    for activations in workload.activations[:3]:
        check(workload.layers, activations, PRESETS[preset])


@pytest.mark.parametrize("name", TABLE3)
def test_table3(name):
    workload = load(name, PRESETS["paper"], 1)
    image = pack(workload.layers, PRESETS["paper"])
    for preset in ("paper", "fast"):
        assert_equal(dataclasses.replace(image, cfg=PRESETS[preset]), workload.activations[0], workload.activations)


def test_result_columns():
    """The columns of the result are the first counters."""
    for name in ("cycles", "broadcasts", "stall_queue", "stall_lnzd", "stall_drain", "stall_store", "control"):
        assert COUNTERS[getattr(timing, name.upper())] == name


def test_walked():
    """Without run-ahead an empty column occupies the entry reader for a cycle, with it none."""
    counts = np.array([[0, 3], [2, 0], [1, 1], [9, 9]])
    work = timing.Work(counts, np.array([0, 1]), np.array([0, 1]), np.array([0, 2]), np.array([[0, 2, 1, 0]]))
    assert timing.run(work, TINY)[2:] == (7, 9)
    assert timing.run(work, TINY.replace(run_ahead=True))[2:] == (7, 7)
    assert timing.lockstep(work) == 3 + 2 + 1


@pytest.mark.parametrize("passes", [np.zeros((0, 4), np.int64), np.array([[0, -1, 1, 0], [0, -1, 0, 0]])])
def test_wrong_program(passes):
    none = np.zeros(0, np.int64)
    work = timing.Work(np.zeros((1, 4), np.int64), none, none, np.zeros(len(passes) + 1, np.int64), passes)
    with pytest.raises(ValueError, match=r"^last pass must finish, not \[.*\]$"):
        timing.run(work, TINY)
