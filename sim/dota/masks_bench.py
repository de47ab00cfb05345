"""Simulator side of :mod:`sim.dota.masks`."""

from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import scheduler_unit
from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES
from golden.dota.scheduler import IDLE, owners_of
from sim.common.bench import UnitBench, config
from sim.common.job import answer, take


class Inputs(NamedTuple):
    owners: list | None = None
    last: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    keys: list | None
    last: bool


class Model:
    """The scheduler as a unit bench wants a model."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.reset()

    def reset(self):
        self.s = scheduler_unit.state(self.cfg, 1)

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        valid = bool(scheduler_unit.valid_of(s, 0))
        live = int(scheduler_unit.live_of(s, 0))
        keys = [int(scheduler_unit.key_of(s, 0, t)) if live >> t & 1 else IDLE for t in range(QUERIES)]
        y = Outputs(bool(scheduler_unit.ready_of(s, 0)), keys if valid else None,
                    valid and bool(scheduler_unit.last_of(s, 0)))
        owners = np.array([0] * self.cfg.block if x.owners is None else x.owners)
        scheduler_unit.clock(s, 0, x.owners is not None, owners, x.last, True, self.cfg.balance)
        return y


class Bench(UnitBench):
    """Drives masks and takes every round at once."""

    def drive(self, x):
        self.dut.i__valid.value = x.owners is not None
        owners = x.owners or []
        self.dut.i__payload.value = sum(o << QUERIES * j for j, o in enumerate(owners)) | \
            x.last << QUERIES * self.model.cfg.block
        self.dut.o__ready.value = 1

    def sample(self, x):
        ready = bool(self.dut.i__ready.value)
        if not self.dut.o__valid.value:
            return Outputs(ready, None, False)
        raw, bits = int(self.dut.o__payload.value), self.model.cfg.key_bits
        live = raw >> QUERIES * bits
        keys = [raw >> bits * t & (1 << bits) - 1 if live >> t & 1 else IDLE for t in range(QUERIES)]
        return Outputs(ready, keys, bool(live >> QUERIES & 1))


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def masks(dut):
    """Every cycle of all masks."""
    cfg = config(DotaConfig)
    bench = Bench(dut, Model(cfg), name="dota_scheduler", cfg=cfg)
    await bench.reset(Inputs())
    all_rounds = []
    for mask in take():
        owners = owners_of(mask).tolist()
        owners += [0] * (-len(owners) % cfg.block)
        words = [owners[first:first + cfg.block] for first in range(0, len(owners), cfg.block)]
        rounds, sent = [], 0
        while True:
            x = Inputs(words[sent], sent + 1 == len(words)) if sent < len(words) else Inputs()
            y = await bench.cycle(x)
            sent += x.owners is not None and y.i_ready
            if y.keys is not None:
                rounds.append(y.keys)
            if y.last:
                break
        all_rounds.append(rounds)
    answer({"rounds": all_rounds, "cycles": bench.cycle_number})
