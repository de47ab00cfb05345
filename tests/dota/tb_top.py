"""cocotb bench of hdl.dota.top, run by test_top.py inside the simulator: steps of several lanes that want the way out.

Every cycle is compared with the golden model.
"""

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden.dota import host, io_port
from golden.dota.compiler import Read, Write
from golden.dota.config import DotaConfig
from golden.dota.formats import KEY_BANKS, VALUE_BANKS
from golden.dota.layers import linear
from golden.dota.linear import Input, Room, commands_of, summed_product, to_rows
from golden.dota.model import Dota
from golden.dota.registers import registers
from sim.common.bench import config
from sim.common.lockstep import Host, reset
from sim.dota.lockstep import DotaRecorder

CFG = config(DotaConfig)
BANK = CFG.bank_words
X_BASE = (KEY_BANKS + VALUE_BANKS) * BANK
TOKENS, INPUTS = 4, 6


class Sum:
    """A product in one lane whose sums leave by the accumulator, in one step."""

    def __init__(self, rng, lane, blocks, wide, shift, relu):
        outputs = blocks * (1 + wide) * CFG.vector
        self.x, self.w = (rng.integers(-(1 << 15), 1 << 15, shape) for shape in ((TOKENS, INPUTS), (INPUTS, outputs)))
        self.y = linear(self.x, self.w, shift, relu)
        room = Room(0, KEY_BANKS * BANK, KEY_BANKS * BANK)
        program = summed_product(CFG, Input(X_BASE, TOKENS, TOKENS), [self.w], room, phase="linear", shift=shift,
                                 relu=relu)
        (batch,) = commands_of(program, CFG)
        *weights, run = (host.packet(CFG, on.command, on.lanes << lane) for on in batch)
        self.load = [host.packet(CFG, Write(X_BASE, to_rows(CFG, self.x)), 1 << lane), *weights]
        self.run = run
        self.read = host.packet(CFG, Read(X_BASE, len(to_rows(CFG, self.x)), 0, 0), 1 << lane)
        self._blocks, self._wide = blocks, wide

    def answer(self):
        """Beats of the reply: by blocks, tokens and halves."""
        words = to_rows(CFG, self.y).reshape(self._blocks, 1 + self._wide, TOKENS, -1).swapaxes(1, 2)
        return host.word_beats(CFG, words.reshape(-1, words.shape[-1]))

    def inputs(self):
        """Beats of the reply to ``read``."""
        return host.word_beats(CFG, to_rows(CFG, self.x))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def side_by_side(dut):
    """Steps with `reduce` of different kinds in different lanes and READs between, all sent at once: each reply is
    whole, and as if the step were alone."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    recorder = DotaRecorder(dut, Dota(CFG), f"cfg={CFG}")
    port = Host(dut, registers(CFG), recorder)
    await reset(dut)
    recorder.start()

    a = Sum(rng, 0, blocks=5, wide=True, shift=17, relu=True)
    b = Sum(rng, 1, blocks=3, wide=True, shift=9, relu=False)
    c = Sum(rng, 0, blocks=1, wide=False, shift=13, relu=False)
    for packet in (*a.load, *b.load):
        await port.send(packet)
    await port.finished()
    for packet in (a.run, b.run, a.read, b.run, b.read, *c.load, b.run, c.run, b.read):
        await port.send(packet)
    await port.finished()
    for _ in range(100):    # the last beats are on their way out
        await RisingEdge(dut.clk)
    assert not await port.read("status") & 3
    recorder.stop()
    assert recorder.replies == [a.answer(), b.answer(), a.inputs(), b.answer(), b.inputs(), b.answer(), c.answer(),
                                b.inputs()]
    seen = dict(zip(io_port.EVENTS, recorder.model.state.io.seen, strict=True))
    assert seen["read_waits_for_sums"] and seen["step_waits_for_sums"] and seen["beside_others"]
