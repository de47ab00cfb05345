"""Cycle model of the whole accelerator: its results are those of layer 1, and its cycles add up."""

import numpy as np
import pytest

from golden.common.fields import pack_fields
from golden.eie.compiler import layer_floors, pack, pass_work
from golden.eie.config import PRESETS
from golden.eie.corners import symmetric_codebook
from golden.eie.formats import CAUSES, PASS_FIELDS, Mem
from golden.eie.model import Eie, run
from golden.eie.spec import Layer
from golden.eie.workloads import load
from tests.eie.networks import TINY, expected, inputs_of_layers, random_config, random_image

CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")

#: Cycles of a pass beside its entries and the levels of the tree: two until the first pass is taken (later ones are
#: taken after one), two to the first element, one to the broadcast register, eleven from there to the first write.
FIRST_PASS, LATER_PASS = 16, 15


def check(image, layers, activations, result):
    """Everything that holds for any run on a fresh model."""
    cfg = image.cfg
    outputs, clipped = expected(layers, activations, cfg)
    np.testing.assert_array_equal(result.outputs, outputs)
    np.testing.assert_array_equal(result.saturated, clipped)

    vectors = inputs_of_layers(layers, activations, cfg)
    works = pass_work(image, vectors)
    assert len(result.passes) == len(works)
    for p in result.passes:
        assert sum(getattr(p, cause) for cause in CAUSES) == p.cycles
    assert sum(p.cycles for p in result.passes) == result.cycles
    assert result.cycles >= sum(layer_floors(image, vectors))
    np.testing.assert_array_equal(result.pe_entries, sum(work.entries for work in works))

    first = 0
    for number, p in enumerate(image.program):
        if p.finish:    # passes that do not finish run into the next one
            ran, work = result.passes[first:number + 1], works[first:number + 1]
            assert sum(r.entries for r in ran) == sum(w.entries.sum() for w in work)
            assert sum(r.broadcasts for r in ran) == sum(w.broadcasts for w in work)
            assert sum(r.ptr_reads for r in ran) == cfg.n_pe * sum(w.broadcasts for w in work)
            first = number + 1
        assert result.passes[number].act_reads == cfg.n_pe * p.in_rows * p.load
        assert result.passes[number].act_writes == cfg.n_pe * p.out_rows * p.store

    padding = rows_read = 0
    for entries, addresses in walked(image, vectors):
        padding += np.count_nonzero(entries >> 4 == 0)
        rows = addresses // cfg.entries_per_row
        rows_read += np.count_nonzero(np.diff(rows, prepend=-1))
    assert sum(r.padding for r in result.passes) == padding
    assert sum(r.spmat_reads for r in result.passes) == rows_read


def walked(image, vectors):
    """For every PE its entries and their addresses, in the order in which they are read."""
    for pe, stored in enumerate(image.rows.reshape(image.cfg.n_pe, -1)):
        addresses = [np.zeros(0, np.int64)]
        for info, p in zip(image.pass_info, image.program, strict=True):
            columns = (p.column_base + np.flatnonzero(vectors[info.layer][info.in_start:info.in_stop])).tolist()
            for column in columns + [p.bias_column] * p.bias:
                addresses.append(np.arange(*image.pointers[pe, column:column + 2]))
        addresses = np.concatenate(addresses)
        yield stored[addresses], addresses


@pytest.mark.parametrize("n_pe", [1, 2, 4, 8, 16, 64])
def test_random_networks(n_pe):
    rng = np.random.default_rng([1, n_pe])
    several = stored = 0
    for _ in range(120 if n_pe < 64 else 30):
        cfg = random_config(rng, n_pe=n_pe)
        layers, activations, image = random_image(rng, cfg)
        check(image, layers, activations, run(image, activations))
        several += len(image.program) > len(layers)
        stored += any(p.store for p in image.program)
    assert several and stored


@pytest.mark.parametrize("run_ahead", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 8])
def test_long_vectors(run_ahead, depth):
    """Inputs and outputs of several passes, the activation SRAM between them."""
    rng = np.random.default_rng([2, depth, run_ahead])
    for layers in (1, 2, 3) * 4:
        cfg = TINY.replace(fifo_depth=depth, run_ahead=run_ahead, spmat_words=1024, ptr_words=1024)
        network, activations, image = random_image(rng, cfg, layers=layers, wide=True)
        assert len(image.program) > layers
        check(image, network, activations, run(image, activations))


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("cfg", [
    TINY, TINY.replace(run_ahead=True, run_ahead_columns=1), TINY.replace(n_pe=1, fifo_depth=1),
    TINY.replace(n_pe=8, data_bits=8, spmat_width=128), TINY.replace(n_pe=2, data_bits=32), PRESETS["small"]],
    ids=["tiny", "ahead", "one-pe", "bits-8", "bits-32", "small"])
