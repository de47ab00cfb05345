"""What whole runs share, without a simulator: every cycle reaches the comparison once, packets, counters."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from sim.common import lockstep
from sim.common.lockstep import BLOCK, BusyRecorder, Host, Recorder


class Listed(Recorder):
    """Keeps what it is given; a value is ``idle | valid << 1 | last << 2 | data << 3``."""

    def __init__(self, dut=None):
        super().__init__(dut, None, "context")
        self.compared = []

    def observe(self, value):
        self.is_idle = bool(value & 1)
        if value >> 1 & 1:
            self.reply(value >> 3, value >> 2 & 1)

    def compare(self, block, first_cycle):
        self.compared.append((first_cycle, block))


@pytest.mark.parametrize("waves", [False, True])
def test_what_the_model_shows_goes_into_its_waveform(waves):
    traced = []
    file = SimpleNamespace(trace=lambda *block: traced.append(block)) if waves else None
    recorder = Listed()
    recorder.model, recorder.waves = SimpleNamespace(step=lambda inputs: f"of {inputs}"), file
    assert recorder.step("pins") == "of pins" and traced == [("pins", "of pins")] * waves


class Edge:
    """In place of a trigger: waits once."""

    def __init__(self, _signal):
        pass

    def __await__(self):
        yield


def recorded(monkeypatch, values):
    """A recorder that has sampled these values, one a falling edge."""
    monkeypatch.setattr(lockstep, "FallingEdge", Edge)
    probe = SimpleNamespace(value=None)
    recorder = Listed(SimpleNamespace(clk=None, probe=probe))
    run = recorder._run()
    run.send(None)
    for value in values:
        probe.value = SimpleNamespace(to_unsigned=lambda value=value: value)
        run.send(None)
    run.close()
    return recorder


@pytest.mark.parametrize("cycles", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_every_cycle_is_compared_once(monkeypatch, cycles):
    recorder = recorded(monkeypatch, range(0, 8 * cycles, 8))
    assert len(recorder.compared) == cycles // BLOCK
    recorder.flush()
    recorder.flush()    # nothing new: nothing to compare
    assert [first for first, _ in recorder.compared] == list(range(0, cycles, BLOCK))
    assert [value for _, block in recorder.compared for value in block] == list(range(0, 8 * cycles, 8))
    assert recorder.cycles == cycles


def test_replies_and_idle(monkeypatch):
    """Beats up to TLAST are a packet; what is idle follows the last sample."""
    beats = [(1, 0, 7), (0, 1, 9), (1, 1, 8), (1, 1, 5), (1, 0, 6)]
    values = [valid << 1 | last << 2 | data << 3 for valid, last, data in beats]
    recorder = recorded(monkeypatch, values)
    assert recorder.replies == [[7, 8], [5]] and recorder.replied.is_set() and not recorder.idle.is_set()
    recorder = recorded(monkeypatch, [*values, 1])
    assert recorder.idle.is_set() and recorder.replies == [[7, 8], [5]]
    assert not recorded(monkeypatch, [1, 0]).idle.is_set()


def test_difference_is_not_swallowed(monkeypatch):
    recorder = recorded(monkeypatch, [1, 2])

    def compare(block, first_cycle):
        raise AssertionError(f"{len(block)} from {first_cycle}")

    recorder.compare = compare
    with pytest.raises(AssertionError, match="^2 from 0$"):
        recorder.flush()
    assert recorder.cycles == 0


class Bits:
    """A format whose field n is bit n of a value."""

    fields = ("busy", "active", "m_valid", "m_ready", "m_last", "m_data")

    def get(self, value, name):
        return value >> self.fields.index(name) & 1


class Busy(BusyRecorder):
    """Its model shows twice its inputs."""

    trace = SimpleNamespace(
        HEAD=Bits(), decode=lambda cfg, block: (f"{cfg} pins", block),
        check=lambda rtl, golden, first_cycle, context: checked.append((rtl, golden, first_cycle, context)))


checked = []


def test_recorder_of_a_chip_that_is_busy():
    """Idle only if neither; a beat of the reply counts only if it is taken; blocks are decoded, stepped, checked."""
    recorder = Busy(None, SimpleNamespace(cfg="cfg", step=lambda inputs: 2 * inputs), "context")
    idle = []
    for value in (0b00, 0b01, 0b10, 0b11):
        recorder.observe(value)
        idle.append(recorder.is_idle)
    assert idle == [True, False, False, False]
    for m_valid, m_ready, m_last, m_data in ((1, 1, 0, 1), (1, 0, 1, 1), (0, 1, 1, 1), (1, 1, 0, 0), (1, 1, 1, 1)):
        recorder.observe(m_valid << 2 | m_ready << 3 | m_last << 4 | m_data << 5)
    assert recorder.replies == [[1, 0, 1]]
    checked.clear()
    recorder.compare([7, 8], 40)
    assert checked == [([7, 8], "cfg pinscfg pins", 40, "context")]


def driven(monkeypatch, coroutine, cycles, *names):
    """Values of pins before each of the edges for which a coroutine waits, ``cycles`` of them at most; and at its end.
    """
    edges = []

    class Named(Edge):
        def __init__(self, signal):
            edges.append((self.kind, signal))

    for kind in ("RisingEdge", "FallingEdge"):
        monkeypatch.setattr(lockstep, kind, type(kind, (Named,), {"kind": kind}))
    monkeypatch.setattr(lockstep, "Clock", lambda signal, period, unit: SimpleNamespace(
        start=lambda: edges.append(("clock", signal))))
    dut = SimpleNamespace(clk="clk", **{name: SimpleNamespace(value=None) for name in names})
    run, values = coroutine(dut), []
    for _ in range(cycles):
        try:
            run.send(None)
        except StopIteration:
            values.append(tuple(getattr(dut, name).value for name in names))
            break
        values.append(tuple(getattr(dut, name).value for name in names))
    return values, edges


def test_reset(monkeypatch):
    """Two edges under reset, then up to the middle of the first cycle without; replies are taken from the start."""
    values, edges = driven(monkeypatch, lockstep.reset, 9, "rst", "m_axis_tready")
    assert values == [(1, 1), (1, 1), (0, 1), (0, 1)]
    assert edges == [("clock", "clk"), ("RisingEdge", "clk"), ("RisingEdge", "clk"), ("FallingEdge", "clk")]


def test_pauses_of_replies(monkeypatch):
    """After every edge the next of the pattern, again and again."""
    values, edges = driven(monkeypatch, lambda dut: lockstep.pause_replies(dut, (0, 1, 1)), 8, "m_axis_tready")
    assert values == [(None,), (True,), (False,), (False,), (True,), (False,), (False,), (True,)]
    assert {kind for kind, _ in edges} == {"RisingEdge"}


def host():
    """A host without ports."""
    return object.__new__(Host)


def test_packet_is_sent_low_byte_first():
    port, frames = host(), []

    async def send(frame):
        frames.append(bytes(frame.tdata))

    port.source = SimpleNamespace(send=send)
    asyncio.run(port.send([0x0123456789ABCDEF, 1 << 63]))
    assert np.frombuffer(frames[0], "<u8").tolist() == [0x0123456789ABCDEF, 1 << 63]


def test_counters_have_two_registers():
    port, values = host(), {"a_low": 0xFFFFFFFF, "a_high": 1, "b_low": 2, "b_high": 0xFFFF}

    async def read_dword(offset):
        return values[offset]

    port.axil, port.offsets = SimpleNamespace(read_dword=read_dword), {name: name for name in values}
    assert asyncio.run(port.counters(["a", "b"])) == {"a": 0x1FFFFFFFF, "b": 0xFFFF00000002}
