"""The report: sums over passes and vectors, what counts as an error, and the same figures in table and JSON."""

import dataclasses
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from golden.eie.compiler import layer_floors, pack
from golden.eie.config import PRESETS
from golden.eie.report import SUMMED, Rtl, evaluate, to_dict
from golden.eie.spec import network_outputs
from golden.eie.tables import MOST_IMAGES, print_report
from golden.eie.workloads import Workload, random_layers

CFG = PRESETS["tiny"]
JSON_KEYS = {"accelerator", "preset", "config", "workload", "seed", "cycles", "checked_cycles", "mismatches",
             "functional_errors", "utilization", "wall_seconds", "cycles_per_second", "metrics"}


def stub_run(image, layers, activations):
    """A run with right outputs and made-up counters: every counter of pass p is (its number + 1) * 1000 + p."""
    results = network_outputs(layers, activations, image.cfg.data_bits)
    saturated = np.zeros(image.cfg.n_pe, bool)
    for _, rows in results:
        saturated[np.flatnonzero(rows) % image.cfg.n_pe] = True
    passes = [SimpleNamespace(**{name: (k + 1) * 1000 + p for k, name in enumerate(SUMMED)})
              for p in range(len(image.program))]
    return SimpleNamespace(outputs=results[-1][0].copy(), saturated=saturated, passes=passes,
                           cycles=sum(p.cycles for p in passes))


def random_run(seed, vectors=3, labels=False, **fields):
    """(workload, image, runs) of a random network that needs several passes."""
    rng = np.random.default_rng(seed)
    layers, vector = random_layers(rng, CFG, layers=2, wide=True)
    activations = rng.permuted(np.tile(vector, (vectors, 1)), axis=1)
    if labels:
        fields |= {"labels": rng.integers(0, layers[-1].n_out, vectors),
                   "logits": {"float": rng.normal(size=(vectors, layers[-1].n_out))}}
    workload = Workload(name="some[bold]thing", description="made up", layers=layers, activations=activations,
                        **fields)
    image = pack(layers, CFG)
    return workload, image, [stub_run(image, layers, a) for a in activations]


def make(workload, image, runs, **more):
    return evaluate(image, workload, runs, **({"preset": "tiny", "seed": 4, "wall_seconds": 2.0} | more))


def text_of(report, width=120):
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_sums():
    workload, image, runs = random_run(1)
    report = make(workload, image, runs)
    assert len(report.layers) == 2
    for k, layer in enumerate(report.layers):
        mine = [p for p, info in enumerate(image.pass_info) if info.layer == k]
        assert layer.passes == len(mine)
        for c, name in enumerate(SUMMED):
            assert layer.counters[name] == 3 * sum((c + 1) * 1000 + p for p in mine)
    assert report.cycles == report.total.counters["cycles"] == sum(run.cycles for run in runs)
    assert report.total.passes == len(image.program)
    floors = saturated = 0
    for a in workload.activations:
        results = network_outputs(workload.layers, a, 16)
        floors += sum(layer_floors(image, [a, results[0][0]]))
        saturated += sum(rows.sum() for _, rows in results)
    assert (report.total.floor, report.total.saturated) == (floors, saturated)
    entries = report.total.counters["entries"]
    assert report.total.busy(4) == entries / (report.cycles * 4)


def test_right_runs_have_no_errors():
    saturated = 0
    for seed in range(40):
        report = make(*random_run(seed))
        assert report.functional_errors == 0
        saturated += report.total.saturated
    assert saturated > 0


def test_every_kind_of_error_counts():
    workload, image, runs = random_run(2)
    expected = np.stack([run.outputs for run in runs])
    rtl = Rtl(expected.copy(), 100, 0, 1.0)
    assert make(dataclasses.replace(workload, expected=expected), image, runs, rtl=rtl).functional_errors == 0

    wrong = expected.copy()
    wrong[1, 0] += 1
    wrong[2, -1] -= 1
    assert make(dataclasses.replace(workload, expected=wrong), image, runs).functional_errors == 2
    assert make(workload, image, runs, rtl=rtl._replace(outputs=wrong)).functional_errors == 2
    runs[0].saturated[1] ^= True
    assert make(workload, image, runs).functional_errors == 1
    runs[1].outputs[0] += 1
    assert make(workload, image, runs).functional_errors == 2


def test_part_of_the_vectors():
    workload, image, runs = random_run(3, vectors=4, labels=True)
    expected = np.stack([run.outputs for run in runs])
    report = make(dataclasses.replace(workload, expected=expected), image, runs[:2])
    assert report.functional_errors == 0 and len(report.outputs) == 2
    assert "2 of 4 vectors" in text_of(report)
    right = expected.argmax(axis=1) == workload.labels
    assert report.accuracy["fixed_point"] == right[:2].mean()
    assert report.test_accuracy["fixed_point"] == right.mean()


