"""Model and environment of the I/O port, for the bench and for plain Python."""

from collections import defaultdict
from typing import NamedTuple

from golden.common.fields import unpack_fields
from golden.eie import io_port
from golden.eie.config import EieConfig
from golden.eie.formats import BEAT_BITS, COMMAND_FIELDS, Op, Walk, beats, mem_bits
from tests.common.units import gaps
from tests.eie.central import CompiledModel, from_beats, source, to_beats
from tests.eie.io_port_commands import Beat, is_legal_command

SMALL = {"spmat_words": 4, "ptr_words": 16, "act_words": 8, "regfile_words": 4, "codebooks": 2, "program_words": 4}
CONFIGS = [
    EieConfig(n_pe=4, spmat_width=32, **SMALL),
    EieConfig(n_pe=1, data_bits=8, **{**SMALL, "spmat_words": 2, "codebooks": 1, "program_words": 2}),
    EieConfig(n_pe=8, data_bits=32, spmat_width=512, **{**SMALL, "act_words": 2**15}),
    EieConfig(n_pe=256, **{**SMALL, "spmat_words": 2**17, "ptr_words": 2**18}),
]

#: Cycles from a read, whose address is on the bus, to the cycle in which its answer counts.
ANSWER_DELAY = 2


class Access(NamedTuple):
    """One word on the bus; what does not count is None."""

    op: int
    mem: int
    every: bool
    pe: int | None
    addr: int | None
    wdata: int | None

    @classmethod
    def compared(cls, op, mem, every, pe, addr, wdata):
        """As it stands in the outputs of benches and models."""
        addressed = op != Op.CLEAR
        return cls(int(op), int(mem), bool(every), int(pe) if addressed else None, int(addr) if addressed else None,
                   wdata if op == Op.WRITE else None)


class IoPortInputs(NamedTuple):
    idle: bool = True
    clear: bool = False
    i: Beat | None = None
    o_ready: bool = False
    answer: int = 0


class IoPortOutputs(NamedTuple):
    i_ready: bool
    o: Beat | None
    access: Access | None   # that was announced in the cycle before, and now has its address and word
    active: bool
    error: bool


IDLE = IoPortInputs()


def word_bits(cfg):
    """Width of the data on the bus [bits]."""
    return max(mem_bits(cfg).values())


class IoPortModel(CompiledModel):
    def __init__(self, cfg):
        self._bits = word_bits(cfg)
        super().__init__(io_port, lambda: io_port.state(cfg))

    def reset(self):
        super().reset()
        self._access = self._announced = None

    def step(self, x):
        s = self.s
        o = Beat(int(s.o_data[0]) & (1 << BEAT_BITS) - 1, bool(s.o_last[0])) if s.o_valid[0] else None
        y = IoPortOutputs(bool(io_port.ready_of(s)), o, self._access, bool(io_port.active_of(s)), bool(s.error[0]))
        data, last = x.i or (0, False)
        a = io_port.clock(s, x.idle, x.clear, x.i is not None, to_beats(data, 1)[0], last, x.o_ready,
                          to_beats(x.answer, io_port.MAX_BEATS))
        wdata = from_beats(s.data) & (1 << self._bits) - 1
        self._access = self._announced
        self._announced = Access.compared(a.op, a.mem, a.every, a.pe, a.addr, wdata) if a.valid else None
        return y


class Memories:
    """All memories behind the bus."""

    def __init__(self, cfg):
        self._cfg, self._words = cfg, defaultdict(int)

    def carry_out(self, a):
        """One access; the word, if it is a read."""
        key = a.mem, a.pe, a.addr
        if a.op == Op.READ:
            return self._words[key]
        if a.op == Op.CLEAR:
            for old in [old for old in self._words if old[0] == a.mem]:
                del self._words[old]
        else:
            for pe in range(self._cfg.n_pe) if a.every else [a.pe]:
                self._words[a.mem, pe, a.addr] = a.wdata & (1 << mem_bits(self._cfg)[a.mem]) - 1
        return None

    def expected(self, packets):
        """(accesses, reply beats, error) of the packets, without time; the memories change."""
        accesses, replies, error = [], [], False
        for (command, ended), *data in packets:
            c = unpack_fields(COMMAND_FIELDS, command)
            if not is_legal_command(self._cfg, c, ended):
                error = True
                continue
            size = beats(mem_bits(self._cfg)[c["mem"]])
            error |= c["op"] == Op.WRITE and len(data) != c["count"] * size
            for k in range(c["count"]):
                word = data[k * size:(k + 1) * size]
                if c["op"] == Op.WRITE and len(word) < size:
                    break
                pe, row = (k % self._cfg.n_pe, k // self._cfg.n_pe) if c["walk"] == Walk.INTERLEAVED else (c["pe"], k)
                a = Access.compared(c["op"], c["mem"], c["walk"] == Walk.ALL, pe, c["addr"] + row,
                                    from_beats(beat.data for beat in word))
                accesses.append(a)
                if a.op == Op.READ:
                    word = self.carry_out(a)
                    replies += [Beat(word >> BEAT_BITS * i & (1 << BEAT_BITS) - 1,
                                     k == c["count"] - 1 and i == size - 1) for i in range(size)]
                else:
                    self.carry_out(a)
        return accesses, replies, error


class Traffic:
    """Everything around the port while it carries out packets: host, memories, a program now and then.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.
    """

    def __init__(self, cfg, packets, rng, *, p_valid=1.0, p_ready=1.0, p_idle=1.0, p_clear=0.0):
        self._cfg, self._rng, self._bits = cfg, type(rng)(rng.random()), word_bits(cfg)
        self._beats = source([beat for p in packets for beat in p], p_valid, rng)
        self._ready, self._idle = gaps(p_ready, rng), gaps(p_idle, rng)
        self._clear = gaps(p_clear, rng)
        self._memories, self._answers = Memories(cfg), [None] * ANSWER_DELAY
        self._expected, self._is_disturbed = Memories(cfg).expected(packets), p_clear > 0
        self._accesses, self.replies, self.error, self.done = [], [], False, False

    def inputs(self):
        answer = self._answers.pop(0)
        if answer is None:  # nobody may look at it
            answer = self._rng.getrandbits(self._bits)
        return IoPortInputs(next(self._idle), next(self._clear), self._beats.offer()[1],
                            next(self._ready), answer)

    def taken(self, x, y):
        self._beats.taken(y.i_ready)
        self._answers.append(self._memories.carry_out(y.access) if y.access else None)
        if y.access:
            mask = (1 << beats(mem_bits(self._cfg)[y.access.mem]) * BEAT_BITS) - 1
            wdata = y.access.wdata
            self._accesses.append(y.access._replace(wdata=wdata if wdata is None else wdata & mask))
        if y.o and x.o_ready:
            self.replies.append(y.o)
        self.error = y.error
        self.done = self._beats.done and not (x.i or y.active or y.o or y.access)

    def check(self):
        """Every word where it belongs, every reply once, the error flag."""
        accesses, replies, error = self._expected
        mask = (1 << self._bits) - 1
        assert self._accesses == [a._replace(wdata=None if a.wdata is None else a.wdata & mask) for a in accesses]
        assert self.replies == replies
        assert self._is_disturbed or self.error == error
