"""The probe port of EIE: decoding it in blocks, and comparing a block with the golden model."""

import numpy as np

from golden.eie import sequencer
from golden.eie.formats import TRACE_INPUTS, TRACE_OUTPUTS, trace_pe_bits
from golden.eie.top import EieInputs, EieTrace

__all__ = ["Mismatch", "compare", "decode", "trace_bytes"]

_HEAD = TRACE_INPUTS | TRACE_OUTPUTS
_HEAD_BYTES = sum(_HEAD.values()) // 8
_LSB = dict(zip(_HEAD, np.cumsum([0, *_HEAD.values()]).tolist(), strict=False))

#: Outputs that mean something only while another one is set.
_WHEN = {"m_data": "m_valid", "m_last": "m_valid", "column": "push", "value": "push"}


class Mismatch(AssertionError):
    """RTL and golden model differ."""


def trace_bytes(cfg) -> int:
    """Width of the probe port [bytes]."""
    return _HEAD_BYTES + cfg.n_pe * trace_pe_bits(cfg) // 8


def field(value: int, name: str) -> int:
    """One field of the head of a sampled trace."""
    return value >> _LSB[name] & (1 << _HEAD[name]) - 1


def decode(cfg, block: list[int]) -> tuple[EieInputs, EieTrace]:
    """Split sampled values of the port, one a cycle, into pins and outputs."""
    size = trace_bytes(cfg)
    raw = np.frombuffer(b"".join(value.to_bytes(size, "little") for value in block), np.uint8).reshape(-1, size)
    words = np.ascontiguousarray(raw[:, :_HEAD_BYTES]).view("<i8")

    def column(name):
        word, shift = divmod(_LSB[name], 64)
        width = _HEAD[name]
        return words[:, word] if width == 64 else words[:, word] >> shift & (1 << width) - 1

    inputs = EieInputs(**{name: np.ascontiguousarray(column(name)) for name in EieInputs._fields})
    outputs = np.stack([column(name) for name in TRACE_OUTPUTS], axis=1)
    value_column = list(TRACE_OUTPUTS).index("value")
    outputs[:, value_column] = outputs[:, value_column].astype(np.int32)
    records = np.ascontiguousarray(raw[:, _HEAD_BYTES:]).view("<u2").reshape(len(block), cfg.n_pe, -1)
    value = records[:, :, 1].astype(np.int64)
    if records.shape[2] == 3:
        value |= records[:, :, 2].astype(np.int64) << 16
    sign = 1 << cfg.data_bits - 1
    value = (value & 2 * sign - 1 ^ sign) - sign
    valid = (records[:, :, 0] & 1).astype(np.uint8)
    return inputs, EieTrace(outputs, valid, (records[:, :, 0] >> 1).astype(np.int16), value.astype(np.int32))


def compare(rtl: EieTrace, golden: EieTrace, first_cycle: int, context: str):
    """Check that two blocks are equal wherever they are defined.

    Raises
    ------
    Mismatch
        Names the first cycle that differs, what differs in it, and shows the cycles before.
    """
    names = list(TRACE_OUTPUTS)
    differs = rtl.outputs != golden.outputs
    for name, condition in _WHEN.items():
        differs[:, names.index(name)] &= golden.outputs[:, names.index(condition)] != 0
    both = (rtl.valid & golden.valid) != 0
    pe_differs = (rtl.valid != golden.valid) | (both & ((rtl.row != golden.row) | (rtl.value != golden.value)))
    bad = differs.any(axis=1) | pe_differs.any(axis=1)
    if not bad.any():
        return
    t = int(bad.argmax())
    what = [names[i] for i in np.flatnonzero(differs[t])] + [f"PE {k}" for k in np.flatnonzero(pe_differs[t])]
    lines = [f"eie: {', '.join(what[:8])} differ in cycle {first_cycle + t} ({context})"]
    for cycle in range(max(0, t - 5), t + 1):
        lines.append(f"  cycle {first_cycle + cycle}:")
        shown = np.flatnonzero(pe_differs[t])[:4]
        for side, trace in ("rtl   ", rtl), ("golden", golden):
            head = {name: int(trace.outputs[cycle, i]) for i, name in enumerate(names)
                    if not name.startswith("pad") and (differs[t, i] or name in ("state", "number", "push", "column"))}
            head["state"] = STATES.get(head["state"], head["state"])
            pes = {f"PE {k}": (int(trace.row[cycle, k]), int(trace.value[cycle, k])) if trace.valid[cycle, k] else None
                   for k in shown}
            lines.append(f"    {side} {head | pes}")
    raise Mismatch("\n".join(lines))


#: Names of the sequencer's states, for failure texts.
STATES = {getattr(sequencer, name): name for name in ("IDLE", "DISPATCH", "RUN", "BIAS", "DRAIN", "STORE")}
