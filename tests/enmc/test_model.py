"""The golden model of the whole DIMM: what it returns is what the equations say, whatever the shape; and how fast."""

import dataclasses

import numpy as np
import pytest

from golden.enmc import activity, model
from golden.enmc.activity import QUANTITIES, STAGES
from golden.enmc.classifier import Classifier, jobs_of
from golden.enmc.config import PRESETS
from golden.enmc.formats import Buffer, Function
from golden.enmc.instruction import Instruction
from golden.enmc.interpret import Interpreter, Job
from golden.enmc.model import Dimm
from golden.enmc.packing import Segment
from golden.enmc.plan import plan
from golden.enmc.report import Run, evaluate
from golden.enmc.verify import verify
from golden.enmc.workloads import Workload, load, shape
from tests.enmc.launch import CONFIGS, TINY
from tests.enmc.runs import answers_of, check, random_plan, random_workload

RANK, MIDDLE, SINGLE = PRESETS["rank"], CONFIGS["middle"], CONFIGS["single"]
EVERY = np.inf
NONE, SIGMOID, SOFTMAX = Function



@pytest.mark.parametrize(("cfg", "given"), [
    (TINY, {"classes": 1, "elements": 1, "size": 1, "inputs": 1, "candidates": EVERY}),
    (TINY, {"classes": 17, "elements": 3, "size": 9, "inputs": 5, "candidates": 3, "scores": True}),
    (TINY, {"classes": 203, "elements": 23, "size": 7, "inputs": 3, "candidates": 9, "batch": 1, "function": NONE}),
    (TINY, {"classes": 75, "elements": 12, "size": 5, "inputs": 3, "candidates": EVERY, "function": SIGMOID}),
    (TINY, {"classes": 75, "elements": 12, "size": 5, "inputs": 3, "candidates": 0}),
    (TINY, {"classes": 18, "elements": 127, "size": 64, "inputs": 2, "candidates": 5}),
    (TINY.replace(ranks=3), {"classes": 20, "elements": 6, "size": 4, "inputs": 4, "candidates": 4, "scores": True}),
    (TINY.replace(ranks=2), {"classes": 101, "elements": 9, "size": 8, "inputs": 3, "candidates": 6}),
    (MIDDLE, {"classes": 150, "elements": 31, "size": 33, "inputs": 7, "candidates": 12, "scores": True}),
    (SINGLE, {"classes": 50, "elements": 40, "size": 12, "inputs": 2, "candidates": EVERY, "function": NONE}),
    (RANK, {"classes": 131, "elements": 100, "size": 25, "inputs": 4, "candidates": 20}),
    (RANK, {"classes": 300, "elements": 384, "size": 96, "inputs": 3, "candidates": 30, "batch": 2}),
    (RANK, {"classes": 200, "elements": 512, "size": 128, "inputs": 4, "candidates": 25, "function": SIGMOID}),
    (RANK, {"classes": 129, "elements": 1500, "size": 375, "inputs": 2, "candidates": 20, "batch": 1, "scores": True}),
    (PRESETS["paper"], {"classes": 1025, "elements": 64, "size": 16, "inputs": 5, "candidates": 40}),
], ids=lambda value: "-".join(map(str, [value.ranks, value.dq] if hasattr(value, "dq") else
                                  [value["classes"], value["elements"], value["inputs"], value["candidates"]])))
def test_answers_are_those_of_the_equations(cfg, given):
    """Golden model, interpreter and equations agree: sizes that fit nothing, all functions, all batches, all ranks."""
    what = random_plan(cfg, 3, **given)
    check(what, answers_of(Dimm(cfg), what))


@pytest.mark.parametrize("cfg", [TINY, TINY.replace(ranks=2)], ids=["1", "2"])
def test_full_classification(cfg):
    what = random_plan(cfg, classes=40, elements=10, size=5, inputs=3, candidates=5, full=True)
    check(what, answers_of(Dimm(cfg), what))


def test_candidates_without_exact_results():
    """Records have scores alone."""
    what = random_plan(TINY, classes=90, elements=10, size=5, inputs=2, candidates=20)
    w = what.workload
    work = what.work._replace(exact=False)
    [answer] = Dimm(TINY).run(jobs_of(what.layout, 0, work, w.screener, w.w, w.b, w.h))
    labels, batch = answer.records[:, 1] & 0xFFFFFF, answer.records[:, 1] >> 24 & 15
    for n, candidates in enumerate(what.candidates):
        own = np.argsort(labels[batch == n])
        np.testing.assert_array_equal(labels[batch == n][own], candidates)
        np.testing.assert_array_equal(answer.records[batch == n, 0].view(np.int32)[own], what.scores[n, candidates])
    assert not (answer.records[:, 1] >> 28 & 1).any()


