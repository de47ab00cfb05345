"""The example waveform of EIE, and its picture: ``python -m sim.waves example eie``."""

from functools import partial
from pathlib import Path

from golden.eie import waves as golden_waves
from golden.eie.compiler import pack
from golden.eie.config import PRESETS
from golden.eie.model import warm_up
from golden.eie.workloads import load
from hdl.eie.layouts import broadcast_layout, column_layout, entry_layout
from sim.common import wavefile, wavepicture
from sim.common.waveexample import Example
from sim.common.wavepicture import Row
from sim.common.waves import format_for
from sim.eie.accelerator import build, simulate

#: The picture: cycles in all, and in a line.
CYCLES, WRAP = 60, 30
CFG = PRESETS["tiny"]
WORKLOAD = "saturating"


def picture(wave: wavefile.Wave, cfg) -> str:
    """The first cycles of the first program: sequencer, broadcast, and the stations of PE 0."""
    state = wave[golden_waves.STATE]
    names = golden_waves.STATE_NAMES
    start = next((cycle for cycle, value in zip(state.cycles, state.values, strict=True) if names[value] != "IDLE"),
                 None)
    if start is None or start + CYCLES > wave.cycles:
        raise wavefile.WaveError(f"waveform must hold {CYCLES} cycles of a program, and {wave.path} does not")

    def part(label, port, layout, name, when):
        field = layout[name]
        return Row(label, wave[port].bits(field.offset, field.width), when=wave[when])

    def stream(unit, layout, fields):
        return [part(label, f"eie.{unit}__payload", layout, name, f"eie.{unit}__valid")
                for name, label in fields.items()]

    push = "eie.ccu.push"
    rows = [
        Row("sequencer: state", state, names),
        Row("all queues have room for", wave["eie.ccu.sequencer.room"], {0b00: "0", 0b01: "1", 0b11: "2"}),
        part("broadcast: column", "eie.ccu.broadcast", broadcast_layout(cfg), "column", push),
        part("value", "eie.ccu.broadcast", broadcast_layout(cfg), "value", push), None,
        *stream("pe_0.queue.o", broadcast_layout(cfg), {"column": "PE 0: queue: column"}),
        *stream("pe_0.pointer_read.o", column_layout(cfg), {"start": "pointers: start", "end": "end"}),
        *stream("pe_0.arithmetic.i", entry_layout(cfg), {"v": "entry: v", "z": "z"}),
        *(Row(label, wave[f"eie.pe_0.arithmetic.{port}"], when=wave["eie.pe_0.arithmetic.w_en"])
          for port, label in (("w_row", "write: row"), ("w_value", "value"))),
    ]
    return wavepicture.draw(rows, start, start + CYCLES - 1, wrap=WRAP)


def trace(rtl_file: Path, golden_file: Path):
    """Simulate with both waveforms."""
    work = load(WORKLOAD, CFG, 1)
    warm_up()
    simulate(build(CFG, format_for(rtl_file)), pack(work.layers, CFG), work.activations, waves_file=rtl_file,
             golden_waves=golden_file)


EXAMPLE = Example(trace, partial(picture, cfg=CFG))
