"""The example waveform of ENMC, and its picture: ``python -m sim.waves example enmc``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from golden.enmc.config import PRESETS
from golden.enmc.decoder import CONTROL_FIELDS, tables
from golden.enmc.formats import INSTRUCTION_FIELDS, PHASES, PIN_FIELDS, Function, Op
from golden.enmc.instruction import INSTRUCTION, ORDINARY, QUERY, READ, TAKE, kind_of
from golden.enmc.model import warm_up
from golden.enmc.plan import plan
from golden.enmc.workloads import Workload, random
from sim.common import wavefile, wavepicture
from sim.common.waveexample import Example
from sim.common.wavefile import Track
from sim.common.wavepicture import Row
from sim.common.waves import format_for
from sim.enmc.accelerator import build, simulate

#: The picture: cycles in all, and in a line.
CYCLES, WRAP = 168, 56
#: Room for a whole program, so that the host sends it at once.
CFG = PRESETS["tiny"].replace(instructions=16)
_PIN_BITS, _CONTROL_BITS = sum(PIN_FIELDS.values()), sum(CONTROL_FIELDS.values())
_ACT_N = 2
_OP = INSTRUCTION_FIELDS["a"] + INSTRUCTION_FIELDS["b"]


def _names() -> dict[int, str]:
    """Instructions by the controls that the decoder makes of them."""
    controls = tables(CFG).controls
    return {int(controls[word]): "INIT" if word >> _OP == Op.REGISTER else Op(word >> _OP).name
            for word in np.flatnonzero(controls).tolist()}


def _any(pins: Track, wanted: Callable[[int], bool]) -> Track:
    """1 where some clock of a cycle has the wanted command."""
    slots = [[value >> slot * _PIN_BITS & (1 << _PIN_BITS) - 1 for slot in range(PHASES)] for value in pins.values]
    return Track.of(1, zip(pins.cycles, (int(any(map(wanted, row))) for row in slots), strict=True))


def picture(wave: wavefile.Wave) -> str:
    """A program of one tile: from its first instruction to the RETURN of the records."""
    rank, dispatch = "enmc.rank_0", "enmc.rank_0.controller.dispatch"
    pins, dram, oe = (wave[f"{rank}.{name}"] for name in ("pins", "dram_pins", "dq_oe"))
    sent = {kind: _any(pins, lambda word, kind=kind: kind_of(word) == kind) for kind in (INSTRUCTION, QUERY, TAKE)}
    start = next((cycle for cycle, value in zip(*sent[INSTRUCTION][1:], strict=True) if value), wave.cycles) - 2
    if start < 0 or start + CYCLES > wave.cycles:
        raise wavefile.WaveError(f"waveform must hold {CYCLES} cycles of a program, and {wave.path} does not")
    names = _names()
    rows = [
        Row("host: an instruction", sent[INSTRUCTION]), Row("host: QUERY of the status", sent[QUERY]),
        Row("host: RETURN", sent[TAKE]),
        Row("answer", Track.of(1, zip(oe.cycles, (int(value != 0) for value in oe.values), strict=True))), None,
        Row("decoded, waits its turn", wave[f"{dispatch}.host__payload"].bits(0, _CONTROL_BITS), names,
            when=wave[f"{dispatch}.host__valid"]),
        Row("generated instruction", wave[f"{dispatch}.generated__valid"]), None,
        Row("DRAM: ACT", _any(dram, lambda word: kind_of(word) == ORDINARY and not word & _ACT_N)),
        Row("DRAM: READ", _any(dram, lambda word: kind_of(word) == READ)),
        Row("burst for the screener", wave[f"{rank}.screener.load_valid"]),
        Row("burst for the executor", wave[f"{rank}.executor.load_valid"]), None,
        Row("INT4 MACs", wave[f"{rank}.screener.working"]), Row("FILTER", wave[f"{rank}.screener.filter.busy"]),
        Row("candidate", wave[f"{rank}.screener.o__valid"]),
        Row("FP32 MACs", wave[f"{rank}.executor.working"]), Row("record", wave[f"{rank}.executor.finished"]),
    ]
    return wavepicture.draw(rows, start, start + CYCLES - 1, wrap=WRAP)


def trace(rtl_file: Path, golden_file: Path):
    """Simulate with both waveforms: a tile of 16 classes, an input, two candidates."""
    fields = random(CFG, 1, classes=16, elements=7, size=8, inputs=1, candidates=2, function=Function.NONE)
    what = plan(CFG, Workload(name="example", description="", **fields))
    warm_up()
    simulate(build(CFG, format_for(rtl_file)), CFG, [what.jobs(0)], waves_file=rtl_file, golden_waves=golden_file)


EXAMPLE = Example(trace, picture)
