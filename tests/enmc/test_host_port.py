"""Host port: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.enmc import host_port
from golden.enmc.formats import PHASES
from golden.enmc.host_port_spec import Traffic, expected, nothing
from hdl.enmc.host_port import HostPort
from tests.enmc.host_port_traffic import HostTraffic
from tests.enmc.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_host_port"
CYCLES = 300


def traffic(cfg, seed):
    """Random inputs of many cycles."""
    rng = np.random.default_rng(seed)
    source = HostTraffic(cfg, random.Random(seed), instructions=rng.choice([0.1, 0.5, 1]),
                         commands=rng.choice([0.1, 0.6]), changes=rng.choice([0, 0.02, 0.3]))
    owner, pins, enmc_pins, oe = (np.array(column) for column in zip(*(source.cycle() for _ in range(CYCLES)),
                                                                     strict=True))

    def words(*shape):
        return rng.integers(1 << 32, size=(CYCLES, *shape))

    dq = PHASES, cfg.phase_words
    return Traffic(owner, pins, words(*dq), enmc_pins, words(*dq), oe, words(*dq), words(2), words(cfg.burst_words))


def run(cfg, x):
    """The outputs of the golden model, in the form of the definition."""
    s = host_port.state(cfg, 1)
    y = nothing()
    for cycle in range(CYCLES):
        for slot in range(PHASES):
            clock = PHASES * cycle + slot
            y.dram_pins[clock] = s.dram_pins[0, slot]
            for port, oe, found in (s.dram_dq_o, s.dram_dq_oe, y.dram_dq), (s.dq_o, s.dq_oe, y.dq):
                if oe[0] >> slot & 1:
                    found[clock] = port[0, slot].tolist()
        for flag, found in ((s.host_command, y.commands), (s.host_refresh, y.refreshes), (s.refused, y.refused),
                            (s.overrun, y.overruns), (s.take, y.takes)):
            if flag[0]:
                found.add(cycle)
        if s.valid[0]:
            y.handed[cycle] = int(s.word[0]), s.data[0].tolist()
        if s.query[0]:
            y.queries[cycle] = int(s.reg[0])
        host_port.clock(s, 0, cfg.cl, cfg.cwl, *(one[cycle] for one in x[:7]), *x.answer[cycle], x.record[cycle])
    return y, s.seen


def until_the_end(expected):
    """Without what happens after the last cycle."""
    last = {"dram_pins": PHASES * CYCLES, "dram_dq": PHASES * CYCLES, "dq": PHASES * CYCLES}
    return expected._replace(**{
        name: {key: value for key, value in found.items() if key < last.get(name, CYCLES)}
        if isinstance(found, dict) else {cycle for cycle in found if cycle < CYCLES}
        for name, found in expected._asdict().items()})


@pytest.mark.parametrize("dq", [16, 32, 64])
def test_model_equals_spec(dq):
    """Thousands of random cycles at all kinds of latencies: every output of every clock is what the definition says."""
    rng, seen = random.Random(dq), np.zeros(len(host_port.EVENTS), np.int64)
    latencies = [(5, 5), (6, 5), (7, 7), (32, 32), (32, 5)]
    latencies += [(cl, rng.randint(5, cl)) for cl in rng.sample(range(8, 32), 5)]
    for seed, (cl, cwl) in enumerate(latencies):
        cfg = TINY.replace(dq=dq, features=256, cl=cl, cwl=cwl)
        x = traffic(cfg, seed)
        found, events = run(cfg, x)
        for name, value in until_the_end(expected(cfg, x))._asdict().items():
            assert getattr(found, name) == value, f"{name} at cl={cl}, cwl={cwl}"
        seen += events
    assert seen.all()


def test_constants():
    unit = HostPort(TINY)
    assert (unit.SPACING, unit.ANSWER_LATENCY) == (host_port.SPACING, host_port.ANSWER_LATENCY)
    assert unit.handed_on == host_port.handed_on(TINY)


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(HostPort, cfg, BENCH)


def test_rtl_equals_model_at_the_lowest_latency():
    """cl = cwl = 5: a QUERY has no cycle to spare."""
    run_bench(HostPort, CONFIGS["middle"].replace(cl=5, cwl=5), BENCH)


def test_bench_notices_an_instruction_that_reaches_the_dram():
    assert_mutant_noticed(HostPort, TINY, BENCH, old="slot_0__instruction ?", new="1'h0 ?", match="dram_pins differ",
                          testcase="too_soon")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(HostPort)
