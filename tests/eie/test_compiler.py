"""The packer: its inverse, the format's worked example, the schedule of passes, and every refusal."""

import itertools
import re

import numpy as np
import pytest

from golden.common.fields import unpack_fields
from golden.eie.compiler import Pass, compress, layer_floors, pack, pass_work, schedule, unpack
from golden.eie.config import PRESETS, EieConfig
from golden.eie.formats import PASS_FIELDS, Mem
from golden.eie.spec import Layer, network_outputs, round_shift_array, saturate_array
from golden.eie.workloads import random_codes, random_layers

TINY = PRESETS["tiny"]
#: Odd corners of the configuration space: one PE, more PEs than rows, the narrowest and a wide row.
CONFIGS = {"tiny": TINY, "one-pe": TINY.replace(n_pe=1, spmat_words=1024), "many-pe": TINY.replace(n_pe=32),
           "wide-row": TINY.replace(n_pe=2, spmat_width=256), "small": PRESETS["small"]}


def make(codes, bias=None, codebook=None):
    codebook = np.arange(16) if codebook is None else codebook
    return Layer(codes=codes, codebook=codebook, bias_codes=bias, weight_frac=4, act_frac_in=4, act_frac_out=4,
                 relu=False)


def chain(rng, *sizes, bias=True, density=0.3):
    """Layers of the given vector lengths."""
    return [make(random_codes(rng, (n_out, n_in), density), random_codes(rng, n_out, 0.5) if bias else None)
            for n_in, n_out in itertools.pairwise(sizes)]


@pytest.mark.parametrize("name", CONFIGS)
def test_unpack_inverts_pack(name):
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    wide = 0
    for _ in range(40):
        layers, _ = random_layers(rng, cfg)
        image = pack(layers, cfg)
        wide += len(image.program) > len(layers)
        for layer, (codes, bias) in zip(layers, unpack(image), strict=True):
            assert np.array_equal(codes, layer.codes)
            assert (bias is None) == (layer.bias_codes is None)
            assert bias is None or np.array_equal(bias, layer.bias_codes)
    assert 0 < wide < 40 or name == "small"


