"""Cell libraries: what is read from them, what is refused; stand-ins for SRAMs."""

import gzip

import pytest

from golden.common.cli import UsageError
from synth.common import liberty, tools
from tests.synth.planted import liberty as cells


@pytest.fixture(autouse=True)
def _build(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "BUILD", tmp_path / "build")


@pytest.mark.parametrize("packed", [False, True])
def test_what_a_report_says(tmp_path, packed):
    path = tmp_path / "cells.lib"
    path.write_bytes(gzip.compress(cells().encode()) if packed else cells().encode())
    library = liberty.open_library(path)
    assert library.conditions() == {"library": "planted_cells", "process": 1, "voltage": 1.1, "temperature": 25,
                                    "nand2": "NAND2", "nand2_um2": 2, "wire_load": "none"}
    assert library.buffer == "BUF"
    assert str(library) == "planted_cells: process 1, 1.1 V, 25 C; zero wire load"
    assert library.path.read_text() == cells()
    assert liberty.open_library(path).path == library.path


def test_wire_load_of_the_library(tmp_path):
    path = tmp_path / "cells.lib"
    path.write_text(cells().replace("  nom_process", '  default_wire_load : "Small" ;\n  nom_process', 1))
    assert liberty.open_library(path).wire_load == "Small"


def test_library_that_says_little(tmp_path):
    path = tmp_path / "cells.lib"
    path.write_text("\n".join(line for line in cells().replace("NAND2", "ND").splitlines() if "nom_" not in line))
    library = liberty.open_library(path)
    assert str(library) == "planted_cells: process unknown, unknown V, unknown C; zero wire load"
    assert (library.nand2, library.nand2_area, library.voltage) == (None, None, None)


@pytest.mark.parametrize("content", [b"", b"module a; endmodule\n", b"library (x) {\n}\n", b"\x1f\x8bnot gzip",
                                     b"\xff\xfe\x00"])
def test_bad_file(tmp_path, content):
    path = tmp_path / "bad.lib"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"^liberty must be a (readable Liberty file|Liberty file with a library group "
                                         r"and cells), not '.*bad\.lib'"):
        liberty.open_library(path)


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match=r"^liberty must be a readable Liberty file, not '.*none': No such file"):
        liberty.open_library(tmp_path / "none")


def test_no_default(monkeypatch, tmp_path):
    monkeypatch.setattr(liberty, "DEFAULT", tmp_path / "none")
    with pytest.raises(UsageError, match=r"^target asic must have a cell library: pass --liberty FILE, or install the "
                                         r"Debian package qflow-tech-osu018$"):
        liberty.open_library(None)


def test_sram_stand_in():
    text = liberty.sram_liberty({"ram_4x2": {"clk": ("input", 1), "addr": ("input", 2), "q": ("output", 2)}}, 0.75)
    assert text.count("{") == text.count("}")
    assert "cell (ram_4x2)" in text and 'cell_rise (scalar) { values ("0.75"); }' in text
    assert "bus (addr) { bus_type : bus2; direction : input; capacitance : 0; timing" in text
