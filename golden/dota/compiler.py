"""From heads to commands of the stream port: where everything lies in a lane, and what is done in which order.

A head takes one lane. First its predictor makes the low-precision Q~ and K~ from X, in as many parts as fit; they stay
in the last banks. Then K and V fill the key and value banks, and the queries are attended to, again in as many parts as
fit: a part's results take the place of its queries.
"""

from dataclasses import dataclass, field

import numpy as np

from golden.common.cli import UsageError

from .config import DotaConfig
from .formats import BANKS, KEY_BANKS, MOST_CHUNKS, QUERIES, VALUE_BANKS, Precision, Step
from .head import Head
from .packing import chunks_of, low_rows, low_words, pack_fx, pack_low

__all__ = ["Place", "Plan", "Read", "Run", "Write", "attend_step", "check_head", "plan_head", "predict"]

_PRECISION = {8: Precision.INT8, 4: Precision.INT4, 2: Precision.INT2}
#: Largest sum of two INT2 elements' products that a row can have: 12 bits.
_INT2_INPUTS = 511


@dataclass(frozen=True, eq=False)
class Write:
    """Words [words, units] for the addresses from ``addr`` on."""

    addr: int
    words: np.ndarray


@dataclass(frozen=True)
class Run:
    """A step; fields that are not given are 0. ``phase`` is for reports."""

    phase: str
    step: dict = field(hash=False)


@dataclass(frozen=True)
class Read:
    """``count`` words from ``addr`` on: rows ``first ..`` of word ``chunk`` of the result."""

    addr: int
    count: int
    first: int
    chunk: int


