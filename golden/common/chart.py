"""Line charts as SVG files, by matplotlib (dependency group ``figures``)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from golden.common.cli import UsageError


def line_chart(path: Path, x: Sequence[str], series: Mapping[str, Sequence[float]], *, title: str, x_label: str,
               percent: bool) -> None:
    """Write a line with dots for every series, and a legend. The same values give the same bytes.

    Parameters
    ----------
    x : labels, drawn in equal steps
    series : name -> a value for every x
    percent : bool
        The y axis goes from 0 to 100 % for values from 0 to 1; otherwise it is logarithmic to the base 2.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise UsageError("plotting must have matplotlib: run `make env-figures` first") from None
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    with matplotlib.rc_context({"svg.hashsalt": "elision", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for k, (name, values) in enumerate(series.items()):
            axes.plot(range(len(x)), values, "-o" if k < 7 else "--o", color=f"C{k}", markersize=3, label=name)
        axes.set(title=title, xlabel=x_label)
        axes.set_xticks(range(len(x)), x)
        if percent:
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        else:
            axes.set_yscale("log", base=2)
            axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(axis="y", color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
