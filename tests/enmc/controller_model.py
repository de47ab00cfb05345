"""The golden controller behind the interface of a bench, and what runs a program on it or on the hardware."""

from typing import NamedTuple

import numpy as np

from golden.enmc import controller, dispatch, generator, status
from golden.enmc.controller import Events, Units
from golden.enmc.formats import WORD_BITS
from hdl.enmc.layouts import candidate_layout, execute_layout, instruction_layout, request_layout, screen_layout
from tests.common.units import LaneModel, fields_of, make
from tests.enmc.controller_traffic import Neighbours

INSTRUCTION, SCREEN, EXECUTE = (fields_of(layout()) for layout in (instruction_layout, screen_layout, execute_layout))


class Inputs(NamedTuple):
    """``largest`` and ``sums`` as numbers, input 0 lowest; ``candidates`` and ``i`` None when not valid."""

    i: tuple | None = None
    query_valid: bool = False
    query_reg: int | None = None
    candidates: tuple | None = None
    request_ready: bool = True
    screen_ready: bool = True
    execute_ready: bool = True
    read: bool = False
    written: bool = False
    refreshed: bool = False
    screening: bool = False
    executing: bool = False
    finished: bool = False
    popped: int = 0
    filtered: bool = False
    overrun: bool = False
    refused: bool = False
    screen_busy: bool = False
    execute_busy: bool = False
    dram_busy: bool = False
    owner: bool = False
    ready: int = 0
    largest: int = 0
    sums: int = 0


class Outputs(NamedTuple):
    """Streams None when not valid."""

    answer: int
    candidates_ready: bool
    request: tuple | None
    screen: tuple | None
    execute: tuple | None
    own: bool
    batch: int
    classes: int
    screen_bursts: int
    threshold: int
    row_bursts: int
    new_batch: bool
    clear: bool


def instruction(word, data=None):
    """13 bits and data, or none, as a payload."""
    return make(INSTRUCTION, b=word & 15, a=word >> 4 & 15, op=word >> 8, data=data or 0)


def words_of_inputs(value, words, bits=WORD_BITS):
    """Words of a number, the lowest first."""
    return np.array([value >> bits * n & (1 << bits) - 1 for n in range(words)], np.int64)


class Model(LaneModel):
    """The compiled model."""

    NAME, UNIT, INPUTS, OUTPUTS = "enmc_controller", controller, Inputs, Outputs
    PARTS = controller, dispatch, generator, status

    @property
    def seen(self):
        states = self.s, self.s.dispatch, self.s.generator, self.s.status
        return {event for part, s in zip(self.PARTS, states, strict=True)
                for event, count in zip(part.EVENTS, s.seen, strict=True) if count}

    @classmethod
    def events(cls):
        """The coverage plan."""
        return {event for part in cls.PARTS for event in part.EVENTS}

    def _streams(self):
        d = self.s.dispatch

        def fields(fifo):
            return [int(fifo.items[0, fifo.head[0], n]) for n in range(3)] if fifo.level[0] else None

        request, screen, execute = fields(d.request), fields(d.screen), fields(d.execute)
        if request:
            request = make(fields_of(request_layout(self.cfg)), addr=request[0], count=request[1], write=request[2] & 1,
                           dest=request[2] >> 1)
        if screen:
            screen = make(SCREEN, kind=screen[0], count=screen[1], clear=screen[2] & 1, ones=screen[2] >> 1)
        if execute:
            a, b, score = execute
            execute = make(EXECUTE, kind=a & 3, clear=a >> 2 & 1, ones=a >> 3 & 1, function=a >> 4 & 3, count=a >> 6,
                           label=b & 0xFFFFFF, batch=b >> 24, score=score)
        return request, screen, execute

    def step(self, x: Inputs) -> Outputs:
        """Outputs of the current cycle; then advance by one clock edge."""
        s = self.s
        st, d = s.status, s.dispatch

        def register(number):
            return int(st.registers[0, number])

        y = Outputs(
            int(st.answer[0, 0]) | int(st.answer[0, 1]) << 32, bool(controller.candidate_ready_of(s, 0)),
            *self._streams(), bool(d.own[0]), *map(register, (status.BATCH, status.CLASSES, status.SCREEN_BURSTS)),
            int(status.threshold_of(st, 0)), register(status.ROW_BURSTS), bool(st.new_batch[0]), bool(d.clear[0]))
        i = x.i or INSTRUCTION.unpack(0)
        candidate = x.candidates or fields_of(candidate_layout(self.cfg)).unpack(0)
        controller.clock(
            s, 0, int(x.i is not None), i.op << 8 | i.a << 4 | i.b, i.data & 0xFFFFFFFF, i.data >> 32,
            int(x.query_valid), x.query_reg or 0, int(x.candidates is not None), candidate.score, candidate.label,
            candidate.batch, Events(*(int(getattr(x, name)) for name in Events._fields)),
            Units(*(int(getattr(x, name)) for name in Units._fields)), bool(x.request_ready), bool(x.screen_ready),
            bool(x.execute_ready), words_of_inputs(x.largest, self.cfg.batch), words_of_inputs(x.sums, self.cfg.batch))
        return y


