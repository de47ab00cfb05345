"""Pictures are valid SVG, the same every time, and show the values that there is room for."""

import re
import sys
from xml.etree import ElementTree

import pytest

from golden.common.cli import UsageError
from sim.common import wavecompare, wavepicture
from sim.common.wavefile import Track, WaveError
from sim.common.wavepicture import Row

BIT = Track.of(1, enumerate([0, 1, 1, 0, 1, None]))
BUS = Track.of(8, enumerate([0x12, 0x12, 0x34, 0x34, None, 0x56]))


def texts(svg):
    """The texts of a picture."""
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    found = [(element.text or "").strip(" \u200b") for element in root.iter() if element.tag.endswith("tspan")]
    return [text for text in found if text]


def lane(row, first=0, last=5, hscale=2):
    made = wavepicture._lane(row, first, last, hscale)
    return made["wave"], made["data"]


def test_lanes():
    assert lane(Row("x", BIT)) == ("01.01x", [])
    assert lane(Row("x", BUS)) == ("=.=.x=", ["12", "34", "56"])
    assert lane(Row("x", BUS), 1, 3) == ("==.", ["12", "34"])
    assert lane(Row("x", BUS, names={0x12: "RUN"})) == ("=.=.x=", ["RUN", "34", "56"])
    assert lane(Row("x", BIT, names={0: "no", 1: "yes"}))[0] == "==.==x"
    assert lane(Row("x", BUS, when=BIT)) == ("z==zxz", ["12", "34"])
    assert lane(Row("x", BUS, marked=frozenset({3}))) == ("=.=5x=", ["12", "34", "34", "56"])


def test_values_without_room_are_left_out():
    wide = Track.of(64, enumerate([1, 2, 2, 2, 2, 2]))
    assert lane(Row("x", wide)) == ("==....", [" ", f"{2:016x}"])


def test_picture():
    svg = wavepicture.draw([Row("one", BIT), None, Row("two", BUS)], 0, 5, title="a title")
    shown = texts(svg)
    assert {"clk", "one", "two", "12", "34", "56", "a title", "cycle, from"} <= set(shown)
    assert svg == wavepicture.draw([Row("one", BIT), None, Row("two", BUS)], 0, 5, title="a title")


def test_wrapped_picture():
    shown = texts(wavepicture.draw([Row("one", BIT)], 0, 99, wrap=30))
    assert shown.count("one") == shown.count("clk") == 4
    assert [text for text in shown if text.isdecimal()] == [str(c) for c in range(0, 100, 2)]


@pytest.mark.parametrize("last", [-1, wavepicture.MAX_CYCLES])
def test_wrong_window(last):
    with pytest.raises(WaveError, match=r"^picture must have 1\.\.200 cycles, not \d+$"):
        wavepicture.draw([], 0, last)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "wavedrom", None)
    with pytest.raises(WaveError, match=r"^wavedrom must be installed to draw waveforms: make env-waves$"):
        wavepicture.draw([Row("one", BIT)], 0, 5)


def test_difference(tmp_path):
    a = {"t.u.x": BUS, "t.u.y": BIT, "t.z": BUS}
    b = a | {"t.u.x": Track.of(8, enumerate([0x12, 0x12, 0x35, 0x35, None, 0x56]))}
    outcome = wavecompare.compare(a, b, (6, 6))
    wavepicture.difference(outcome, a, b, labels=("before", "now"), path=tmp_path / "d.svg")
    shown = texts((tmp_path / "d.svg").read_text())
    assert {"x before", "x now", "y", "34", "35", "t.u, cycle 2"} <= set(shown)
    assert "z" not in shown


@pytest.mark.parametrize(("path", "message"), [
    ("a.png", "picture must be a file ending in .svg, not "),
    ("no/such/a.svg", "picture must be a file that can be written, not "),
])
def test_files_that_cannot_be_written(tmp_path, path, message):
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        wavepicture.write(tmp_path / path, "<svg/>")
