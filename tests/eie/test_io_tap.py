"""Tap of the I/O bus: hardware. Its model is in the bench; the whole accelerator's model reaches memories at once."""

from golden.eie.formats import Mem
from hdl.eie.io_tap import PORTS, IoTap
from tests.eie.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_io_tap"


def test_every_memory_of_a_pe_has_a_port():
    assert set(PORTS) == set(Mem) - {Mem.PROGRAM}
    assert len(set(PORTS.values())) == len(PORTS)


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(IoTap, cfg, BENCH)


def test_bench_notices_an_access_for_another_pe():
    assert_mutant_noticed(IoTap, TINY, BENCH, old="== pe_id", new="!= pe_id", match="io_tap: ",
                          testcase="program_memory_is_elsewhere")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(IoTap)
