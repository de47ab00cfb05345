"""Tags of the MAC instruction LUT: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import mac_lut
from hdl.duet.mac_lut import MacLut
from hdl.duet.map_pick import MapPick
from tests.duet.executor_traffic import random_build, random_program
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_mac_lut"


def test_fig_5_3():
    """27 MACs, 9 with the output map, 3 with the input map; two thirds of the inputs are zero."""
    program, imap, omap, macs = mac_lut.fig_5_3()
    everything = np.ones_like(imap), np.ones_like(omap)
    valid = (mac_lut.valid(program, *everything), mac_lut.valid(program, everything[0], omap),
             mac_lut.valid(program, imap, omap))
    assert tuple(int(tags.sum()) for tags in valid) == macs == (27, 9, 3)
    assert 3 * imap.sum() == len(imap)
    assert omap.tolist() == [True, False, False]
    # A filter of 3 x 3 slides over 3 x 5 inputs: output o is made of columns o..o + 2.
    for source, weight, output in program.tolist():
        assert (source // 5, source % 5 - output) == divmod(weight, 3)


def test_tags_equal_definition():
    """A bit of a column AND a bit of a row is the tag of the PE, for thousands of instructions."""
    rng = np.random.default_rng(2)
    cfg = TINY
    for _ in range(40):
        program = random_program(cfg, rng, cfg.input_words, cfg.weight_words)
        imaps = rng.integers(1 << cfg.pixels, size=(2, cfg.input_words, cfg.columns))
        omaps = rng.integers(1 << cfg.pixels, size=(2, cfg.rows))
        job = random_build(cfg, rng) | {"bank": int(rng.integers(2)), "omap_bank": int(rng.integers(2))}
        itags, otags = mac_lut.tags_spec(cfg, program, imaps, omaps, job)
        first = job["base"] * cfg.tags
        for r in range(cfg.rows):
            for c in range(cfg.columns):
                imap = (imaps[job["bank"], :, c, None] >> np.arange(cfg.pixels) & 1).ravel() | (not job["use_imap"])
                omap = (omaps[job["omap_bank"], r] >> np.arange(cfg.pixels) & 1) | (not job["use_omap"])
                omap &= job["inside"] >> np.arange(cfg.pixels) & 1
                tags = mac_lut.valid(program[first:first + job["length"]], imap, omap)
                found = [i[c] & o[r] for i, o in zip(itags, otags, strict=True)]
                numbers = [word * cfg.tags + bit for word, mask in enumerate(found) for bit in range(cfg.tags)
                           if mask >> bit & 1]
                assert numbers == np.flatnonzero(tags).tolist()


def test_model_equals_spec():
    """Hundreds of builds: words of tags in order, LATENCY cycles after the build, one a cycle."""
    rng = np.random.default_rng(3)
    cfg = TINY
    s = mac_lut.state(cfg, 1)
    program = random_program(cfg, rng, cfg.input_words, cfg.weight_words)
    for index, (source, weight, pixel) in enumerate(program.tolist()):
        mac_lut.write_lut(s, 0, index, source | weight << cfg.input_bits | pixel << cfg.input_bits + cfg.weight_bits)
    for _ in range(300):
        s.imap[0] = rng.integers(1 << cfg.pixels, size=s.imap[0].shape)
        s.omap[0] = rng.integers(1 << cfg.pixels, size=s.omap[0].shape)
        job = {**random_build(cfg, rng), "bank": int(rng.integers(2)), "omap_bank": int(rng.integers(2))}
        assert mac_lut.build_ready_of(s, 0)
        names = ("base", "words", "length", "bank", "omap_bank", "use_imap", "use_omap", "inside")
        mac_lut.clock(s, 0, True, *(job[name] for name in names), False)
        for _ in range(mac_lut.LATENCY - 1):
            assert not mac_lut.tags_valid_of(s, 0)
            mac_lut.clock(s, 0, False, *(0,) * 8, False)
        for word, (itags, otags) in enumerate(zip(*mac_lut.tags_spec(cfg, program, s.imap[0], s.omap[0], job),
                                                  strict=True)):
            assert mac_lut.tags_valid_of(s, 0)
            assert (s.word[0], s.last[0]) == (job["base"] + word, word == job["words"] - 1)
            assert (s.itags[0].tolist(), s.otags[0].tolist()) == (itags, otags)
            mac_lut.clock(s, 0, False, *(0,) * 8, word == job["words"] - 1)


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(MacLut, cfg, BENCH)


def test_bench_notices_an_instruction_too_many():
    """The length is compared with <= in place of <: the first instruction that does not count has a tag."""
    assert_mutant_noticed(MacLut, TINY, BENCH, old=" < job[14:7]", new=" <= job[14:7]", match="tags differ",
                          testcase="random_builds/p=1.0,density=1.0")


@pytest.mark.parametrize("unit", [MacLut, MapPick])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
