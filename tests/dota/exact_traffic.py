"""Model and surroundings of the exact unit, for the bench and for plain Python."""

import random
from typing import NamedTuple

import numpy as np

from golden.dota import exact, fetch, lane
from golden.dota.exact import DENSE, SCORE, SUM
from golden.dota.formats import QUERIES, QUEUE_SLOTS, STEP_FIELDS
from tests.common.units import LaneModel, gaps, make
from tests.dota.exact_work import Formats, runs_of
from tests.dota.packed import pack, unpack

#: Cycles from a request that is taken to its fire: in the fetch unit, without conflicts.
FIRE = 2


class Port(NamedTuple):
    """An access to the SRAM; ``wdata`` is None for a read."""

    addr: int
    wdata: int | None


class Inputs(NamedTuple):
    start: bool = False
    step: tuple | None = None
    complete: int = 0
    r_data: tuple | None = None
    i: tuple | None = None
    o_ready: bool = False
    fired: bool = False
    result: int | None = None
    send_ready: bool = False


class Outputs(NamedTuple):
    busy: bool
    read: tuple | None      # slot and round of the queue
    release: bool
    i_ready: bool
    o: tuple | None
    port: Port | None
    load: tuple | None      # token and chunk
    select: int
    looks: bool
    look_upper: bool
    kind: int
    send: bool | None       # whether it is the last, if something is offered


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_exact", exact, Inputs, Outputs

    def __init__(self, cfg):
        super().__init__(cfg)
        self.formats = Formats(cfg)
        self.reset()

    def reset(self):
        super().reset()
        self._looks = False, False

    def _port(self, x):
        s, number, read = self.s, exact.write_of(self.s, 0), exact.read_of(self.s, 0)
        if number >= 0:
            return Port(int(exact.write_address(s, 0, number)), x.result)
        return Port(int(read), None) if read >= 0 else None

    def _request(self):
        s, f = self.s, self.formats
        mask = (1 << f.address_bits) - 1
        tags = dict(zip(fetch.TAGS, s.r_tags[0].tolist(), strict=True))
        tags["other"] &= mask
        return make(f.request, addr=pack(s.r_addr[0] & mask, f.address_bits), live=int(s.r_live[0]),
                    weights=pack(s.r_weight[0], 15), **tags)

    def step(self, x):
        s, f = self.s, self.formats
        i, r = x.i or f.weight.unpack(0), x.r_data or f.round.unpack(0)
        weights_valid, last = x.i is not None, bool(r.last)
        reads = exact.reads_round(s, 0, x.o_ready, weights_valid, last)
        arrives = int(s.load[0, -1])
        y = Outputs(
            busy=bool(exact.busy_of(s, 0)), release=bool(exact.releases(s, 0)),
            read=(int(exact.slot_of(s, 0)), int(s.round[0])) if reads else None,
            i_ready=bool(exact.takes_weights(s, 0, x.o_ready)), o=self._request() if s.r_valid[0] else None,
            port=self._port(x), load=(arrives - 1, int(s.load_chunk[0, -1])) if arrives else None,
            select=int(exact.select_of(s, 0)), looks=self._looks[0], look_upper=self._looks[1], kind=int(s.kind[0]),
            send=bool(lane.last_sent(s, 0)) if s.o_valid[0] else None)
        self._looks = bool(exact.looks_of(s, 0)), bool(exact.looks_upper(s, 0))
        step = np.array([getattr(x.step, name) for name in STEP_FIELDS] if x.step else [0] * len(STEP_FIELDS))
        exact.clock(s, 0, self.cfg.vector, x.start, step, x.o_ready, x.complete, weights_valid, x.fired, x.send_ready,
                    np.array(unpack(r.keys, QUERIES, self.cfg.key_bits)), r.live, last,
                    np.array(unpack(i.weights, QUERIES, 15)))
        return y


