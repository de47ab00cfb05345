"""Steps of the exact unit at random, and what it has to do for them, without time."""

import random
from dataclasses import dataclass, field
from typing import NamedTuple

from golden.dota.config import DotaConfig
from golden.dota.formats import BANKS, KEY_BANKS, QUERIES, STEP_FIELDS, Step
from hdl.dota.layouts import request_layout, round_layout, step_layout, weight_layout
from tests.common.units import fields_of, make
from tests.dota.packed import pack, unpack


class Formats:
    """Formats of the pins."""

    def __init__(self, cfg):
        self.step, self.round = fields_of(step_layout()), fields_of(round_layout(cfg))
        self.weight, self.request = fields_of(weight_layout(cfg)), fields_of(request_layout(cfg))
        self.address_bits = (KEY_BANKS * cfg.bank_words - 1).bit_length()


@dataclass
class Work:
    """A step and what belongs to it.

    Attributes
    ----------
    step : dict
    rounds : list of lists
        Rounds of each group, as payloads; none in a linear layer.
    weights : list of lists
        Weights of each group: of all its rounds, once for each chunk.
    """

    step: dict
    rounds: list = field(default_factory=list)
    weights: list = field(default_factory=list)

    @property
    def groups(self):
        return -(-self.step["queries"] // QUERIES)

    @property
    def is_linear(self):
        return self.step["step"] == Step.LINEAR

    def tokens(self, group):
        return min(QUERIES, self.step["queries"] - QUERIES * group)


def random_work(cfg: DotaConfig, rng: random.Random, kind: Step, **changes) -> Work:
    """A step whose addresses exist."""
    formats = Formats(cfg)
    words = BANKS * cfg.bank_words
    step = dict.fromkeys(STEP_FIELDS, 0) | {
        "step": kind, "queries": rng.choice([rng.randint(1, 4), rng.randint(1, 14)]),
        "chunks": rng.choice([1, 1, 2, 3]), "wide": 0, "reduce": 0, "blocks": rng.choice([1, 2, 3])}
    if kind == Step.LINEAR:
        step |= {"wide": rng.getrandbits(1), "reduce": rng.random() < 0.4} | changes
        step |= {"keys": changes.get("keys", (step["chunks"] - 1) * cfg.vector + rng.randint(1, cfg.vector)),
                 "k_stride": rng.randrange(20), "v_stride": rng.randrange(20)}
        step["chunks"] = -(-step["keys"] // cfg.vector)
    else:
        step |= {"keys": rng.randint(1, 20), "k_stride": rng.randrange(10), "v_stride": rng.randrange(10)} | changes
    step |= {"q_stride": rng.randrange(20), "z_stride": rng.randrange(20), "k_base": rng.randrange(20),
             "v_base": KEY_BANKS * cfg.bank_words + rng.randrange(20), "q_base": rng.randrange(words // 2),
             "z_base": rng.randrange(words // 2)} | {name: value for name, value in changes.items() if name != "keys"}
    work = Work(step)
    if not work.is_linear:
        for _ in range(work.groups):
            count = rng.choice([1, 2, rng.randint(1, min(8, cfg.queue))])
            rounds = [make(formats.round, keys=rng.getrandbits(QUERIES * cfg.key_bits), live=rng.randrange(1, 16),
                           last=n == count - 1) for n in range(count)]
            work.rounds.append(rounds)
            work.weights.append([make(formats.weight, weights=rng.getrandbits(15 * QUERIES), last=n == count - 1)
                                 for _ in range(step["chunks"]) for n in range(count)])
    return work


class Run(NamedTuple):
    """What a run of requests comes to: the order of it all without time."""

    name: tuple
    reads: list         # (addr, token, chunk)
    requests: list
    writes: list
    sends: list         # (query, last)


def runs_of(cfg: DotaConfig, work: Work) -> list[Run]:
    """All runs of a step, in the order in which they are made when nothing has to wait for rounds or weights."""
    f, step = Formats(cfg), work.step
    mask = (1 << f.address_bits) - 1
    chunks, groups = step["chunks"], work.groups

    def request(addresses, **fields):
        return make(f.request, **{"addr": pack([addr & mask for addr in addresses], f.address_bits), "live": 15,
                                  "weights": 0, "first": 0, "end": 0, "last": 0, "chunk": 0, "element": 0,
                                  "other": 0} | fields)

    def vectors(group, chunk):
        return [(step["q_base"] + QUERIES * group + chunk * step["q_stride"] + token, token)
                for token in range(work.tokens(group))]

    def score(group):
        rounds, requests = work.rounds[group], []
        for one in rounds:
            for chunk in range(chunks):
                base, ends = step["k_base"] + chunk * step["k_stride"], chunk == chunks - 1
                requests.append(request([base + key for key in unpack(one.keys, QUERIES, cfg.key_bits)], live=one.live,
                                        first=chunk == 0, end=ends, last=ends and one is rounds[-1], chunk=chunk))
        reads = [(addr, token, chunk) for chunk in range(chunks) for addr, token in vectors(group, chunk)]
        return Run(("score", group), reads, requests, [], [])

    def sums(group):
        for chunk in range(chunks):
            rounds, requests = work.rounds[group], []
            for n, one in enumerate(rounds):
                base, weights = step["v_base"] + chunk * step["v_stride"], work.weights[group][chunk * len(rounds) + n]
                requests.append(request([base + key for key in unpack(one.keys, QUERIES, cfg.key_bits)], live=one.live,
                                        weights=weights.weights, first=n == 0, last=one is rounds[-1], chunk=chunk))
            writes = [step["z_base"] + QUERIES * group + chunk * step["z_stride"] + token
                      for token in range(work.tokens(group))]
            yield Run(("sum", group, chunk), [], requests, writes, [])

    def rows(group, block, chunk):
        count = min(cfg.vector, step["keys"] - cfg.vector * chunk)
        requests = [request([step["k_base"] + block * step["k_stride"] + chunk * cfg.vector + row] * QUERIES,
                            first=chunk == row == 0, last=row == count - 1, element=row,
                            other=step["v_base"] + block * step["v_stride"] + chunk * cfg.vector + row & mask)
                    for row in range(count)]
        reads, writes, sends = [(addr, token, 0) for addr, token in vectors(group, chunk)], [], []
        if chunk == chunks - 1:
            for token in range(work.tokens(group)):
                first = step["z_base"] + QUERIES * group + token
                words = [2 * block, 2 * block + 1] if step["wide"] else [block]
                writes += [first + word * step["z_stride"] for word in words]
                sends.append((token, (group, block, token) == (groups - 1, step["blocks"] - 1,
                                                               work.tokens(group) - 1)))
        return Run(("dense", group, block, chunk), reads, requests, [] if step["reduce"] else writes,
                   sends if step["reduce"] else [])

    if work.is_linear:
        return [rows(group, block, chunk) for group in range(groups) for block in range(step["blocks"])
                for chunk in range(chunks)]
    order = [score(0)]
    for group in range(groups):
        if group + 1 < groups:
            order.append(score(group + 1))
        order += sums(group)
    return order


def cycles_of(cfg: DotaConfig, work: Work) -> int:
    """Cycles of a step when nothing ever waits, by hand: those in which ``busy`` is high."""
    step, total = work.step, 1                      # at the end it finds nothing to do
    for group in range(work.groups):
        tokens, chunks = work.tokens(group), step["chunks"]
        if work.is_linear:
            words = step["keys"] + chunks * (tokens + 3)
            total += 1 + step["blocks"] * (words + (2 + 2 * tokens if step["reduce"]
                                                    else 5 + tokens * (1 + step["wide"])))
        else:
            rounds = len(work.rounds[group])
            total += 1 + tokens * chunks + rounds * chunks + 4      # scores
            total += 1 + chunks * (rounds + 4 + 5 + tokens)         # sums
    return total
