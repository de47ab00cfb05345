"""The golden model's waveform file holds the values that were given, and is the same every time."""

import re

import numpy as np
import pytest

from golden.common import vcd
from golden.common.cli import UsageError
from golden.common.vcd import VcdFile, join
from sim.common.wavefile import read

WIDTHS = {"t.bit": 1, "t.a.byte": 8, "t.a.wide": 64}


def columns(rng, cycles):
    """Values and where they are defined; -1 is 64 ones."""
    return ({"t.bit": rng.integers(0, 2, cycles), "t.a.byte": rng.integers(-128, 128, cycles) // 64,
             "t.a.wide": rng.integers(-1, 2, cycles)}, {"t.a.byte": rng.random(cycles) < 0.7})


def make(path, blocks, seed=1):
    rng = np.random.default_rng(seed)
    given = [columns(rng, cycles) for cycles in blocks]
    with VcdFile(path, WIDTHS, top="t") as file:
        for values, defined in given:
            file.block(values, defined)
    return given


@pytest.mark.parametrize("blocks", [[1], [50], [1, 1, 7, 30], [0, 5, 0]])
def test_values(tmp_path, blocks):
    given = make(tmp_path / "a.vcd", blocks)
    wave = read(tmp_path / "a.vcd")
    assert (wave.cycles, wave.clock) == (sum(blocks), "t.clk")
    for name, width in WIDTHS.items():
        expected = []
        for values, defined in given:
            known = defined.get(name, np.ones(len(values[name]), bool))
            expected += [int(v) % (1 << width) if k else None for v, k in zip(values[name], known, strict=True)]
        assert [wave[name].at(c) for c in range(wave.cycles)] == expected


def test_same_run_gives_the_same_file(tmp_path):
    make(tmp_path / "a.vcd", [20, 30])
    make(tmp_path / "b.vcd", [20, 30])
    assert (tmp_path / "a.vcd").read_bytes() == (tmp_path / "b.vcd").read_bytes()


@pytest.mark.parametrize("bits", [{"a": 3, "b": 1, "c": 9}, {"a": 40, "b": 23, "c": 30}])
def test_join(bits):
    """The first field lowest, each cut to its width, in words of any width; a single one is as it is."""
    rng = np.random.default_rng(1)
    fields = {name: rng.integers(-1 << 40, 1 << 40, 50) for name in bits}
    fields["b"] = fields["b"] > 0
    for parts in ("abc", "ca", "ba"):
        word = join(parts, fields, bits)
        for t in range(50):
            expected = ""
            for name in parts:
                expected = f"{int(fields[name][t]) % (1 << bits[name]):0{bits[name]}b}" + expected
            assert word[t] == int(expected, 2)
    assert join(["a"], fields, bits) is fields["a"]


def test_clock_and_reset(tmp_path):
    """The time axis is that of the benches."""
    make(tmp_path / "a.vcd", [3])
    text = (tmp_path / "a.vcd").read_text()
    assert "$timescale 1 ps $end" in text
    times = [int(time) for time in re.findall(r"^#(\d+)$", text, re.MULTILINE)]
    assert times == [k * vcd.PERIOD_PS // 2 for k in range(2 * (vcd.RESET_CYCLES + 3))] + [5 * vcd.PERIOD_PS]


def test_readable_after_every_block(tmp_path):
    """What a failing run leaves behind."""
    file = VcdFile(tmp_path / "a.vcd", WIDTHS, top="t")
    file.block(*columns(np.random.default_rng(1), 9))
    assert read(tmp_path / "a.vcd").cycles == 9
    file.close()
    file.close()


def test_columns_of_unequal_length(tmp_path):
    values, _ = columns(np.random.default_rng(1), 9)
    with VcdFile(tmp_path / "a.vcd", WIDTHS, top="t") as file, \
            pytest.raises(ValueError, match=r"^columns must have one length, not \[8, 9\]$"):
        file.block(values | {"t.bit": np.zeros(8, int)})


@pytest.mark.parametrize(("path", "message"), [
    ("a.fst", "waveform of the golden model must be a file ending in .vcd, not "),
    ("no/such/a.vcd", "waveform must be in an existing folder, not "),
])
def test_wrong_files(tmp_path, path, message):
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        VcdFile(tmp_path / path, WIDTHS, top="t")


def test_folder_in_its_place(tmp_path):
    (tmp_path / "a.vcd").mkdir()
    with pytest.raises(UsageError, match=r"^waveform must be a file that can be written, not "):
        VcdFile(tmp_path / "a.vcd", WIDTHS, top="t")


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setattr(vcd.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"^pyvcd must be installed to write waveforms: make env-waves$"):
        VcdFile(tmp_path / "a.vcd", WIDTHS, top="t")
