"""What the tests of the DRAM controller share: its pins, its golden model behind them, requests."""

import random
from typing import NamedTuple

import numpy as np

from golden.enmc import dram_controller
from golden.enmc.formats import PHASES, PIN_FIELDS, Dest
from hdl.enmc.layouts import request_layout
from tests.common.units import LaneModel, fields_of, make

#: Width of the command pins of a clock.
PIN_BITS = sum(PIN_FIELDS.values())


class Inputs(NamedTuple):
    request: tuple | None = None
    own: bool = False
    host_command: bool = False
    host_refresh: bool = False
    dq_i: int | None = None
    freed: int = 0
    store: int | None = None


class Outputs(NamedTuple):
    request_ready: bool
    owner: bool
    pins: int
    dq_o: int               # clocks that are not driven are 0
    dq_oe: int
    load: int | None        # dest, then the burst
    store_ready: bool
    busy: bool
    read: bool
    written: bool
    refreshed: bool


def words_of(raw: int, words: int) -> np.ndarray:
    """32-bit words of a wide number, the first lowest."""
    return np.frombuffer(raw.to_bytes(4 * words, "little"), "<u4").astype(np.int64)


def raw_of(words) -> int:
    """The inverse of :func:`words_of`."""
    return int.from_bytes(np.asarray(words, "<u4").tobytes(), "little")


def driven(dq_o: int, dq_oe: int, bits: int) -> int:
    """Data pins, ``bits`` a clock, with 0 in the clocks in which they are not driven."""
    return sum((dq_o >> slot * bits & (1 << bits) - 1) << slot * bits for slot in range(PHASES) if dq_oe >> slot & 1)


class Model(LaneModel):
    """The golden model behind the pins of the hardware."""

    NAME, UNIT, INPUTS, OUTPUTS = "enmc_dram_controller", dram_controller, Inputs, Outputs

    def reset(self):
        self.s = self.UNIT.state(self.cfg, 1)

    def step(self, x: Inputs) -> Outputs:
        s, cfg = self.s, self.cfg
        y = self._outputs()
        r = x.request
        addr, count, flags = (r.addr, r.count, r.write | r.dest << 1) if r else (0, 1, 0)
        dram_controller.clock(s, 0, r is not None, addr, count, flags, bool(x.own), bool(x.host_command),
                              bool(x.host_refresh), x.freed, words_of(x.dq_i or 0, PHASES * cfg.phase_words),
                              x.store is not None, words_of(x.store or 0, cfg.burst_words))
        return y

    def _outputs(self):
        s = self.s
        enabled = sum(int(s.data.enabled[0, slot]) << slot for slot in range(PHASES))
        load = None
        if dram_controller.load_valid(s, 0):
            load = int(dram_controller.load_dest_of(s, 0)) | raw_of(s.data.load[0]) << 1
        pins = sum(int(dram_controller.pins_of(s, 0, slot)) << PIN_BITS * slot for slot in range(PHASES))
        return Outputs(
            request_ready=bool(dram_controller.ready_of(s, 0)), owner=bool(dram_controller.owner_of(s, 0)), pins=pins,
            dq_o=driven(raw_of(s.data.out[0]), enabled, 2 * self.cfg.dq), dq_oe=enabled, load=load,
            store_ready=bool(dram_controller.store_ready_of(s, 0)), busy=bool(dram_controller.busy_of(s, 0)),
            read=bool(s.commands.read[0]), written=bool(s.commands.written[0]), refreshed=bool(s.commands.refreshed[0]))


def request(cfg, addr, count, write=0, dest=0):
    """A request as the pins have it."""
    return make(fields_of(request_layout(cfg)), addr=addr % cfg.bursts, count=count, write=write, dest=dest)


def rows_of(cfg, rng: random.Random, requests, bursts, *, p_write=0.0):
    """Reads of rows of the executor: ``bursts`` bursts each, anywhere."""
    return [request(cfg, rng.randrange(cfg.bursts), bursts, int(rng.random() < p_write), rng.randrange(len(Dest)))
            for _ in range(requests)]


def mixed(cfg, rng: random.Random, requests, *, p_write=0.3, counts=(1, 1, 1, 2, 3, 9, 40), near=0.5):
    """Requests of all lengths; ``near``: how often one is close to the one before, or to another row of its banks."""
    found, addr = [], 0
    page = 2 * cfg.page_bursts
    for _ in range(requests):
        if rng.random() < near:
            step = rng.choice([1, 2, page, cfg.pairs * page, -cfg.pairs * page, cfg.pairs * page // 2])
            addr += step + rng.choice([0, 0, 1])
        else:
            addr = rng.randrange(cfg.bursts)
        found.append(request(cfg, addr, rng.choice(counts), int(rng.random() < p_write), rng.randrange(len(Dest))))
    return found
