"""Waveform of the golden model: its names are the hardware's, and its values those of the trace."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.dota import waves
from golden.dota.formats import QUERIES, TRACE_INPUTS, TRACE_LANE, TRACE_OUTPUTS
from golden.dota.model import Dota as Model
from golden.dota.top import DotaTrace
from hdl.common.emit import emit
from hdl.dota.top import Dota
from sim.common import wavefile
from sim.common.hierarchy import units
from tests.dota.launch import CONFIGS, TINY, configs

TWO_LANES = TINY.replace(lanes=2)


def test_fields_of_the_trace():
    """Every pin and output is shown, and only what there is. What a lane shows folded is in no signal."""
    fields = [field for parts in waves.SIGNALS.values() for field in parts]
    known = {name for name in TRACE_INPUTS | TRACE_OUTPUTS if not name.startswith("pad")}
    assert set(fields) == known - {"clear", "saturated"} and len(set(fields)) == len(fields)
    fields = [field for parts in waves.LANE_SIGNALS.values() for field in parts]
    folded = {"exact_word", "estimate_word", "owners", "mask", "round", "fire", "low_fire", "pad"}
    assert set(fields) == set(TRACE_LANE) - folded and len(set(fields)) == len(fields)
    assert set(waves.WHEN) <= set(waves.SIGNALS) | set(waves.LANE_SIGNALS)
    assert set(waves.WHEN.values()) <= known | set(TRACE_LANE)


@configs("tiny", "small", "tall")
def test_every_name_is_a_port_of_the_hardware(cfg):
    """In its place, with its width."""
    design = emit(Dota(cfg), name="dota", cfg=cfg)
    found = {unit.path: unit for unit in units(design).values()}
    for name, width in waves.widths(cfg).items():
        path, _, port = name.rpartition(".")
        unit = found[path.replace(f".lane_{cfg.lanes - 1}", ".lane_0")]
        text = design.files[f"{unit.module}.v"]
        declared = f"[{width - 1}:0] {port};" if width > 1 else f"put {port};"
        assert port in unit.ports and declared in text, name


def random_trace(rng, cfg, cycles):
    """Any pins, and what a lane and the chip may show."""
    pins = Model(cfg).inputs(cycles)
    for name in TRACE_INPUTS:
        if not name.startswith("pad"):
            getattr(pins, name)[:] = rng.integers(0, 2, cycles) if name != "s_data" else rng.integers(
                -1 << 63, (1 << 63) - 1, cycles, endpoint=True)
    bits = waves._field_bits(cfg)

    def values(fields, *shape):
        return np.stack([rng.integers(0, 1 << min(bits[name], 63), shape) for name in fields], axis=-1)

    return pins, DotaTrace(values(TRACE_OUTPUTS, cycles), values(TRACE_LANE, cycles, cfg.lanes))


def test_values(tmp_path):
    """Block after block, fields next to each other; nothing where a field means nothing."""
    rng, cfg = np.random.default_rng(1), TWO_LANES
    blocks = [random_trace(rng, cfg, cycles) for cycles in (1, 30, 9)]
    with waves.Waves(tmp_path / "g.vcd", cfg) as file:
        for pins, trace in blocks:
            file.trace(pins, trace)
    wave = wavefile.read(tmp_path / "g.vcd")
    assert wave.cycles == 40
    t = 0
    for pins, trace in blocks:
        for i in range(len(pins.clear)):
            outputs = dict(zip(TRACE_OUTPUTS, trace.outputs[i].tolist(), strict=True))
            assert wave["dota.s_axis_tdata"].at(t) == int(pins.s_data[i]) % (1 << 64)
            assert wave["dota.io_port.busy"].at(t) == outputs["busy"]
            assert wave["dota.m_axis_tdata"].at(t) == (outputs["m_data"] if outputs["m_valid"] else None)
            for k in range(cfg.lanes):
                lane = dict(zip(TRACE_LANE, trace.lanes[i, k].tolist(), strict=True))
                word = lane["last"] << 4 | lane["live"]
                for query in reversed(range(QUERIES)):
                    word = word << cfg.key_bits | lane[f"key_{query}"]
                shown = wave[f"dota.lane_{k}.scheduler.o__payload"].at(t)
                assert shown == (word if lane["round"] else None)
                assert wave[f"dota.lane_{k}.exact.busy"].at(t) == lane["exact_busy"]
            t += 1


def test_widths():
    names = waves.widths(TWO_LANES)
    assert len(names) == len(waves.SIGNALS) + 2 * len(waves.LANE_SIGNALS)
    assert names["dota.lane_1.scheduler.o__payload"] == 4 * TWO_LANES.key_bits + 5
    assert waves.widths(CONFIGS["paper"])["dota.io_port.busy"] == 4


def test_wrong_file():
    with pytest.raises(UsageError, match=r"^waveform of the golden model must be a file ending in \.vcd, not"):
        waves.Waves("x.fst", TINY)
