"""Waveform of the golden model: its names are the hardware's, and its values those of the trace."""

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.enmc import waves
from golden.enmc.formats import PHASES, TRACE_RANK, Dest, trace_of
from golden.enmc.rank import RanksInputs
from hdl.common.emit import emit
from hdl.enmc.dimm import Dimm
from sim.common import wavecompare, wavefile
from sim.common.hierarchy import units
from sim.common.waves import format_for
from sim.enmc import accelerator
from sim.enmc import waves as example
from tests.enmc.launch import CONFIGS, TINY, configs
from tests.enmc.runs import check, random_plan

TWO = TINY.replace(ranks=2)


def test_fields_of_the_trace():
    """Every field is shown, and only what there is; data pins are not, and of ``load`` what follows from it."""
    fields = [field for parts in waves.RANK_SIGNALS.values() for field in parts]
    known = {name for name in TRACE_RANK if not name.startswith("pad")} - {"load", "load_dest", "request", "candidate"}
    assert set(fields) == known | set(waves.DERIVED) and len(set(fields)) == len(fields)
    assert set(waves.WHEN) <= set(waves.RANK_SIGNALS) and set(waves.WHEN.values()) == {"request", "candidate"}


@configs("tiny", "middle", "paper")
def test_every_name_is_a_port_of_the_hardware(cfg):
    """In its place, with its width."""
    design = emit(Dimm(cfg), name="enmc", cfg=cfg)
    found = {unit.path: unit for unit in units(design).values()}
    for name, width in waves.widths(cfg).items():
        path, _, port = name.rpartition(".")
        unit = found[path]
        text = design.files[f"{unit.module}.v"]
        declared = f"[{width - 1}:0] {port};" if width > 1 else f"put {port};"
        assert port in unit.ports and declared in text, name


def random_trace(rng, cfg, cycles):
    """Any pins, and what ranks may show."""
    fields = {name: bits if name != "addr" else cfg.burst_bits for name, bits in trace_of(cfg).items()}
    trace = np.stack([rng.integers(0, 1 << min(bits, 63), (cycles, cfg.ranks)) for bits in fields.values()], axis=-1)
    pins = rng.integers(0, 1 << 23, (cycles, cfg.ranks, PHASES))
    dq = np.zeros((cycles, PHASES, cfg.phase_words), np.int64)
    return RanksInputs(pins, dq, np.zeros((cycles, cfg.ranks, PHASES, cfg.phase_words), np.int64)), trace


def test_values(tmp_path):
    """Block after block, fields next to each other; nothing where a field means nothing, and no state of reset."""
    rng, cfg = np.random.default_rng(1), TWO
    blocks = [random_trace(rng, cfg, cycles) for cycles in (2, 30, 9, 1)]
    with waves.Waves(tmp_path / "g.vcd", cfg) as file:
        for inputs, trace in blocks:
            file.trace(inputs, trace)
    wave = wavefile.read(tmp_path / "g.vcd")
    shown, told = np.concatenate([trace for _, trace in blocks]), np.concatenate([x.pins for x, _ in blocks])
    assert wave.cycles == len(shown) - 1
    names = list(trace_of(cfg))
    for t in range(wave.cycles):
        for k in range(cfg.ranks):
            row, rank = dict(zip(names, shown[t + 1, k].tolist(), strict=True)), f"enmc.rank_{k}"
            assert wave[f"{rank}.pins"].at(t) == sum(int(told[t, k, slot]) << 23 * slot for slot in range(PHASES))
            assert wave[f"{rank}.dram_pins"].at(t) == sum(row[f"dram_pins_{slot}"] << 23 * slot
                                                          for slot in range(PHASES))
            assert wave[f"{rank}.controller.answer"].at(t) == row["answer"]
            candidate = row["batch"] << 56 | row["label"] << 32 | row["score"]
            assert wave[f"{rank}.screener.o__payload"].at(t) == (candidate if row["candidate"] else None)
            request = row["addr"] | (row["count"] | (row["request_write"] | row["request_dest"] << 1) << 16
                                     ) << cfg.burst_bits
            assert wave[f"{rank}.controller.request__payload"].at(t) == (request if row["request"] else None)
            for dest, unit in (Dest.SCREENER, "screener"), (Dest.EXECUTOR, "executor"):
                assert wave[f"{rank}.{unit}.load_valid"].at(t) == (row["load"] and row["load_dest"] == dest)


def test_equal_to_the_hardware(tmp_path):
    """Two batches through the pins of a host that pauses: every signal, every cycle; the answers are right, too."""
    what = random_plan(TINY, classes=20, elements=5, size=3, inputs=3, candidates=3)
    files = tmp_path / f"rtl.{format_for()}", tmp_path / "golden.vcd"
    ran = accelerator.simulate(accelerator.build(TINY, format_for()), TINY, [what.jobs(n) for n in range(what.batches)],
                               ports=True, stalls=(0, 1, 0), waves_file=files[0], golden_waves=files[1])
    check(what, ran.runs)
    rtl, golden = map(wavefile.read, files)
    names = list(waves.widths(TINY))
    outcome = wavecompare.compare(*({name: wave[name] for name in names} for wave in (rtl, golden)),
                                  (rtl.cycles, golden.cycles))
    assert sorted(outcome.compared) == sorted(names) and not outcome.differences and not outcome.resized
    assert golden.cycles == ran.checked_cycles - 1
    moved = [name for name in names if len(rtl[name].cycles) > 1]
    assert set(names) - set(moved) == {"enmc.rank_0.alert_n"}
    # Events of the model come back to the caller.
    assert {"softmax", "exact"} <= ran.seen["generator"] and "granted" in ran.seen["dram_controller"]


def test_pauses_take_time():
    """A host that pauses takes longer, and gets the same."""
    what = random_plan(TINY, classes=20, elements=5, size=3, inputs=1, candidates=3)
    fast, slow = (accelerator.simulate(accelerator.build(TINY), TINY, [what.jobs(0)], stalls=stalls)
                  for stalls in ((), (0, 1)))
    assert slow.checked_cycles > fast.checked_cycles
    np.testing.assert_array_equal(slow.runs[0][0].records, fast.runs[0][0].records)


def test_widths():
    names = waves.widths(TWO)
    assert len(names) == 2 * len(waves.RANK_SIGNALS)
    assert names["enmc.rank_1.controller.request__payload"] == TWO.burst_bits + 18
    assert waves.widths(CONFIGS["paper"])["enmc.rank_0.pins"] == 69


def test_wrong_file():
    with pytest.raises(UsageError, match=r"^waveform of the golden model must be a file ending in \.vcd, not"):
        waves.Waves("x.fst", TINY)


def test_names_of_instructions():
    """The picture calls what the decoder makes of an instruction by its name."""
    assert set(example._names().values()) == {
        "INIT", "LDR", "STR", "MOVE", "FILTER", "SIGMOID", "SOFTMAX", "BARRIER", "NOP", "CLR",
        *(f"{name}_{kind}" for name in ("ADD", "MUL", "MUL_ADD") for kind in ("INT4", "FP32"))}


def test_picture_needs_a_program(tmp_path):
    """A waveform in which no instruction comes is refused."""
    with waves.Waves(tmp_path / "g.vcd", TINY) as file:
        inputs, trace = random_trace(np.random.default_rng(1), TINY, 5)
        inputs.pins[:] = 3
        file.trace(inputs, trace)
    with pytest.raises(wavefile.WaveError, match=r"^waveform must hold 168 cycles of a program, and "):
        example.picture(wavefile.read(tmp_path / "g.vcd"))
