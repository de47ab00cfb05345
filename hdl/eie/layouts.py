"""Payloads that travel between the units of EIE: one function a format, used by producer, consumer and bench."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.config import EieConfig
from golden.eie.formats import PASS_FIELDS, Mem, mem_bits, mem_words

__all__ = ["access_layout", "broadcast_layout", "check_cfg", "column_layout",
           "command_layout", "element_layout", "entry_layout", "fetched_layout", "memory_signature"]


def check_cfg(cfg):
    """Refuse anything but a configuration of EIE."""
    if not isinstance(cfg, EieConfig):
        raise TypeError(f"cfg must be an EieConfig, not {cfg!r}")
    return cfg


def broadcast_layout(cfg) -> data.StructLayout:
    """A non-zero activation on its way to the PEs.

    .. code-block::

        MSB                                  LSB
        +-----------------+---------------------+
        | value data_bits | column  column_bits |
        +-----------------+---------------------+
    """
    return data.StructLayout({"column": cfg.column_bits, "value": signed(cfg.data_bits)})


def column_layout(cfg) -> data.StructLayout:
    """One column of one PE: its entries are ``start .. end - 1``.

    .. code-block::

        MSB                                                       LSB
        +-----------------+------------------+--------------------+
        | value data_bits | end pointer_bits | start pointer_bits |
        +-----------------+------------------+--------------------+
    """
    return data.StructLayout({"start": cfg.pointer_bits, "end": cfg.pointer_bits, "value": signed(cfg.data_bits)})


def entry_layout(cfg) -> data.StructLayout:
    """One compressed entry with the activation that it is multiplied by.

    .. code-block::

        MSB                                    LSB
        +-----------------+---------+-----+-----+
        | value data_bits | first 1 | v 4 | z 4 |
        +-----------------+---------+-----+-----+
    """
    return data.StructLayout({"z": 4, "v": 4, "first": 1, "value": signed(cfg.data_bits)})


def element_layout(cfg) -> data.StructLayout:
    """Token of the LNZD tree: a non-zero activation, or (``null``) only the end of a scan.

    .. code-block::

        MSB                                                LSB
        +--------+--------+-----------------+------------------+
        | last 1 | null 1 | value data_bits | index index_bits |
        +--------+--------+-----------------+------------------+
    """
    return data.StructLayout({"index": cfg.index_bits, "value": signed(cfg.data_bits), "null": 1, "last": 1})


def command_layout(cfg) -> data.StructLayout:
    """What the sequencer tells all PEs: one-cycle strobes ``scan clear load store`` with their addresses, and
    the settings of the running pass."""
    return data.StructLayout({
        "scan": 1, "clear": 1, "load": 1, "store": 1,
        "base": range(cfg.act_words), "rows": range(cfg.regfile_words + 1),
        "role": 1, "relu": 1, "codebook": range(cfg.codebooks), "shift": range(2 * cfg.data_bits),
    })


def access_layout(cfg) -> data.StructLayout:
    """One word on the bus from the I/O port to the PEs; ``op`` and ``mem`` as in ``golden.eie.formats``.

    ``addr`` and ``wdata`` come one cycle after the other fields, so that a memory is selected a cycle ahead.
    """
    words, bits = mem_words(cfg), mem_bits(cfg)
    inside = [m for m in Mem if m is not Mem.PROGRAM]
    return data.StructLayout({
        "valid": 1, "op": 2, "mem": 4, "every": 1, "pe": cfg.pe_bits,
        "addr": range(max(words[m] for m in inside)), "wdata": max(bits[m] for m in inside),
    })


def memory_signature(cfg, mem: Mem) -> wiring.Signature:
    """Access to one memory of a PE. ``rdata`` follows a read by one cycle."""
    return wiring.Signature({
        "en": Out(1), "write": Out(1), "clear": Out(1), "addr": Out(range(mem_words(cfg)[mem])),
        "wdata": Out(mem_bits(cfg)[mem]), "rdata": In(mem_bits(cfg)[mem]),
    })


def fetched_layout() -> data.StructLayout:
    """A pass as the program reader hands it on."""
    return data.StructLayout({"fields": data.StructLayout(PASS_FIELDS), "last": 1, "illegal": 1})
