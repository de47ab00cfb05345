"""The DRAM of the benches: data in and out at the right clocks, its pins, and everything it complains about."""

import random

import numpy as np
import pytest

from golden.enmc.address import burst_of, location
from golden.enmc.dram import Dram
from golden.enmc.formats import BANKS, PIN_FIELDS, Command
from hdl.enmc.layouts import pins_layout
from sim.enmc.ddr4_device import IDLE_PINS, PIN_BITS, Ddr4Device, DdrError, pins_of
from sim.enmc.ddr4_rules import Ddr4Rules, DramCommand
from tests.enmc.ddr4_planner import Planner
from tests.enmc.launch import CONFIGS, TINY, configs

ALL = tuple(CONFIGS)


class Port:
    """Commands and data at clocks, played cycle by cycle; what the device drives, by clock."""

    def __init__(self, device):
        self.device, self.bits = device, 2 * device.cfg.dq
        self.pins, self.data, self.driven = {}, {}, {}

    def command(self, ck, name, *place, **fields):
        """One command; further pins may be set by ``a``."""
        a = fields.pop("a", 0)
        cycle, slot = divmod(ck, 3)
        word = pins_of(name, *place, **fields, slot=slot) ^ a << slot * PIN_BITS + PIN_BITS - PIN_FIELDS["a"]
        self.pins[cycle] = self.pins.get(cycle, IDLE_PINS) ^ IDLE_PINS ^ word

    def write(self, ck, value, clocks=range(4)):
        """Drive a burst whose data begin at a clock; only in ``clocks`` of it."""
        for k in clocks:
            self.data[ck + k] = value >> k * self.bits & (1 << self.bits) - 1

    def run(self, until):
        """Steps up to and with the cycle that has clock ``until``."""
        while 3 * self.device.cycle <= until:
            cycle = self.device.cycle
            clocks = range(3 * cycle, 3 * cycle + 3)
            dq = sum(self.data.get(ck, 0) << k * self.bits for k, ck in enumerate(clocks))
            oe = sum((ck in self.data) << k for k, ck in enumerate(clocks))
            early = self.device.outputs()
            value, drive = self.device.step(self.pins.get(cycle, IDLE_PINS), dq, oe)
            assert early == (value, drive)
            for k, ck in enumerate(clocks):
                phase = value >> k * self.bits & (1 << self.bits) - 1
                if drive >> k & 1:
                    self.driven[ck] = phase
                else:
                    assert phase == 0

    def burst(self, ck):
        """The burst that the device drove from a clock on."""
        return sum(self.driven[ck + k] << k * self.bits for k in range(4))


def value_of(cfg, rng):
    return rng.getrandbits(8 * cfg.dq)


def rules_of(device):
    return {v.rule for v in device.violations}


@configs(*ALL)
@pytest.mark.parametrize("slot", range(3))
def test_read(cfg, slot):
    """A burst comes CL after its command, in four clocks, the first beat low, whatever the slot."""
    device = Ddr4Device(cfg)
    device.load(burst_of(cfg, 1, 2, 3, 8), np.arange(cfg.dq, dtype=np.uint8))
    port, ck = Port(device), 3 * cfg.trcd + slot
    port.command(0, "ACT", 1, 2, 3)
    port.command(ck, "RD", 1, 2, column=8)
    port.run(ck + cfg.cl + 10)
    assert sorted(port.driven) == list(range(ck + cfg.cl, ck + cfg.cl + 4))
    assert port.burst(ck + cfg.cl) == int.from_bytes(bytes(range(cfg.dq)), "little")
    device.check()


