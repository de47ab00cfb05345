"""The golden model's waveform: its trace under the names that the hardware's signals have.

:data:`RANK_SIGNALS` is the only place that says which signal of the Verilog is which field of the trace; the comparison
of the two waveforms refuses a name that the hardware does not have. Data pins are left out: many bits, of which most
mean nothing in most cycles; the lockstep compares them.
"""

from pathlib import Path

import numpy as np

from golden.common.vcd import VcdFile, join

from .config import EnmcConfig
from .formats import PHASES, TRACE_RANK, Dest, trace_of
from .rank import RanksInputs

__all__ = ["DERIVED", "RANK_SIGNALS", "WHEN", "Waves", "widths"]

#: Signal of the hardware of rank ``{}``: the fields of inputs and trace that it consists of, low bits first.
RANK_SIGNALS = {
    "enmc.rank_{}.pins": tuple(f"pins_{slot}" for slot in range(PHASES)),
    "enmc.rank_{}.dram_pins": tuple(f"dram_pins_{slot}" for slot in range(PHASES)),
    "enmc.rank_{}.dram_dq_oe": ("dram_oe",), "enmc.rank_{}.dq_oe": ("oe",), "enmc.rank_{}.alert_n": ("alert_n",),
    "enmc.rank_{}.port.query__valid": ("query",), "enmc.rank_{}.port.take": ("take",),
    "enmc.rank_{}.controller.own": ("own",), "enmc.rank_{}.controller.answer": ("answer",),
    "enmc.rank_{}.controller.request__payload": ("addr", "count", "request_write", "request_dest"),
    "enmc.rank_{}.dram.owner": ("owner",), "enmc.rank_{}.dram.busy": ("dram_busy",),
    "enmc.rank_{}.screener.load_valid": ("load_screener",), "enmc.rank_{}.executor.load_valid": ("load_executor",),
    "enmc.rank_{}.screener.working": ("screening",), "enmc.rank_{}.screener.filtered": ("filtered",),
    "enmc.rank_{}.screener.o__payload": ("score", "label", "batch"), "enmc.rank_{}.screener.busy": ("screen_busy",),
    "enmc.rank_{}.executor.working": ("executing",), "enmc.rank_{}.executor.finished": ("finished",),
    "enmc.rank_{}.executor.busy": ("execute_busy",),
}
#: Signals that mean something only while a field is 1.
WHEN = {"enmc.rank_{}.controller.request__payload": "request", "enmc.rank_{}.screener.o__payload": "candidate"}
#: What a rank is told, and what follows from its trace, with widths.
DERIVED = {**{f"pins_{slot}": TRACE_RANK[f"dram_pins_{slot}"] for slot in range(PHASES)},
           "load_screener": 1, "load_executor": 1}


def _field_bits(cfg: EnmcConfig) -> dict[str, int]:
    return TRACE_RANK | DERIVED | {"addr": cfg.burst_bits}


def widths(cfg: EnmcConfig) -> dict[str, int]:
    """Every signal of the waveform with its width [bits]."""
    bits = _field_bits(cfg)
    return {name.format(k): sum(bits[field] for field in fields) for k in range(cfg.ranks)
            for name, fields in RANK_SIGNALS.items()}


class Waves(VcdFile):
    """The waveform of a run, block by block.

    A block begins with what is shown before the clock edge that takes its first inputs; a cycle of a waveform begins
    with that edge. So the very first row, the state after the reset, is not in it, and inputs stand beside what is
    shown after them.

    Parameters
    ----------
    path : Path or str
    cfg : EnmcConfig
    """

    def __init__(self, path: Path | str, cfg: EnmcConfig):
        super().__init__(path, widths(cfg), top="enmc")
        self._cfg, self._bits, self._fields = cfg, _field_bits(cfg), list(trace_of(cfg))
        self._before = None     # the last pins

    def trace(self, inputs: RanksInputs, trace: np.ndarray):
        """Append the cycles of a block of pins; ``trace`` [cycles, ranks, fields]: what the model showed."""
        if self._before is None:
            pins, trace = inputs.pins[:-1], trace[1:]
        else:
            pins = np.concatenate([self._before, inputs.pins[:-1]])
        self._before = inputs.pins[-1:].copy()
        columns, defined = {}, {}
        for k in range(self._cfg.ranks):
            fields = dict(zip(self._fields, trace[:, k].T, strict=True))
            fields |= {f"pins_{slot}": pins[:, k, slot] for slot in range(PHASES)}
            for dest in Dest:
                fields[f"load_{dest.name.lower()}"] = fields["load"] & (fields["load_dest"] == dest)
            for name, parts in RANK_SIGNALS.items():
                columns[name.format(k)] = join(parts, fields, self._bits)
                if name in WHEN:
                    defined[name.format(k)] = fields[WHEN[name]] != 0
        self.block(columns, defined)