@dataclass(frozen=True)
class Place:
    """Where the parts of a head lie.

    Attributes
    ----------
    queries : int
        Address of the queries, and of the results.
    room : int
        Queries that fit there at once, a multiple of 4.
    low_q, low_k : int
        Addresses of Q~ and K~.
    """

    queries: int
    room: int
    low_q: int
    low_k: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Commands of a head, in order.

    Attributes
    ----------
    head : Head
    commands : list of Write, Run or Read
    """

    head: Head
    commands: list


def plan_head(head: Head, cfg: DotaConfig) -> Plan:
    """Commands that compute a head in one lane.

    Raises
    ------
    UsageError
        If it does not fit: one line that names the limit.
    """
    check_head(head, cfg)
    place = place_head(head, cfg)
    return Plan(head, [*predict(head, cfg, place), *_attend(head, cfg, place)])


def check_head(head: Head, cfg: DotaConfig) -> None:
    """Limits of the hardware that have nothing to do with where a head lies.

    Raises
    ------
    UsageError
        One line that names the limit.
    """
    chunks = chunks_of(cfg, head.dim)
    most = min(cfg.keys, KEY_BANKS * cfg.bank_words // chunks)
    _limit("keys", head.keys, most, f"{cfg.keys} that the detector takes and what {KEY_BANKS} banks hold")
    _limit("d", head.dim, MOST_CHUNKS * cfg.vector, f"{MOST_CHUNKS} words of {cfg.vector} elements")
    _limit("connections of a row", min(head.keep, head.keys), cfg.queue, "the queue")
    inputs = max(head.predictor.inputs, head.predictor.size)
    if head.predictor.transform_bits == 2:
        _limit("inputs of the predictor in INT2", inputs, _INT2_INPUTS, "its sums have 12 bits")
    if head.predictor.bits == 2:
        _limit("k of the predictor in INT2", head.predictor.size, _INT2_INPUTS, "its sums have 12 bits")
    threshold = head.threshold
    half = 1 << cfg.estimate_bits - 1
    if threshold is not None and not -half <= threshold < half:
        raise UsageError(f"threshold must be in {-half}..{half - 1}, not {threshold!r}")


def _limit(what, value, most, why):
    if value > most:
        raise UsageError(f"{what} must be at most {most} ({why}), not {value!r}")


def place_head(head: Head, cfg: DotaConfig) -> Place:
    """Queries in the ninth bank and Q~, K~ in the tenth; or queries behind keys or values, if that is too small.

    Raises
    ------
    UsageError
        If neither is enough.
    """
    bank = cfg.bank_words
    chunks, predictor = chunks_of(cfg, head.dim), head.predictor
    words = low_words(cfg, predictor.size, predictor.bits) * (cfg.block // cfg.keys_per_word)
    q_words, k_words = (low_rows(cfg, rows) // cfg.block * words for rows in (head.queries, head.keys))
    used = head.keys * chunks
    spare = KEY_BANKS * bank - used
    for queries, room, low, low_room in (((BANKS - 2) * bank, bank, (BANKS - 1) * bank, bank),
                                         (used, spare, (BANKS - 2) * bank, 2 * bank)):
        room = room // chunks // QUERIES * QUERIES
        if q_words + k_words <= low_room and room >= min(head.queries, QUERIES):
            return Place(queries, min(room, -(-head.queries // QUERIES) * QUERIES), low, low + q_words)
    raise UsageError(f"Q~ and K~ must take at most {bank} words, or {2 * bank} if queries fit behind the keys, not "
                     f"{q_words} + {k_words}: choose a smaller k or fewer bits for the predictor")


def predict(head: Head, cfg: DotaConfig, place: Place):
    """Commands that make Q~ and K~ from X, in parts that fit before keys and values are there."""
    shared = head.x_q is head.x_k or np.array_equal(head.x_q, head.x_k)
    if shared:
        yield from _transform(head, cfg, head.x_q, [("wq", "shift_q", place.low_q), ("wk", "shift_k", place.low_k)])
    else:
        yield from _transform(head, cfg, head.x_q, [("wq", "shift_q", place.low_q)])
        yield from _transform(head, cfg, head.x_k, [("wk", "shift_k", place.low_k)])


def _transform(head, cfg, x, outputs):
    """X P, requantised, then times each of the weights. Where P is the identity, X takes the place of X P."""
    predictor = head.predictor
    projects = predictor.shift_t or not np.array_equal(predictor.p, np.eye(len(predictor.p), dtype=np.int64))
    bits, low = predictor.transform_bits, _PRECISION[predictor.transform_bits]
    parts = cfg.block // cfg.keys_per_word
    x_words, t_words, z_words = (low_words(cfg, *size) for size in (
        (predictor.inputs, bits), (predictor.size, bits), (predictor.size, predictor.bits)))
    p = pack_low(cfg, predictor.p.T, bits)[:None if projects else 0]
    weights = [pack_low(cfg, getattr(predictor, name).T, bits) for name, _, _ in outputs]
    blocks = -(-predictor.size // cfg.block)
    w_base = [len(p) + sum(map(len, weights[:n])) for n in range(len(weights))]
    first = len(p) + sum(map(len, weights))
    together = max(cfg.block, QUERIES)
    rows = ((KEY_BANKS + VALUE_BANKS) * cfg.bank_words - first) // ((x_words + t_words) * parts * together // cfg.block)
    rows *= together
    if rows <= 0:
        raise UsageError(f"X P must fit into {(KEY_BANKS + VALUE_BANKS) * cfg.bank_words} words with its matrices, not "
                         f"{first} and {(x_words + t_words) * parts} for every {cfg.block} rows: choose a smaller k")
    yield Write(0, np.concatenate([p, *weights]))
    for start in range(0, len(x), rows):
        part = x[start:start + rows]
        packed = pack_low(cfg, part, bits)
        t_base = first + len(packed) if projects else first
        yield Write(first, packed)
        common = {"step": Step.LOW, "precision": low, "queries": len(part), "blocks": blocks}
        if projects:
            yield Run("project", common | {
                "out_precision": low, "low_q_base": first, "low_k_base": 0, "low_words": x_words, "z_base": t_base,
                "z_stride": t_words, "estimate_shift": predictor.shift_t})
        for (_, shift, base), w in zip(outputs, w_base, strict=True):
            yield Run("transform", common | {
                "out_precision": _PRECISION[predictor.bits], "low_q_base": t_base, "low_k_base": w,
                "low_words": t_words, "z_base": base + start // cfg.block * z_words * parts, "z_stride": z_words,
                "estimate_shift": getattr(predictor, shift)})


def _attend(head, cfg, place):
    """Keys and values, then the queries in parts."""
    predictor, chunks = head.predictor, chunks_of(cfg, head.dim)
    v_base = KEY_BANKS * cfg.bank_words
    words = low_words(cfg, predictor.size, predictor.bits)
    parts = cfg.block // cfg.keys_per_word
    yield Write(0, pack_fx(cfg, head.k).reshape(-1, cfg.units_per_word))
    yield Write(v_base, pack_fx(cfg, head.v).reshape(-1, cfg.units_per_word))
    together = max(cfg.block, QUERIES)
    room = place.room if place.room >= head.queries else place.room // together * together
    if room == 0:
        raise UsageError(f"queries must have room for {together} of them, not for {place.room}")
    for first in range(0, head.queries, room):
        q = head.q[first:first + room]
        yield Write(place.queries, pack_fx(cfg, q).reshape(-1, cfg.units_per_word))
        yield Run("attend", attend_step(head, cfg, queries=place.queries, count=len(q), v_base=v_base,
                                        low_q=place.low_q + first // cfg.block * words * parts, low_k=place.low_k))
        for chunk in range(chunks):
            yield Read(place.queries + chunk * len(q), len(q), first, chunk)


def attend_step(head: Head, cfg: DotaConfig, *, queries: int, count: int, v_base: int, low_q: int, low_k: int) -> dict:
    """Step in which ``count`` queries attend to all keys, which begin at address 0; results take their place."""
    predictor = head.predictor
    half = 1 << cfg.estimate_bits - 1
    threshold = -half if head.threshold is None else head.threshold
    return {
        "step": Step.ATTEND, "precision": _PRECISION[predictor.bits], "queries": count, "keys": head.keys,
        "keep": min(head.keep, head.keys), "threshold": threshold & 0xFFFF, "chunks": chunks_of(cfg, head.dim),
        "shift": 15, "score_shift": head.score_shift, "scale": head.scale, "scale_shift": head.scale_shift,
        "estimate_shift": predictor.shift_s, "q_base": queries, "q_stride": count, "k_base": 0,
        "k_stride": head.keys, "v_base": v_base, "v_stride": head.keys, "z_base": queries, "z_stride": count,
        "low_q_base": low_q, "low_k_base": low_k,
        "low_words": low_words(cfg, predictor.size, predictor.bits), "blocks": 0}
