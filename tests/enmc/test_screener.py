"""Screener: golden model and hardware."""

from hdl.enmc.screener import Screener
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_screener"


@configs("tiny", "middle", "single", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Screener, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Screener)


def test_mutant_is_noticed():
    """Partial sums of the tile before are not replaced by the biases of this one."""
    assert_mutant_noticed(Screener, TINY, BENCH, old="set_bias ?", new="1'h0 ?", match="o differ")
