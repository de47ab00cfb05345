"""The example waveform of DUET, and its picture: ``python -m sim.waves example duet``."""

from pathlib import Path

import numpy as np

from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.formats import chain_beats
from golden.duet.model import warm_up
from golden.duet.random_network import random_conv, random_network
from hdl.duet.control import State
from hdl.duet.layouts import Load, transfer_layout
from sim.common import wavefile, wavepicture
from sim.common.waveexample import Example
from sim.common.wavepicture import Row
from sim.common.waves import format_for
from sim.duet.accelerator import build, simulate

#: The picture: cycles in all, in a line, and before the scan chain.
CYCLES, WRAP, BEFORE = 192, 64, 2
#: Eight PEs, so that how many work is a digit.
CFG = PRESETS["tiny"].replace(rows=2)
_STATES = {state.value: state.name for state in State}
_LOADS = {Load.INPUT.value: "I", Load.WEIGHT.value: "W"}


def picture(wave: wavefile.Wave) -> str:
    """A stage of the layer pipeline: the Executor computes a convolution, the Speculator works on the next one.

    From the scan chain on, so that a tile is computed and the Speculator takes it beside the tile after it.
    """
    execute, speculate, loader, glb = "duet.executor", "duet.speculator", "duet.loader", "duet.glb"
    first = _first(wave)
    kind = transfer_layout(CFG)["kind"]
    macs = wave[f"{execute}.macs"]
    rows = [
        Row("scan chain: a beat", wave["duet.scan_chain.shift"]),
        Row("stage", wave["duet.control.state"], _STATES, when=wave["duet.control.busy"]), None,
        Row("Executor busy", wave["duet.control.execute_busy"]),
        Row("inputs I, weights W to PEs", wave[f"{loader}.transfer__payload"].bits(kind.offset, kind.width), _LOADS,
            when=wave[f"{loader}.transfer__valid"]),
        Row("tags", wave[f"{execute}.mac_lut.tags__valid"]),
        Row("PEs that issue a MAC", macs, {n: str(n) for n in range(CFG.rows * CFG.columns + 1)}, when=macs),
        Row("step is over", wave[f"{execute}.step_done"]),
        Row("sums of a pixel", wave[f"{execute}.sums__valid"]),
        Row("stores a channel", wave[f"{glb}.write__0__valid"]),
        Row("tiles stored", wave["duet.control.tiles_done"], {n: str(n) for n in range(16)}), None,
        Row("Speculator busy", wave["duet.control.speculate_busy"]),
        Row("fetches a word", wave[f"{glb}.request__0__valid"]),
        Row("window for the adder trees", wave[f"{speculate}.reducer.buffer.r_en"]),
        Row("vector for the systolic array", wave[f"{speculate}.approximator.systolic.i_valid"]),
        Row("word of the switching map", wave[f"{speculate}.store.map_words.o__valid"]),
        Row("channel in its order", wave[f"{speculate}.store.reorder.o__valid"]),
        Row("stores a map or an order", wave[f"{glb}.write__1__valid"]),
    ]
    return wavepicture.draw(rows, first, first + CYCLES - 1, wrap=WRAP)


def _first(wave: wavefile.Wave) -> int:
    """First cycle of the picture: before the jobs of the stage in which both work come."""
    busy, execute, speculate = (wave[f"duet.control.{name}"] for name in ("busy", "execute_busy", "speculate_busy"))
    both = next((c for c in range(wave.cycles) if execute.at(c) and speculate.at(c)), wave.cycles)
    begin = max((c for c, value in zip(busy.cycles, busy.values, strict=True) if value and c <= both), default=0)
    first = begin - chain_beats(CFG) - BEFORE
    if first < 0 or both == wave.cycles or first + CYCLES > wave.cycles:
        raise wavefile.WaveError(f"waveform must hold {CYCLES} cycles of a stage in which Executor and Speculator "
                                 f"work, and {wave.path} does not")
    return first


def trace(rtl_file: Path, golden_file: Path):
    """Simulate with both waveforms: two convolutions on a map of four tiles."""
    rng = np.random.default_rng(1)
    network = random_network(rng, (4, 4, 4), [random_conv(rng, 4, 4, pad=1, size=4),
                                              random_conv(rng, 4, 4, (1, 1), size=4)])
    program = compile_network(network, CFG, "duet")
    warm_up()
    simulate(build(CFG, format_for(rtl_file)), program, network.inputs, waves_file=rtl_file, golden_waves=golden_file)


EXAMPLE = Example(trace, picture)
