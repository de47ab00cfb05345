"""What the host sends: packets that a plain interpreter turns into the commands again, and the words that come back."""

import numpy as np
import pytest

from golden.common.fields import unpack_fields
from golden.dota import host, io_port
from golden.dota.compiler import Read, Run, Write, plan_head
from golden.dota.formats import BEAT_BITS, COMMAND_FIELDS, STEP_FIELDS, UNIT_BITS, Op
from golden.dota.workloads import random_head
from tests.dota.io_port_commands import is_legal_command, is_legal_step, word_beats
from tests.dota.launch import CONFIGS, configs


def random_words(rng, cfg, count):
    return rng.integers(0, 1 << UNIT_BITS, (count, cfg.units_per_word))


def as_numbers(words):
    return [sum(int(unit) << UNIT_BITS * i for i, unit in enumerate(word)) for word in words]


@configs(*CONFIGS)
def test_words(cfg):
    """A word takes whole beats, its low part first; a short one leaves the rest 0."""
    words, beats = random_words(np.random.default_rng(1), cfg, 5), word_beats(cfg)
    sent = host.word_beats(cfg, words)
    assert len(sent) == 5 * beats
    numbers = [sum(beat << BEAT_BITS * i for i, beat in enumerate(sent[k * beats:][:beats])) for k in range(5)]
    assert numbers == as_numbers(words)
    np.testing.assert_array_equal(host.words_of_beats(cfg, sent), words)
    assert host.words_of_beats(cfg, []).shape == (0, cfg.units_per_word)


@configs(*CONFIGS)
def test_packets(cfg):
    """Each command of a plan is legal and says what the command says."""
    rng = np.random.default_rng(2)
    head = random_head(rng, cfg, queries=5, keys=9, dim=3, keep=2)
    words, lane = np.zeros((cfg.words, cfg.units_per_word), np.int64), cfg.lanes - 1
    kinds = set()
    for command in plan_head(head, cfg).commands:
        first, *data = host.packet(cfg, command, 1 << lane)
        c = unpack_fields(COMMAND_FIELDS, first)
        assert is_legal_command(cfg, c, ended=not data) and c["lanes"] == 1 << lane
        kinds.add(type(command))
        if c["op"] == Op.WRITE:
            words[c["addr"]:c["addr"] + c["count"]] = host.words_of_beats(cfg, data)
            np.testing.assert_array_equal(words[command.addr:command.addr + len(command.words)], command.words)
        elif c["op"] == Op.READ:
            assert (c["addr"], c["count"]) == (command.addr, command.count)
        else:
            word = sum(beat << BEAT_BITS * i for i, beat in enumerate(data))
            assert len(data) == io_port.STEP_BEATS and is_legal_step(word)
            assert unpack_fields(STEP_FIELDS, word) == dict.fromkeys(STEP_FIELDS, 0) | {
                name: int(value) % (1 << STEP_FIELDS[name]) for name, value in command.step.items()}
    assert kinds == {Write, Read, Run}


def test_wrong_command():
    with pytest.raises(TypeError, match=r"^command must be a Write, Run or Read, not 'go'$"):
        host.packet(CONFIGS["tiny"], "go", 1)
