"""Random jobs of the store of the Speculator, and the approximations that belong to them."""

from typing import NamedTuple

import numpy as np

from golden.duet import low_output, spec_store
from golden.duet.approximator import Approximation
from golden.duet.formats import SPECULATE_FIELDS, Function, Kind

__all__ = ["Work", "conv", "memories_after", "vector"]


class Work(NamedTuple):
    """A job (all fields of a speculate job), the approximations that come, and the memories after it."""

    job: dict
    items: list
    expected: spec_store.Memories


def _job(**fields):
    return dict.fromkeys(SPECULATE_FIELDS, 0) | fields


def conv(cfg, rng, *, channels=None, ordered=None, tiles=None, pixels=None) -> Work:
    """Tiles of a convolution; by default of any size, also at the edge of the map."""
    channels = channels or rng.choice([1, cfg.columns, rng.randint(1, 3 * cfg.columns)])
    tiles_y, tiles_x = tiles or (rng.randint(1, 3), rng.randint(1, 3))
    depth = -(-channels // cfg.columns)
    limits = sorted((rng.randint(0, cfg.pixels) for _ in range(cfg.buckets - 1)), reverse=True)
    job = _job(kind=int(Kind.CONV), function=int(Function.RELU), channels=channels, tiles_y=tiles_y, tiles_x=tiles_x,
               ordered=rng.random() < 0.7 if ordered is None else ordered, out_depth=depth,
               omap_base=rng.randrange(1 << 12), order_base=rng.randrange(1 << 12),
               **{f"limit_{k}": limit for k, limit in enumerate(limits)})
    maps, items = [], []
    for _ in range(tiles_y * tiles_x):
        some = pixels or rng.choice([[0], range(cfg.pixels), rng.sample(range(cfg.pixels), rng.randint(1, cfg.pixels))])
        density = rng.choice([0, 0.3, 0.7, 1])
        maps.append({pixel: [rng.random() < density for _ in range(channels)] for pixel in sorted(some)})
        items += _items(cfg, rng, maps[-1], channels)
    return Work(job, items, spec_store.store(cfg, job, maps))


def vector(cfg, rng, *, channels=None, function=None) -> Work:
    """A gate."""
    channels = channels or rng.choice([1, cfg.columns, cfg.values, cfg.values + 1, rng.randint(1, 3 * cfg.values)])
    job = _job(kind=int(Kind.VECTOR), function=int(rng.choice(list(Function)) if function is None else function),
               channels=channels, tiles_y=1, tiles_x=1, out_depth=spec_store.order_words_of(cfg, channels),
               scale=rng.choice([0, 1, 2185, 4681, 65535, rng.randrange(1 << 16)]), omap_base=rng.randrange(1 << 12),
               approx_base=rng.randrange(1 << 12))
    maps = {0: [rng.random() < 0.5 for _ in range(channels)]}
    items = _items(cfg, rng, maps, channels)
    codes = [code for item in items for code in item.codes][:channels]
    return Work(job, items, spec_store.store(cfg, job, [maps], np.array(codes)))


def _items(cfg, rng, maps, channels):
    """Approximations of a tile in the order in which they come; codes of outputs that do not exist are anything."""
    items = []
    for piece in low_output.pieces(cfg, list(maps), channels):
        bits = tuple(maps[piece.pixel][piece.first:piece.first + cfg.columns])
        items.append(Approximation(piece, bits + (False,) * (cfg.columns - len(bits)),
                                   tuple(rng.randrange(16) for _ in range(cfg.columns))))
    return items


def memories_after(writes):
    """Contents that a list of (addr, map_addr, mask, map_mask, data [values], map) has written."""
    found = spec_store.Memories({}, {})
    for addr, map_addr, mask, map_mask, data, bits in writes:
        for place, value in enumerate(data):
            if mask >> place & 1:
                found.data.setdefault(addr, {})[place] = value
            if map_mask >> place & 1:
                found.maps.setdefault(map_addr, {})[place] = bool(bits >> place & 1)
    return found
