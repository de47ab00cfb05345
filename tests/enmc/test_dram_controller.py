"""DRAM controller: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.enmc import dram_data, dram_owner, dram_rows, dram_visits
from golden.enmc.address import burst_of
from golden.enmc.config import PRESETS
from golden.enmc.dram_bandwidth import bandwidth
from golden.enmc.formats import PHASES
from hdl.enmc.dram_commands import DramCommands
from hdl.enmc.dram_controller import DramController
from hdl.enmc.dram_data import DramData
from hdl.enmc.dram_owner import DramOwner
from hdl.enmc.dram_rows import DramRows
from hdl.enmc.dram_timing import DramTiming
from hdl.enmc.dram_visits import DramVisits
from sim.enmc.ddr4_device import IDLE_PINS, Ddr4Device
from tests.enmc.dram_judge import Both
from tests.enmc.dram_surroundings import Surroundings, run
from tests.enmc.dram_traffic import Inputs, Model, mixed, raw_of, request, rows_of, words_of
from tests.enmc.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_dram_controller"
UNITS = (DramController, DramVisits, DramRows, DramOwner, DramTiming, DramCommands, DramData)


def test_visits_equal_their_definition():
    """Thousands of requests: bursts of one row of a pair of banks, in order; visits are taken with gaps."""
    rng = random.Random(1)
    s, expected = dram_visits.state(TINY, 1), []
    requests = mixed(TINY, rng, 3000, counts=(1, 2, 15, 16, 17, 200))
    requests.append(request(TINY, 77, 65535))
    for r in requests:
        expected += dram_visits.visits_of(TINY, r.addr, r.count, r.write, r.dest)
    expected.reverse()
    waiting = requests[::-1]
    while expected:
        o_ready, i_valid = rng.random() < 0.8, bool(waiting) and rng.random() < 0.7
        if dram_visits.valid_of(s, 0) and o_ready:
            visit = dram_visits.Visit(int(s.offset[0]), int(s.last[0]), int(s.page[0]) % TINY.pairs,
                                      int(s.page[0]) // TINY.pairs, int(s.flags[0]) & 1, int(s.flags[0]) >> 1)
            assert visit == expected.pop()
        r = waiting[-1] if i_valid else requests[0]
        ready = dram_visits.ready_of(s, 0)
        dram_visits.clock(s, 0, i_valid, r.addr, r.count, r.write | r.dest << 1, o_ready)
        if i_valid and ready:
            waiting.pop()
    assert not waiting and not dram_visits.busy_of(s, 0)


def test_visits_lie_in_one_row():
    """A visit's bursts are those of the address map: two bank groups by turns, one row, ascending columns."""
    for visit in dram_visits.visits_of(TINY, TINY.bursts - 5, 200):
        group, bank = visit.pair << 1 & 2, visit.pair >> 1
        bursts = [burst_of(TINY, group | offset & 1, bank, visit.row, (offset >> 1) * 8)
                  for offset in range(visit.offset, visit.last + 1)]
        assert np.all(np.diff(bursts) == 1)


