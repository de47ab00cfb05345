"""cocotb bench of hdl.duet.scan_chain, run by test_scan_chain.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.common.fields import pack_fields, unpack_fields
from golden.duet import scan_chain
from golden.duet.config import DuetConfig
from golden.duet.formats import BEAT_BITS, chain_beats, chain_fields
from sim.common.bench import config, to_signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench

CFG = config(DuetConfig)
FIELDS, BEATS = chain_fields(CFG), chain_beats(CFG)
PREFIXES = ("speculate_", "execute_", "cell_", "row_id", "column_id")
MASK = (1 << BEAT_BITS) - 1


class Inputs(NamedTuple):
    shift: bool = False
    beat: int | None = None
    update: bool = False


class Outputs(NamedTuple):
    speculate: int
    execute: int
    cell_job: int
    row_ids: int
    column_ids: int


def joined(values, prefix):
    """Fields of one output as a number, the first lowest."""
    part = {name: bits for name, bits in FIELDS.items() if name.startswith(prefix)}
    return pack_fields(part, dict(zip(part, values, strict=True)))


class Model:
    NAME, INPUTS, OUTPUTS = "duet_scan_chain", Inputs, Outputs

    def __init__(self, cfg):
        self.io, self._places = {}, {prefix: scan_chain.table(cfg, prefix) for prefix in PREFIXES}
        self._cfg = cfg
        self.reset()

    def reset(self):
        self.s = scan_chain.state(self._cfg)

    @property
    def seen(self):
        return {name for name, count in zip(scan_chain.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self):
        return set()

    def fields(self, prefix):
        """Fields that hold."""
        places = self._places[prefix]
        values = np.zeros(len(places), np.int64)
        scan_chain.extract(self.s.held, places, values)
        return values.tolist()

    def step(self, x):
        y = Outputs(*(joined(self.fields(prefix), prefix) for prefix in PREFIXES))
        scan_chain.clock(self.s, x.shift, to_signed(x.beat or 0, BEAT_BITS), x.update)
        return y


class Bench(PinBench):
    MODEL = Model


def beats_of_word(word):
    return [word >> BEAT_BITS * k & MASK for k in range(BEATS)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def every_field_has_its_place(dut):
    """One field after the other is all ones; the others are 0."""
    bench = await started(dut)
    for name, bits in FIELDS.items():
        for beat in beats_of_word(pack_fields(FIELDS, {name: (1 << bits) - 1})):
            await bench.cycle(Inputs(True, beat))
        await bench.cycle(Inputs(update=True))
        y = await bench.cycle(Inputs())
        whole, lsb = 0, 0
        for prefix, value in zip(PREFIXES, y, strict=True):
            whole |= value << lsb
            lsb += sum(bits for field, bits in FIELDS.items() if field.startswith(prefix))
        assert {field: value for field, value in unpack_fields(FIELDS, whole).items() if value} == {
            name: (1 << bits) - 1}
    bench.collect()


@cocotb.test(**LIMIT)
async def random_chains(dut):
    """Chains with gaps; what holds does not move while the next one comes in."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(30):
        held = await bench.cycle(Inputs())
        for beat in beats_of_word(rng.getrandbits(BEATS * BEAT_BITS)):
            while rng.random() < 0.3:
                assert await bench.cycle(Inputs()) == held
            assert await bench.cycle(Inputs(True, beat)) == held
        await bench.cycle(Inputs(update=True))
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_clears(dut):
    """After a reset every job is empty."""
    bench = await started(dut)
    for _ in range(BEATS):
        await bench.cycle(Inputs(True, MASK))
    await bench.cycle(Inputs(update=True))
    assert all(await bench.cycle(Inputs()))
    await bench.start()
    assert not any(await bench.cycle(Inputs()))
    await bench.cycle(Inputs(update=True))
    assert not any(await bench.cycle(Inputs()))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(scan_chain.EVENTS, seen(Model.NAME), f"cfg={CFG}")