class Traffic:
    """Everything around the unit while it carries out steps: queue of rounds, fetch unit, MFU, accumulator.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.

    Parameters
    ----------
    p_rounds, p_weights, p_ready : float
        How often a group becomes complete, a weight is offered, a request or partial sum is taken.
    delay : int
        Cycles that the fetch unit or the MFU take longer, at most.
    first_slot : int
        Slot of the queue that the first group has.
    """

    def __init__(self, cfg, works, rng, *, p_rounds=1.0, p_weights=1.0, p_ready=1.0, delay=0, first_slot=0):
        self._cfg, self._formats, self._works, self._rng = cfg, Formats(cfg), list(works), random.Random(rng.random())
        self._rounds, self._weights = gaps(p_rounds, rng), gaps(p_weights, rng)
        self._ready, self._send, self._delay = gaps(p_ready, rng), gaps(p_ready, rng), delay
        self._slots, self._filled = {}, first_slot
        self._work, self._held, self.done, self.spent = None, None, not works, []

    def _begin(self):
        """The next step; it starts in this cycle."""
        self._work = self._works.pop(0)
        self._step = make(self._formats.step, **{name: int(value) for name, value in self._work.step.items()})
        self._waiting, self._complete = list(self._work.rounds), 0
        self._offered, self._scored, self._mfu = [], 0, []
        self._fires, self._stays, self._started, self._busy = None, False, True, 0
        self.log = {name: [] for name in ("reads", "loads", "requests", "writes", "sends", "released")}

    def inputs(self):
        rng = self._rng
        if self._work is None:
            self._begin()
            return Inputs(start=True, step=self._step, result=0)
        self._started = False
        if self._waiting and self._complete < QUEUE_SLOTS and next(self._rounds):
            self._slots[self._filled % QUEUE_SLOTS] = self._waiting.pop(0)
            self._filled += 1
            self._complete += 1
        self._mfu = [(cycles - 1, weights) for cycles, weights in self._mfu]
        while self._mfu and self._mfu[0][0] < 0:
            self._offered += self._mfu.pop(0)[1]
        self._stays = bool(self._offered) and (self._stays or next(self._weights))
        if self._fires is not None:
            self._fires -= 1
        return Inputs(step=self._step, complete=self._complete, r_data=self._held,
                      i=self._offered[0] if self._stays else None, o_ready=next(self._ready), fired=self._fires == 0,
                      result=rng.getrandbits(self._cfg.word_bits), send_ready=next(self._send))

    def taken(self, x, y):
        log, work = self.log, self._work
        self._busy += y.busy
        if self._started:
            return
        if y.read:
            slot, number = y.read
            self._held = self._slots[slot][number]
        if y.release:
            log["released"].append(len(log["writes"]))
            self._complete -= 1
        if x.i and y.i_ready:
            self._offered.pop(0)
            self._stays = False
        if y.port:
            log["reads" if y.port.wdata is None else "writes"].append(y.port.addr)
            assert y.port.wdata in (None, x.result)
        if y.load:
            log["loads"].append(y.load)
        if y.send is not None and x.send_ready:
            log["sends"].append((y.select, y.send))
        if x.fired:
            self._fires = None
            if y.kind == SCORE:
                self._mfu.append((self._rng.randint(0, self._delay), work.weights[self._scored]))
                self._scored += 1
        if y.o and x.o_ready:
            log["requests"].append((y.kind, y.o))
            if y.o.last:
                self._fires = FIRE + self._rng.randint(0, self._delay)
        if not y.busy:
            self.spent.append(self._busy)
            self.check()
            self._work, self.done = None, not self._works

    def order(self):
        """Runs in the order in which their first requests were made: (kind, requests)."""
        runs, fresh = [], True
        for kind, request in self.log["requests"]:
            if fresh:
                runs.append((kind, []))
            runs[-1][1].append(request)
            fresh = bool(request.last)
        return runs

    def check(self):
        """Every request, read, write and partial sum in its turn; runs in an order that the queues allow."""
        log, expected = self.log, runs_of(self._cfg, self._work)
        order = self.order()
        for name, kind in ("score", SCORE), ("sum", SUM), ("dense", DENSE):
            found = [requests for of, requests in order if of == kind]
            assert found == [run.requests for run in expected if run.name[0] == name]
        reads = [read for run in expected for read in run.reads]
        assert log["reads"] == [addr for addr, _, _ in reads]
        assert log["loads"] == [(token, chunk) for _, token, chunk in reads]
        assert log["writes"] == [addr for run in expected for addr in run.writes]
        assert log["sends"] == [send for run in expected for send in run.sends]
        assert len(log["released"]) == len(self._work.rounds)
        ahead, chunks = 0, 0
        for kind, _ in order:
            if kind == SCORE:
                ahead += 1
            elif kind == SUM:
                chunks += 1
                if chunks == self._work.step["chunks"]:
                    ahead, chunks = ahead - 1, 0
            assert 0 <= ahead <= 2, "scores are one group ahead of the sums, or two while one waits"
        assert not self._offered and not self._mfu and self._fires is None


def run_model(model, traffic, limit=200_000):
    """Carry out the traffic with a model alone, in plain Python."""
    for _ in range(limit):
        if traffic.done:
            return
        x = traffic.inputs()
        traffic.taken(x, model.step(x))
    raise AssertionError(f"not done after {limit} cycles: {x}")
