"""Line charts: every value at its place, well-formed text, clear errors."""

import xml.etree.ElementTree as ET

import pytest

from golden.common.chart import BOTTOM, COLOURS, LEFT, RIGHT, TOP, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def chart(series, x=("a", "b", "c"), percent=True):
    return ET.fromstring(line_chart(x, series, title="t < & t", x_label="x", percent=percent))


def dots(tree, name):
    line = tree.find(f".//{SVG}g[@id='{name}']/{SVG}polyline")
    return [tuple(map(float, dot.split(","))) for dot in line.get("points").split()]


def texts(tree):
    return [text.text for text in tree.iter(f"{SVG}text")]


def test_percent():
    tree = chart({"one": [0, 0.5, 1], 'q"<2': [1, 1, 1]})
    assert dots(tree, "one") == [(LEFT, BOTTOM), ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2), (RIGHT, TOP)]
    assert {"t < & t", "x", "a", "b", "c", "one", 'q"<2', "0 %", "20 %", "100 %"} <= set(texts(tree))


def test_logarithmic():
    tree = chart({"one": [1, 4, 9]}, percent=False)
    assert [t for t in texts(tree) if t.isdigit()] == ["1", "2", "4", "8", "16"]
    assert dots(tree, "one")[:2] == [(LEFT, BOTTOM), ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)]
    assert TOP < dots(tree, "one")[2][1] < (TOP + BOTTOM) / 2
    assert dots(chart({"flat": [1, 1, 1]}, percent=False), "flat")[0] == (LEFT, BOTTOM)


def test_lines_differ():
    tree = chart({str(k): [0, 0, 0] for k in range(len(COLOURS) + 2)})
    lines = [(line.get("stroke"), line.get("stroke-dasharray")) for line in tree.iter(f"{SVG}polyline")]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(("series", "x", "percent", "message"), [
    ({"one": [1]}, ("a",), True, r"^chart must have two labels and a series, not 1 and 1$"),
    ({}, ("a", "b"), True, r"^chart must have two labels and a series, not 2 and 0$"),
    ({"one": [1]}, ("a", "b"), True, r"^series 'one' must have 2 values, not 1$"),
    ({"one": [0, 1.5]}, ("a", "b"), True, r"^series 'one' must be in 0\.\.1, not 1\.5$"),
    ({"one": [0.5, 1.5]}, ("a", "b"), False, r"^series 'one' must be at least 1, not 0\.5$"),
])
def test_wrong_chart(series, x, percent, message):
    with pytest.raises(ValueError, match=message):
        line_chart(x, series, title="", x_label="", percent=percent)
