"""What the tests of the array share: operands, words of them, and building an array for the simulator."""

import numpy as np

from golden.common.config import to_json
from golden.dota.formats import ELEMENT_BITS, SUM_BITS, UNIT_BITS
from golden.dota.multiplier import pack

FLAGS = ("-fno-dfg", "-fno-table")


def run_array(unit, cfg, bench, *, old="", new="", testcase=None):
    """Build an array of PEs and run its bench; with ``old`` replaced by ``new`` in its Verilog."""
    from hdl.common.emit import emit  # the bench, inside the simulator, needs neither
    from sim.common.build import build, once
    from sim.common.runner import run

    name = f"dota_{unit.__name__.lower()}"
    design = emit(unit(cfg), name=name, cfg=cfg)
    files = {file_name: text.replace(old, new) if old else text for file_name, text in design.files.items()}
    assert (files != design.files) == bool(old), f"nothing to replace: {old!r} is not in the Verilog of {name}"
    built = build(f"{name}_mutant" if old else name, files, design.top, control=once("dota_row", "dota_pe"),
                  flags=FLAGS)
    run(built, test_module=bench, seed=1, env={"DUT_CONFIG": to_json(cfg)}, testcase=testcase)


def word(rng, _precision) -> int:
    """A random operand."""
    return rng.getrandbits(UNIT_BITS)


def corner(rng, precision) -> int:
    """An operand of elements from the ends of their range, and -1, 0, 1."""
    half = 1 << ELEMENT_BITS[precision] - 1
    places = UNIT_BITS // ELEMENT_BITS[precision]
    return pack([rng.choice((-half, half - 1, -1, 0, min(1, half - 1))) for _ in range(places)])


def bits_of(word, count) -> np.ndarray:
    """The lowest bits of a word as 0 and 1, int64."""
    raw = np.frombuffer(word.to_bytes(-(-count // 8), "little"), np.uint8)
    return np.unpackbits(raw, count=count, bitorder="little").astype(np.int64)


def words_of(packed, count) -> np.ndarray:
    """Operands that lie side by side in a word, int64, each 32 bits."""
    return np.frombuffer(packed.to_bytes(count * UNIT_BITS // 8, "little"), np.uint32).astype(np.int64)


def packed_words(words) -> int:
    """Operands side by side, the first lowest."""
    return int.from_bytes(np.asarray(words).astype(np.uint32).tobytes(), "little")


def packed_sums(sums) -> int:
    """Numbers of 48 bits side by side, the first lowest."""
    raw = np.ascontiguousarray(sums, np.int64).reshape(-1, 1).view(np.uint8)
    return int.from_bytes(raw[:, :SUM_BITS // 8].tobytes(), "little")
