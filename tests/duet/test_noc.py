"""Network on chip: golden model and hardware."""

import numpy as np

from golden.duet import noc
from hdl.duet.noc import Noc
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_noc"


def test_model_equals_spec():
    """Thousands of transfers: the word is on the Y-bus, and the PEs that are meant take it."""
    rng = np.random.default_rng(1)
    cfg = TINY
    s = noc.state(cfg, 1)
    for _ in range(2000):
        row_ids, column_ids = rng.integers(cfg.rows, size=cfg.rows), rng.integers(cfg.columns, size=cfg.columns)
        valid = bool(rng.random() < 0.8)
        row, column = int(rng.integers(cfg.rows + 1)), int(rng.integers(cfg.columns + 1))
        data = rng.integers(-0x8000, 0x8000, (cfg.columns, cfg.pixels))
        noc.clock(s, 0, valid, int(rng.integers(3)), row, column, 0, 0, data, row_ids, column_ids)
        meant = noc.deliver(cfg, row, column, row_ids, column_ids) & valid
        for r in range(cfg.rows):
            assert [bool(noc.take_of(s, 0, r, c)) for c in range(cfg.columns)] == meant[r].tolist()
        assert not valid or (s.data[0] == data).all()


@configs("tiny", "tall")
def test_rtl_equals_model(cfg):
    run_bench(Noc, cfg, BENCH)


def test_bench_notices_a_wrong_id():
    """The controller of row 1 has the ID of row 0."""
    assert_mutant_noticed(Noc, TINY, BENCH, old=".id(row_ids[3:2])", new=".id(row_ids[1:0])", match="rows differ",
                          testcase="full_throughput")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Noc)
