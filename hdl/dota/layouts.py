"""Payloads that travel between the units of DOTA: one function a format, used by producer, consumer and bench."""

from amaranth import *
from amaranth.lib import data

from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES, SUM_BITS

__all__ = ["check_cfg", "estimate_layout", "mask_layout", "round_layout", "score_layout", "weight_layout"]


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
