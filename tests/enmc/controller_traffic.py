"""Programs for the controller, and its neighbours: DRAM controller, screener, executor, output buffer, host."""

import random
from collections import deque

from golden.enmc.controller import Events, Units
from golden.enmc.formats import (
    INSTRUCTION_FIELDS,
    Buffer,
    Dest,
    Execute,
    Function,
    Op,
    Screen,
)
from golden.enmc.instruction import INSTRUCTIONS, encode
from golden.enmc.registers import REGISTERS

#: Cycles from a burst's command to its arrival, in which nobody says that he is busy.
GAP = 2


class Neighbours:
    """Units that do what they are told after random times, with the limits of the real ones.

    The DRAM serves requests in order; a burst of which the buffer is full holds up all behind it. So a wrong order of
    instructions ends in a deadlock here, too.

    Parameters
    ----------
    cfg : EnmcConfig
    rng : random.Random
    candidates : list of list of (int, int, int)
        (score, label, input) of each FILTER's.
    speed : float
        Probability that a unit goes on in a cycle; ``p_return``: that the host takes records.
    """

    def __init__(self, cfg, rng, candidates=(), *, speed=0.7, p_return=0.3):
        self.cfg, self.candidates = cfg, deque(candidates)
        self._odds = {name: random.Random(rng.random()) for name in
                      ("dram", "screen", "filter", "execute", "finish", "return", "request", "offer")}
        self._p = dict.fromkeys(self._odds, speed) | {"return": p_return}
        self.requests, self.screens, self.executes = [], [], []     # what came, in order
        self.queue, self.arriving, self.buffered = deque(), deque(), dict.fromkeys(Dest, 0)
        self.screen = self.filter = self.execute = None
        self.stores = self.records = 0
        self.index, self.offered = deque(), False
        self.left = self.work = self.popped = 0

    def _now(self, name):
        return self._odds[name].random() < self._p[name]

    def before(self, owner):
        """Inputs of this cycle."""
        self.offered = bool(self.index) and (self.offered or self._now("offer"))
        self.ready = {"request_ready": len(self.queue) < self.cfg.queue and self._now("request"),
                      "screen_ready": self.screen is None, "execute_ready": self.execute is None}
        units = Units(
            screen_busy=self.screen is not None or self.filter is not None or bool(self.index or self.buffered[0]),
            execute_busy=self.execute is not None or bool(self.buffered[1]), dram_busy=bool(self.queue), owner=owner,
            ready=self.records)
        dram, finished = (self._dram() if owner else None), self._work_execute()
        done, screening = self._work_filter(), self._work_screen()
        self.popped = min(self.records, self.cfg.records) if self._now("return") else 0
        events = Events(read=dram == "read", written=dram == "written", screening=screening, finished=finished,
                        executing=self.execute is not None, popped=self.popped, filtered=done)
        return events, units, self.index[0] if self.offered else None

    def _dram(self):
        """A burst of the first request."""
        while self.arriving and self.arriving[0][0] == 0:
            self.buffered[self.arriving.popleft()[1]] += 1
        for entry in self.arriving:
            entry[0] -= 1
        if not self.queue or not self._now("dram"):
            return None
        entry = self.queue[0]
        _addr, _count, write, dest = entry[1]
        if write and not self.stores or not write and self.buffered[dest] + sum(
                one[1] == dest for one in self.arriving) == self.cfg.weights:
            return None
        if write:
            self.stores -= 1
        else:
            self.arriving.append([GAP, dest])
        entry[0] -= 1
        if not entry[0]:
            self.queue.popleft()
        return "written" if write else "read"

    def _work_screen(self):
        if self.screen is None or not self._now("screen"):
            return False
        kind = self.screen.kind
        if kind == Screen.FILTER:
            if self.filter is None:
                self.filter, self.screen = deque(self.candidates.popleft()), None
        elif kind == Screen.STORE:
            if self.stores < 2:
                self.stores += 1
                self.left -= 1
        elif self.buffered[Dest.SCREENER]:
            self.buffered[Dest.SCREENER] -= 1
            self.left -= 1
        if self.screen is not None and kind != Screen.FILTER and not self.left:
            self.screen = None
        return kind == Screen.MULTIPLY

    def _work_filter(self):
        if self.filter is None or not self._now("filter"):
            return False
        if self.filter:
            if len(self.index) < self.cfg.indices:
                self.index.append(self.filter.popleft())
            return False
        self.filter = None
        return True

    def _work_execute(self):
        if self.execute is None or not self._now("execute"):
            return False
        if self.execute.kind in (Execute.FINISH, Execute.PASS):
            self.execute = None
            self.records += 1
            assert self.records <= self.cfg.results, "a record must find a place in the output buffer"
            return True
        if self.buffered[Dest.EXECUTOR]:
            self.buffered[Dest.EXECUTOR] -= 1
            self.work -= 1
            if not self.work:
                self.execute = None
        return False

    def after(self, y):
        """Outputs of this cycle."""
        self.records = 0 if y.clear else self.records - self.popped
        if y.candidates_ready and self.offered:
            self.index.popleft()
            self.offered = False
        if y.request is not None and self.ready["request_ready"]:
            assert y.own, "a request must come with own"
            one = y.request
            self.requests.append((one.addr, one.count, one.write, one.dest))
            self.queue.append([one.count, self.requests[-1]])
        if y.screen is not None and self.ready["screen_ready"]:
            self.screen, self.left = y.screen, y.screen.count
            self.screens.append(tuple(y.screen))
        if y.execute is not None and self.ready["execute_ready"]:
            self.execute, self.work = y.execute, y.execute.count
            self.executes.append(tuple(y.execute))

    @property
    def idle(self):
        """Nothing is left to do."""
        return not (self.queue or self.arriving or self.index or self.screen or self.execute) and self.filter is None


