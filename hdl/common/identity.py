"""When two units are the same module, what it is called, and which ports it has."""

import dataclasses
import enum
import re

from amaranth.hdl import Signal, ValueCastable
from amaranth.lib import wiring

__all__ = ["identity", "ports_of", "unit_name"]


def unit_name(component) -> str:
    """Default module name: the package below ``hdl`` and the class, ``hdl.eie.pe.Pe`` -> ``eie_pe``.

    Units of ``hdl.common`` are called ``elision_<class>``.
    """
    package = type(component).__module__.split(".")
    package = package[1] if package[0] == "hdl" and len(package) > 2 else "common"
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(component).__name__).lower()
    return f"{'elision' if package == 'common' else package}_{stem}"


def ports_of(component):
    """(name, signal, flow) of every port: no constants (always ready), nothing of zero width."""
    ports = []
    for path, member, value in component.signature.flatten(component):
        signal = value.as_value() if isinstance(value, ValueCastable) else value
        if isinstance(signal, Signal) and len(signal):
            ports.append(("__".join(map(str, path)), signal, member.flow))
    return ports


def identity(component) -> str:
    """Text that is equal for two components exactly when they become the same module.

    It holds the class, all ports, and every attribute that the constructor stored: integers, strings,
    enumerations, dataclasses, shapes, containers, signals, and components of these.

    Raises
    ------
    TypeError
        If an attribute has no text that is the same in every run.
    """
    members = {*component.signature.members, "_Component__signature"}
    parameters = {name: _text(value, f"{type(component).__name__}.{name}")
                  for name, value in vars(component).items()
                  if name not in members and not name.startswith("_MustUse__")}
    ports = [(name, flow.name, len(signal)) for name, signal, flow in ports_of(component)]
    return f"{_text(type(component), '')}{sorted(parameters.items())}{ports}"


def _text(value, where):
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, enum.Enum):
        return f"{_text(type(value), where)}.{value.name}"
    if isinstance(value, wiring.Component):
        return identity(value)
    if isinstance(value, Signal):
        return f"Signal({value.name}, {value.shape()!r}, {value.init!r})"
    if dataclasses.is_dataclass(value):
        value = {"": type(value), **{f.name: getattr(value, f.name) for f in dataclasses.fields(value)}}
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(k, where)}: {_text(v, where)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(item, where) for item in value)}]"
    if hasattr(value, "tolist"):
        return repr(value.tolist())
    if isinstance(value, (set, frozenset)) or " at 0x" in repr(value):
        raise TypeError(f"{where} must be a value whose text is the same in every run, not {value!r}")
    return repr(value)