class Run:
    """A program, sent by a host that keeps to ``free`` places, with all neighbours.

    ``inputs()`` are those of the next cycle, ``outputs(y)`` takes what came; ``done`` when all work is finished.

    Parameters
    ----------
    cfg : EnmcConfig
    rng : random.Random
    model : Model
        Tells how many instructions wait; in a bench it runs beside the hardware.
    program : list of (int, int)
    neighbours : Neighbours
    p_send : float
    """

    LIMIT = 30_000

    def __init__(self, cfg, rng, model, program, neighbours: Neighbours, *, p_send=0.8):
        self.cfg, self.rng, self.model, self.neighbours, self.p_send = cfg, rng, model, neighbours, p_send
        self.program = list(reversed(program))
        self.candidate = fields_of(candidate_layout(cfg))
        self.owner, self.cycles, self.still = False, 0, 0

    def inputs(self):
        """Of the next cycle."""
        self.cycles += 1
        waits = self.model.s.dispatch
        assert self.cycles < self.LIMIT, (
            f"deadlock: {len(self.program)} instructions to send, {int(self.model.s.host.level[0])} wait, "
            f"{int(self.model.s.generated.level[0])} generated, {int(waits.unfinished[0])} FILTERs unfinished, "
            f"{int(waits.reserved[0])} places reserved")
        events, units, item = self.neighbours.before(self.owner)
        candidate = item and make(self.candidate, score=item[0], label=item[1], batch=item[2])
        send = self.program and self.model.s.host.level[0] < self.cfg.instructions and self.rng.random() < self.p_send
        query = self.rng.random() < 0.2
        words = WORD_BITS * self.cfg.batch
        return Inputs(
            i=instruction(*self.program.pop()) if send else None, query_valid=query,
            query_reg=self.rng.randrange(32) if query else None, candidates=candidate, **self.neighbours.ready,
            **events._asdict(), **units._asdict(),
            largest=self.rng.getrandbits(words), sums=self.rng.getrandbits(words))

    def outputs(self, y):
        """Of the cycle."""
        self.neighbours.after(y)
        if y.own != self.owner and self.rng.random() < 0.3:
            self.owner = y.own
        s = self.model.s
        rests = not (self.program or s.host.level[0] or self.owner or s.dispatch.own[0]) and self.neighbours.idle
        self.still = self.still + 1 if rests and dispatch.settled_of(s.dispatch, 0) else 0

    @property
    def done(self):
        """All is sent and carried out, and counted."""
        return self.still > status.COUNTER_LATENCY + 2

    def check(self, expected):
        """What came is what the definition says."""
        found = self.neighbours
        for dest, requests in expected.requests.items():
            assert [one[:3] for one in found.requests if one[3] == dest] == requests
        assert found.screens == expected.screen
        assert found.executes == expected.execute
        values = {name: int(self.model.s.status.registers[0, status.REGISTERS[name].number])
                  for name in expected.registers}
        assert values == expected.registers
        assert bool(self.model.s.status.sticky[0, 2]) == (expected.illegal > 0)
        assert self.model.s.status.total[0, 1] == expected.executed
