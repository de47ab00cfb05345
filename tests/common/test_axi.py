"""Register tables and AXI: golden model, documentation, hardware."""

import pytest
from amaranth.lib.wiring import In, Out

from golden.common.axi import (
    OKAY,
    SLVERR,
    Field,
    Register,
    RegisterModel,
    addr_bits_of,
    check_table,
    markdown,
)
from hdl.common.axi import AxiLiteRegisters, AxiLiteSignature, axi_lite_members, axi_stream_members
from sim.common.runner import run_unit
from tests.common.axi_example import REGISTERS, AxiConfig, AxiExample
from tests.common.mutation import assert_mutant_fails

SIZE = REGISTERS[2]


def test_rtl_equals_model():
    cfg = AxiConfig()
    run_unit(AxiExample(cfg), name="axi_example", cfg=cfg, test_module="tests.common.tb_axi")


def test_bench_notices_a_lost_strobe():
    cfg = AxiConfig()
    assert_mutant_fails(AxiExample(cfg), name="axi_example", cfg=cfg, test_module="tests.common.tb_axi",
                        testcase="every_strobe", old="write_strobe <= ", new="write_strobe <= 4'h8 | ",
                        match="^port scratch: ")


def test_model_keeps_what_it_should():
    model = RegisterModel(REGISTERS)
    assert model.read(0x08) == (OKAY, 0x0007_0003)
    assert model.write(0x08, 0xFFFF_FFFF) == (OKAY, {})
    assert model.read(0x08) == (OKAY, 0xFFFF_0FFF)
    assert model.write(0x14, 0x1111_1111, strb=0b0010) == (OKAY, {})
    assert model.read(0x14) == (OKAY, 0xDEAD_11EF)
    assert model.write(0x04, 0xFFFF_FFFF, strb=0b0011) == (OKAY, {"control": 0x0000_0701})
    assert model.read(0x04) == (OKAY, 0)
    assert model.write(0x00, 1) == (SLVERR, {})
    assert model.read(0x0C) == (SLVERR, 0)


def test_fields_are_packed_and_unpacked():
    raw = SIZE.pack(rows=0xABC, columns=0x1234)
    assert raw == 0x1234_0ABC
    assert SIZE.unpack(raw) == {"rows": 0xABC, "columns": 0x1234}


def test_markdown():
    fields = Field("rows", 0, 12, "Rows."), Field("wide", 31, 1, "Wide.")
    table = Register("size", 8, "rw", "Work to do.", fields, reset=3), Register("id", 0, "ro", "Constant.")
    assert markdown(table) == (
        "| Offset | Register | Bits | Access | Meaning |\n"
        "|---|---|---|---|---|\n"
        "| `0x00` | `id` | 31:0 | read | Constant. |\n"
        "| `0x08` | `size` |  | read and write | Work to do. Reset value 0x3. |\n"
        "| | `size.rows` | 11:0 | | Rows. |\n"
        "| | `size.wide` | 31 | | Wide. |\n")


def test_flat_names():
    assert list(axi_lite_members("s_axil", 12))[:4] == ["s_axil_awaddr", "s_axil_awprot", "s_axil_awvalid",
                                                       "s_axil_awready"]
    assert axi_lite_members("s_axil", 12)["s_axil_awaddr"] == In(12)
    assert axi_stream_members("m_axis", 64, Out) == {
        "m_axis_tdata": Out(64), "m_axis_tvalid": Out(1), "m_axis_tready": In(1), "m_axis_tlast": Out(1)}


def test_addr_bits():
    assert addr_bits_of(REGISTERS) == 6
    assert addr_bits_of(REGISTERS[:1]) == 2
    assert len(AxiLiteRegisters(REGISTERS).bus.awaddr) == 6


@pytest.mark.parametrize(("make", "text"), [
    (lambda: Field("Big", 0, 1), r"field name must be a plain lower-case identifier, not 'Big'"),
    (lambda: Field("a__b", 0, 1), r"field name must be a plain lower-case identifier, not 'a__b'"),
    (lambda: Field("a", 32, 1), r"lsb of a must be an integer in 0\.\.31, not 32"),
    (lambda: Field("a", 30, 3), r"width of a must be an integer in 1\.\.2, not 3"),
    (lambda: Register("0a", 0, "ro"), r"register name must be a plain lower-case identifier, not '0a'"),
    (lambda: Register("a", 2, "ro"), r"offset of a must be a multiple of 4, not 2"),
    (lambda: Register("a", 0, "wo"), r"access of a must be one of ro, rw, pulse, not 'wo'"),
    (lambda: Register("a", 0, "rw", "", (Field("x", 0, 2), Field("y", 1, 1))),
     r"fields of a must not overlap, not Field\(name='y', .*\)"),
    (lambda: Register("a", 0, "rw", "", (Field("x", 0, 1), Field("x", 1, 1))),
     r"fields of a must have distinct names, not \(.*\)"),
    (lambda: Register("a", 0, "ro", reset=1), r"reset of a must be within 0x00000000, not 1"),
    (lambda: Register("a", 0, "rw", "", (Field("x", 0, 1),), 2), r"reset of a must be within 0x00000001, not 2"),
    (lambda: SIZE.pack(depth=1), r"field of size must be one of rows, columns, not 'depth'"),
    (lambda: SIZE.pack(rows=4096), r"rows must be in 0\.\.4095, not 4096"),
    (lambda: check_table(()), r"table must be at least one register, not \(\)"),
    (lambda: check_table((Register("a", 0, "ro"), Register("a", 4, "ro"))),
     r"name must be that of one register, not 'a' for 2"),
    (lambda: check_table((Register("a", 4, "ro"), Register("b", 4, "ro"))),
     r"offset must be that of one register, not 4 for 2"),
    (lambda: AxiLiteSignature(1), r"addr_bits must be an integer in 2\.\.64, not 1"),
    (lambda: AxiLiteRegisters(REGISTERS, 5), r"addr_bits must be at least 6 to reach every register, not 5"),
    (lambda: AxiLiteRegisters((Register("bus", 0, "ro"),)),
     r"register name must be different from the member of the block, not 'bus'"),
    (lambda: axi_stream_members("s", 12, In), r"bits must be a positive multiple of 8, not 12"),
])
def test_wrong(make, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()
