"""A signature gives back every value of every port, and notices that its file was changed."""

import base64
import random
import re
import zlib

import pytest

from sim.common import signature
from sim.common.hierarchy import units
from sim.common.signature import Port, Signature, SignatureError
from sim.common.wavefile import Track, read
from tests.sim.wave_examples import DESIGN, write


def random_signature(seed):
    rng = random.Random(seed)
    ports = {}
    for k in range(20):
        width = rng.choice([1, 2, 7, 8, 9, 16, 64, 65, 256])
        moves = sorted(rng.sample(range(1, 5000), rng.choice([0, 1, 50, 400])))
        values = [rng.choice([None, 0, (1 << width) - 1, rng.getrandbits(width)]) for _ in (0, *moves)]
        track = Track.of(width, zip((0, *moves), values, strict=True))
        ports[f"unit.p{k}"] = Port(rng.choice(["input", "output"]), track)
    ports["unit.again"] = Port("input", ports["unit.p3"].track)
    return Signature(5000, ports)


@pytest.mark.parametrize("seed", range(10))
def test_load_inverts_save(tmp_path, seed):
    made, path = random_signature(seed), tmp_path / "folder" / "a.txt"
    assert signature.save(path, made, "title")
    assert signature.load(path) == made
    assert path.read_text().startswith("# title\ncycles 5000\nunit.p0 ")


def test_unchanged_file_is_not_written(tmp_path):
    path = tmp_path / "a.txt"
    signature.save(path, random_signature(1), "title")
    text = path.read_text()
    assert not signature.save(path, random_signature(1), "another title")
    assert path.read_text() == text


def test_lines_of_what_did_not_change_stay(tmp_path):
    """Also when they were written by a compressor that packs differently."""
    path, made = tmp_path / "a.txt", random_signature(1)
    signature.save(path, made, "title")

    def repacked(match):
        return base64.b85encode(zlib.compress(zlib.decompress(base64.b85decode(match[0])), 1)).decode()

    lines = path.read_text().splitlines()
    lines = [line if " =" in line or k < 2 else re.sub(r"\S+$", repacked, line) for k, line in enumerate(lines)]
    path.write_text("\n".join(lines) + "\n")
    changed = Signature(5000, made.ports | {"unit.p5": Port("input", Track(3, (0, 9), (1, 2)))})
    assert signature.save(path, changed, "title")
    differ = [new for old, new in zip(lines, path.read_text().splitlines(), strict=True) if old != new]
    assert len(differ) == 1 and differ[0].startswith("unit.p5 input 3 bits 1 change ")


def test_same_waveform_is_held_once(tmp_path):
    path = tmp_path / "a.txt"
    signature.save(path, random_signature(1), "title")
    again, = [line for line in path.read_text().splitlines() if line.startswith("unit.again ")]
    assert again.endswith(" =unit.p3")


@pytest.mark.parametrize(("old", "new", "message"), [
    (r"cycles 5000\n", "", "must begin with its number of cycles"),
    (r"\nunit.p1 (input|output)", r"\nunit.p1 both", "must have lines of six fields, not 'unit.p1 both"),
    (r"(\nunit.p1 .*) [0-9a-f]{8} ", r"\1 00000000 ", "must not be edited: the hash of unit.p1 is wrong"),
    (r"(\nunit.p1 .*) \S+(?=\n)", r"\1 c-junk", "must hold the changes of unit.p1"),
    (r"=unit.p3", "=unit.p99", "must hold the changes of unit.again"),
])
def test_damaged_file(tmp_path, old, new, message):
    path = tmp_path / "a.txt"
    signature.save(path, random_signature(1), "title")
    text = re.sub(old, new, path.read_text(), count=1)
    assert text != path.read_text()
    path.write_text(text)
    with pytest.raises(SignatureError, match=re.escape(message)):
        signature.load(path)
    assert signature.save(path, random_signature(1), "title")   # written anew
    assert signature.load(path) == random_signature(1)


def test_take(tmp_path):
    ports = {f"chip.{name}": [1, 2, k] for k, name in enumerate(["i", "o", "first.i", "first.o", "first.wide"])}
    wave = read(write(tmp_path / "a.vcd", ports, widths={"chip.first.wide": 257}))
    taken = signature.take(wave, units(DESIGN))
    assert taken.cycles == 12
    assert {name: (port.direction, port.track.values) for name, port in taken.ports.items()} == {
        "chip.i": ("input", (1, 2, 0)), "chip.o": ("output", (1, 2, 1)),
        "chip_stage.i": ("input", (1, 2)), "chip_stage.o": ("output", (1, 2, 3)),
    }
    del ports["chip.first.o"]
    with pytest.raises(SignatureError, match=r"^waveform must hold every port of the design, and .* chip\.first\.o$"):
        signature.take(read(write(tmp_path / "b.vcd", ports)), units(DESIGN))
