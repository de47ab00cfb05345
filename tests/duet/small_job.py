"""A small job of the Speculator for proofs."""

from amaranth.hdl import C, Cat, Value

from golden.duet.formats import SPECULATE_FIELDS

#: Bits of the fields that are not 0.
BITS = {"kind": 1, "stride": 2, "pad": 1, "windows_y": 1, "windows_x": 2, "tiles_y": 2, "tiles_x": 2, "height": 2,
        "width": 2, "in_height": 2, "in_width": 2, "depth": 2, "reduced": 2, "reduce_shift": 1}


def small_job(h, job):
    """Drive a job with fields of a few bits that the solver chooses once; those that count something are not 0."""
    parts = []
    for name, bits in SPECULATE_FIELDS.items():
        few = BITS.get(name, 0)
        value = h.constant(name, few) if few else C(0, 0)
        parts.append(Cat(value, C(0, bits - few)))
        if name in ("windows_y", "windows_x", "tiles_y", "tiles_x", "height", "width", "depth", "reduced"):
            h.assume(value != 0)
    h.m.d.comb += Value.cast(job).eq(Cat(parts))
    h.assume((job.depth <= 2) & (job.reduced <= 2))