def test_corner_workloads(name, cfg):
    workload = load(name, cfg, 1)
    image = pack(workload.layers, cfg)
    for activations in workload.activations:
        check(image, workload.layers, activations, run(image, activations))


def test_nothing_is_left_of_the_vector_before():
    """A second vector takes the same cycles and gives the same results as on a fresh model."""
    rng = np.random.default_rng(3)
    for wide in (False, True) * 10:
        cfg = random_config(rng, n_pe=int(rng.choice([1, 2, 4])), spmat_words=512, act_words=128, regfile_words=8)
        layers, one, image = random_image(rng, cfg, wide=wide)
        other = rng.permutation(one)
        model = Eie(cfg)
        model.load(image)
        for activations in (one, other, one):
            again, fresh = model.run(image, activations), run(image, activations)
            np.testing.assert_array_equal(again.outputs, fresh.outputs)
            np.testing.assert_array_equal(again.saturated, fresh.saturated)
            np.testing.assert_array_equal(again.pe_entries, fresh.pe_entries)
            assert again.cycles == fresh.cycles
            # The row of the sparse-matrix SRAM that was read last may be the first one again.
            saved = sum(f.spmat_reads - a.spmat_reads for f, a in zip(fresh.passes, again.passes, strict=True))
            assert 0 <= saved <= cfg.n_pe
            others = [[p._replace(spmat_reads=0) for p in one.passes] for one in (again, fresh)]
            assert others[0] == others[1]


def network(cfg, codes, *, bias=False):
    """Layers with these code matrices."""
    table = symmetric_codebook(cfg.data_bits, cfg.data_bits - 1)
    return [Layer(codes=c, codebook=table, bias_codes=np.ones(len(c), np.uint8) if bias else None,
                  weight_frac=cfg.data_bits - 1, act_frac_in=cfg.data_bits - 4, act_frac_out=cfg.data_bits - 4,
                  relu=False) for c in codes]


TIMED = [TINY.replace(n_pe=n_pe, fifo_depth=depth, run_ahead=ahead, ptr_words=2048, spmat_words=2048)
         for n_pe in (1, 2, 4, 8, 64) for depth in (1, 8) for ahead in (False, True)]