@configs(*ALL)
@pytest.mark.parametrize("slot", range(3))
def test_write(cfg, slot):
    """A burst is taken CWL after its command."""
    device = Ddr4Device(cfg)
    port, ck, value = Port(device), 3 * cfg.trcd + slot, value_of(cfg, random.Random(slot))
    port.command(0, "ACT", 3, 1, 5)
    port.command(ck, "WR", 3, 1, column=16)
    port.write(ck + cfg.cwl, value)
    port.run((ck + cfg.cwl + 3) // 3 * 3 - 1)
    burst = burst_of(cfg, 3, 1, 5, 16)
    assert device.memory.read_burst(burst) == 0
    port.run(ck + cfg.cwl + 3)
    assert device.memory.read_burst(burst) == value
    assert device.dump(burst, 1).tobytes() == value.to_bytes(cfg.dq, "little")
    device.check()


@configs(*ALL)
def test_seamless_reads(cfg):
    """Bursts of consecutive addresses follow each other without a gap on the data pins."""
    device = Ddr4Device(cfg)
    data = np.random.default_rng(1).integers(0, 2**32, (2 * cfg.page_bursts, cfg.burst_words), np.uint32)
    device.load(0, data)
    port, start = Port(device), cfg.trrd_s + cfg.trcd
    port.command(0, "ACT", 0, 0, 0)
    port.command(cfg.trrd_s, "ACT", 1, 0, 0)
    for k in range(2 * cfg.page_bursts):
        place = location(cfg, k)
        port.command(start + 4 * k, "RD", place.bank_group, place.bank, column=place.column)
    first, end = start + cfg.cl, start + cfg.cl + 8 * cfg.page_bursts
    port.run(end + 3)
    assert sorted(port.driven) == list(range(first, end))
    got = b"".join(port.burst(first + 4 * k).to_bytes(cfg.dq, "little") for k in range(2 * cfg.page_bursts))
    assert got == data.tobytes()
    device.check()


@configs(*ALL)
def test_random_traffic(cfg):
    """Random legal commands: every read returns what the last write to its address left, nothing is reported."""
    rng = random.Random(5)
    trace = []
    device = Ddr4Device(cfg, memory=Dram(cfg, fill=0x5A5A5A5A), trace=trace)
    planner, port, contents, reads, commands = Planner(cfg, rng), Port(device), {}, [], []
    blank = int.from_bytes(b"\x5a" * cfg.dq, "little")
    for _ in range(1500):
        name, bank = planner.choose()
        command = planner.command(planner.earliest(name, bank), name, bank)
        if name == "ACT":       # few rows and columns, so that addresses are met again
            command = command._replace(row=command.row % 2)
        elif command.column is not None:
            command = command._replace(column=command.column % 16)
        planner.issue(command)
        commands.append(command)
        ck, _, group, index, row, column = command
        port.command(ck, name, group or 0, index or 0, row if name == "ACT" else 0, column or 0)
        if name in ("RD", "RDA"):
            reads.append((ck + cfg.cl, contents.get((group, index, row, column), blank)))
        elif name in ("WR", "WRA"):
            value = contents[group, index, row, column] = value_of(cfg, rng)
            port.write(ck + cfg.cwl, value)
    port.run(planner.now + 100)
    device.check()
    assert trace == commands
    assert [(ck, port.burst(ck)) for ck, _ in reads] == reads
    assert len(port.driven) == 4 * len(reads)
    assert sum(value != blank for _, value in reads) > 100
    for (group, bank, row, column), value in contents.items():
        assert device.memory.read_burst(burst_of(cfg, group, bank, row, column)) == value


def opened(*banks, **arguments):
    """A device with row 1 of banks (group, bank) open, its port, and a clock at which everything is allowed."""
    device = Ddr4Device(TINY, **arguments)
    port = Port(device)
    for k, bank in enumerate(banks):
        port.command(10 * k, "ACT", *bank, 1)
    return device, port, 10 * len(banks) + 20


def test_auto_precharge():
    """The bank closes by itself: ACT of another row is legal after tRP, RD is not."""
    device, port, t = opened((0, 0))
    port.command(t, "RDA", 0, 0)
    port.command(t + TINY.trtp + TINY.trp, "ACT", 0, 0, 2)
    port.run(t + 40)
    device.check()
    assert device.rules.rows == [2] + [None] * (BANKS - 1)
    port.command(t + 50, "WRA", 0, 0)
    port.write(t + 50 + TINY.cwl, 5)
    port.command(t + 100, "RD", 0, 0)
    port.run(t + 130)
    assert rules_of(device) == {"closed"}
    assert device.memory.read_burst(burst_of(TINY, 0, 0, 2, 0)) == 5
    assert port.burst(t + 100 + TINY.cl) == 0


def test_write_of_a_closed_bank_is_lost():
    device, port, _ = opened()
    port.command(5, "WR", 0, 0)
    port.write(5 + TINY.cwl, 1)
    port.run(30)
    assert rules_of(device) == {"closed"}
    assert device.memory.state.used[0] == 0


@pytest.mark.parametrize("clocks", [(), (0, 1, 2), (1, 2, 3)])
def test_write_data_are_missing(clocks):
    device, port, t = opened((0, 0))
    port.command(t, "WR", 0, 0)
    port.write(t + TINY.cwl, 0, clocks)
    port.run(t + 30)
    assert [v.ck for v in device.violations] == [t + TINY.cwl + k for k in range(4) if k not in clocks]
    assert rules_of(device) == {"write data"}
    assert device.violations[0].text == "data pins must be driven in the data of a write, not released"


@pytest.mark.parametrize("ck", [-1, 4, 20])
def test_driven_without_a_write(ck):
    device, port, t = opened((0, 0))
    port.command(t, "WR", 0, 0)
    port.write(t + TINY.cwl, 0)
    port.write(t + TINY.cwl + ck, 0, [0])
    port.run(t + 40)
    assert [(v.ck, v.rule) for v in device.violations] == [(t + TINY.cwl + ck, "driven")]


def test_contention():
    device, port, t = opened((0, 0))
    port.command(t, "RD", 0, 0)
    port.write(t + TINY.cl + 2, 0, [0])
    port.run(t + 40)
    assert [(v.ck, v.rule) for v in device.violations] == [(t + TINY.cl + 2, "contention")]


def test_collision():
    """Reads too close to each other; the later data win."""
    device, port, t = opened((0, 0), (1, 0))
    port.command(t, "RD", 0, 0)
    port.command(t + 3, "RD", 1, 0)
    port.run(t + 40)
    assert rules_of(device) == {"tCCD_S", "data bus"}
    assert sorted(port.driven) == list(range(t + TINY.cl, t + TINY.cl + 7))


def test_write_then_read_at_once():
    """Without tWTR the read misses the write, as it may in silicon."""
    device, port, t = opened((0, 0))
    port.command(t, "WR", 0, 0)
    port.write(t + TINY.cwl, 99)
    port.command(t + TINY.cwl + 2, "RD", 0, 0)
    port.run(t + 40)
    assert rules_of(device) == {"tWTR_L"}
    assert port.burst(t + TINY.cwl + 2 + TINY.cl) == 0


@pytest.mark.parametrize("a", [1, 1 << 9, 1 << 11, 1 << 13, 0x3BFF])
def test_instruction(a):
    """A PRE with other address pins than A10 is an instruction of ENMC, which must not come through."""
    device, port, t = opened((0, 0))
    port.command(t, "PRE", 0, 0, a=a)
    port.run(t)
    assert [(v.rule, v.text) for v in device.violations] == [
        ("instruction", f"PRE must have A0 to A9 and A11 to A13 low, not {a:#06x}")]
    assert device.rules.rows[0] is None


def test_unknown_command():
    device, port, _ = opened()
    port.command(4, "REF", a=(Command.REF ^ 0b011) << 14)
    port.run(4)
    assert [(v.ck, v.rule, v.text) for v in device.violations] == [
        (4, "unknown", "RAS_n, CAS_n and WE_n must be those of a command, not 011")]


def test_commands_without_effect():
    """NOP at any time, MRS and ZQ while all banks are idle; they are not part of the trace."""
    trace = []
    device, port, t = opened((0, 0), trace=trace)
    port.command(t, "NOP")
    port.command(t + 1, "PREA")
    port.command(t + 1 + TINY.trp, "MRS")
    port.command(t + 2 + TINY.trp, "ZQ")
    port.command(t + 3 + TINY.trp, "REF")
    port.run(t + 20)
    device.check()
    assert trace == [DramCommand(0, "ACT", 0, 0, 1), DramCommand(t + 1, "PREA"), DramCommand(t + 3 + TINY.trp, "REF")]
    port.command(t + 100, "ACT", 0, 0, 1)
    port.command(t + 150, "MRS")
    port.run(t + 150)
    assert rules_of(device) == {"idle"}


def test_address_beyond_the_rank():
    device, port, t = opened()
    port.command(0, "ACT", 0, 0, 64)
    port.command(t, "WR", 0, 0)
    port.write(t + TINY.cwl, 3)
    port.command(t + 40, "RD", 0, 0, column=64)
    port.run(t + 60)
    assert [v.rule for v in device.violations] == ["address", "address"]
    assert device.memory.state.used[0] == 0


def test_deselected_pins_do_not_matter():
    device = Ddr4Device(TINY)
    rng = random.Random(1)
    for _ in range(50):
        device.step(rng.getrandbits(3 * PIN_BITS) | IDLE_PINS & ~(0b10 * (IDLE_PINS // 0b11)))
    device.check()


def test_restart():
    """Banks are idle again and nothing is driven; contents, clock and violations stay."""
    device, port, t = opened((0, 0), (1, 0))
    device.load(0, np.full(16, 7, np.uint8))
    port.command(t, "RD", 0, 0)
    port.command(t + TINY.turnaround, "WR", 1, 0)
    port.write(t + TINY.turnaround + TINY.cwl, 0, [0])
    port.run(t + TINY.turnaround + TINY.cwl)
    device.restart()
    begin = 3 * device.cycle
    port.command(begin, "PRE", 0, 0)
    port.run(t + 50)
    assert device.rules.rows == [None] * BANKS and max(port.driven) <= t + TINY.cl + 3
    port.command(t + 60, "ACT", 0, 0, 0)
    port.command(t + 90, "RD", 0, 0)
    port.run(t + 120)
    device.check()
    assert port.burst(t + 90 + TINY.cl) == int.from_bytes(b"\7" * 16, "little")
    port.run(begin + 9 * TINY.trefi)
    assert not device.rules.finish(begin + 9 * TINY.trefi)
    assert device.rules.finish(begin + 9 * TINY.trefi + 1)


def test_restart_in_a_read():
    device, port, t = opened((0, 0))
    port.command(t, "RD", 0, 0)
    port.run(t + TINY.cl)
    last = 3 * device.cycle - 1
    device.restart()
    port.run(t + 50)
    assert last < t + TINY.cl + 3
    assert sorted(port.driven) == list(range(t + TINY.cl, last + 1))
    device.check()


def test_ranks_share_a_memory():
    memory = Dram(TINY, lanes=2)
    devices = [Ddr4Device(TINY, memory=memory, lane=lane) for lane in range(2)]
    devices[1].load(0, np.full(16, 9, np.uint8))
    assert not devices[0].dump(0, 1).any() and devices[1].dump(0, 1).any()


def test_refresh_is_counted_up_to_now():
    device = Ddr4Device(TINY)
    for _ in range(9 * TINY.trefi // 3):
        device.step(IDLE_PINS)
    device.check()
    for _ in range(2):
        device.step(IDLE_PINS)
    with pytest.raises(DdrError, match=r"^violations of the rules of DDR4: 1; the first:\n  ck 5400: tREFI: REF must "):
        device.check()


@pytest.mark.parametrize("name", ["trcd", "trp", "tras", "trc", "tccd_s", "tccd_l", "trrd_s", "trrd_l", "tfaw", "twr",
                                  "trtp", "twtr_s", "twtr_l", "trfc", "cl", "cwl"])
def test_controller_with_a_shorter_parameter(name):
    """Traffic that is legal for one clock less of any parameter is caught."""
    cfg = TINY.replace(tccd_s=5, trrd_s=5, trrd_l=6, tfaw=22, twr=9, cl=8, trefi=700)
    changes = {name: getattr(cfg, name) - 1}
    if name == "trc":
        cfg = cfg.replace(trc=cfg.trc + 2)
        changes = {name: cfg.trc - 1}
    planner, rules = Planner(cfg.replace(**changes), random.Random(2)), Ddr4Rules(cfg)
    for _ in range(4000):
        choice = planner.choose()
        command = planner.command(planner.earliest(*choice), *choice)
        rules.command(*command)
        planner.issue(command)
    if name == "cl":
        assert {v.rule for v in rules.violations} == {"tRTW"}
    else:
        assert rules.total


@pytest.mark.parametrize("slot", range(3))
def test_pins_are_those_of_the_hardware(slot):
    """The words of ``pins_of`` have the fields of the layout that the units use."""
    def layout_bits(word):
        return [{name: int(view[name]) for name in PIN_FIELDS} for view in pins_layout().from_bits(word)]

    off = {"cs_n": 1, "act_n": 1, "bg": 0, "ba": 0, "a": 0}
    for arguments, fields in [
            (("ACT", 2, 1, 0x1ABCD), {"act_n": 0, "bg": 2, "ba": 1, "a": 0x1ABCD}),
            (("RD", 3, 2, 0, 0x3F8), {"bg": 3, "ba": 2, "a": 0b101 << 14 | 0x3F8}),
            (("WRA", 3, 2, 0, 8), {"bg": 3, "ba": 2, "a": 0b100 << 14 | 1 << 10 | 8}),
            (("PRE", 1, 3), {"bg": 1, "ba": 3, "a": 0b010 << 14}),
            (("PREA",), {"a": 0b010 << 14 | 1 << 10}),
            (("REF",), {"a": 0b001 << 14}),
            (("NOP",), {"a": 0b111 << 14}),
    ]:
        expected = [off] * 3
        expected[slot] = off | {"cs_n": 0} | fields
        assert layout_bits(pins_of(*arguments, slot=slot)) == expected
    assert layout_bits(IDLE_PINS) == [off] * 3


def test_errors():
    with pytest.raises(TypeError, match=r"^cfg must be an EnmcConfig, not 'tiny'$"):
        Ddr4Device("tiny")
    with pytest.raises(ValueError, match=r"^bg must be in 0\.\.3, not 4$"):
        pins_of("ACT", 4)
    with pytest.raises(ValueError, match=r"^command must be one of ACT, .*, NOP, not 'READ'$"):
        pins_of("READ")
