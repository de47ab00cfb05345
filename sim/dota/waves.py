"""The example waveform of DOTA, and its picture: ``python -m sim.waves example dota``."""

from pathlib import Path

from golden.dota.compiler import plan_head
from golden.dota.config import PRESETS
from golden.dota.formats import QUERIES
from golden.dota.model import warm_up
from golden.dota.workloads import load
from sim.common import wavefile, wavepicture
from sim.common.waveexample import Example
from sim.common.wavepicture import Row
from sim.common.waves import format_for
from sim.dota.accelerator import build, simulate

#: The picture: cycles in all, and in a line.
CYCLES, WRAP = 96, 32
CFG = PRESETS["tiny"]
WORKLOAD = "fig-7-15"
_EXACT = dict(enumerate(("IDLE", "GROUP", "LOAD", "RUN", "DRAIN", "SEND")))
_ESTIMATE = dict(enumerate(("IDLE", "GROUP", "STATIONARY", "STREAM", "FLUSH", "PACK")))
_KINDS = dict(enumerate(("SCORE", "SUM", "DENSE")))


def picture(wave: wavefile.Wave) -> str:
    """Attention of the first group: estimate, mask, rounds, scores and sums."""
    lane = "dota.lane_0"
    busy = wave[f"{lane}.exact.busy"]
    start = next((cycle for cycle, value in zip(busy.cycles, busy.values, strict=True) if value), None)
    if start is None or start + CYCLES > wave.cycles:
        raise wavefile.WaveError(f"waveform must hold {CYCLES} cycles of attention, and {wave.path} does not")
    bits = CFG.key_bits
    rounds, when = wave[f"{lane}.scheduler.o__payload"], wave[f"{lane}.scheduler.o__valid"]
    rows = [
        Row("estimate: state", wave[f"{lane}.estimate.state"], _ESTIMATE),
        Row("scores for the detector", wave[f"{lane}.estimate.o_valid"]),
        Row("mask, a word", wave[f"{lane}.detector.o__payload"], when=wave[f"{lane}.detector.o__valid"]), None,
        *(Row(f"rounds: key of query {t + 1}", rounds.bits(bits * t, bits), when=when) for t in range(QUERIES)), None,
        Row("exact: state", wave[f"{lane}.exact.state"], _EXACT),
        Row("works on", wave[f"{lane}.exact.kind"], _KINDS),
        Row("reads of the banks", wave[f"{lane}.fetch.gather_en"]),
        Row("result, address", wave[f"{lane}.exact.port__addr"], when=wave[f"{lane}.exact.port__write"]),
    ]
    return wavepicture.draw(rows, start, start + CYCLES - 1, wrap=WRAP)


def trace(rtl_file: Path, golden_file: Path):
    """Simulate with both waveforms."""
    plans = [plan_head(head, CFG) for head in load(WORKLOAD, CFG, 1).heads]
    warm_up()
    simulate(build(CFG, format_for(rtl_file)), CFG, plans, waves_file=rtl_file, golden_waves=golden_file)


EXAMPLE = Example(trace, picture)