@pytest.mark.parametrize("cfg", TIMED, ids=lambda c: f"n{c.n_pe}-d{c.fifo_depth}{'-ahead' * c.run_ahead}")
def test_cycles_of_a_pass_are_exact(cfg):
    """Start-up and drain take 16 cycles (15 after another pass), plus the tree."""
    around, again = FIRST_PASS + cfg.tree_levels, LATER_PASS + cfg.tree_levels
    assert around <= 16 + cfg.tree_levels
    rng = np.random.default_rng(4)
    rows = int(rng.integers(2, cfg.regfile_words, endpoint=True))

    # One column: the PEs with the most entries decide.
    codes = np.zeros((rows * cfg.n_pe, 1), np.uint8)
    codes[:rows * cfg.n_pe - int(rng.integers(cfg.n_pe)), 0] = 3
    image = pack(network(cfg, [codes]), cfg)
    assert run(image, [1]).cycles == around + rows

    # All columns full: every PE has work in every cycle.
    sizes = rng.integers(2, cfg.regfile_words, 3) * cfg.n_pe
    codes = [np.full((sizes[1], sizes[0]), 2, np.uint8), np.full((sizes[2], sizes[1]), 8, np.uint8)]
    image = pack(network(cfg, codes, bias=True), cfg)
    entries = [(n_in + 1) * (n_out // cfg.n_pe) for n_in, n_out in zip(sizes, sizes[1:], strict=False)]
    result = run(image, np.full(sizes[0], 100))
    assert [p.cycles for p in result.passes] == [around + entries[0], again + entries[1]]
    assert result.passes[0].control == 2 and result.passes[1].control == 1

    # Nothing to broadcast: the time of the tree alone.
    image = pack(network(cfg, [np.ones((1, 1), np.uint8)]), cfg)
    assert run(image, [0]).cycles == 6 + cfg.tree_levels


@pytest.mark.parametrize("cfg", TIMED[4:8], ids=lambda c: f"n{c.n_pe}-d{c.fifo_depth}{'-ahead' * c.run_ahead}")
def test_load_and_store_take_what_they_must(cfg):
    """A load costs three cycles, whatever its length; a store one a word, and two."""
    around = FIRST_PASS + cfg.tree_levels
    length, rows = cfg.pass_length, cfg.regfile_words
    image = pack(network(cfg, [np.full((length + cfg.n_pe, 2 * cfg.n_pe), 1, np.uint8)]), cfg)
    stored = run(image, np.full(2 * cfg.n_pe, 5))
    assert [p.out_rows for p in image.program] == [rows, 1]
    assert stored.passes[0].cycles == around + 2 * cfg.n_pe * rows + rows + 2
    assert [p.stall_store for p in stored.passes] == [rows + 2, 1 + 2]

    # A pass that does not finish hands over to the next one; queues of some depth hold work for that long.
    image = pack(network(cfg, [np.full((2 * cfg.n_pe, length + cfg.n_pe), 1, np.uint8)]), cfg)
    loaded = run(image, np.full(length + cfg.n_pe, 5))
    assert [p.load for p in image.program] == [1, 1]
    if cfg.fifo_depth == 1:     # a broadcast in three cycles, though there are two entries to do; five between passes
        assert loaded.cycles == around + 3 + 3 * (length + cfg.n_pe) - 1 + 5
    else:
        assert loaded.cycles == around + 3 + 2 * (length + cfg.n_pe)


def test_empty_columns_cost_a_cycle_or_nothing():
    """An empty column takes one cycle of its PE; with ``run_ahead`` none while there is other work."""
    for run_length in range(1, 12):
        codes = np.zeros((2 * 8, run_length + 2), np.uint8)
        codes[:, [0, -1]] = 1
        for ahead in (False, True):
            cfg = TINY.replace(n_pe=2, run_ahead=ahead, fifo_depth=16)
            cycles = run(pack(network(cfg, [codes]), cfg), np.full(run_length + 2, 9)).cycles
            cost = run_length if not ahead else max(0, run_length - 7)   # eight entries cover seven broadcasts
            assert cycles == FIRST_PASS + cfg.tree_levels + 16 + cost


def test_zero_activations_cost_nothing():
    cfg = PRESETS["small"]
    codes = np.full((cfg.n_pe, cfg.pass_length), 1, np.uint8)
    image = pack(network(cfg, [codes]), cfg)
    vector = np.zeros(cfg.pass_length, np.int64)
    vector[[0, -1]] = 1
    assert run(image, vector).cycles == FIRST_PASS + cfg.tree_levels + 2


def test_reset_and_step():
    """A block of pins shows the same as ``run``; a reset makes everything new."""
    rng = np.random.default_rng(5)
    _, activations, image = random_image(rng, TINY, layers=2, wide=False)
    model = Eie(TINY)
    model.load(image)
    model.put(image, activations)
    x = model.inputs(4000)
    x.start[0], x.length[:] = 1, len(image.program)
    y = model.step(x)
    result = run(image, activations)
    np.testing.assert_array_equal(model.get(image), result.outputs)
    assert y.valid.sum(axis=0).tolist() == result.pe_entries.tolist()
    model.reset()
    assert not model.get(image).any() and not model.state.counters.any()


def test_refused_program():
    _, activations, image = random_image(np.random.default_rng(6), TINY, layers=1, wide=False)
    model = Eie(TINY)
    model.load(image)
    word = pack_fields(PASS_FIELDS, image.program[0]._asdict() | {"zero": 1})
    model.state.program.words[0, 0] = word & 2**64 - 1
    with pytest.raises(RuntimeError, match="^pass 0 of the program was refused$"):
        model.run(image, activations)


def test_endless_program():
    cfg = TINY.replace(n_pe=1, regfile_words=64, spmat_words=2048)
    image = pack(network(cfg, [np.ones((64, 64), np.uint8), np.ones((64, 64), np.uint8)]), cfg)
    model = Eie(cfg)
    model.load(image)
    with pytest.raises(RuntimeError, match="^program must end within 4000 cycles$"):
        model.run(image, np.full(64, 99), max_cycles=4000)


def test_foreign_image():
    _, _, image = random_image(np.random.default_rng(8), TINY, layers=1)
    with pytest.raises(ValueError, match=r"^image must be packed for EieConfig\(n_pe=8, .*, not EieConfig\(n_pe=4, "):
        Eie(TINY.replace(n_pe=8)).load(image)


def test_places():
    """Inputs and outputs in every memory that can hold one."""
    rng = np.random.default_rng(9)
    seen = set()
    for _ in range(40):
        layers, activations, image = random_image(rng, TINY)
        seen.add((image.input.mem, image.output.mem))
        np.testing.assert_array_equal(run(image, activations).outputs, expected(layers, activations, TINY)[0])
    assert seen >= {(Mem.ACT0, Mem.ACT0), (Mem.ACT0, Mem.ACT1), (Mem.ACT0, Mem.ACT_SRAM), (Mem.ACT_SRAM, Mem.ACT1),
                    (Mem.ACT_SRAM, Mem.ACT_SRAM)}

