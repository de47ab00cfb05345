"""Storage of the DRAM: pages, arrays in and out, and the functions of the golden models."""

import numpy as np
import pytest

from golden.enmc.config import PRESETS
from golden.enmc.dram import Dram, read, write
from tests.enmc.launch import CONFIGS, TINY, configs

ALL = tuple(CONFIGS)


def bursts(cfg, count, seed=1):
    return np.random.default_rng(seed).integers(0, 2**32, (count, cfg.burst_words), np.uint32)


@configs(*ALL)
def test_load_and_dump(cfg):
    """Arrays at any offset, over page boundaries, of any type; what is around them stays."""
    memory, page = Dram(cfg, fill=0xABCD1234), 2 * cfg.page_bursts
    expected = np.full((6 * page, cfg.burst_words), 0xABCD1234, np.uint32)
    for k, (first, count) in enumerate([(3, 1), (page - 2, 2 * page + 5), (page, 4), (4 * page, page)]):
        data = bursts(cfg, count, k)
        memory.load(first, data.view([np.uint32, np.int8, np.float32, np.int32][k]))
        expected[first:first + count] = data
    assert np.array_equal(memory.dump(0, 6 * page), expected)
    assert np.array_equal(memory.dump(page - 1, 3), expected[page - 1:page + 2])
    assert int(memory.state.used[0]) == 5


def test_bytes_are_in_order():
    """Byte k of an array is byte k of the bursts, the first beat lowest."""
    memory = Dram(TINY)
    memory.load(9, np.arange(32, dtype=np.uint8))
    assert memory.read_burst(9) == int.from_bytes(bytes(range(16)), "little")
    assert memory.read_burst(10) & 0xFFFF == 0x1110


@configs(*ALL)
def test_single_bursts(cfg):
    """Bursts as integers, one page after the other: the arrays grow on the way."""
    memory, rng = Dram(cfg, fill=7), np.random.default_rng(2)
    written = {}
    for burst in rng.integers(0, cfg.bursts, 200).tolist():
        written[burst] = int.from_bytes(rng.bytes(cfg.dq), "little")
        memory.write_burst(burst, written[burst])
    for burst, value in written.items():
        assert memory.read_burst(burst) == value
        assert memory.dump(burst, 1).tobytes() == value.to_bytes(cfg.dq, "little")
    empty = next(k for k in range(cfg.bursts) if k not in written)
    assert memory.read_burst(empty) == sum(7 << 32 * k for k in range(cfg.burst_words))


def test_ranks_are_apart():
    memory = Dram(TINY, lanes=3)
    for lane in range(3):
        memory.load(5, bursts(TINY, 4, lane), lane)
    memory.write_burst(6, 1, 1)
    assert np.array_equal(memory.dump(5, 4, 0), bursts(TINY, 4, 0))
    assert memory.read_burst(6, 1) == 1
    assert np.array_equal(memory.dump(6, 3, 2), bursts(TINY, 4, 2)[1:])


@configs(*ALL)
def test_functions_of_the_models(cfg):
    """read and write see what load and dump see, in both directions."""
    memory = Dram(cfg, lanes=2, spare=1)
    data, words = bursts(cfg, 8), np.zeros(cfg.burst_words, np.int64)
    memory.load(4, data[:6], 1)
    read(memory.state, 1, 5, words)
    assert words.tolist() == data[1].tolist()
    words[:] = data[6]
    assert write(memory.state, 1, 5, words)
    words[:] = data[7]
    assert write(memory.state, 0, cfg.bursts - 1, words)
    assert memory.dump(5, 1, 1)[0].tolist() == data[6].tolist()
    assert memory.dump(cfg.bursts - 1, 1)[0].tolist() == data[7].tolist()
    read(memory.state, 0, 0, words)
    assert not words.any()


def test_no_free_page():
    """The function of the models says so; reserved pages are always there."""
    memory, words = Dram(TINY, spare=1), np.ones(TINY.burst_words, np.int64)
    page = 2 * TINY.page_bursts
    assert write(memory.state, 0, 0, words)
    assert not write(memory.state, 0, page, words)
    memory.reserve(3 * page - 1, 2)
    assert write(memory.state, 0, 3 * page - 1, words) and write(memory.state, 0, 3 * page, words)
    assert memory.dump(page, 1).sum() == 0 and memory.dump(3 * page - 1, 2).sum() == 2 * TINY.burst_words


def test_the_paper_size_is_sparse():
    """8 GB of a rank: an array at each end, and little memory."""
    cfg = PRESETS["rank"]
    memory, data = Dram(cfg), bursts(cfg, 1000)
    memory.load(0, data)
    memory.load(cfg.bursts - 1000, data[::-1])
    assert cfg.bursts * cfg.dq == 8 << 30
    assert np.array_equal(memory.dump(cfg.bursts - 1000, 1000), data[::-1])
    assert memory.state.data.nbytes < 1 << 20


def test_errors():
    memory = Dram(TINY)
    with pytest.raises(ValueError, match=r"^data must be whole bursts of 16 bytes, not 20 bytes$"):
        memory.load(0, np.zeros(5, np.int32))
    with pytest.raises(ValueError, match=r"^bursts must be in 0\.\.8191, not 8191\.\.8192$"):
        memory.load(8191, np.zeros(32, np.uint8))
    with pytest.raises(ValueError, match=r"^bursts must be in 0\.\.8191, not -1\.\.0$"):
        memory.dump(-1, 2)
    with pytest.raises(ValueError, match=r"^fill must be in 0\.\.4294967295, not -1$"):
        Dram(TINY, fill=-1)
    with pytest.raises(TypeError, match=r"^cfg must be an EnmcConfig, not 'tiny'$"):
        Dram("tiny")
    memory.load(0, np.zeros(0))
    assert memory.state.used[0] == 0