@pytest.mark.parametrize("density", [0.0, 0.01, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("n_pe", [1, 4])
def test_format_of_entries(density, n_pe):
    """Read entry by entry as [EIE III.B] says; padding only where a gap needs it."""
    cfg = EieConfig(n_pe=n_pe, regfile_words=256)
    layer = make(random_codes(np.random.default_rng(2), (200 * n_pe + 1, 7), density))
    image = pack([layer], cfg)
    padding = 0
    for pe in range(n_pe):
        stream = image.rows[pe].reshape(-1)
        for j in range(7):
            column = np.zeros(len(range(pe, layer.n_out, n_pe)), np.uint8)
            row = -1
            for entry in stream[image.pointers[pe, j]:image.pointers[pe, j + 1]]:
                code, zeros = entry >> 4, entry & 15
                row += 1 + int(zeros)
                column[row] = code
                assert code or zeros == 15
                padding += code == 0
            assert np.array_equal(column, layer.codes[pe::n_pe, j])
        assert not stream[image.pointers[pe, -1]:].any()
        assert image.entries[pe] == image.pointers[pe, -1]
    assert image.stats[0].padding == padding
    assert image.stats[0].entries == image.entries.sum() == np.count_nonzero(layer.codes) + padding


def test_worked_example():
    """The column of [EIE III.B]: v = [1, 2, 0, 3], z = [2, 0, 15, 2]."""
    column = np.array([0, 0, 1, 2, *[0] * 18, 3], np.uint8)[:, None]
    entries, per_column = compress(column, 1)
    assert [(e >> 4, e & 15) for e in entries.tolist()] == [(1, 2), (2, 0), (0, 15), (3, 2)]
    assert per_column.tolist() == [[4]]


@pytest.mark.parametrize(("gap", "padding"), [(0, 0), (15, 0), (16, 1), (31, 1), (32, 2), (47, 2), (48, 3)])
@pytest.mark.parametrize("first", [False, True])
def test_gaps(gap, padding, first):
    """The largest gap without padding is 15, before the first entry of a column and between two."""
    column = np.zeros((60, 1), np.uint8)
    column[gap if first else gap + 1] = 9
    column[0 if not first else gap] = 9
    entries, _ = compress(column, 1)
    assert len(entries) == padding + (1 if first else 2)
    assert (entries[:-1] == 15).sum() == padding


def interpret(image, activations):
    """Run a program on the packed memories only, with register files and SRAM as plain arrays."""
    cfg = image.cfg
    files = np.zeros((2, cfg.pass_length), np.int64)
    sram = np.full(cfg.vector_length, 77)       # left over from an earlier run
    words = image.input_words(activations).reshape(-1)
    target = sram if image.input.mem == Mem.ACT_SRAM else files[0]
    target[image.input.addr * cfg.n_pe:][:len(words)] = words
    source = 0
    for word in (Pass(**{k: v for k, v in unpack_fields(PASS_FIELDS, p.word()).items() if k != "zero"})
                 for p in image.program):
        if word.load:
            files[source] = 0
            files[source, :word.in_rows * cfg.n_pe] = sram[word.in_base * cfg.n_pe:][:word.in_rows * cfg.n_pe]
        if word.clear:
            files[1 - source] = 0
        work = [(word.column_base + j, int(files[source, j])) for j in np.flatnonzero(files[source])]
        if word.bias:
            work.append((word.bias_column, word.bias_value))
        for column, value in work:
            for pe in range(cfg.n_pe):
                row = -1
                for address in range(*image.pointers[pe, column:column + 2]):
                    entry = int(image.rows[pe].reshape(-1)[address])
                    row += 1 + (entry & 15)
                    acc = files[1 - source]
                    product = image.codebooks[word.codebook, entry >> 4] * value
                    total = acc[row * cfg.n_pe + pe] + round_shift_array(product, word.shift)
                    acc[row * cfg.n_pe + pe] = saturate_array(total, cfg.data_bits)[0]
        if word.finish and word.relu:
            files[1 - source] = np.maximum(files[1 - source], 0)
        if word.store:
            count = word.out_rows * cfg.n_pe
            sram[word.out_base * cfg.n_pe:][:count] = files[1 - source, :count]
        if word.swap:
            source = 1 - source
    place = image.output
    assert place.mem == Mem.ACT_SRAM or place.mem == (Mem.ACT1, Mem.ACT0)[source]
    result = sram if place.mem == Mem.ACT_SRAM else files[1 - source]
    return result[place.addr * cfg.n_pe:][:place.length]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", ["tiny", "one-pe", "wide-row"])
def test_program_computes_the_network(name, wide):
    """Schedule, places, swaps, loads and stores together: the program's result is that of the equations."""
    cfg, rng = CONFIGS[name], np.random.default_rng(3)
    for _ in range(12):
        layers, activations = random_layers(rng, cfg, wide=wide)
        image = pack(layers, cfg)
        assert (image.input.mem == Mem.ACT_SRAM) == (len(activations) > cfg.pass_length)
        expected = network_outputs(layers, activations, cfg.data_bits)[-1][0]
        assert np.array_equal(interpret(image, activations), expected)


def test_passes_of_a_network_in_registers():
    layers = chain(np.random.default_rng(4), 32, 20, 10, 5)
    image = pack(layers, TINY)
    assert [(p.load, p.clear, p.finish, p.store, p.swap, p.bias) for p in image.program] == \
        [(0, 1, 1, 0, 1, 1), (0, 1, 1, 0, 1, 1), (0, 1, 1, 0, 0, 1)]
    assert [(p.column_base, p.bias_column) for p in image.program] == [(0, 32), (33, 53), (54, 64)]
    assert image.pointers.shape == (4, 66)
    assert image.input == (Mem.ACT0, 0, 32)
    assert image.output == (Mem.ACT1, 0, 5)
    assert pack(layers[:2], TINY).output == (Mem.ACT0, 0, 10)
    assert [p.bias_value for p in image.program] == [16, 16, 16]


def test_passes_of_long_vectors():
    """33 inputs and 40 outputs with 32 in a pass: output chunks outside, input chunks inside, bias in the last."""
    image = pack(chain(np.random.default_rng(5), 33, 40, 3, density=0.2), TINY)
    assert image.input == (Mem.ACT_SRAM, 0, 33)
    assert image.output == (Mem.ACT1, 0, 3)
    fields = [(i.layer, i.out_chunk, i.in_chunk, p.load, p.clear, p.finish, p.store, p.swap, p.bias)
              for i, p in zip(image.pass_info, image.program, strict=True)]
    assert fields == [(0, 0, 0, 1, 1, 0, 0, 0, 0), (0, 0, 1, 1, 0, 1, 1, 0, 1),
                      (0, 1, 0, 1, 1, 0, 0, 0, 0), (0, 1, 1, 1, 0, 1, 1, 0, 1),
                      (1, 0, 0, 1, 1, 0, 0, 0, 0), (1, 0, 1, 1, 0, 1, 0, 0, 1)]
    assert [(p.in_rows, p.in_base) for p in image.program] == [(8, 0), (1, 8), (8, 0), (1, 8), (8, 54), (2, 62)]
    assert [(p.out_rows, p.out_base) for p in image.program if p.store] == [(8, 54), (2, 62)]
    assert [p.column_base for p in image.program] == [0, 32, 34, 66, 68, 100]
    assert [p.bias_column for p in image.program if p.bias] == [33, 67, 108]


def test_input_and_output_alternate_in_the_sram():
    infos, words, start, end = schedule([(50, 40, True), (60, 50, False), (40, 60, True)],
                                        TINY.replace(ptr_words=1024))
    bases = [{w["in_base"] for i, w in zip(infos, words, strict=True) if i.layer == k and i.in_chunk == 0}
             for k in range(3)]
    assert bases == [{0}, {51}, {0}]
    assert start == (Mem.ACT_SRAM, 0, 40)
    assert end == (Mem.ACT_SRAM, 54, 40)


def test_a_source_in_registers_serves_all_output_chunks():
    image = pack(chain(np.random.default_rng(6), 5, 70), TINY)
    assert [(p.load, p.clear, p.finish, p.store) for p in image.program] == [(0, 1, 1, 1)] * 3
    assert image.output == (Mem.ACT_SRAM, 0, 70)


def test_identical_codebooks_are_shared():
    rng = np.random.default_rng(7)
    tables = [np.append(0, rng.integers(-9, 9, 15)) for _ in range(2)]
    layers = [make(random_codes(rng, (4, 4), 0.5), codebook=tables[k]) for k in (1, 0, 1)]
    image = pack(layers, TINY)
    assert [p.codebook for p in image.program] == [0, 1, 0]
    assert np.array_equal(image.codebooks, [tables[1], tables[0]])


def test_work():
    rng = np.random.default_rng(8)
    for _ in range(20):
        layers, activations = random_layers(rng, TINY)
        image = pack(layers, TINY)
        results = network_outputs(layers, activations, 16)
        vectors = [activations, *(outputs for outputs, _ in results[:-1])]
        for info, word, work in zip(image.pass_info, image.program, pass_work(image, vectors), strict=True):
            layer, a = layers[info.layer], vectors[info.layer][info.in_start:info.in_stop]
            codes = layer.codes[info.out_start:info.out_stop, info.in_start:info.in_stop][:, a != 0]
            if word.bias:
                codes = np.append(codes, layer.bias_codes[info.out_start:info.out_stop, None], axis=1)
            entries, per_column = compress(codes, 4)
            assert work.broadcasts == codes.shape[1]
            assert np.array_equal(work.entries, per_column.sum(axis=1))
            assert work.floor == max(per_column.sum(axis=1).max(), codes.shape[1])
            assert len(entries) == work.entries.sum()


def test_floor_of_a_layer():
    """Input passes of an output chunk run into each other, output chunks do not: by hand from the codes."""
    rng = np.random.default_rng(13)
    differs = 0
    for _ in range(30):
        layers, activations = random_layers(rng, TINY, layers=1, wide=True)
        image = pack(layers, TINY)
        (layer,), floor = layers, 0
        columns = layer.codes[:, activations != 0]
        if layer.bias_codes is not None:
            columns = np.append(columns, layer.bias_codes[:, None], axis=1)
        for start in range(0, layer.n_out, TINY.pass_length):
            _, per_column = compress(columns[start:start + TINY.pass_length], TINY.n_pe)
            floor += max(per_column.sum(axis=1).max(), columns.shape[1])
        assert layer_floors(image, [activations]) == [floor]
        differs += floor != sum(work.floor for work in pass_work(image, [activations]))
    assert differs > 0


def test_statistics():
    codes = np.zeros((64, 2), np.uint8)
    codes[60, 0] = 5        # PE 0, local row 15: no padding with 4 PEs
    image = pack([make(codes, np.full(64, 3, np.uint8))], TINY.replace(regfile_words=16))
    assert image.stats == [(64 * 3, 65, 65, 0)]
    assert image.total.density == 65 / 192
    stored = 65 * 8 + 4 * 4 * TINY.pointer_bits + 16 * 16
    assert image.compression == 192 * 16 / stored
    assert pack([make(codes)], TINY.replace(n_pe=1, regfile_words=64)).stats == [(128, 1, 4, 3)]


def test_input_words():
    image = pack(chain(np.random.default_rng(9), 5, 3), TINY)
    words = image.input_words(np.arange(1, 6))
    assert words.shape == (2, 4)                # whole rows
    assert words.reshape(-1).tolist() == [1, 2, 3, 4, 5, 0, 0, 0]
    image = pack(chain(np.random.default_rng(9), 37, 3), TINY)
    assert image.input_words(np.ones(37)).sum(axis=1).tolist() == [4] * 9 + [1]


@pytest.mark.parametrize(("sizes", "changes", "message"), [
    ((257, 3), {}, "layer 0 needs 65 words of activation SRAM for 257 inputs and 3 outputs, must be at most 64"),
    ((100, 180), {}, "layer 0 needs 70 words of activation SRAM for 100 inputs and 180 outputs, must be at most 64"),
    ((30, 40, 220), {}, "layer 1 needs 65 words of activation SRAM for 40 inputs and 220 outputs, must be at most 64"),
    ((32, 32), {"spmat_words": 2, "spmat_width": 32},
     r"layer 0 needs \d+ compressed entries in PE \d, must be at most 8"),
    ((20, 20, 20), {"spmat_words": 8},
     r"layer 1 together with layers 0\.\.0 needs \d+ compressed entries in PE \d, must be at most 32"),
    ((100, 4, 4), {"ptr_words": 64}, "layers need 107 pointers, must be at most 64"),
    ((100, 4, 4), {"program_words": 4}, "layers need 5 passes, must be at most 4"),
])
def test_what_does_not_fit(sizes, changes, message):
    cfg = TINY.replace(**changes)
    with pytest.raises(ValueError, match=f"^{message}$"):
        pack(chain(np.random.default_rng(10), *sizes, density=0.2), cfg)


def test_too_many_codebooks():
    rng = np.random.default_rng(11)
    layers = [make(np.ones((2, 2), np.uint8), codebook=np.append(0, rng.integers(-9, 9, 15))) for _ in range(5)]
    with pytest.raises(ValueError, match="^layers need 5 codebooks, must be at most 4$"):
        pack(layers, TINY)


def test_every_memory_may_be_full():
    """The limits themselves still fit: 1024 entries, 256 pointers, 64 SRAM words."""
    full = make(np.ones((16, 254), np.uint8))
    image = pack([full], TINY.replace(regfile_words=64))
    assert image.entries.tolist() == [1016] * 4
    with pytest.raises(ValueError, match=re.escape("layers need 258 pointers, must be at most 256")):
        pack([make(np.ones((4, 256), np.uint8), np.ones(4, np.uint8))], TINY.replace(regfile_words=64))
    image = pack([make(np.ones((16, 255), np.uint8), np.ones(16, np.uint8))],
                 TINY.replace(regfile_words=64, ptr_words=512))
    assert image.entries.tolist() == [TINY.spmat_entries] * 4
    assert pack([make(np.ones((4, 255), np.uint8))], TINY).pointers.shape == (4, TINY.ptr_words)


def test_layers_are_checked_first():
    layers = chain(np.random.default_rng(12), 4, 4)
    bad = [*layers, make(np.ones((2, 3), np.uint8))]
    with pytest.raises(ValueError, match="^layer 1: inputs must be the 4 outputs of layer 0, not 3$"):
        pack(bad, TINY)