def word_of(name, **fields):
    """An instruction as the host port hands it on: 13 bits, data; random data where the host sends none."""
    addr, data = encode(name, **fields)
    return addr & 1023 | addr >> 11 << 10, data


def raw(op, a=0, b=0, data=0):
    """Any 13 bits."""
    return op << sum(INSTRUCTION_FIELDS.values()) - INSTRUCTION_FIELDS["op"] | a << INSTRUCTION_FIELDS["b"] | b, data


class Programs:
    """Random programs, with the candidates of their FILTERs.

    Attributes
    ----------
    program : list of (int, int)
    candidates : list of list of (int, int, int)
    """

    def __init__(self, cfg, rng, *, wrong=0.0, density=0.3):
        self.cfg, self.rng, self.wrong, self.density = cfg, rng, wrong, density
        self.program, self.candidates = [], []
        self.inputs = 0

    def add(self, name, **fields):
        """An instruction, sometimes an illegal one before it."""
        if self.rng.random() < self.wrong:
            self.program.append(self.rng.choice(static_wrongs(self.cfg)))
        word, data = word_of(name, **fields)
        self.program.append((word, self.rng.getrandbits(64) if data is None else data))

    def addr(self, count):
        """Where ``count`` bursts fit."""
        return self.rng.randrange(self.cfg.bursts - count + 1)

    def load(self, buffer, count):
        self.add("LDR", buffer=buffer, addr=self.addr(count), count=count)

    def setup(self, *, mode=None, inputs=None, screen_bursts=None, row_bursts=None):
        """INIT of everything, ``batch`` last."""
        rng = self.rng
        self.inputs = inputs or rng.randint(1, self.cfg.batch)
        self.screen_bursts = screen_bursts or rng.randint(1, 2 * self.cfg.weights)
        self.row_bursts = row_bursts or rng.randint(1, 20)
        self.mode = rng.choice([0, 1, 2, 4, 5, 6]) if mode is None else mode
        values = {"classes": rng.getrandbits(64), "first_class": rng.getrandbits(24), "row_base": rng.randrange(16),
                  "screen_bursts": self.screen_bursts, "threshold": rng.getrandbits(64), "mode": self.mode,
                  "row_bursts": self.row_bursts}
        for name in rng.sample(list(values), len(values)):
            self.add("INIT", reg=name, data=values[name])
        self.add("INIT", reg="batch", data=self.inputs)

    def tiles(self, tiles, *, store=0.3, most=6):
        """Screening."""
        rng, cfg = self.rng, self.cfg
        self.load("FEATURE_INT4", rng.randint(1, cfg.features // 2 // cfg.dq))
        self.load("FEATURE_FP32", rng.randint(1, 8))
        classes = min((cfg.bursts - 16) // self.row_bursts, 1 << 24)
        for _ in range(tiles):
            self.load("PSUM_INT4", 4)
            self.load("WEIGHT_INT4", self.screen_bursts)
            self.add(rng.choice(["MUL_ADD_INT4", "MUL_INT4", "ADD_INT4"]))
            if rng.random() < store:
                count = 4 * self.inputs
                self.add("STR", buffer="PSUM_INT4", addr=self.addr(count), count=count)
            self.add("FILTER")
            found = rng.randint(0, most) if rng.random() < self.density else 0
            self.candidates.append([(self.score(), rng.randrange(classes), rng.randrange(self.inputs))
                                    for _ in range(found)])

    def score(self):
        return self.rng.getrandbits(32) - (1 << 31)

    def tag(self):
        return {"score": self.score(), "label": self.rng.getrandbits(24), "batch": self.rng.randrange(self.inputs)}

    def rows(self, rows):
        """Exact work of the host; a result of one row or two."""
        rng = self.rng
        for _ in range(rows):
            for _ in range(rng.randint(1, 2)):
                self.load("WEIGHT_FP32", self.row_bursts)
                self.add(rng.choice(["MUL_ADD_FP32", "MUL_FP32", "ADD_FP32"]), **self.tag())
            self.add(rng.choice(["MOVE", "SIGMOID", "SOFTMAX"]), **self.tag())
            if rng.random() < 0.3:
                self.add("MOVE", buffer1="INDEX", buffer2="OUTPUT", **self.tag())

    def anything(self, parts):
        """Batches of all kinds."""
        rng = self.rng
        for _ in range(parts):
            self.setup()
            for _ in range(rng.randint(0, 2)):
                self.tiles(rng.randint(1, 4))
                if rng.random() < 0.7:
                    self.add("BARRIER")
                    self.rows(rng.randint(0, 3))
                self.add("NOP")
            if rng.random() < 0.3:
                self.add("BARRIER")
                self.add("CLR")
        return self


    def soup(self, length):
        """Any instructions in any order, after a setup; then what a host sends to come to an end."""
        rng = self.rng
        self.setup(row_bursts=rng.randint(1, 2 * self.cfg.weights))
        buffers = "FEATURE_INT4", "PSUM_INT4", "WEIGHT_INT4", "FEATURE_FP32", "WEIGHT_FP32"
        counts = 1, 4, self.screen_bursts, rng.randint(1, 8), self.row_bursts
        for _ in range(length):
            kind = rng.randrange(16)
            if kind < 5:
                self.load(buffers[kind], counts[kind])
            elif kind == 5:
                self.add("STR", buffer="PSUM_INT4", addr=0, count=4 * self.inputs)
            elif kind < 11:
                name = ("MUL_INT4", "ADD_FP32", "SOFTMAX", "MOVE", "MUL_ADD_INT4")[kind - 6]
                self.add(name, **self.tag() if "INT4" not in name else {})
            elif kind == 11:
                self.add("MOVE", buffer1="INDEX", buffer2="OUTPUT", **self.tag())
            elif kind == 12:
                self.add(rng.choice(["NOP", "BARRIER"]))
            else:
                self.add("FILTER")
                self.candidates.append([(self.score(), rng.randrange(20), rng.randrange(self.inputs))
                                        for _ in range(rng.randrange(8))])
        self.add("MUL_INT4")
        self.add("MUL_FP32", **self.tag())
        self.add("BARRIER")
        return self


def static_wrongs(cfg):
    """An instruction of every illegal form that shows without registers."""
    end, most_int4, most_fp32 = cfg.bursts, cfg.features // 2 // cfg.dq, 4 * cfg.exact_features // cfg.dq
    register = {name: r.number << 2 for name, r in REGISTERS.items()}
    init, known = 1 << 7, {form.op for form in INSTRUCTIONS.values()}

    def load(buffer, addr, count, zero=0, op=Op.LDR, b=0):
        return raw(op, buffer, b, addr | count << 32 | zero << 48)

    def set_(number, data, low=0):
        bits = init | number | low
        return Op.REGISTER << 8 | bits, data

    return [
        *(raw(op) for op in range(32) if op not in known), raw(Op.REGISTER), raw(Op.RETURN),
        *(load(buffer, 0, 4) for buffer in (Buffer.INDEX, Buffer.PSUM_FP32, Buffer.OUTPUT, 8, 15)),
        load(Buffer.WEIGHT_INT4, 0, 0), load(Buffer.WEIGHT_FP32, 0, 0), load(Buffer.WEIGHT_FP32, end - 1, 2),
        load(Buffer.WEIGHT_INT4, (1 << 32) - 1, 1), load(Buffer.WEIGHT_INT4, end, 1), load(Buffer.WEIGHT_INT4, 0, 1, 1),
        load(Buffer.WEIGHT_INT4, 0, 1, b=1), load(Buffer.PSUM_INT4, 0, 3), load(Buffer.PSUM_INT4, 0, 5),
        load(Buffer.FEATURE_INT4, 0, most_int4 + 1), load(Buffer.FEATURE_FP32, 0, most_fp32 + 1),
        load(Buffer.FEATURE_INT4, 0, 4, op=Op.STR), load(Buffer.PSUM_INT4, 0, 3, op=Op.STR),
        raw(Op.MUL_INT4, 1, 0), raw(Op.MUL_FP32, 4, 4), raw(Op.ADD_FP32, 4, 5, 1 << 60), raw(Op.FILTER, 6),
        raw(Op.FILTER, 2, 1), raw(Op.MOVE, 7, 6), raw(Op.SIGMOID, 1), raw(Op.SOFTMAX, 0, 0, 1 << 63),
        raw(Op.BARRIER, 0, 1), raw(Op.NOP, 8), raw(Op.CLR, 1),
        set_(register["status"], 1), set_(register["level"], 1), set_(register["softmax_0"], 1), set_(21 << 2, 1),
        set_(register["batch"], 0), set_(register["batch"], cfg.batch + 1), set_(register["batch"], 1 << 32 | 1),
        set_(register["mode"], Function.SOFTMAX + 1), set_(register["classes"], 1, low=1),
    ]
