"""Register map: what the host relies on."""

import pytest

from golden.common.axi import SLVERR, RegisterModel, addr_bits_of, markdown
from golden.dota.config import DotaConfig
from golden.dota.registers import AMOUNT_BITS, COUNTER_BASE, COUNTER_BITS, COUNTERS, ID, registers
from hdl.common.axi import AxiLiteRegisters
from tests.dota.launch import CONFIGS, TINY

LARGEST = DotaConfig(lanes=8, rows=64, columns=32)


def by_name(cfg=TINY):
    return {register.name: register for register in registers(cfg)}


def test_places_are_fixed():
    """A driver that was built for this version of the map goes on working."""
    assert {name: register.offset for name, register in by_name().items() if register.offset < COUNTER_BASE} == {
        "id": 0x00, "size": 0x04, "control": 0x08, "status": 0x0C}
    assert ID.to_bytes(4, "big") == b"DOT\x01"
    assert {field.name: field.lsb for field in by_name()["status"].fields} == {"running": 0, "io_error": 1,
                                                                             "saturated": 2}


def test_counters_follow_each_other():
    table = by_name()
    for k, name in enumerate(COUNTERS):
        assert (table[f"{name}_low"].offset, table[f"{name}_high"].offset) == (COUNTER_BASE + 8 * k,
                                                                               COUNTER_BASE + 8 * k + 4)
        assert table[f"{name}_high"].mask == (1 << COUNTER_BITS - 32) - 1
        assert {table[f"{name}_{half}"].access for half in ("low", "high")} == {"ro"}
    assert len(table) == 4 + 2 * len(COUNTERS)


@pytest.mark.parametrize("cfg", [*CONFIGS.values(), LARGEST], ids=[*CONFIGS, "largest"])
def test_every_configuration_fits(cfg):
    """Its size fits the register, and all its work in a cycle the amount of a counter."""
    size = by_name(cfg)["size"]
    sizes = {"lanes": cfg.lanes, "rows": cfg.rows, "columns": cfg.columns}
    assert size.unpack(size.pack(**sizes)) == sizes
    assert 64 * cfg.pes * cfg.lanes < 1 << AMOUNT_BITS


def test_host_can_write_nothing_but_control():
    host = RegisterModel(registers(TINY))
    for register in registers(TINY):
        answer, strobes = host.write(register.offset, 0xFFFF_FFFF)
        if register.name == "control":
            assert strobes == {"control": 1}
        else:
            assert (answer, strobes) == (SLVERR, {})


def test_table_makes_the_block():
    """The register block has a port for every register; eight address bits reach them."""
    members = AxiLiteRegisters(registers(TINY)).signature.members
    assert set(members) == {"bus", *by_name()}
    assert addr_bits_of(registers(TINY)) == 8


def test_table_makes_the_page():
    text = markdown(registers(TINY))
    assert all(f"`{name}`" in text for name in by_name())
