"""The golden model's waveform: its trace under the names that the hardware's signals have.

:data:`SIGNALS` and :data:`PE_SIGNALS` are the only place that says which signal of the Verilog is which field of the
trace; the comparison of the two waveforms refuses a name that the hardware does not have.
"""

from pathlib import Path

from golden.common.vcd import VcdFile, join

from . import sequencer, top
from .config import EieConfig
from .formats import TRACE_INPUTS, TRACE_OUTPUTS, TRACE_PE
from .model import BLOCK, Eie, Run
from .registers import registers

__all__ = ["PE_SIGNALS", "SIGNALS", "STATE", "STATE_NAMES", "WHEN", "Waves", "run_traced", "widths"]

#: State of the central unit, and what its values are called.
STATE = "eie.ccu.sequencer.state"
STATE_NAMES = {getattr(sequencer, name): name for name in ("IDLE", "DISPATCH", "RUN", "BIAS", "DRAIN", "STORE")}

#: The status register's fields; ``running`` is a state other than IDLE.
_STATUS = tuple(field.name for register in registers(EieConfig()) if register.name == "status"
                for field in register.fields)

#: Signal of the hardware: the fields of the trace that it consists of, low bits first.
SIGNALS = {
    "eie.s_axis_tvalid": ("s_valid",), "eie.s_axis_tready": ("s_ready",),
    "eie.s_axis_tdata": ("s_data",), "eie.s_axis_tlast": ("s_last",),
    "eie.m_axis_tvalid": ("m_valid",), "eie.m_axis_tready": ("m_ready",),
    "eie.m_axis_tdata": ("m_data",), "eie.m_axis_tlast": ("m_last",),
    "eie.ccu.start": ("start",), "eie.ccu.clear": ("clear",), "eie.ccu.length": ("length",),
    "eie.ccu.status": _STATUS, "eie.ccu.number": ("number",), STATE: ("state",),
    "eie.ccu.push": ("push",), "eie.ccu.broadcast": ("column", "value"),
}
#: The same of PE ``{}``, from the record of its architectural write.
PE_SIGNALS = {"eie.pe_{}.arithmetic.w_en": "valid", "eie.pe_{}.arithmetic.w_row": "row",
              "eie.pe_{}.arithmetic.w_value": "value"}
#: Signals that mean something only while a field is 1.
WHEN = {"eie.m_axis_tdata": "m_valid", "eie.m_axis_tlast": "m_valid", "eie.ccu.broadcast": "push",
        "eie.pe_{}.arithmetic.w_row": "valid", "eie.pe_{}.arithmetic.w_value": "valid"}


def _field_bits(cfg: EieConfig) -> dict[str, int]:
    fields = TRACE_INPUTS | TRACE_OUTPUTS | dict.fromkeys(_STATUS, 1)
    return fields | {"column": cfg.column_bits, "value": cfg.data_bits}


def widths(cfg: EieConfig) -> dict[str, int]:
    """Every signal of the waveform with its width [bits]."""
    bits = _field_bits(cfg)
    of_pe = TRACE_PE | {"row": cfg.row_bits, "value": cfg.data_bits}
    return ({name: sum(bits[field] for field in fields) for name, fields in SIGNALS.items()}
            | {name.format(k): of_pe[field] for k in range(cfg.n_pe) for name, field in PE_SIGNALS.items()})


class Waves(VcdFile):
    """The waveform of a run, block by block.

    Parameters
    ----------
    path : Path or str
    cfg : EieConfig
    """

    def __init__(self, path: Path | str, cfg: EieConfig):
        super().__init__(path, widths(cfg), top="eie")
        self._cfg, self._bits = cfg, _field_bits(cfg)

    def trace(self, inputs: top.EieInputs, trace: top.EieTrace):
        """Append the cycles of a block of pins and what the model showed in them."""
        fields = inputs._asdict() | dict(zip(TRACE_OUTPUTS, trace.outputs.T, strict=True))
        fields["running"] = fields["state"] != sequencer.IDLE
        columns = {name: join(parts, fields, self._bits) for name, parts in SIGNALS.items()}
        defined = {name: fields[when] != 0 for name, when in WHEN.items() if name in SIGNALS}
        for k in range(self._cfg.n_pe):
            for name, field in PE_SIGNALS.items():
                columns[name.format(k)] = getattr(trace, field)[:, k]
                if name in WHEN:
                    defined[name.format(k)] = getattr(trace, WHEN[name])[:, k] != 0
        self.block(columns, defined)


def run_traced(model: Eie, image, activations, waves: Waves) -> Run:
    """As ``model.run(image, activations)``, and every cycle of it goes into the waveform."""
    model.put(image, activations)
    x, y = model.inputs(BLOCK), model.trace(BLOCK)
    x.start[0], x.clear[0], x.length[0] = 1, 1, len(image.program)
    ran = top.advance(model.state, x, y, 0, 1, False)
    while ran:
        waves.trace(_first(x, ran), _first(y, ran))
        x.start[0] = x.clear[0] = 0
        ran = top.advance(model.state, x, y, 0, BLOCK, True)
    waves.trace(_first(x, 1), model.step(_first(x, 1)))     # one idle cycle, which shows that it has ended
    if model.state.sequencer.program_error[0]:
        raise RuntimeError(f"pass {int(model.state.sequencer.number[0])} of the program was refused")
    return model.result(image)


def _first(block, cycles):
    return type(block)(*(array[:cycles] for array in block))
