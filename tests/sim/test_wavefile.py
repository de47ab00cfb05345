"""Waveforms are sampled where the benches sample, and cycle 0 is the first one after the reset."""

import random
import re

import pytest
from vcd import VCDWriter

from sim.common.wavefile import Track, WaveError, read, scopes_of
from tests.sim.wave_examples import PERIOD, write


def test_values_of_every_cycle(tmp_path):
    rng = random.Random(1)
    signals = {f"chip.a.s{k}": [rng.choice([None, 0, 1, 7, 255]) for _ in range(40)] for k in range(5)}
    wave = read(write(tmp_path / "a.vcd", signals, cycles=40))
    assert (wave.clock, wave.cycles, list(wave)) == ("chip.clk", 40, ["chip.clk", "chip.rst", *signals])
    for name, values in signals.items():
        track = wave[name]
        assert [track.at(c) for c in range(40)] == values
        assert track.width == wave.widths[name] == 8
        assert all(a != b for a, b in zip(track.values, track.values[1:], strict=False))


@pytest.mark.parametrize("reset", [0, 1, 2, 7])
def test_cycle_0_is_the_first_after_the_reset(tmp_path, reset):
    wave = read(write(tmp_path / "a.vcd", {"chip.x": [5, 6, 7]}, cycles=10, reset=reset))
    assert wave.cycles == 10
    assert wave["chip.x"] == Track(8, (0, 1, 2), (5, 6, 7))


def test_sampled_just_before_the_falling_edge(tmp_path):
    """What settles late in the high phase counts; what changes with the falling edge counts in the next cycle."""
    with open(tmp_path / "a.vcd", "w") as file, VCDWriter(file, timescale="1 ns", date="") as writer:
        clk = writer.register_var("t", "clk", "wire", size=1, init=0)
        late = writer.register_var("t", "late", "wire", size=8, init=0)
        falling = writer.register_var("t", "falling", "wire", size=8, init=0)
        glitch = writer.register_var("t", "glitch", "wire", size=8, init=0)
        for cycle in range(6):
            start = PERIOD * (cycle + 1)
            writer.change(clk, start, 1)
            writer.change(glitch, start, 99)
            writer.change(late, start + 4, cycle)
            writer.change(glitch, start + 4, 3)
            writer.change(clk, start + 5, 0)
            writer.change(falling, start + 5, cycle)
    wave = read(tmp_path / "a.vcd")
    assert [wave["t.late"].at(c) for c in range(6)] == [0, 1, 2, 3, 4, 5]
    assert [wave["t.falling"].at(c) for c in range(6)] == [0, 0, 1, 2, 3, 4]
    assert wave["t.glitch"] == Track(8, (0,), (3,))


def test_bits():
    track = Track(16, (0, 2, 5), (0x1234, None, 0x1299))
    assert track.bits(8, 8) == Track(8, (0, 2, 5), (0x12, None, 0x12))
    assert track.bits(12, 4) == Track(4, (0, 2, 5), (1, None, 1))
    assert Track.of(4, [(0, 3), (1, 3), (4, 2)]) == Track(4, (0, 4), (3, 2))


def test_matching(tmp_path):
    wave = read(write(tmp_path / "a.vcd", {"chip.a.x": [1], "chip.a.y": [2], "chip.b.x": [3]}))
    assert wave.matching(["*.y", "chip.a.*"]) == ["chip.a.y", "chip.a.x"]
    assert "chip.clk" not in wave.matching(["*"])
    with pytest.raises(WaveError, match=r"^signal must be one of .*a\.vcd, not 'chip\.c\.\*'$"):
        wave.matching(["chip.c.*"])
    with pytest.raises(WaveError, match=r"^signal must be one of .*a\.vcd, not 'chip\.c'$"):
        wave["chip.c"]


def test_another_clock(tmp_path):
    write(tmp_path / "a.vcd", {"chip.x": [1]}, clock="chip.tick")
    assert read(tmp_path / "a.vcd", "chip.tick").cycles == 12
    with pytest.raises(WaveError, match=r"^waveform must have a signal clk, or the clock be named, and .* has none$"):
        read(tmp_path / "a.vcd")
    with pytest.raises(WaveError, match=r"^clock must be a signal of .*, not 'chip\.none'$"):
        read(tmp_path / "a.vcd", "chip.none")


def test_scopes(tmp_path):
    write(tmp_path / "a.vcd", {"chip.a.x": [1], "chip.a.deep.z": [1], "chip.b.y": [3]})
    chip, = scopes_of(tmp_path / "a.vcd")
    assert (chip.name, chip.path, chip.signals) == ("chip", "chip", {"clk": 1, "rst": 1})
    assert [(scope.path, scope.signals) for scope in chip.scopes] == [("chip.a", {"x": 8}), ("chip.b", {"y": 8})]
    assert [scope.path for scope in chip.scopes[0].scopes] == ["chip.a.deep"]


@pytest.mark.parametrize(("content", "message"), [
    (None, "waveform must be an existing file, not "),
    ("", "waveform must be a VCD or FST file, not "),
    ("no waveform at all\n" * 50, "waveform must be a VCD or FST file, not "),
])
def test_files_that_are_no_waveforms(tmp_path, content, message):
    path = tmp_path / "a.vcd"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WaveError, match=f"^{re.escape(message)}"):
        read(path)


def test_clock_that_never_ticks_after_the_reset(tmp_path):
    with open(tmp_path / "a.vcd", "w") as file, VCDWriter(file, timescale="1 ns", date="") as writer:
        clk = writer.register_var("t", "clk", "wire", size=1, init=0)
        writer.register_var("t", "rst", "wire", size=1, init=1)
        for t in range(6):
            writer.change(clk, 5 * t + 5, t % 2)
    with pytest.raises(WaveError, match=r"^waveform must hold a whole cycle of t\.clk after the reset, and .* not$"):
        read(tmp_path / "a.vcd")
