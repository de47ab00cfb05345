"""Payloads that travel between the units of DOTA: one function a format, used by producer, consumer and bench."""

from amaranth import *
from amaranth.lib import data

from golden.dota.config import DotaConfig
from golden.dota.formats import MOST_CHUNKS, QUERIES, STEP_FIELDS, SUM_BITS

__all__ = ["arrival_layout", "check_cfg", "estimate_layout", "mask_layout", "operand_layout", "request_layout",
           "round_layout", "score_layout", "step_layout", "weight_layout"]


def check_cfg(cfg):
    """Refuse anything but a configuration of DOTA."""
    if not isinstance(cfg, DotaConfig):
        raise TypeError(f"cfg must be a DotaConfig, not {cfg!r}")
    return cfg


def estimate_layout(cfg) -> data.StructLayout:
    """Estimated scores of a block of keys with the four queries of a group.

    ``scores`` are [block][queries], key 0 lowest, and in it query 1 lowest.

    .. code-block::

        MSB                                       LSB
        +--------+----------------------------------+
        | last 1 | scores block * 4 * estimate_bits |
        +--------+----------------------------------+
    """
    return data.StructLayout({"scores": data.ArrayLayout(signed(cfg.estimate_bits), cfg.block * QUERIES), "last": 1})


def mask_layout(cfg) -> data.StructLayout:
    """Connections of a block of keys: for each key the queries that chose it, query 1 in the highest of its four bits.

    .. code-block::

        MSB                           LSB
        +--------+----------------------+
        | last 1 | owners block * 4     |
        +--------+----------------------+
    """
    return data.StructLayout({"owners": data.ArrayLayout(QUERIES, cfg.block), "last": 1})


def round_layout(cfg) -> data.StructLayout:
    """A round: one key for each query that is ``live``; query 1 has index 0 and the lowest bit.

    .. code-block::

        MSB                                LSB
        +--------+--------+------------------+
        | last 1 | live 4 | keys 4 * key_bits |
        +--------+--------+------------------+
    """
    return data.StructLayout({"keys": data.ArrayLayout(cfg.key_bits, QUERIES), "live": QUERIES, "last": 1})


def score_layout(_cfg) -> data.StructLayout:
    """Dot products of one round, before they are rounded; query 1 lowest.

    .. code-block::

        MSB                          LSB
        +--------+--------+------------+
        | last 1 | live 4 | dots 4 * 48 |
        +--------+--------+------------+
    """
    return data.StructLayout({"dots": data.ArrayLayout(signed(SUM_BITS), QUERIES), "live": QUERIES, "last": 1})


def weight_layout(_cfg) -> data.StructLayout:
    """Attention weights of one round, in units of 2**-15; those of idle queries are 0; query 1 lowest.

    .. code-block::

        MSB                        LSB
        +--------+-------------------+
        | last 1 | weights 4 * 15    |
        +--------+-------------------+
    """
    return data.StructLayout({"weights": data.ArrayLayout(15, QUERIES), "last": 1})


def request_layout(cfg) -> data.StructLayout:
    """Vectors that a round needs: one of the key or value banks for each query that is ``live``.

    ``addr`` is a word's address inside its four banks. ``first`` and ``end``: the request begins and ends a dot product
    (or begins a weighted sum); ``last``: of this run. ``chunk`` is the word of the query vectors that it meets,
    ``element`` the element of it that it is weighted by in a linear layer, where ``other`` is the address of the word
    for the second half of the array; ``weights`` weigh values. Query 1 lowest.
    """
    addr = (4 * cfg.bank_words - 1).bit_length()
    return data.StructLayout({
        "addr": data.ArrayLayout(addr, QUERIES), "live": QUERIES, "weights": data.ArrayLayout(15, QUERIES),
        "first": 1, "end": 1, "last": 1, "chunk": (MOST_CHUNKS - 1).bit_length(),
        "element": (cfg.vector - 1).bit_length(), "other": addr,
    })


def operand_layout(cfg) -> data.StructLayout:
    """What stands at the operands of the exact half in this cycle; fields as in :func:`request_layout`.

    Query t takes the word of bank ``bank[t]`` if bit t of ``take`` is set, and with ``fire`` the array works.
    """
    return data.StructLayout({
        "take": QUERIES, "bank": data.ArrayLayout(2, QUERIES), "fire": 1, "other_bank": 2, "live": QUERIES,
        "weights": data.ArrayLayout(15, QUERIES), "first": 1, "end": 1, "last": 1,
        "element": (cfg.vector - 1).bit_length(),
    })


def step_layout() -> data.StructLayout:
    """A step of a lane; the fields are those of ``golden.dota.formats.STEP_FIELDS``."""
    return data.StructLayout(STEP_FIELDS)


def arrival_layout(cfg) -> data.StructLayout:
    """What a word from the SRAM is for that arrives at the lower half of the array in this cycle.

    ``loads``: units of the rows ``part`` of the group, from row ``key`` of the word on, become stationary in slot
    ``slot``; ``streams``: units of the rows ``part`` of a block. The word is number ``word`` of ``words`` of this fire.
    """
    return data.StructLayout({
        "loads": 1, "streams": 1, "part": range(max(QUERIES, cfg.block // cfg.keys_per_word)),
        "word": range(cfg.columns), "words": range(cfg.columns + 1), "slot": 2,
        "key": range(max(2, cfg.keys_per_word)), "fire": 1, "first": 1,
    })
