"""Line charts: labels and a legend in the file, the same bytes every time, a clear error without the library."""

import sys

import pytest

from golden.common.chart import line_chart
from golden.common.cli import UsageError


def draw(path, percent=True):
    line_chart(path, ["1", "2"], {"one": [0.5, 0.25], "two": [1, 1]}, title="t < & t", x_label="depth", percent=percent)
    return path.read_text()


@pytest.mark.parametrize("percent", [True, False])
def test_chart(tmp_path, percent):
    text = draw(tmp_path / "a.svg", percent)
    assert all(f">{label}<" in text for label in ("one", "two", "depth", "t &lt; &amp; t"))
    assert (">100%<" in text) == percent
    assert draw(tmp_path / "b.svg", percent) == text


def test_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"^plotting must have matplotlib: run `make env-figures` first$"):
        draw(tmp_path / "a.svg")
