"""Frozen configuration dataclasses: checks, JSON, digests, settings from the command line."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable


def check_int(name: str, value, lo: int, hi: int):
    """``value`` is an integer (not a bool) in ``lo..hi``, else ValueError."""
    if type(value) is not int or not lo <= value <= hi:
        raise ValueError(f"{name} must be an integer in {lo}..{hi}, not {value!r}")


def check_power_of_two(name: str, value, lo: int, hi: int):
    """``value`` is a power of two (not a bool) in ``lo..hi``, else ValueError."""
    if type(value) is not int or not lo <= value <= hi or value & (value - 1):
        raise ValueError(f"{name} must be a power of two in {lo}..{hi}, not {value!r}")


def check_bool(name: str, value):
    """``value`` is True or False, else ValueError."""
    if type(value) is not bool:
        raise ValueError(f"{name} must be True or False, not {value!r}")


def check_choice(name: str, value, choices: Iterable):
    """``value`` is one of ``choices``, with its exact type, else ValueError."""
    choices = tuple(choices)
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def to_json(cfg) -> str:
    """One line of JSON with the fields in alphabetical order; nested configurations are objects."""
    return json.dumps(dataclasses.asdict(cfg), sort_keys=True)


def from_json(cls, text: str):
    """The inverse of :func:`to_json`. Validation runs again.

    Raises
    ------
    ValueError
        If the text is not a JSON object, names an unknown field, or a value is out of range.
    """
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"{cls.__name__} must be a JSON object, not {values!r}")
    return _build(cls, values)


def _build(cls, values: dict):
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    for name in values:
        if name not in fields:
            raise ValueError(_unknown(cls, name))
    return cls(**{name: _build(fields[name].type, value) if dataclasses.is_dataclass(fields[name].type)
                  and isinstance(value, dict) else _as_tuple(value) for name, value in values.items()})


def _as_tuple(value):
    """JSON has no tuples, and a frozen configuration has no lists."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def digest(cfg) -> str:
    """8 hex digits that differ between configurations: for folder and module names."""
    return hashlib.sha256(to_json(cfg).encode()).hexdigest()[:8]


def with_settings(cfg, settings: Iterable[str]):
    """A copy with ``key=value`` texts applied, typed as the fields are. Validation runs again.

    Integers may be written in any Python base (``0x40``), booleans as true/false/1/0.

    Raises
    ------
    ValueError
        If a text has no ``=``, names an unknown field, has the wrong type or is out of range.
    """
    fields = {f.name: f for f in dataclasses.fields(cfg) if f.init}
    changes = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"setting must be key=value, not {setting!r}")
        if name not in fields:
            raise ValueError(_unknown(type(cfg), name))
        changes[name] = _parse(name, text, getattr(cfg, name))
    return dataclasses.replace(cfg, **changes)


def _parse(name: str, text: str, example):
    """``text`` as a value of the type that the field has now."""
    if isinstance(example, bool):
        words = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in words:
            raise ValueError(f"{name} must be true, false, 1 or 0, not {text!r}")
        return words[text.lower()]
    if isinstance(example, int):
        try:
            return int(text, 0)
        except ValueError:
            raise ValueError(f"{name} must be an integer, not {text!r}") from None
    if isinstance(example, str):
        return text
    raise ValueError(f"{name} must be set in a preset, not by {text!r}")


def _unknown(cls, name: str) -> str:
    known = ", ".join(f.name for f in dataclasses.fields(cls) if f.init)
    return f"{cls.__name__} field must be one of {known}, not {name!r}"
