"""What the benches of units with one stream in and one out share."""

import random

import cocotb

from sim.common.bench import Gaps, Source, UnitBench


class StreamUnitBench(UnitBench):
    """Drives ``i`` and takes ``o``. Inputs are (i_valid, i_payload, o_ready).

    Subclasses define ``sample``; ``INPUTS``, the NamedTuple of the inputs.
    """

    INPUTS = None

    @property
    def idle(self):
        """Nothing offered, nothing taken."""
        return self.INPUTS(False, 0, False)

    def drive(self, x):
        self.dut.i__valid.value = x.i_valid
        self.dut.i__payload.value = x.i_payload
        self.dut.o__ready.value = x.o_ready

    def offered(self):
        """(i_ready, o_valid, o_payload) at the pins; the payload is None when nothing is offered."""
        valid = bool(self.dut.o__valid.value)
        return bool(self.dut.i__ready.value), valid, int(self.dut.o__payload.value) if valid else None

    async def transfer(self, items, i_gaps, o_gaps) -> int:
        """Send the items; checks that all arrive in order and nothing is left over. The cycles it took."""
        source, received, start = Source(items, i_gaps), [], self.cycle_number
        while len(received) < len(items):
            x = self.INPUTS(*source.offer(), next(o_gaps))
            y = await self.cycle(x)
            source.taken(y.i_ready)
            if y.o_valid and x.o_ready:
                received.append(y.o_payload)
        assert received == items
        y = await self.cycle(self.idle)
        assert (y.i_ready, y.o_valid) == (True, False), "nothing may be left over"
        return self.cycle_number - start - 1

    async def random_transfer(self, width, p_valid, p_ready):
        """200 random items under random gaps and stalls, after a reset."""
        rng = random.Random(cocotb.RANDOM_SEED)
        await self.reset(self.idle)
        items = [rng.getrandbits(width) for _ in range(200)]
        await self.transfer(items, Gaps(p_valid, random.Random(rng.random())),
                            Gaps(p_ready, random.Random(rng.random())))
        self.collect()
