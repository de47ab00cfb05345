"""The golden model's waveform: its trace under the names that the hardware's signals have.

:data:`SIGNALS` is the only place that says which signal of the Verilog is which field of the trace; the comparison of
the two waveforms refuses a name that the hardware does not have. Data pins of the memory and what the trace has folded
are left out; the lockstep compares them.
"""

from pathlib import Path

import numpy as np

from golden.common.vcd import VcdFile, join

from .config import DuetConfig
from .formats import TRACE_INPUTS, TRACE_OUTPUTS
from .glb import PORTS
from .top import DuetInputs

__all__ = ["DERIVED", "SIGNALS", "WHEN", "Waves", "widths"]

#: Signal of the hardware: the fields of the trace that it consists of, low bits first.
SIGNALS = {
    "duet.s_axis_tvalid": ("s_valid",), "duet.s_axis_tready": ("s_ready",),
    "duet.s_axis_tdata": ("s_data",), "duet.s_axis_tlast": ("s_last",),
    "duet.m_axis_tvalid": ("m_valid",), "duet.m_axis_tready": ("m_ready",),
    "duet.m_axis_tdata": ("m_data",), "duet.m_axis_tlast": ("m_last",),
    "duet.m_axi_arvalid": ("ar_valid",), "duet.m_axi_arready": ("ar_ready",),
    "duet.m_axi_araddr": ("ar_addr",), "duet.m_axi_arlen": ("ar_len",),
    "duet.m_axi_rvalid": ("r_valid",), "duet.m_axi_rready": ("r_ready",), "duet.m_axi_rlast": ("r_last",),
    "duet.io_port.clear": ("clear",), "duet.io_port.active": ("active",), "duet.io_port.error": ("io_error",),
    "duet.control.busy": ("busy",), "duet.control.execute_busy": ("executes",),
    "duet.control.speculate_busy": ("speculates",), "duet.control.cell_busy": ("cell_works",),
    "duet.control.tiles_done": ("tiles_done",),
    "duet.loader.transfer__valid": ("transfer",), "duet.executor.macs": ("macs",),
    "duet.executor.step_done": ("step_done",), "duet.store.saturated": ("saturated",),
    **{f"duet.glb.{kind}__{k}__valid": (f"{field}_{k}",) for kind, field in (("request", "read"), ("write", "write"))
       for k in range(PORTS)},
    **{f"duet.glb.request__{k}__payload": ("read_addr", "read_map_addr") for k in range(PORTS)},
}
#: Signals that mean something only while a field is 1. Of the global buffer the trace tells the port that has its turn:
#: what those of later turns offer is not known then.
WHEN = {
    "duet.m_axis_tdata": "m_valid", "duet.m_axis_tlast": "m_valid",
    "duet.m_axi_araddr": "ar_valid", "duet.m_axi_arlen": "ar_valid",
    **{f"duet.glb.{kind}__{k}__valid": f"{field}_{k}_known" for kind, field in (("request", "read"), ("write", "write"))
       for k in range(PORTS)},
    **{f"duet.glb.request__{k}__payload": f"read_{k}" for k in range(PORTS)},
}
#: What follows from the trace.
DERIVED = [f"{kind}_{k}" for kind in ("read", "write") for k in range(PORTS)]


def _field_bits(cfg: DuetConfig) -> dict[str, int]:
    changed = {"macs": (cfg.rows * cfg.columns).bit_length(), "ar_addr": 31 + (cfg.word_bits // 8).bit_length()}
    return TRACE_INPUTS | TRACE_OUTPUTS | dict.fromkeys(DERIVED, 1) | changed


def widths(cfg: DuetConfig) -> dict[str, int]:
    """Every signal of the waveform with its width [bits]."""
    bits = _field_bits(cfg)
    return {name: sum(bits[field] for field in fields) for name, fields in SIGNALS.items()}


class Waves(VcdFile):
    """The waveform of a run, block by block.

    Parameters
    ----------
    path : Path or str
    cfg : DuetConfig
    """

    def __init__(self, path: Path | str, cfg: DuetConfig):
        super().__init__(path, widths(cfg), top="duet")
        self._bits = _field_bits(cfg)

    def trace(self, inputs: DuetInputs, trace: np.ndarray):
        """Append the cycles of a block of pins; ``trace`` [cycles, fields]: what the model showed in them."""
        fields = inputs._asdict() | dict(zip(TRACE_OUTPUTS, trace.T, strict=True))
        for kind in ("read", "write"):
            turn = fields[f"{kind}_port"]       # from 1 on; 0: nobody asks
            for k in range(PORTS):
                fields[f"{kind}_{k}"] = turn == k + 1
                fields[f"{kind}_{k}_known"] = (turn == 0) | (turn > k)
        columns = {name: join(parts, fields, self._bits) for name, parts in SIGNALS.items()}
        self.block(columns, {name: fields[when] != 0 for name, when in WHEN.items()})
