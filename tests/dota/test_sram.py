"""Memory of a lane: golden model and hardware."""

import numpy as np
import pytest

from golden.common.config import to_json
from golden.dota import sram
from golden.dota.formats import BANKS, SRAM_LATENCY
from hdl.common.emit import emit
from hdl.dota import sram as hdl
from hdl.dota.sram import LaneSram
from sim.common.runner import BenchFailure, build, run
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_sram"
#: ``FILL_SEED`` of the bench, which can only be imported in the simulator.
FILL_SEED = 7


def random_words(cfg, seed=1):
    return np.random.default_rng(seed).integers(1 << 32, size=(cfg.words, cfg.units_per_word))


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=list(CONFIGS))
def test_every_address_has_a_place_of_its_own(cfg):
    """Bank and row, the way back, and the contents of the banks agree with each other."""
    s = sram.state(cfg, 1)
    places = [sram.place(cfg, addr) for addr in range(cfg.words)]
    assert sorted(places) == [(bank, row) for bank in range(BANKS) for row in range(cfg.bank_words)]
    rows = sram.bank_rows(cfg, np.arange(cfg.words))
    for addr, (bank, row) in enumerate(places):
        assert (sram.bank_of(s, addr), sram.address_of(s, bank, row), rows[bank, row]) == (bank, addr, addr)


def test_banks_of_the_address_ranges():
    b = TINY.bank_words
    assert [sram.place(TINY, a) for a in (0, 1, 4, 4 * b - 1)] == [(0, 0), (1, 0), (0, 1), (3, b - 1)]
    assert [sram.place(TINY, 4 * b + a) for a in (0, 1, 4, 4 * b - 1)] == [(4, 0), (5, 0), (4, 1), (7, b - 1)]
    assert [sram.place(TINY, 8 * b + a) for a in (0, b - 1, b, 2 * b - 1)] == [(8, 0), (8, b - 1), (9, 0), (9, b - 1)]


@pytest.mark.parametrize("addr", [-1, 640])
def test_wrong_address(addr):
    with pytest.raises(ValueError, match=rf"^addr must be in 0\.\.639, not {addr}$"):
        sram.place(TINY, addr)


def test_elements_are_signed_halves_of_units():
    s = sram.state(TINY, 2)
    s.data[1, 3, 0] = s.rdata[1, sram.HOST, 0] = 0x8000_7FFF
    assert [sram.gathered(s, 1, 3, e) for e in (0, 1)] == [0x7FFF, -0x8000]
    assert [sram.flat(s, 1, sram.HOST, e) for e in (0, 1)] == [0x7FFF, -0x8000]
    assert sram.element(0xFFFF_0000, 1) == -1


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_model_equals_spec(name):
    """Thousands of random accesses of two lanes: each read gives the word of its time, one or two cycles later."""
    cfg, rng = CONFIGS[name], np.random.default_rng(1)
    s, memory = sram.state(cfg, 2), random_words(cfg)
    memory = [memory.copy(), memory[::-1].copy()]
    for k in range(2):
        s.words[k] = memory[k]
    banks, ports, arriving = [{}, {}], [{}, {}], [{}, {}]
    for _ in range(2000):
        for k in range(2):
            for bank, word in banks[k].items():
                assert (s.data[k, bank] == word).all()
            for port, word in ports[k].items():
                assert (s.rdata[k, port] == word).all()
            free, next_arriving, writes = set(range(BANKS)), {}, []
            for port in range(3):
                addr = int(rng.integers(cfg.words))
                bank = sram.place(cfg, addr)[0]
                if rng.random() < 0.6 and bank in free:
                    free.remove(bank)
                    if rng.random() < 0.4:
                        word = rng.integers(1 << 32, size=cfg.units_per_word)
                        sram.write(s, k, addr, word)
                        writes.append((addr, word))
                    else:
                        sram.read(s, k, port, addr)
                        next_arriving[port] = banks[k][bank] = memory[k][addr].copy()
            for bank in range(8):
                if bank in free and rng.random() < 0.5:
                    row = int(rng.integers(cfg.bank_words))
                    sram.gather(s, k, bank, row)
                    banks[k][bank] = memory[k][sram.address_of(s, bank, row)].copy()
            ports[k].update(arriving[k])
            arriving[k] = next_arriving
            for addr, word in writes:
                memory[k][addr] = word
            sram.clock(s, k)
    assert not s.conflicts.any()
    assert (s.words == memory).all()
    assert s.seen.all()
    assert sram.FLAT_LATENCY == SRAM_LATENCY == 2


def test_conflicts_are_refused_and_counted():
    s = sram.state(TINY, 1)
    word = np.ones(1, np.int64)
    sram.write(s, 0, 4, word)
    sram.write(s, 0, 8, 2 * word)            # the same bank
    sram.gather(s, 0, 0, 1)
    sram.read(s, 0, sram.EXACT, 0)
    sram.read(s, 0, sram.HOST, TINY.words)   # no such word
    sram.write(s, 0, TINY.words, word)
    sram.clock(s, 0)
    assert s.conflicts[0] == 5
    assert s.words.sum() == 1


def test_ports_match_golden():
    assert hdl.FLAT_PORTS == sram.PORTS


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run_bench(LaneSram, cfg, BENCH)


@pytest.fixture(scope="module")
def built():
    design = emit(LaneSram(TINY), name="dota_sram", cfg=TINY)
    return build("dota_sram", dict(design.files), design.top)


def run_case(built, testcase, **options):
    return run(built, test_module=BENCH, seed=1, testcase=testcase, env={"DUT_CONFIG": to_json(TINY)}, **options)


def test_banks_are_filled_from_files(built, tmp_path):
    """By the names of the instances that the docstring promises."""
    for number, rows in enumerate(sram.bank_rows(TINY, random_words(TINY, FILL_SEED))):
        lines = [rows[row, ::-1].astype(">u4").tobytes().hex() for row in range(TINY.bank_words)]
        (tmp_path / f"dota_sram.bank_{number}.hex").write_text("\n".join(lines))
    run_case(built, "filled_by_the_simulator", plusargs=[f"+elision_fill={tmp_path}"])


@pytest.mark.parametrize(("testcase", "match"), [
    ("two_accesses", "bank 3 must be used once in a cycle, not 2 times"),
    ("beyond_the_end", "address of host must be below 640, not 640"),
])
def test_hardware_asserts(built, testcase, match):
    with pytest.raises(BenchFailure, match=f"hardware assertion: .*{match}"):
        run_case(built, testcase)


def test_bench_notices_a_lost_row_bit():
    """The interleaved banks take the row from the wrong end of the address."""
    assert_mutant_noticed(LaneSram, TINY, BENCH, old="addr[7:2]", new="addr[5:0]", match="differ",
                          testcase="every_word")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(LaneSram)
