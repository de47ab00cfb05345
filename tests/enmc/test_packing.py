"""Memory of a rank: where every element lies, and back again; what does not fit is one line."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.enmc import screen_control, screener
from golden.enmc.formats import Screen
from golden.enmc.packing import (
    BIAS_BURSTS,
    MOST_CLASSES,
    features_image,
    memory_of,
    pack_exact,
    pack_features,
    pack_rows,
    pack_tiles,
    plan_layout,
    unpack_features,
    unpack_rows,
    unpack_scores,
    unpack_tiles,
)
from golden.enmc.spec import scores_of
from golden.enmc.workloads import random_screener
from tests.enmc.launch import CONFIGS, TINY, configs

every_config = configs(*CONFIGS)
SHAPES = ((1, 1), (2, 2), (15, 3), (16, 8), (17, 5), (63, 4), (64, 7), (130, 9))


def nibble(word, n):
    """Two's complement INT4 in a burst."""
    value = int(word[n // 8]) >> 4 * (n % 8) & 15
    return value - (value >> 3 << 4)


def classifier(rng, classes, elements):
    return rng.standard_normal((classes, elements)).astype(np.float32), rng.standard_normal(classes).astype(np.float32)


@every_config
def test_tiles(cfg):
    """Biases in four bursts, class after class; nibble 2 c + e of burst j is column 2 j + e of class c."""
    rng = np.random.default_rng(1)
    for classes, size in SHAPES:
        w = rng.integers(-8, 8, (classes, size), dtype=np.int8)
        b = rng.integers(-2**31, 2**31, classes, dtype=np.int32)
        words = pack_tiles(cfg, w, b)
        tiles, bursts = -(-classes // cfg.classes), -(-size // 2)
        assert words.shape == (tiles, BIAS_BURSTS + bursts, cfg.burst_words) and words.dtype == np.uint32
        for c in range(tiles * cfg.classes):
            tile, lane = divmod(c, cfg.classes)
            quarter, place = divmod(lane, cfg.classes // 4)
            assert words[tile, quarter].view(np.int32)[place] == (b[c] if c < classes else 0)
            for column in range(2 * bursts):
                wanted = w[c, column] if c < classes and column < size else 0
                assert nibble(words[tile, BIAS_BURSTS + column // 2], 2 * lane + column % 2) == wanted
        back, biases = unpack_tiles(cfg, words, w.shape)
        assert np.array_equal(back, w) and np.array_equal(biases, b) and back.dtype == np.int8


@every_config
def test_rows(cfg):
    """w, then the bias or 1.0, then zeros, class after class."""
    rng = np.random.default_rng(2)
    for classes, elements in SHAPES:
        w, b = classifier(rng, classes, elements)
        words = pack_rows(cfg, w, b)
        bursts = -(-(elements + 1) // cfg.burst_words)
        flat = words.view(np.float32).reshape(classes, -1)
        assert words.shape == (classes * bursts, cfg.burst_words)
        assert np.array_equal(flat[:, :elements], w) and np.array_equal(flat[:, elements], b)
        assert not flat[:, elements + 1:].any()
        assert np.array_equal(unpack_rows(words, elements), np.column_stack([w, b]))
        assert np.array_equal(unpack_rows(pack_exact(cfg, w), elements)[:, elements], np.ones(classes))


@every_config
def test_features(cfg):
    """Element e of input b is element ``2 * screen_bursts * b + e`` of the buffer."""
    rng = np.random.default_rng(3)
    for batch, size in ((1, 1), (2, 3), (3, 8), (4, 31)):
        features = rng.integers(-8, 8, (batch, size), dtype=np.int8)
        words = pack_features(cfg, features)
        padded = 2 * -(-size // 2)
        assert len(words) == -(-batch * padded // (2 * cfg.dq))
        for n in range(len(words) * 2 * cfg.dq):
            b, e = divmod(n, padded)
            wanted = features[b, e] if b < batch and e < size else 0
            assert nibble(words[n // (2 * cfg.dq)], n % (2 * cfg.dq)) == wanted
        assert np.array_equal(unpack_features(words, features.shape), features)


@every_config
def test_scores(cfg):
    """Four bursts of every input, tile after tile."""
    scores = np.random.default_rng(4).integers(-2**31, 2**31, (3, 3 * cfg.classes), dtype=np.int32)
    words = scores.reshape(3, 3, 4, -1).transpose(1, 0, 2, 3).reshape(-1, cfg.burst_words).view(np.uint32)
    assert np.array_equal(unpack_scores(cfg, words, 2 * cfg.classes + 1, 3), scores[:, :2 * cfg.classes + 1])


@every_config
@pytest.mark.parametrize("ranks", [1, 3, 8])
def test_layout(cfg, ranks):
    """Classes in whole tiles, evenly; nothing overlaps, and every part begins with a pair of rows of its own."""
    cfg = cfg.replace(ranks=ranks)
    for classes in (1, cfg.classes, 5 * cfg.classes + 1, 11 * cfg.classes):
        layout = plan_layout(cfg, classes=classes, elements=13, size=5, inputs=9)
        shares = [layout.share(rank) for rank in range(ranks)]
        assert [n for share in shares for n in share] == list(range(classes))
        tiles = [layout.tiles_of(rank) for rank in range(ranks)]
        assert max(tiles) - min(tiles) <= 1 and sorted(tiles, reverse=True) == tiles
        assert tiles == [-(-len(share) // cfg.classes) for share in shares]
        bases = [0, layout.row_base, layout.feature_base, layout.exact_base, layout.score_base, layout.bursts]
        sizes = [tiles[0] * layout.tile_bursts, len(shares[0]) * layout.row_bursts,
                 layout.batches * layout.feature_bursts, 9 * layout.row_bursts]
        for base, size, after in zip(bases, sizes, bases[1:], strict=False):
            assert base % (2 * cfg.page_bursts) == 0 and base + size <= after < base + size + 2 * cfg.page_bursts
        assert [n for k in range(layout.batches) for n in layout.batch_of(k)] == list(range(9))
        assert layout.scores_at(0, 1) - layout.scores_at(0, 0) == layout.batch * BIAS_BURSTS
        assert layout.scores_at(layout.batches - 1, tiles[0]) <= layout.bursts <= cfg.bursts


def test_batches_fill_the_buffers():
    """As many inputs as INT4 and FP32 features allow, and no more than the configuration has."""
    cfg = CONFIGS["paper"]
    for size, elements, batch in ((128, 512, 4), (129, 512, 3), (256, 1024, 2), (376, 1500, 1), (511, 4095, 1)):
        assert plan_layout(cfg, classes=70, elements=elements, size=size, inputs=9).batch == batch
    assert plan_layout(cfg, classes=70, elements=9, size=9, inputs=3).batch == 3
    assert plan_layout(cfg, classes=70, elements=9, size=9, inputs=9, batch=2).batches == 5


@pytest.mark.parametrize(("changes", "message"), [
    ({"classes": 0}, r"classes must be in 1\.\.16777216 in this configuration, not 0"),
    ({"classes": MOST_CLASSES + 1}, r"classes must be in 1\.\.16777216 in this configuration, not 16777217"),
    ({"elements": 128}, r"d must be in 1\.\.127 in this configuration, not 128"),
    ({"size": 65}, r"k must be in 1\.\.64 in this configuration, not 65"),
    ({"inputs": 0}, r"inputs must be at least 1 in this configuration, not 0"),
    ({"size": 33, "batch": 2}, r"batch must be in 1\.\.1 for k = 33 and d = 4, not 2"),
    ({"elements": 120, "classes": 900}, r"a rank's DRAM must hold \d+ bursts of 16 bytes, not 8192: take fewer .*"),
])
def test_what_does_not_fit(changes, message):
    with pytest.raises(UsageError, match=rf"^{message}$"):
        plan_layout(TINY, **{"classes": 20, "elements": 4, "size": 3, "inputs": 2} | changes)


def test_memory():
    """Every rank has its classes; with a choice of rows only these."""
    cfg, rng = TINY.replace(ranks=3), np.random.default_rng(5)
    w, b = classifier(rng, 50, 6)
    given = random_screener(rng, 50, 6, 5, 0)
    layout = plan_layout(cfg, classes=50, elements=6, size=5, inputs=3)
    for rank in range(3):
        own = slice(layout.share(rank).start, layout.share(rank).stop)
        tiles, rows = memory_of(layout, rank, given, w, b)
        assert (tiles.addr, rows.addr) == (0, layout.row_base)
        back, biases = unpack_tiles(cfg, tiles.words.reshape(-1, layout.tile_bursts, 4), (own.stop - own.start, 5))
        assert np.array_equal(back, given.w[own]) and np.array_equal(biases, given.b[own])
        assert np.array_equal(unpack_rows(rows.words, 6), np.column_stack([w, b])[own])
        _, *some = memory_of(layout, rank, given, w, b, np.array([3, 20, 49]))
        labels = [n - own.start for n in (3, 20, 49) if own.start <= n < own.stop]
        assert [segment.addr for segment in some] == [layout.row_at(n) for n in labels]
        for segment, n in zip(some, labels, strict=True):
            assert np.array_equal(segment.words, rows.words[n * layout.row_bursts:(n + 1) * layout.row_bursts])
    assert len(memory_of(layout, 0, None, w, b)) == 1
    few = plan_layout(cfg, classes=20, elements=6, size=5, inputs=3)
    assert memory_of(few, 2, given, w, b) == []


def test_features_image():
    """Batch after batch; the last one is shorter."""
    rng = np.random.default_rng(6)
    layout = plan_layout(TINY, classes=20, elements=6, size=5, inputs=3)
    features, h = rng.integers(-8, 8, (3, 5), dtype=np.int8), rng.standard_normal((3, 6)).astype(np.float32)
    for n, own in enumerate((slice(0, 2), slice(2, 3))):
        low, exact = features_image(layout, n, features, h)
        assert (low.addr, exact.addr) == (layout.features_at(n), layout.exact_at(n))
        assert np.array_equal(unpack_features(low.words, (own.stop - own.start, 5)), features[own])
        assert np.array_equal(unpack_rows(exact.words, 6)[:, :6], h[own])
    assert len(features_image(layout, 0, None, h)) == 1


@configs("tiny", "middle")
def test_screener_understands_it(cfg):
    """The cycle model of the screener, given these bursts in the order of a program, comes to the scores of (6.3)."""
    rng = np.random.default_rng(7)
    classes, size, batch = 2 * cfg.classes + 3, 9, cfg.batch
    given = random_screener(rng, classes, 6, size, 40)
    features = rng.integers(-8, 8, (batch, size), dtype=np.int8)
    tiles, bursts = pack_tiles(cfg, given.w, given.b), -(-size // 2)
    wanted = scores_of(given.w, given.b, features)
    load = [*pack_features(cfg, features)]
    commands = [(Screen.FEATURES, len(load))]
    for tile in tiles:
        load += [*tile]
        commands += [(Screen.PSUMS, BIAS_BURSTS), (Screen.MULTIPLY, bursts), (Screen.STORE, 0), (Screen.FILTER, 0)]
    state, waiting, stored, found = screener.state(cfg, 1), 0, [], []
    for cycle in range(20_000):
        if not commands and not load and not screener.busy_of(state, 0) and not state.control.store_valid[0]:
            break
        command = commands[0] if commands else (0, 0)
        take = commands and screen_control.ready_of(state.control, 0)
        # STORE waits for the filter, as the dispatcher sees to it.
        filtering = state.filter.busy[0] or state.control.filter_start[0]
        offer = bool(take) and not (command[0] == Screen.STORE and filtering)
        burst = load[0] if load and waiting < cfg.weights else None
        if state.control.store_valid[0]:
            stored.append(state.control.stored[0].copy())
        if screener.valid_of(state, 0):
            found.append(tuple(int(screener.candidate_of(state, 0, field)) for field in range(3)))
        waiting += (burst is not None) - bool(screener.freed_of(state, 0, batch))
        screener.clock(state, 0, offer, int(command[0]), command[1], 0, 0, burst is not None,
                       np.zeros(cfg.burst_words, np.int64) if burst is None else burst.astype(np.int64), True, True,
                       batch, bursts, classes, 40, cycle == 0)
        if offer:
            commands.pop(0)
        if burst is not None:
            load.pop(0)
    assert not commands and not load
    assert np.array_equal(unpack_scores(cfg, np.array(stored, np.int64).astype(np.uint32), classes, batch), wanted)
    above = [(int(row[c]), c, b) for b, row in enumerate(wanted) for c in np.flatnonzero(row > 40)]
    assert sorted(found) == sorted(above) and above
