"""The probe port's decoding and comparison: every bit in its field, the first difference with what is around it."""

import re

import numpy as np
import pytest

from sim.common.probe import Format, Mismatch, Table, compare, words_of

FORMAT = Format({"a": 1, "b": 31, "pad": 32, "c": 64, "d": 63, "e": 1})


def pack(values):
    value, lsb = 0, 0
    for name, width in FORMAT.fields.items():
        value |= values[name] << lsb
        lsb += width
    return value


def test_format():
    rng = np.random.default_rng(1)
    samples = [{name: int(rng.integers(0, 1 << 62)) % (1 << width) for name, width in FORMAT.fields.items()}
               for _ in range(50)]
    samples.append({name: (1 << width) - 1 for name, width in FORMAT.fields.items()})
    block = [pack(values) for values in samples]
    assert FORMAT.words == 3
    decoded = FORMAT.decode(words_of(block, 3))
    for value, row, values in zip(block, decoded, samples, strict=True):
        assert {name: FORMAT.get(value, name) for name in FORMAT.fields} == values
        signed = values | {"c": values["c"] - (values["c"] >> 63 << 64)}    # 64 bits keep their bits
        assert dict(zip(FORMAT.fields, row.tolist(), strict=True)) == signed


def test_records_that_repeat():
    """Leading axes stay."""
    record = Format({"low": 32, "high": 32})
    words = words_of([1 | 2 << 32 | 3 << 64 | 4 << 96, 5 << 32], 2)
    assert record.decode(words.reshape(2, 2, 1)).tolist() == [[[1, 2], [3, 4]], [[0, 5], [0, 0]]]


@pytest.mark.parametrize(("fields", "message"), [
    ({"a": 60, "b": 8, "c": 60}, r"field must lie within 64 bits, not 'b' at bit 60"),
    ({"a": 64, "b": 3}, r"fields must fill 64-bit words, not 67 bits"),
])
def test_wrong_format(fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Format(fields)


def table(rtl, golden, **options):
    return Table("unit", ("valid", "data", "pad_x"), np.array(rtl), np.array(golden), {"data": "valid"}, **options)


def test_what_is_not_compared():
    """Padding, and a field while the one that it belongs to is 0 in the golden model."""
    golden = [[0, 1, 2], [1, 5, 6]]
    compare("chip", [table([[0, 9, 9], [1, 5, 9]], golden)], 0, "x")
    for rtl in [[1, 1, 2], [1, 5, 6]], [[0, 1, 2], [1, 4, 6]]:
        with pytest.raises(Mismatch):
            compare("chip", [table(rtl, golden)], 0, "x")


def test_first_difference():
    """Unit, field, cycle, context; five cycles before with both sides, and the fields that always belong to it."""
    golden = np.zeros((9, 3), int)
    golden[:, 0] = 1
    rtl = golden.copy()
    rtl[7, 1], rtl[8, 0] = 3, 0
    other = Table("other", ("z",), np.zeros((9, 1), int), np.zeros((9, 1), int), {})
    with pytest.raises(Mismatch) as failure:
        compare("chip", [other, table(rtl, golden, always=("valid",), show=lambda name, value: f"{name}={value}")], 100,
                "cfg=x")
    lines = str(failure.value).splitlines()
    assert lines[0] == "chip: unit.data differ in cycle 107 (cfg=x)"
    assert [line for line in lines if re.fullmatch(r"  cycle \d+:", line)] == [f"  cycle {t}:" for t in range(102, 108)]
    assert lines[-2:] == ["    rtl    {'unit.valid': 'valid=1', 'unit.data': 'data=3'}",
                          "    golden {'unit.valid': 'valid=1', 'unit.data': 'data=0'}"]


def test_differences_of_several_units():
    ones, zeros = np.ones((1, 1), int), np.zeros((1, 1), int)
    tables = [Table(f"lane_{k}", ("x",), ones, zeros if k else ones, {}) for k in range(10)]
    with pytest.raises(Mismatch, match=r"^chip: lane_1\.x, .*, lane_8\.x differ in cycle 0 \(x\)\n"):
        compare("chip", tables, 0, "x")