def test_accuracy():
    workload, image, runs = random_run(4, vectors=6, labels=True)
    outputs = np.stack([run.outputs for run in runs])
    right = Rtl(outputs.copy(), 7, 0, 1.0)
    right.outputs[0] = 0
    right.outputs[0, workload.labels[0]] = 1
    report = make(workload, image, runs, rtl=right)
    assert list(report.accuracy) == ["float", "fixed_point", "rtl"]
    assert report.accuracy["float"] == (workload.logits["float"].argmax(axis=1) == workload.labels).mean()
    assert report.accuracy["rtl"] >= 1 / 6
    assert list(report.test_accuracy) == ["float", "fixed_point"]
    found = to_dict(report)["metrics"]["classes"]
    assert found["true"] == workload.labels.tolist()
    assert found["rtl"][0] == found["true"][0]
    assert make(*random_run(4)).accuracy == {}


@pytest.mark.parametrize("rtl", [False, True])
def test_json(rtl):
    workload, image, runs = random_run(5, labels=True)
    outputs = np.stack([run.outputs for run in runs])
    report = make(workload, image, runs, rtl=Rtl(outputs, 5000, 3, 4.0) if rtl else None)
    found = json.loads(json.dumps(to_dict(report)))
    assert JSON_KEYS <= set(found)
    assert found["config"] == dataclasses.asdict(CFG)
    assert (found["accelerator"], found["preset"], found["seed"]) == ("eie", "tiny", 4)
    assert found["cycles"] == report.cycles
    speed = {False: (0, 0, 2.0, report.cycles / 2), True: (5000, 3, 4.0, 1250)}[rtl]
    assert (found["checked_cycles"], found["mismatches"], found["wall_seconds"],
            found["cycles_per_second"]) == speed
    metrics = found["metrics"]
    assert metrics["cycles_over_floor"] == report.cycles / report.total.floor
    assert len(metrics["layers"]) == 2 and metrics["vectors"] == 3
    assert sum(x["counters"]["entries"] for x in metrics["layers"]) == metrics["entries"]
    assert metrics["stored"]["entries"] == image.entries.sum()


def test_table():
    workload, image, runs = random_run(6, labels=True)
    report = make(workload, image, runs)
    text = text_of(report)
    assert workload.name in text        # not taken for markup
    for layer in report.layers:
        for name in ("cycles", "entries", "stall_queue", "stall_lnzd", "stall_drain", "stall_store", "control"):
            assert str(layer.counters[name]) in text
        assert f"{layer.n_in} to {layer.n_out}" in text
    assert f"{report.cycles} cycles, {report.cycles / 2:.0f} cycles/s in the model; 0 differences" in text
    outputs = np.stack([run.outputs for run in runs])
    text = text_of(make(workload, image, runs, rtl=Rtl(outputs, 5000, 3, 4.0)))
    assert "5000 compared with the hardware, 3 mismatches, 1250 compared cycles/s; 0 differences" in text
    assert " rtl" in text


def test_many_images_list_only_the_wrong_ones():
    workload, image, runs = random_run(7, vectors=MOST_IMAGES + 1, labels=True)
    outputs = np.stack([run.outputs for run in runs])
    labels = outputs.argmax(axis=1)
    logits = np.eye(outputs.shape[1])[labels]
    labels[5] = (labels[5] + 1) % outputs.shape[1]
    workload = dataclasses.replace(workload, labels=labels, logits={"float": logits})
    text = text_of(make(workload, image, runs))
    assert "image, if wrong" in text
    assert text.count(" wrong") == 1 + 2        # the heading; float and fixed point of image 5


def test_nothing_to_do():
    """All-zero vectors of a network without bias have no floor and no entries: no division by zero."""
    workload, image, runs = random_run(8)
    layers = [dataclasses.replace(x, bias_codes=None) for x in workload.layers]
    image = pack(layers, CFG)
    zeros = np.zeros((1, layers[0].n_in), np.int64)
    workload = dataclasses.replace(workload, layers=layers, activations=zeros)
    run = stub_run(image, layers, zeros[0])
    for done in run.passes:
        for name in SUMMED:
            setattr(done, name, 0)
    run.cycles = 0
    report = make(workload, image, [run], wall_seconds=0.0)
    assert to_dict(report)["utilization"] == 0 and report.total.floor == 0
    assert "0 differences" in text_of(report)
