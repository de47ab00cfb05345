"""Line charts as SVG text: small, the same bytes everywhere, and no plotting library."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

#: Of the picture, and of the part of it where the lines are [pixels].
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 590, 40, 350
#: Distinct for colour-blind readers (palette of Okabe and Ito); after these the lines are dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
DASHES = ("none", "6 3", "2 3")


def line_chart(x: Sequence[str], series: Mapping[str, Sequence[float]], *, title: str, x_label: str,
               percent: bool) -> str:
    """A line with dots for every series, and a legend.

    Parameters
    ----------
    x : at least two labels, drawn in equal steps
    series : name -> a value for every x
    percent : bool
        The y axis goes from 0 to 100 % for values from 0 to 1; otherwise it is logarithmic, from 1 up.

    Raises
    ------
    ValueError
        If there are fewer labels or no series, one has another length, or a value is out of range.
    """
    if len(x) < 2 or not series:
        raise ValueError(f"chart must have two labels and a series, not {len(x)} and {len(series)}")
    for name, values in series.items():
        if len(values) != len(x):
            raise ValueError(f"series {name!r} must have {len(x)} values, not {len(values)}")
        if wrong := [v for v in values if not (0 <= v <= 1 if percent else v >= 1)]:
            raise ValueError(f"series {name!r} must be {'in 0..1' if percent else 'at least 1'}, not {wrong[0]!r}")
    if percent:
        share_of, ticks = float, {f"{20 * k} %": k / 5 for k in range(6)}
    else:
        octaves = max(1, math.ceil(math.log2(max(map(max, series.values())))))
        share_of, ticks = lambda v: math.log2(v) / octaves, {str(1 << k): k / octaves for k in range(octaves + 1)}
    across = [LEFT + (RIGHT - LEFT) * k / (len(x) - 1) for k in range(len(x))]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', '<g font-family="sans-serif" font-size="12">',
             _text(LEFT, TOP - 18, title, "start"), _text((LEFT + RIGHT) / 2, HEIGHT - 10, x_label, "middle")]
    for label, share in ticks.items():
        parts += [f'<path d="M{LEFT} {_height(share):.1f}H{RIGHT}" stroke="#dddddd"/>',
                  _text(LEFT - 8, _height(share) + 4, label, "end")]
    parts += [_text(at, BOTTOM + 18, label, "middle") for at, label in zip(across, x, strict=True)]
    for k, (name, values) in enumerate(series.items()):
        heights = [_height(share_of(v)) for v in values]
        parts += _line(k, name, list(zip(across, heights, strict=True)))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _height(share):
    """Vertical position of a share of the axis."""
    return BOTTOM - (BOTTOM - TOP) * share


def _line(k, name, dots):
    """Line number ``k`` and its row of the legend."""
    colour, dash = COLOURS[k % len(COLOURS)], DASHES[k // len(COLOURS) % len(DASHES)]
    stroke = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"'
    row = TOP + 8 + 20 * k
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    return [f"<g id={quoteattr(name)}>", f'<polyline points="{points}" {stroke}/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in dots),
            f'<path d="M{RIGHT + 20} {row}h30" {stroke}/>', _text(RIGHT + 58, row + 4, name, "start"), "</g>"]


def _text(x, y, text, anchor):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
