"""The units of an emitted design: which module stands where, and what its ports are."""

import re
from typing import NamedTuple

from hdl.common.emit import Design

__all__ = ["MAX_TRACE_BITS", "Unit", "units"]

#: Wider ports are not looked at: they join what other ports show, and simulators may leave them out of waveforms.
MAX_TRACE_BITS = 256

_HEADER = r"^module\s+{}\s*(?:#\s*\((?P<parameters>.*?)\)\s*)?\((?P<ports>.*?)\);"
_PORT = re.compile(r"\b(input|output)\s+(?:(?:wire|reg|signed)\s+)*(?:\[[^\]]*\]\s*)?(\w+)")


class Unit(NamedTuple):
    """A module of a design, in its first place.

    Attributes
    ----------
    module : str
        Name of the module, such as ``eie_arithmetic``.
    path : str
        Where it stands first, such as ``eie.pe_0.arithmetic``: in the order of the text, outer modules before inner.
    depth : int
        0 for the top.
    ports : dict of str to str
        Port to ``"input"`` or ``"output"``, in the order of the module, without ``clk`` and ``rst``.
    """

    module: str
    path: str
    depth: int
    ports: dict[str, str]


def units(design: Design) -> dict[str, Unit]:
    """Every module of the design once, the top first. A module of which there are many is taken where it is first."""
    texts = {name.removesuffix(".v"): re.sub(r"//.*", "", text) for name, text in design.files.items()}
    names = "|".join(map(re.escape, texts))
    instance = re.compile(rf"^\s*({names})\s+(?:#\s*\((?:[^()]|\([^()]*\))*\)\s*)?(\w+)\s*\(", re.MULTILINE)
    found = {}

    def walk(module, path, depth):
        if module not in found:
            found[module] = Unit(module, path, depth, _ports(module, texts[module]))
            for inner, name in instance.findall(texts[module]):
                walk(inner, f"{path}.{name}", depth + 1)

    walk(design.top, design.top, 0)
    return found


def _ports(module, text):
    header = re.search(_HEADER.format(module), text, re.MULTILINE | re.DOTALL)
    directions = {name: direction for direction, name in _PORT.findall(text)}
    order = dict.fromkeys(re.findall(r"\w+", header["ports"]))
    return {name: directions[name] for name in order if name in directions and name not in ("clk", "rst")}
