"""The whole accelerator: RTL and golden model agree in every cycle, and outputs are those of layer 1."""

import itertools
import json

import numpy as np
import pytest

import golden.eie.cli
import sim.eie.cli
from golden.common.config import to_json
from golden.eie import npz
from golden.eie.compiler import pack
from golden.eie.model import run
from golden.eie.workloads import load
from hdl.eie.top import Eie
from sim.common import runner
from sim.eie import accelerator
from tests.eie.launch import assert_wrong_cfg_is_refused
from tests.eie.networks import TINY, expected, random_config, random_image

CORNERS = ("empty-columns", "dense", "all-zero-input", "one-hot", "saturating")

#: Corners of the parameter space, and four configurations of pure chance.
CONFIGS = {
    "tiny": TINY,
    "n1-d1-bits8": TINY.replace(n_pe=1, fifo_depth=1, data_bits=8, spmat_width=64),
    "n2-ahead1-bits32-w512": TINY.replace(n_pe=2, run_ahead=True, run_ahead_columns=1, data_bits=32, spmat_width=512),
    "n8-ahead": TINY.replace(n_pe=8, run_ahead=True, fifo_depth=3, data_bits=13, regfile_words=4),
    "n8-d1": TINY.replace(n_pe=8, fifo_depth=1, spmat_width=128, ptr_words=512),
    "n16": TINY.replace(n_pe=16, fifo_depth=8, regfile_words=4, act_words=32),
    **{f"chance-{k}": random_config(np.random.default_rng([11, k]), n_pe=n_pe) for k, n_pe in enumerate((1, 2, 4, 4))},
}
configs = pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS)


def check(ran, layers, vectors, image):
    """Outputs are those of layer 1; cycles, flags and work those of a model of its own."""
    assert len(ran.runs) == len(vectors)
    model = None
    for rtl, activations in zip(ran.runs, vectors, strict=True):
        outputs, clipped = expected(layers, activations, image.cfg)
        model = run(image, activations)
        np.testing.assert_array_equal(rtl.outputs, outputs)
        np.testing.assert_array_equal(rtl.saturated, clipped)
        np.testing.assert_array_equal(rtl.pe_entries, model.pe_entries)
        assert rtl.cycles == model.cycles
    assert ran.checked_cycles > sum(rtl.cycles for rtl in ran.runs)


@configs
def test_rtl_equals_model(cfg):
    """A random network with long vectors; three vectors, so that every run begins with what the last one left."""
    rng = np.random.default_rng([1, cfg.n_pe])
    layers, activations, image = random_image(rng, cfg, layers=2, wide=True)
    vectors = [activations, rng.permutation(activations), np.zeros_like(activations)]
    check(accelerator.simulate(accelerator.build(cfg), image, vectors), layers, vectors, image)


@configs
def test_golden_cycles_equal_rtl_cycles(cfg, tmp_path):
    """`python -m golden eie` and `python -m sim eie` report the same cycles, pass counters and outputs."""
    number = list(CONFIGS.values()).index(cfg)
    workload = CORNERS[number % len(CORNERS)]
    if number >= 5:
        layers, activations, _ = random_image(np.random.default_rng([2, number]), cfg, layers=3)
        workload = str(tmp_path / "network.npz")
        npz.save(workload, layers, activations, expected(layers, activations, cfg)[0])
    settings = itertools.chain(*(["--set", f"{key}={value}"] for key, value in json.loads(to_json(cfg)).items()))
    options = ["--preset", "tiny", *settings, "--workload", workload, "--seed", "3", "--json"]
    reports = []
    for cli in (golden.eie.cli, sim.eie.cli):
        file = tmp_path / "report.json"
        assert cli.main([*options, str(file)]) == 0
        reports.append(json.loads(file.read_text()))
    model, rtl = reports
    assert model["config"] == rtl["config"] == json.loads(to_json(cfg))
    assert rtl["cycles"] == model["cycles"] > 0
    assert rtl["checked_cycles"] > rtl["cycles"] and rtl["mismatches"] == rtl["functional_errors"] == 0
    assert rtl["utilization"] == model["utilization"]
    # The row that was read last may be the first of the next vector: so models of several vectors are one model.
    assert rtl["metrics"]["layers"] == model["metrics"]["layers"]


@pytest.mark.parametrize("name", CORNERS)
def test_corner_workloads(name):
    workload = load(name, TINY, 1)
    image = pack(workload.layers, TINY)
    ran = accelerator.simulate(accelerator.build(TINY), image, workload.activations)
    check(ran, workload.layers, workload.activations, image)


@pytest.mark.parametrize("cfg", [CONFIGS["tiny"], CONFIGS["n2-ahead1-bits32-w512"]], ids=["tiny", "n2"])
def test_ways_to_load(cfg):
    """Through the port, by the simulator at once, with pauses: the same outputs, cycles and counters."""
    rng = np.random.default_rng(4)
    layers, activations, image = random_image(rng, cfg, layers=3, wide=False)
    built, vectors = accelerator.build(cfg), [activations, activations[::-1]]
    port, at_once, paused = (accelerator.simulate(built, image, vectors, **options) for options in (
        {"at_once": False}, {"at_once": True}, {"stalls": [True, False, False, True, True, True, False]}))
    for ran in port, at_once, paused:
        check(ran, layers, vectors, image)
        assert [r.passes for r in ran.runs] == [r.passes for r in port.runs]
    assert (port.at_once, at_once.at_once, paused.at_once) == (False, True, False)
    assert at_once.checked_cycles < port.checked_cycles < paused.checked_cycles


def test_own_bench():
    runner.run(accelerator.build(TINY), test_module="tests.eie.tb_top", seed=1, env={"DUT_CONFIG": to_json(TINY)})


@pytest.mark.parametrize("name", ["n1-d1-bits8", "n2-ahead1-bits32-w512", "n8-ahead"])
def test_own_bench_with_other_sizes(name):
    """Programs that no compiler writes."""
    cfg = CONFIGS[name]
    runner.run(accelerator.build(cfg), test_module="tests.eie.tb_top", seed=1, env={"DUT_CONFIG": to_json(cfg)},
               testcase=[f"programs/p={p}" for p in (0.3, 0.8, 1.0)])


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Eie)
