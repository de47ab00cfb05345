"""Tag queue of a PE: golden model and hardware."""

import random

from golden.duet import tag_queue
from hdl.duet.tag_queue import TagQueue
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.tag_traffic import TagFeeder, random_words

BENCH = "tests.duet.tb_tag_queue"


def test_model_equals_spec():
    """Thousands of steps of all densities: the valid instructions, in order, one a cycle without a gap."""
    rng = random.Random(1)
    cfg = TINY.replace(lut=64, tags=16)
    s = tag_queue.state(cfg, 1)
    steps = [random_words(cfg, rng, rng.randint(1, cfg.tag_words), rng.choice([0, 0.05, 0.3, 1])) for _ in range(3000)]
    feeder, issued = TagFeeder(steps, rng, 0.8), []
    while not feeder.done:
        x = feeder.offer()
        if tag_queue.issue_of(s, 0):
            issued.append((feeder.cycle, tag_queue.instruction_of(s, 0)))
        word, tags = x["word"] or (0, 0)
        tag_queue.clock(s, 0, x["word"] is not None, word, x["phase"], tags, x["start"])
        feeder.tick()
    expected = []
    for step, end in zip(steps, feeder.over_at, strict=True):
        numbers = tag_queue.instructions(*zip(*step, strict=True), cfg.tags)
        expected += [(end - len(numbers) + k, number) for k, number in enumerate(numbers)]
    assert issued == expected


@configs("tiny", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(TagQueue, cfg, BENCH)


def test_bench_notices_a_lost_cycle():
    """The memory is read only when the word in front is gone, not as it goes."""
    assert_mutant_noticed(TagQueue, TINY, BENCH, old="ring__r_en = _009_ &", new="ring__r_en = _008_ &",
                          match="issue, instruction differ", testcase="full_throughput")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(TagQueue)