def test_classifier_on_the_model():
    """The Python interface gives the same with the model behind it, call after call."""
    rng = np.random.default_rng(1)
    w, b, h = rng.standard_normal((90, 12)), rng.standard_normal(90), rng.standard_normal((7, 12))
    plain, modelled = (Classifier(w, b, cfg=TINY, backend=backend, function=Function.SOFTMAX).fit_screener(
        h, 6, candidates=8) for backend in (None, Dimm(TINY)))
    for inputs in h[:3], h[3:], h[:1]:
        ours, theirs = modelled(inputs), plain(inputs)
        np.testing.assert_array_equal(ours.approximate, theirs.approximate)
        for a, b in zip((*ours.candidates, *ours.exact), (*theirs.candidates, *theirs.exact), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(modelled.outcome.probabilities(), plain.outcome.probabilities(), strict=True):
            np.testing.assert_allclose(a, b, rtol=3e-4)


def ran(what):
    """A report of the model."""
    dimm, answers, batches = Dimm(what.cfg), [], []
    for n in range(what.batches):
        answers.append(dimm.run(what.jobs(n)))
        batches.append(dimm.host.worked)
    return evaluate(what, Run(answers, batches, dimm.activity), preset="rank", seed=1, wall_seconds=1), dimm


def large(classes, inputs):
    """The shape of Transformer-W268K, fewer classes: d 512, k 128."""
    return Workload(name="shape", description="", **shape(RANK, 1, classes=classes, elements=512, inputs=inputs))


def test_screening_has_the_bandwidth():
    """More than 95 % of what the pins carry between refreshes, one input at a time."""
    report, _ = ran(plan(RANK, large(8000, 2), batch=1, candidates=20))
    [rank] = report.ranks
    assert report.errors.total == 0 and rank.screening.cycles > 10_000
    assert rank.screening.possible > 0.95 and rank.whole.possible > 0.95
    # Weights and biases; half of the 128 INT4 MACs' cycles are those of a burst.
    assert rank.counters["bursts_read"] > 2 * 125 * 68 and rank.whole.int4 > 0.6


def test_the_executor_has_the_bandwidth():
    """More than 90 % of what the DRAM can deliver, which is less than 16 MACs can take."""
    report, _ = ran(plan(RANK, large(700, 1), full=True))
    [rank] = report.ranks
    possible = 0.75 * (1 - RANK.trfc / RANK.trefi)
    assert report.errors.total == 0 and rank.whole.fp32 > 0.9 * possible and rank.whole.possible > 0.95


def test_dealing_shares_the_work():
    """Most candidates of ``tokens`` are frequent tokens; in their order all would lie in one rank."""
    cfg = PRESETS["paper"]
    dealt, in_order = (plan(cfg, load("tokens", cfg, 1), inputs=4, deal=deal) for deal in (True, False))
    shares = [[sum(np.count_nonzero((c >= s.start) & (c < s.stop)) for c in what.candidates)
               for s in map(what.layout.share, range(8))] for what in (dealt, in_order)]
    assert sum(shares[0]) == sum(shares[1]) and max(shares[0]) < 0.25 * sum(shares[0]) < 0.5 * max(shares[1])
    for n in range(4):
        names, theirs = ({what.workload.vocabulary[k] for k in what.candidates[n]} for what in (dealt, in_order))
        assert names == theirs
        assert [what.workload.vocabulary[what.workload.labels[n]] for what in (dealt, in_order)] == \
            [in_order.workload.vocabulary[in_order.workload.labels[n]]] * 2


def test_activity_adds_up():
    """Every cycle is in one stage; bursts and refreshes are those that the rank counts itself."""
    cfg = TINY.replace(ranks=2)
    report, dimm = ran(random_plan(cfg, classes=101, elements=9, size=8, inputs=3, candidates=6, scores=True))
    assert dimm.activity[:, :, activity.CYCLES].sum(axis=1).tolist() == [dimm.cycles] * 2
    for rank in report.ranks:
        total = {name: sum(rank.stages[stage][name] for stage in STAGES) for name in QUANTITIES}
        counters = rank.counters
        assert total["screen_bursts"] + total["exact_bursts"] == counters["bursts_read"]
        assert (total["writes"], total["refreshes"]) == (counters["bursts_written"], counters["refreshes"])
        assert (total["int4"], total["fp32"]) == (counters["screening"], counters["executing"])
        assert rank.whole.bursts == counters["bursts_read"] + counters["bursts_written"]


def test_every_difference_is_counted():
    """A record, a score, a bit of a result, a value, a sum: each of them alone."""
    what = random_plan(TINY, classes=60, elements=6, size=4, inputs=1, candidates=8, scores=True)
    [[answer]] = answers_of(Dimm(TINY), what)
    scores, records = answer.words.copy(), answer.records

    def errors(words=answer.words, softmax=answer.softmax, records=records, change=None):
        records = records.copy()
        if change is not None:
            place, bits = change
            records[2, place] ^= bits
        return verify(what, [[answer._replace(records=records, words=words, softmax=softmax)]])

    scores[0, 0] ^= 1
    part = answer.softmax[0]
    assert errors().total == 0
    assert errors(records=records[1:]).candidates == 1
    assert errors(records=np.concatenate([records, records[:1]])).candidates == 1
    assert errors(change=(1, 1 << 23)).candidates == 2      # a class that there is not, and one missing
    assert errors(change=(1, 1 << 24)).candidates == 2
    assert errors(change=(0, 1))._asdict() == {**errors()._asdict(), "scores": 1}
    assert errors(change=(2, 1)).exact == 1 and errors(change=(1, 1 << 30)).exact == 1
    assert errors(change=(3, 1 << 22)).values == 1
    assert errors(words=scores).scores == 1
    assert errors(softmax=[part._replace(total=part.total * 1.001), *answer.softmax[1:]]).softmax == 1
    assert errors(softmax=[part._replace(maximum=np.nextafter(part.maximum, np.float32(9))),
                           *answer.softmax[1:]]).softmax == 1


def test_it_ends(monkeypatch):
    monkeypatch.setattr(model, "MAX_CYCLES", 100)
    what = random_plan(TINY, classes=60, elements=6, size=4, inputs=1, candidates=8)
    with pytest.raises(RuntimeError, match=r"^a batch must end within 100 cycles$"):
        Dimm(TINY).run(what.jobs(0))


def test_a_part_of_the_rows_is_enough():
    """Of a classifier that is not whole in memory only the rows of candidates are written: the same answers."""
    workload = large(600, 2)
    few = plan(RANK, workload, candidates=9)
    whole = plan(RANK, dataclasses.replace(workload, w=workload.w[:]), candidates=9)
    assert len(few.jobs(0)[0].memory) > 5 and len(whole.jobs(0)[0].memory) == 4
    assert few.layout == whole.layout
    for a, b in zip(*(answers_of(Dimm(RANK), what)[0] for what in (few, whole)), strict=True):
        np.testing.assert_array_equal(a.records, b.records)


def test_random_workload_is_that_of_the_command_line():
    built, ours = load("random", TINY, 1), random_workload(TINY, 1, classes=203, elements=23, size=7, inputs=5,
                                                           candidates=9)
    assert np.array_equal(built.w, ours.w) and built.screener.threshold == ours.screener.threshold


def test_row_in_parts():
    """Two products before one result: partial sums go on in turn; MUL_FP32 begins again."""
    rng, bursts, lanes = np.random.default_rng(4), 3, TINY.burst_words
    rows, h = (rng.standard_normal((2, bursts * lanes)).astype(np.float32) for _ in range(2))
    words = [Segment(addr, part.reshape(bursts, lanes).view(np.uint32))
             for addr, part in ((0, rows[0]), (8, rows[1]), (16, h[0]))]

    def row(name, addr):
        return [Instruction("LDR", buffer=Buffer.WEIGHT_FP32, addr=addr, count=bursts),
                Instruction(name, buffer1=Buffer.FEATURE_FP32, buffer2=Buffer.WEIGHT_FP32, score=0, label=0, batch=0)]

    def result(label):
        return Instruction("MOVE", buffer1=Buffer.PSUM_FP32, buffer2=Buffer.OUTPUT, score=0, label=label, batch=0)

    program = [Instruction("INIT", reg="row_bursts", data=bursts), Instruction("INIT", reg="batch", data=1),
               Instruction("LDR", buffer=Buffer.FEATURE_FP32, addr=16, count=bursts),
               *row("MUL_ADD_FP32", 0), *row("MUL_ADD_FP32", 8), result(1),
               *row("MUL_ADD_FP32", 0), *row("MUL_FP32", 8), result(2), Instruction("BARRIER")]
    job = Job(words, program)
    (golden,), (meaning,) = Dimm(TINY).run([job]), Interpreter(TINY).run([job])
    assert golden.records[:, :3].tolist() == meaning.records[:, :3].tolist()


def test_results_that_are_no_numbers():
    """An infinite sum of both signs: the report goes on, and NaN is no likely class."""
    signs = np.where(np.arange(12) % 2, 3e38, -3e38).astype(np.float32)
    workload = load("every-class", TINY, 1)
    what = plan(TINY, dataclasses.replace(workload, w=np.tile(signs, (workload.classes, 1)), h=workload.h * 0 + 1e3))
    report, _ = ran(what)
    assert report.errors.total == 0 and report.quality.candidates == workload.classes
