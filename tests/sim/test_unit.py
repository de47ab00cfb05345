"""run_unit: from an Amaranth component to a compared run, in one call."""

from dataclasses import dataclass

import pytest
from amaranth import *
from amaranth.hdl import Assert, Format
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.common.config import check_int
from sim.common.runner import BenchFailure, run_unit


@dataclass(frozen=True, kw_only=True)
class SlotConfig:
    """Parameters of the buffer: what it adds to every item, 0..255."""

    increment: int = 1

    def __post_init__(self):
        check_int("increment", self.increment, 0, 255)


class Slot(wiring.Component):
    """The buffer of tests/sim/dut.py as an Amaranth component."""

    def __init__(self, cfg):
        self.cfg = cfg
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            m.d.sync += self.o.payload.eq(self.i.payload + self.cfg.increment)
        with m.If(self.i.valid & ~ResetSignal()):
            m.d.sync += Assert(self.i.payload != 255, Format("slot overflow: {}", self.i.payload))
        return m


class Inverter(wiring.Component):
    """A unit without a clock."""

    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


def run_slot(**options):
    cfg = SlotConfig(increment=options.pop("increment", 1))
    return run_unit(Slot(cfg), name="slot", cfg=cfg, test_module="tests.sim.tb_slot", **options)


def test_component_equals_model():
    assert len(run_slot().passed) == 6


def test_wrong_component_is_caught():
    with pytest.raises(BenchFailure, match="^slot: o_payload differ in cycle"):
        run_slot(increment=2)


def test_assertion_in_amaranth_stops_the_run():
    with pytest.raises(BenchFailure, match="^hardware assertion: .*slot overflow: 255"):
        run_slot(testcase="forbidden_value", env={"DRIVE_255": "1"})


def test_waves_file_builds_with_waves(tmp_path):
    results = run_slot(testcase="full_throughput", waves_file=tmp_path / "slot.vcd")
    assert results.waves.stat().st_size > 100


def test_combinational_unit():
    results = run_unit(Inverter(), name="inverter", cfg={"bits": 8}, test_module="tests.sim.tb_inverter")
    assert results.passed == ("every_value",)
