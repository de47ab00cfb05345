"""Runs of whole DIMMs for tests: small plans, and what every one of their answers must be."""

import numpy as np

from golden.enmc.compiler import decode_records, expected_reads
from golden.enmc.formats import Function
from golden.enmc.interpret import Interpreter
from golden.enmc.plan import plan
from golden.enmc.verify import verify
from golden.enmc.workloads import WORKLOADS, Workload
from golden.enmc.workloads import random as random_fields

#: Counters that do not depend on time.
TIMELESS = ("found", "finished", "bursts_read", "bursts_written")


def random_workload(cfg, seed=1, *, classes, elements, size, inputs, candidates, function=Function.SOFTMAX):
    """Random numbers, as of the built-in workload ``random``."""
    fields = random_fields(cfg, seed, classes=classes, elements=elements, size=size, inputs=inputs,
                           candidates=candidates, function=function)
    return Workload(name="random", description=WORKLOADS["random"][0], synthetic=True, **fields)


def random_plan(cfg, seed=1, *, batch=None, scores=False, full=False, **shape):
    """A plan of such a workload."""
    return plan(cfg, random_workload(cfg, seed, **shape), batch=batch, scores=scores, full=full)


def answers_of(backend, what):
    """All batches, carried out by a backend."""
    return [backend.run(what.jobs(n)) for n in range(what.batches)]


def ordered(records):
    """Records by class and input without the values of the special function, which depend on the order of arrival."""
    keys = records[:, 1] & 0x0FFF_FFFF
    return records[np.argsort(keys, kind="stable"), :3]


def check(what, answers):
    """No difference from the equations, and none from the interpreter; reads are those that a program must make."""
    errors = verify(what, answers)
    assert errors.total == 0, errors
    wanted, found = answers_of(Interpreter(what.cfg), what), np.zeros(what.cfg.ranks, int)
    for n, (ours, theirs) in enumerate(zip(answers, wanted, strict=True)):
        for rank, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            np.testing.assert_array_equal(ordered(a.records), ordered(b.records))
            np.testing.assert_array_equal(a.words, b.words)
            for name in TIMELESS:
                assert a.counters[name] == b.counters[name], name
            assert a.counters["returned"] == a.counters["finished"]
            new, found[rank] = len(decode_records(a.records).label), found[rank] + len(a.records)
            if not what.full:
                before = answers[n - 1][rank].counters["bursts_read"] if n else 0
                assert a.counters["bursts_read"] - before == expected_reads(what.layout, rank, n, new)
    assert verify(what, wanted).total == 0
