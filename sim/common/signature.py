"""Signatures: what the ports of every unit did in a run, as a text file small enough to be committed.

A line for every port says its name, direction, width, number of changes and a hash of them, and then holds the changes
themselves: cycles and values, compressed. Ports that do the same in every cycle (the two ends of a wire) hold
them once. That is why the first cycle that differs is known exactly, with both values. A run of some thousand
cycles takes tens of kilobytes, less than one character a cycle for each signal would take.

Ports are named after their module, ``eie_arithmetic.w_value``, not after the place of an instance: each module is
looked at in its first place, so the names stay the same when instances are renamed.
"""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from sim.common.hierarchy import MAX_TRACE_BITS, Unit
from sim.common.wavefile import Track, Wave

__all__ = ["Port", "Signature", "SignatureError", "load", "save", "take"]

_LINE = re.compile(r"(\S+) (input|output) (\d+) bits? (\d+) changes? ([0-9a-f]{8}) (\S+)")


class SignatureError(ValueError):
    """A signature file is damaged. The text is one line."""


@dataclass(frozen=True)
class Port:
    """What a port did."""

    direction: str
    track: Track


@dataclass(frozen=True)
class Signature:
    """What all ports of a run did.

    Attributes
    ----------
    cycles : int
    ports : dict of str to Port
        By ``module.port``, units in the order of the design.
    """

    cycles: int
    ports: dict[str, Port]

    @property
    def tracks(self) -> dict[str, Track]:
        """The tracks alone."""
        return {name: port.track for name, port in self.ports.items()}


def take(wave: Wave, units: dict[str, Unit]) -> Signature:
    """The signature of a waveform.

    Raises
    ------
    SignatureError
        If the waveform lacks a port of the design.
    """
    ports = {}
    for unit in units.values():
        for port, direction in unit.ports.items():
            name = f"{unit.path}.{port}"
            if name not in wave:
                if port == "probe":     # as wide as the design is large
                    continue
                raise SignatureError(f"waveform must hold every port of the design, and {wave.path} lacks {name}")
            if wave.widths[name] <= MAX_TRACE_BITS:
                ports[f"{unit.module}.{port}"] = Port(direction, wave[name])
    return Signature(wave.cycles, ports)


def save(path: Path, signature: Signature, title: str) -> bool:
    """Write a signature unless the file says the same already; whether it was written."""
    kept = {}
    if path.exists():
        try:
            if load(path) == signature:
                return False
            # Compressors agree in what they read, not in what they write: what stays is kept to the letter.
            kept = {(name, digest): data for name, _, _, _, digest, data in _fields(path)[1] if data[0] != "="}
        except SignatureError:
            pass    # written anew
    lines = [f"# {title}", f"cycles {signature.cycles}"]
    first = {}
    for name, port in signature.ports.items():
        track, content = port.track, _content(port.track)
        digest, other = _digest(content), first.setdefault(track, name)
        data = f"={other}" if other != name else kept.get((name, digest)) or _compressed(content)
        lines.append(f"{name} {port.direction} {_count(track.width, 'bit')} "
                     f"{_count(len(track.cycles) - 1, 'change')} {digest} {data}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return True


def load(path: Path) -> Signature:
    """Read a signature.

    Raises
    ------
    SignatureError
        If the file is none, or was changed by hand.
    """
    cycles, lines = _fields(path)
    ports = {}
    for name, direction, width, _, digest, data in lines:
        try:
            track = ports[data[1:]].track if data.startswith("=") and data[1:] in ports else _track(int(width), data)
        except (ValueError, zlib.error) as error:
            raise SignatureError(f"signature {path} must hold the changes of {name}") from error
        if _digest(_content(track)) != digest:
            raise SignatureError(f"signature {path} must not be edited: the hash of {name} is wrong")
        ports[name] = Port(direction, track)
    return Signature(cycles, ports)


def _fields(path: Path):
    """Number of cycles, and the six fields of every line."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    head = re.fullmatch(r"cycles (\d+)", lines[0] if lines else "")
    if head is None:
        raise SignatureError(f"signature {path} must begin with its number of cycles")
    found = [_LINE.fullmatch(line) for line in lines[1:]]
    if None in found:
        raise SignatureError(f"signature {path} must have lines of six fields, not "
                             f"{lines[1 + found.index(None)][:60]!r}")
    return int(head[1]), [match.groups() for match in found]


def _compressed(content: bytes) -> str:
    return base64.b85encode(zlib.compress(content, 9)).decode()


def _count(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _content(track: Track) -> bytes:
    """Width, distances between the changes, then the values (a value that is undefined as all ones, one byte more)."""
    size = track.width // 8 + 1
    out = bytearray()
    for number in (track.width, len(track.cycles), *(b - a for a, b in zip((0, *track.cycles), track.cycles,
                                                                        strict=False))):
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)
    for value in track.values:
        out += ((1 << 8 * size) - 1 if value is None else value).to_bytes(size, "little")
    return bytes(out)


def _track(width: int, data: str) -> Track:
    """Inverse of :func:`_content` and its compression."""
    raw = zlib.decompress(base64.b85decode(data))
    position = 0

    def number():
        nonlocal position
        value = shift = 0
        while True:
            byte = raw[position]
            position += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    try:
        if number() != width:
            raise ValueError("width")
        cycle, cycles = 0, []
        for _ in range(number()):
            cycle += number()
            cycles.append(cycle)
    except IndexError as error:
        raise ValueError("too short") from error
    size = width // 8 + 1
    words = [raw[k:k + size] for k in range(position, len(raw), size)]
    if len(words) != len(cycles) or len(words[-1]) != size:
        raise ValueError("wrong size")
    undefined = b"\xff" * size
    return Track(width, tuple(cycles), tuple(None if w == undefined else int.from_bytes(w, "little") for w in words))
