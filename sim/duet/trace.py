"""The probe port of DUET: decoding it in blocks, and comparing a block with the golden model."""

import numpy as np

from golden.duet.formats import TRACE_INPUTS, TRACE_OUTPUTS, VALUE_BITS
from golden.duet.memory_port import beat_bits
from golden.duet.top import DuetInputs
from sim.common.probe import Format, Table, compare, words_of

__all__ = ["HEAD", "check", "decode"]

HEAD = Format(TRACE_INPUTS | TRACE_OUTPUTS)

#: Fields that mean something only while another one is set.
_WHEN = {"m_data": "m_valid", "m_last": "m_valid", "ar_addr": "ar_valid", "ar_len": "ar_valid",
         "read_addr": "read_port", "read_map_addr": "read_port", "write_addr": "write_port",
         "write_map_addr": "write_port", "write_data": "write_port", "write_map": "write_port"}


def decode(cfg, block: list[int]) -> tuple[DuetInputs, np.ndarray]:
    """Split sampled values of the port, one a cycle, into pins and outputs."""
    words = words_of(block, HEAD.words + -(-beat_bits(cfg) // 64))
    head = HEAD.decode(words[:, :HEAD.words])
    pins = dict(zip(HEAD.fields, head.T, strict=True))
    memory = np.ascontiguousarray(words[:, HEAD.words:]).view(np.int16)[:, :beat_bits(cfg) // VALUE_BITS]
    inputs = DuetInputs(**{name: np.ascontiguousarray(pins[name]) for name in DuetInputs._fields if name != "r_data"},
                        r_data=memory.astype(np.int64))
    return inputs, head[:, len(TRACE_INPUTS):]


def check(rtl, golden, first_cycle: int, context: str):
    """Compare two blocks; sim.common.probe.Mismatch shows the first difference."""
    compare("duet", [Table("duet", list(TRACE_OUTPUTS), rtl, golden, _WHEN, ("busy",))], first_cycle, context)
