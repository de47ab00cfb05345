"""Readable names in RTLIL text: plain identifiers only, no attributes that are of use to Amaranth alone."""

import re
from collections import Counter
from functools import partial

__all__ = ["readable"]

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\\\S+')
_DROPPED = re.compile(r"\s*attribute \\(src|generator|top|enum_\S+|amaranth\.\S+) ")
_ELEMENT = re.compile(r"\s*(?:wire (?:width \d+ )?(?:signed )?|connect )(\\\S*\[\d+\]\S*)(?: |$)")
_PORT = re.compile(r"\s*wire width (\d+) (input|output) \d+\s+(?:signed )?\\(\S+)$")


def readable(text, port_order=()):
    """Rename everything to plain identifiers: module ``eie_pe.queue`` to ``eie_pe_queue``, wire ``payload$4``
    to ``payload_4``, and field ``o__payload.value`` to ``o__payload__value``.

    A name that is taken gets underscores appended. Names that nothing reads of the elements of an array are left out:
    there would be thousands of them, and the array has them all.

    Parameters
    ----------
    text : str
        RTLIL of one unit, its top module first.
    port_order : iterable of str
        Ports of the top module that come first, in this order.

    Returns
    -------
    text : str
    modules : dict of str to dict
        Module name to its ports, as in ``Design.ports``, in the order of the text.

    Raises
    ------
    ValueError
        If two modules come to the same name.
    """
    lines = _without_elements([line for line in text.splitlines() if not _DROPPED.match(line)])
    old_names = [line.split("\\")[1] for line in lines if line.startswith("module \\")]
    names = {f"\\{old}": "\\" + re.sub(r"\W+", "_", old) for old in old_names}
    if len(set(names.values())) != len(names):
        raise ValueError(f"helper modules must have distinct names, not {', '.join(old_names)}")
    out, modules, local = [], {}, {}
    first = {port: index for index, port in enumerate(port_order, 1)}
    for line in lines:
        if line.startswith("module "):
            local = dict(names)
            modules[names[line.split()[1]][1:]] = ports = {}
        line = _TOKEN.sub(partial(_rename, local), line)
        if port := _PORT.match(line):
            ports[port[3]] = port[2], int(port[1])
            if len(modules) == 1:
                line = f"  wire width {port[1]} {port[2]} {first.get(port[3], len(first) + 1)} \\{port[3]}"
        out.append(line)
    return "\n".join(out) + "\n", modules


def _without_elements(lines):
    """Lines but those that declare and drive the name of an array's element that nothing else mentions."""
    kept, module = [], []
    for line in [*lines, ""]:
        module.append(line)
        if line in ("end", ""):
            mentions = Counter(token for each in module for token in _TOKEN.findall(each))
            own = Counter(match[1] for each in module if (match := _ELEMENT.match(each)))
            kept += [each for each in module
                     if not ((match := _ELEMENT.match(each)) and mentions[match[1]] == own[match[1]])]
            module = []
    return kept[:-1]


def _rename(local, match):
    token = match[0]
    if token[0] == '"':
        return token
    if token not in local:
        name = re.sub(r"\W+", "_", token[1:].replace(".", "__")).rstrip("_") or "_"
        if name[0].isdigit():
            name = f"_{name}"
        while f"\\{name}" in local.values():
            name += "_"
        local[token] = f"\\{name}"
    return local[token]
