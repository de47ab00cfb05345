"""The probe port of DOTA: decoding it in blocks, and comparing a block with the golden model."""

import numpy as np

from golden.dota.formats import STEP_FIELDS, TRACE_INPUTS, TRACE_LANE, TRACE_OUTPUTS
from golden.dota.top import DotaInputs, DotaTrace
from sim.common.probe import Format, Table, compare, words_of

__all__ = ["HEAD", "check", "decode"]

HEAD = Format(TRACE_INPUTS | TRACE_OUTPUTS)
LANE = Format(TRACE_LANE)

#: Fields that mean something only while another one is set.
_WHEN_HEAD = {"m_data": "m_valid", "m_last": "m_valid"}
_WHEN_LANE = {"exact_addr": "exact_write", "exact_word": "exact_write", "estimate_addr": "estimate_write",
              "estimate_word": "estimate_write", "owners": "mask", "last": "round", "live": "round",
              **{f"key_{t}": "round" for t in range(4)}}


def decode(cfg, block: list[int]) -> tuple[DotaInputs, DotaTrace]:
    """Split sampled values of the port, one a cycle, into pins and outputs."""
    words = words_of(block, HEAD.words + cfg.lanes * LANE.words)
    head = HEAD.decode(words[:, :HEAD.words])
    pins = dict(zip(HEAD.fields, head.T, strict=True))
    none = {"start": np.zeros(len(block), np.int64), "step": np.zeros(len(STEP_FIELDS), np.int64)}
    inputs = DotaInputs(**none, **{name: np.ascontiguousarray(pins[name]) for name in DotaInputs._fields
                                   if name not in none})
    lanes = LANE.decode(words[:, HEAD.words:].reshape(len(block), cfg.lanes, LANE.words))
    return inputs, DotaTrace(head[:, len(TRACE_INPUTS):], lanes)


def check(rtl: DotaTrace, golden: DotaTrace, first_cycle: int, context: str):
    """Compare two blocks; sim.common.probe.Mismatch shows the first difference."""
    tables = [Table("dota", list(TRACE_OUTPUTS), rtl.outputs, golden.outputs, _WHEN_HEAD, ("busy",))]
    for k in range(rtl.lanes.shape[1]):
        # Keys of queries that idle in a round say nothing.
        live = golden.lanes[:, k, list(TRACE_LANE).index("live")]
        theirs = rtl.lanes[:, k].copy()
        for t in range(4):
            column = list(TRACE_LANE).index(f"key_{t}")
            idle = live >> t & 1 == 0
            theirs[idle, column] = golden.lanes[idle, k, column]
        tables.append(Table(f"lane_{k}", list(TRACE_LANE), theirs, golden.lanes[:, k], _WHEN_LANE,
                            ("exact_busy", "estimate_busy")))
    compare("dota", tables, first_cycle, context)
