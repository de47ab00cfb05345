"""The golden model's waveform: its trace under the names that the hardware's signals have.

:data:`SIGNALS` and :data:`LANE_SIGNALS` are the only place that says which signal of the Verilog is which field of the
trace; the comparison of the two waveforms refuses a name that the hardware does not have.
"""

from pathlib import Path

from golden.common.vcd import VcdFile, join

from . import top
from .config import DotaConfig
from .formats import TRACE_INPUTS, TRACE_LANE, TRACE_OUTPUTS

__all__ = ["LANE_SIGNALS", "SIGNALS", "WHEN", "Waves", "widths"]

#: Signal of the hardware: the fields of the trace that it consists of, low bits first.
SIGNALS = {
    "dota.s_axis_tvalid": ("s_valid",), "dota.s_axis_tready": ("s_ready",),
    "dota.s_axis_tdata": ("s_data",), "dota.s_axis_tlast": ("s_last",),
    "dota.m_axis_tvalid": ("m_valid",), "dota.m_axis_tready": ("m_ready",),
    "dota.m_axis_tdata": ("m_data",), "dota.m_axis_tlast": ("m_last",),
    "dota.io_port.active": ("active",), "dota.io_port.error": ("io_error",), "dota.io_port.busy": ("busy",),
}
#: The same of lane ``{}``.
LANE_SIGNALS = {
    "dota.lane_{}.exact.busy": ("exact_busy",), "dota.lane_{}.exact.port__write": ("exact_write",),
    "dota.lane_{}.exact.port__addr": ("exact_addr",), "dota.lane_{}.exact.send_valid": ("send",),
    "dota.lane_{}.estimate.busy": ("estimate_busy",), "dota.lane_{}.estimate.port__write": ("estimate_write",),
    "dota.lane_{}.estimate.port__addr": ("estimate_addr",), "dota.lane_{}.estimate.o_valid": ("estimated",),
    "dota.lane_{}.scheduler.o__payload": ("key_0", "key_1", "key_2", "key_3", "live", "last"),
}
#: Signals that mean something only while a field is 1.
WHEN = {"dota.m_axis_tdata": "m_valid", "dota.m_axis_tlast": "m_valid",
        "dota.lane_{}.exact.port__addr": "exact_write", "dota.lane_{}.estimate.port__addr": "estimate_write",
        "dota.lane_{}.scheduler.o__payload": "round"}


def _field_bits(cfg: DotaConfig) -> dict[str, int]:
    changed = {"busy": cfg.lanes, "exact_addr": cfg.address_bits, "estimate_addr": cfg.address_bits}
    return TRACE_INPUTS | TRACE_OUTPUTS | TRACE_LANE | changed | {f"key_{t}": cfg.key_bits for t in range(4)}


def widths(cfg: DotaConfig) -> dict[str, int]:
    """Every signal of the waveform with its width [bits]."""
    bits = _field_bits(cfg)
    signals = SIGNALS | {name.format(k): fields for k in range(cfg.lanes) for name, fields in LANE_SIGNALS.items()}
    return {name: sum(bits[field] for field in fields) for name, fields in signals.items()}


class Waves(VcdFile):
    """The waveform of a run, block by block.

    Parameters
    ----------
    path : Path or str
    cfg : DotaConfig
    """

    def __init__(self, path: Path | str, cfg: DotaConfig):
        super().__init__(path, widths(cfg), top="dota")
        self._cfg, self._bits = cfg, _field_bits(cfg)

    def trace(self, inputs: top.DotaInputs, trace: top.DotaTrace):
        """Append the cycles of a block of pins and what the model showed in them."""
        pins = {name: values for name, values in inputs._asdict().items() if name in TRACE_INPUTS}
        fields = pins | dict(zip(TRACE_OUTPUTS, trace.outputs.T, strict=True))
        columns = {name: join(parts, fields, self._bits) for name, parts in SIGNALS.items()}
        defined = {name: fields[WHEN[name]] != 0 for name in SIGNALS if name in WHEN}
        for k in range(self._cfg.lanes):
            lane = dict(zip(TRACE_LANE, trace.lanes[:, k].T, strict=True))
            for name, parts in LANE_SIGNALS.items():
                columns[name.format(k)] = join(parts, lane, self._bits)
                if name in WHEN:
                    defined[name.format(k)] = lane[WHEN[name]] != 0
        self.block(columns, defined)
