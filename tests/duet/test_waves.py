"""Waveform of the golden model: its names are the hardware's, and its values those of the trace."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.duet import interpret, waves
from golden.duet.compiler import compile_network
from golden.duet.formats import TRACE_INPUTS, TRACE_OUTPUTS
from golden.duet.model import Duet as Model
from golden.duet.random_network import random_network, random_recurrent
from hdl.common.emit import emit
from hdl.duet.top import Duet
from sim.common import wavecompare, wavefile
from sim.common.hierarchy import units
from sim.common.waves import format_for
from sim.duet import accelerator
from sim.duet import waves as example
from tests.duet.launch import CONFIGS, TINY, configs

PORTS = range(4)


def test_fields_of_the_trace():
    """Every pin and output is shown, and only what there is; ports follow from the one that has its turn."""
    fields = {field for parts in waves.SIGNALS.values() for field in parts}
    known = {name for name in TRACE_INPUTS | TRACE_OUTPUTS if not name.startswith("pad")}
    folded = {"write_data", "write_map", "write_addr", "write_map_addr"}
    assert fields == known - folded - {"read_port", "write_port"} | set(waves.DERIVED)
    assert set(waves.WHEN) <= set(waves.SIGNALS)


@configs("tiny", "tall", "square", "paper")
def test_every_name_is_a_port_of_the_hardware(cfg):
    """In its place, with its width."""
    design = emit(Duet(cfg), name="duet", cfg=cfg)
    found = {unit.path: unit for unit in units(design).values()}
    for name, width in waves.widths(cfg).items():
        path, _, port = name.rpartition(".")
        unit = found[path]
        text = design.files[f"{unit.module}.v"]
        declared = f"[{width - 1}:0] {port};" if width > 1 else f"put {port};"
        assert port in unit.ports and declared in text, name


def random_trace(rng, cfg, cycles):
    """Any pins, and what the chip may show."""
    pins = Model(cfg).inputs(cycles)
    for name in TRACE_INPUTS:
        if not name.startswith("pad"):
            getattr(pins, name)[:] = rng.integers(0, 2, cycles) if name != "s_data" else rng.integers(
                -1 << 63, (1 << 63) - 1, cycles, endpoint=True)
    most = {"read_port": len(PORTS) + 1, "write_port": len(PORTS) + 1}
    bits = waves._field_bits(cfg)
    return pins, np.stack([rng.integers(0, most.get(name, 1 << min(bits[name], 63)), cycles) for name in TRACE_OUTPUTS],
                          axis=-1)


def test_values(tmp_path):
    """Block after block, fields next to each other; nothing where a field means nothing."""
    rng, cfg = np.random.default_rng(1), TINY
    blocks = [random_trace(rng, cfg, cycles) for cycles in (1, 60, 9)]
    with waves.Waves(tmp_path / "g.vcd", cfg) as file:
        for pins, trace in blocks:
            file.trace(pins, trace)
    wave = wavefile.read(tmp_path / "g.vcd")
    assert wave.cycles == 70
    told = np.concatenate([pins.s_data for pins, _ in blocks])
    shown = np.concatenate([trace for _, trace in blocks])
    for t in range(wave.cycles):
        row = dict(zip(TRACE_OUTPUTS, shown[t].tolist(), strict=True))
        assert wave["duet.s_axis_tdata"].at(t) == int(told[t]) % (1 << 64)
        assert wave["duet.m_axis_tdata"].at(t) == (row["m_data"] if row["m_valid"] else None)
        assert wave["duet.m_axi_araddr"].at(t) == (row["ar_addr"] if row["ar_valid"] else None)
        assert wave["duet.executor.macs"].at(t) == row["macs"]
        assert wave["duet.control.speculate_busy"].at(t) == row["speculates"]
        for kind, turn in ("request", row["read_port"]), ("write", row["write_port"]):
            # Who comes before the port that has its turn offers nothing; who comes after it may.
            offers = [0] * len(PORTS) if turn == 0 else [0] * (turn - 1) + [1] + [None] * (len(PORTS) - turn)
            assert [wave[f"duet.glb.{kind}__{k}__valid"].at(t) for k in PORTS] == offers
        words = [wave[f"duet.glb.request__{k}__payload"].at(t) for k in PORTS]
        word = row["read_map_addr"] << 16 | row["read_addr"]
        assert words == [word if k + 1 == row["read_port"] else None for k in PORTS]


def test_equal_to_the_hardware(tmp_path):
    """An LSTM and a host that pauses: every signal, every cycle; the output is right, too."""
    rng = np.random.default_rng(1)
    network = random_network(rng, (2, 3), [random_recurrent(rng, "lstm", 6, 3, size=4)])
    program = compile_network(network, TINY, "duet")
    files = tmp_path / f"rtl.{format_for()}", tmp_path / "golden.vcd"
    ran = accelerator.simulate(accelerator.build(TINY, format_for()), program, network.inputs, stalls=(0, 1, 0),
                               reply_stalls=(1, 0), waves_file=files[0], golden_waves=files[1])
    np.testing.assert_array_equal(ran.runs[0].output, interpret.run(program, network.inputs)[0][0])
    rtl, golden = map(wavefile.read, files)
    names = list(waves.widths(TINY))
    outcome = wavecompare.compare(*({name: wave[name] for name in names} for wave in (rtl, golden)),
                                  (rtl.cycles, golden.cycles))
    assert sorted(outcome.compared) == sorted(names) and not outcome.differences and not outcome.resized
    assert golden.cycles == ran.checked_cycles
    # Nothing goes wrong, there are no tiles, and both ends of the memory port are always ready for bursts of one beat.
    still = {name for name in names if len(rtl[name].cycles) == 1}
    assert still <= {"duet.io_port.error", "duet.store.saturated", "duet.control.tiles_done", "duet.s_axis_tready",
                     "duet.m_axi_arready", "duet.m_axi_rready", "duet.m_axi_arlen"}


def test_widths():
    assert list(waves.widths(TINY)) == list(waves.SIGNALS)
    assert waves.widths(TINY)["duet.executor.macs"] == 5 and waves.widths(CONFIGS["paper"])["duet.executor.macs"] == 9
    assert waves.widths(CONFIGS["paper"])["duet.m_axi_araddr"] == 41


def test_wrong_file():
    with pytest.raises(UsageError, match=r"^waveform of the golden model must be a file ending in \.vcd, not"):
        waves.Waves("x.fst", TINY)


@pytest.mark.parametrize(("cycles", "busy"), [(300, range(0)), (300, range(5, 290)), (180, range(50, 170))])
def test_picture_needs_a_stage(tmp_path, cycles, busy):
    """A waveform without such a stage, or without the cycles before or after it, is refused."""
    pins, trace = Model(TINY).inputs(cycles), np.zeros((cycles, len(TRACE_OUTPUTS)), np.int64)
    for name in "busy", "executes", "speculates":
        trace[busy, list(TRACE_OUTPUTS).index(name)] = 1
    with waves.Waves(tmp_path / "g.vcd", TINY) as file:
        file.trace(pins, trace)
    with pytest.raises(wavefile.WaveError, match=r"^waveform must hold 192 cycles of a stage in which Executor and "):
        example._first(wavefile.read(tmp_path / "g.vcd"))