@configs(*CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_model_serves(cfg, seed):
    """Thousands of bursts with gaps everywhere: each one, in order, in time; every rule is kept, as two judges say."""
    rng = random.Random(seed)
    run(Model(cfg), Surroundings(cfg, mixed(cfg, rng, 200), rng, p_request=[0.05, 0.2, 1][seed],
                                 p_store=[1, 0.1, 1][seed], p_free=[0.1, 1, 1][seed], recorder=Both(cfg)))


@configs(*CONFIGS)
def test_model_shares(cfg):
    """The DRAM goes back and forth: no rule reaches from one owner to the other, whenever the owner changes."""
    rng = random.Random(1)
    requests = mixed(cfg, rng, 150, counts=(1, 2, 5))
    surroundings = Surroundings(cfg, requests, rng, p_request=0.05, p_own=0.01, p_release=0.3, host=True,
                                recorder=Both(cfg, count_refreshes=False))
    assert run(Model(cfg), surroundings).grants > 10


@configs("tiny", "paper")
def test_with_the_dram_model(cfg):
    """Against the DRAM model of the benches, with its own memory: what was written is read back, no rule is broken."""
    rng = random.Random(1)
    device, model = Ddr4Device(cfg), Model(cfg)
    writes = [r._replace(write=1) for r in rows_of(cfg, rng, 20, 9)]
    stored = {}
    store = []
    for r in writes:
        for burst in range(r.addr, r.addr + r.count):
            store.append(rng.getrandbits(8 * cfg.dq))
            stored[burst % cfg.bursts] = store[-1]
    requests = [*writes, *(r._replace(write=0) for r in writes)]
    expected = [stored[(r.addr + k) % cfg.bursts] for r in writes for k in range(r.count)]
    loads, pins, freed, back = [], (IDLE_PINS, 0, 0), 0, 0
    while len(loads) < len(expected):
        y = model.step(x := Inputs(request=requests[0] if requests else None, own=True, dq_i=back, freed=freed,
                                   store=store[0] if store else None))
        back, _drives = device.step(*pins)
        pins = y.pins, y.dq_o, y.dq_oe
        freed = 0
        if y.load is not None:
            loads.append(y.load >> 1)
            freed = 1 << (y.load & 1)
        if x.request and y.request_ready:
            requests.pop(0)
        if x.store is not None and y.store_ready:
            store.pop(0)
    assert loads == expected
    device.check()


#: What the data pins must carry at least, of the clocks that refreshes leave.
SEQUENTIAL = {"tiny": 0.93, "rank": 0.95}


@pytest.mark.parametrize("preset", SEQUENTIAL)
def test_sequential_bandwidth(preset):
    """A long row of bursts: the bound that the project promises, and what it is today."""
    cfg = PRESETS[preset]
    found = bandwidth(cfg, [0, 60_000 % cfg.bursts], 60_000)
    assert found.of_reachable >= SEQUENTIAL[preset]
    assert found.cycles == {"tiny": 176_456, "rank": 168_118}[preset]


def test_bandwidth_of_rows():
    """Rows of 33 bursts anywhere, as the executor reads them for d = 512, at the timing of DDR4-2400."""
    cfg = PRESETS["rank"]
    rng = np.random.default_rng(1)
    found = bandwidth(cfg, 33 * rng.integers(cfg.bursts // 33, size=2000), 33)
    assert found.of_reachable >= 0.9
    assert bandwidth(cfg, np.arange(2000) * 33, 33).of_reachable >= 0.95


@pytest.mark.parametrize(("arguments", "message"), [
    (([TINY.bursts], 2), rf"^addr must be in 0\.\.{TINY.bursts - 1}, not {TINY.bursts}$"),
    (([0], 65536), r"^count must be in 1\.\.65535, not 65536$"),
    (([0], 2, 2), r"^dest must be in 0\.\.1, not 2$"),
    (([0], 1), r"^count must add up to at least 2, not 1$"),
])
def test_wrong_reads(arguments, message):
    with pytest.raises(ValueError, match=message):
        bandwidth(TINY, *arguments)


@configs("tiny", "middle", "paper")
def test_refreshes_come_in_time(cfg):
    """However busy the DRAM is: one for each interval, none later than the bound; JEDEC would allow 8 intervals."""
    rng = random.Random(1)
    model = Model(cfg)
    surroundings = Surroundings(cfg, mixed(cfg, rng, 20 * cfg.trefi // 100, counts=(1, 2, 30)), rng, p_free=0.5)
    owner, due, latest = model.s.owner, None, 0
    while not surroundings.finished:
        x, owed = surroundings.inputs(), int(owner.owed[0])
        surroundings.outputs(x, model.step(x))
        clock = PHASES * surroundings.cycle
        if owner.owed[0] > owed and dram_owner.runs(owner, 0):
            due = clock
        elif owner.owed[0] < owed and due is not None:
            latest, due = max(latest, clock - due), None
    refreshes = surroundings.recorder.refreshes
    assert 0 < latest <= dram_owner.lateness(cfg) < cfg.trefi
    assert len(refreshes) >= 5
    assert len(refreshes) - 1 == (refreshes[-1] - refreshes[0] + cfg.trefi // 2) // cfg.trefi


def test_constants():
    """What model and hardware state twice."""
    assert (DramRows.AHEAD, DramData.STORE_BURSTS) == (dram_rows.AHEAD, dram_data.STORE_BURSTS)
    assert (DramOwner.LOCK_CYCLES, DramOwner.CALIBRATION) == (dram_owner.LOCK_CYCLES, dram_owner.CALIBRATION)
    for cfg in CONFIGS.values():
        assert DramOwner.quiet(cfg) == dram_owner.quiet_clocks(cfg)


def test_words():
    assert raw_of(words_of(0x0123_4567_89AB_CDEF, 3)) == 0x0123_4567_89AB_CDEF
    assert request(TINY, TINY.bursts + 3, 2).addr == 3


@configs("tiny", "middle", "single", "paper")
def test_rtl_equals_model(cfg):
    run_bench(DramController, cfg, BENCH)


#: What is changed in the Verilog of the controller: before, after, the test that notices, what it says.
MUTANTS = {
    "a place too many": ("5'h10;", "5'h11;", "slow_reader", "differ"),
    "a refresh too short": ("6'h25;", "6'h24;", "slow_reader", "differ"),
    "too early after the host": ("8'h80;", "8'h10;", "refresh_when_the_owner_changes", "differ"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_bench_notices(name):
    old, new, testcase, match = MUTANTS[name]
    assert_mutant_noticed(DramController, TINY, BENCH, old=old, new=new, match=match, testcase=testcase)


@pytest.mark.parametrize("unit", UNITS)
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)

