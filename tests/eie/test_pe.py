"""Processing element: its timing contract in the cycle model, and what its wiring exposes."""

import numpy as np
import pytest

from golden.eie.config import PRESETS
from golden.eie.formats import TRACE_OUTPUTS, trace_pe_bits
from golden.eie.model import Eie
from hdl.common.emit import emit
from hdl.eie.pe import Pe
from tests.eie.launch import assert_wrong_cfg_is_refused
from tests.eie.networks import TINY

#: Cycles from a broadcast to the first write.
LATENCY = 11
PUSH, COLUMN = (list(TRACE_OUTPUTS).index(name) for name in ("push", "column"))
ONE_PE = TINY.replace(n_pe=1, fifo_depth=16, spmat_words=256)
BOTH = pytest.mark.parametrize("run_ahead", [False, True], ids=["paper", "ahead"])


def timeline(columns, *, run_ahead=False, cfg=ONE_PE):
    """Run one pass over columns of entries (v, z), all of them broadcast.

    Returns the cycles of the broadcasts, those of the writes, and the rows that are written.
    """
    cfg = cfg.replace(run_ahead=run_ahead)
    model = Eie(cfg)
    s = model.state
    at = 0
    for number, column in enumerate(columns):
        for v, z in column:
            s.entries.spmat[0, at] = v << 4 | z
            at += 1
        s.pointers.ptr[0, number + 1] = at
    s.arithmetic.codebook[0, :16] = range(16)
    count = len(columns)
    assert count <= cfg.regfile_words
    for i in range(count):
        s.files.words[0, i] = s.files.live[0, i] = s.files.nonzero[0, i] = 1
    s.program.words[0, 0] = 0b110       # clear, finish
    x = model.inputs(200)
    x.start[0], x.length[:] = 1, 1
    y = model.step(x)
    assert y.outputs[-1, list(TRACE_OUTPUTS).index("done")]
    writes = np.flatnonzero(y.valid[:, 0])
    return np.flatnonzero(y.outputs[:, PUSH]), writes, y.row[writes, 0].tolist()


def entries(count, v=1):
    return [(v, 0)] * count


@BOTH
def test_latency_and_throughput(run_ahead):
    """From a broadcast to the first write; then an entry in every cycle, across columns and rows of the SRAM."""
    broadcasts, writes, rows = timeline([entries(n) for n in (3, 1, 7, 8, 2, 1, 1, 5)], run_ahead=run_ahead)
    assert writes[0] - broadcasts[0] == LATENCY
    assert np.all(np.diff(writes) == 1)
    assert rows == [*range(3), 0, *range(7), *range(8), 0, 1, 0, 0, *range(5)]
    assert np.all(np.diff(broadcasts) == 1)


@BOTH
@pytest.mark.parametrize("width", [32, 64, 512])
def test_no_bubble_at_a_row_of_the_sram(run_ahead, width):
    cfg = ONE_PE.replace(spmat_width=width, regfile_words=64)
    _, writes, _ = timeline([entries(n) for n in range(1, 13)], run_ahead=run_ahead, cfg=cfg)
    assert len(writes) == 78 and np.all(np.diff(writes) == 1)


@BOTH
def test_no_bubble_when_an_accumulator_repeats(run_ahead):
    """At every distance that the pipeline knows, and the next one: 1 to 4 entries."""
    for distance in (1, 2, 3, 4):
        _, writes, rows = timeline([entries(distance)] * 8, run_ahead=run_ahead)
        assert np.all(np.diff(writes) == 1)
        assert rows == list(range(distance)) * 8


@pytest.mark.parametrize("length", range(7))
def test_empty_columns(length):
    """One cycle each; with ``run_ahead`` nothing while there is work."""
    columns = [entries(8), *([[]] * length), entries(2)]
    _, writes, _ = timeline(columns)
    assert np.diff(writes).tolist() == [*[1] * 7, 1 + length, 1]
    _, writes, _ = timeline(columns, run_ahead=True)
    assert np.all(np.diff(writes) == 1)


@BOTH
def test_padding_costs_a_cycle(run_ahead):
    cfg = ONE_PE.replace(regfile_words=64)
    _, writes, rows = timeline([[(0, 15), (0, 15), (3, 4)], [(1, 0)]], run_ahead=run_ahead, cfg=cfg)
    assert np.all(np.diff(writes) == 1)
    assert rows == [15, 31, 36, 0]


@BOTH
def test_rows_out_of_range_are_dropped(run_ahead):
    """Also those behind them in the same column; the next column is right again."""
    _, writes, rows = timeline([[(1, 6), (1, 0), (1, 0), (1, 3)], [(1, 7)], [(1, 8), (1, 0)], [(1, 2)]],
                               run_ahead=run_ahead)
    assert rows == [6, 7, 7, 2]
    assert np.diff(writes).tolist() == [1, 3, 3]


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Pe)


@pytest.mark.parametrize("cfg", [TINY, TINY.replace(n_pe=1, data_bits=32), PRESETS["fast"]],
                         ids=["tiny", "one-pe", "fast"])
def test_ports(cfg):
    """The units of [EIE Fig. 4 (b)] once each, and a PE number only where there is more than one PE."""
    design = emit(Pe(cfg), name="eie_pe", cfg=cfg)
    assert ("pe_id" in design.ports) == (cfg.n_pe > 1)
    assert design.ports["probe"] == ("output", trace_pe_bits(cfg))
    assert design.ports["events"] == ("output", 6)
    units = {"act_queue", "pointer_read", "spmat_read", "arithmetic", "act_rw", "regfile", "io_tap", "pe"}
    assert {f"eie_{unit}.v" for unit in units} <= set(design.files)
