"""Requests for the tests of the fetch unit."""

import random

from golden.dota.config import DotaConfig
from golden.dota.fetch import TAGS
from golden.dota.formats import KEY_BANKS, MOST_CHUNKS, QUERIES

#: How the four addresses relate.
KINDS = ("any", "near", "one bank", "one", "pairs", "row")


def addresses(rng: random.Random, cfg: DotaConfig, kind: str) -> list[int]:
    """Words of the four banks, one for each query."""
    words = KEY_BANKS * cfg.bank_words
    base = rng.choice([0, words - 4 * KEY_BANKS, rng.randrange(words - 4 * KEY_BANKS + 1)])
    if kind == "one":
        return [base] * QUERIES
    if kind == "row":
        return rng.sample(range(base, base + KEY_BANKS), QUERIES)
    if kind == "one bank":
        return [base + KEY_BANKS * n for n in rng.sample(range(4), QUERIES)]
    if kind == "pairs":
        pair = rng.sample(range(base, base + 2 * KEY_BANKS), 2)
        return [rng.choice(pair) for _ in range(QUERIES)]
    return [base + rng.randrange(2 * KEY_BANKS) if kind == "near" else rng.randrange(words) for _ in range(QUERIES)]


def request(rng: random.Random, cfg: DotaConfig, kind: str | None = None, live: int | None = None) -> dict:
    """Fields of a request; addresses and weights as lists."""
    tags = {name: rng.getrandbits(1) for name in TAGS[:3]}
    return tags | {"addr": addresses(rng, cfg, kind or rng.choice(KINDS)),
                   "live": rng.choice([15, 15, rng.randrange(16)]) if live is None else live,
                   "weights": [rng.getrandbits(15) for _ in range(QUERIES)], "chunk": rng.randrange(MOST_CHUNKS),
                   "element": rng.randrange(cfg.vector), "other": rng.randrange(KEY_BANKS * cfg.bank_words)}
