"""Model, environment and stimuli of the sequencer, for the bench and for plain Python."""

from collections import Counter
from typing import NamedTuple

from golden.common.fixed import wrap
from golden.eie import program, sequencer
from golden.eie.config import EieConfig
from golden.eie.formats import CAUSES, PASS_FIELDS
from tests.common.units import gaps
from tests.eie.central import CompiledModel, Fetched, Token, nonzero_values, scan_tokens, source
from tests.eie.program_traffic import legal_pass

CONFIGS = [
    EieConfig(n_pe=4, regfile_words=8, ptr_words=256, act_words=64, codebooks=4, spmat_words=4),
    EieConfig(n_pe=1, regfile_words=2, ptr_words=4, act_words=2, codebooks=1, program_words=2, spmat_words=2,
              data_bits=8),
    EieConfig(n_pe=256, regfile_words=256, ptr_words=2**18, act_words=2**15, codebooks=256, spmat_words=2,
              data_bits=32),
]


class SequencerInputs(NamedTuple):
    start: bool = False
    clear: bool = False
    io_active: bool = False
    passes: Fetched | None = None
    i: Token | None = None
    room: int = 0
    any_busy: bool = False


class Command(NamedTuple):
    scan: bool
    clear: bool
    load: bool
    store: bool
    base: int | None    # None without load or store, like the next
    rows: int | None
    role: int
    relu: bool
    codebook: int
    shift: int

    @classmethod
    def compared(cls, scan, clear, load, store, base, rows, role, relu, codebook, shift):
        """As it stands in the outputs of benches and models."""
        addressed = load or store
        return cls(bool(scan), bool(clear), bool(load), bool(store), int(base) if addressed else None,
                   int(rows) if addressed else None, int(role), bool(relu), int(codebook), int(shift))


class SequencerOutputs(NamedTuple):
    passes_ready: bool
    i_ready: bool
    o: tuple[int, int] | None   # column, value
    command: Command
    started: bool
    state: int
    running: bool               # in the cycle before
    cause: str | None           # of the cycle before, when a program ran
    number: int
    done: bool
    program_error: bool
    start_error: bool


IDLE = SequencerInputs()


class SequencerModel(CompiledModel):
    def __init__(self, cfg):
        self._cfg, self._offered = cfg, program.state(cfg)
        super().__init__(sequencer, sequencer.state)

    def reset(self):
        super().reset()
        self._cause = None

    def step(self, x):
        s, p, d = self.s, self._offered, self.s.desc
        room, room_2 = bool(x.room & 1), bool(x.room & 2)
        p.valid[0] = x.passes is not None
        if x.passes:
            p.fields[:], p.last[0], p.illegal[0] = x.passes.fields, x.passes.last, x.passes.illegal
        token = x.i or Token(0, 0, False, False)
        state = int(s.state[0])
        y = SequencerOutputs(
            passes_ready=state == sequencer.DISPATCH, i_ready=bool(sequencer.ready_of(s)),
            o=(int(s.b_column[0]), int(s.b_value[0])) if s.b_valid[0] else None,
            command=Command.compared(s.scan[0], s.clear[0], s.load[0], s.store[0], s.base[0], s.rows[0], s.role[0],
                                     d[program.RELU], d[program.CODEBOOK], d[program.SHIFT]),
            started=bool(s.started[0]), state=state, running=self._cause is not None, cause=self._cause,
            number=int(s.number[0]), done=bool(s.done[0]), program_error=bool(s.program_error[0]),
            start_error=bool(s.start_error[0]))
        self._cause = None
        if state != sequencer.IDLE:
            self._cause = CAUSES[sequencer.cause_of(s, room, room_2, x.i is not None)]
        sequencer.clock(s, p, x.start, x.clear, x.io_active, room, room_2, x.any_busy, x.i is not None, token.index,
                        token.value, token.null, token.last, self._cfg.ptr_words, self._cfg.data_bits)
        return y


class Work(NamedTuple):
    """One pass: its fields by name, what the quadtree delivers, whether a null ends it, whether it is refused."""

    fields: dict[str, int]
    elements: list[tuple[int, int]]
    null_end: bool = True
    illegal: bool = False

    @property
    def cycles(self):
        """Cycles of the pass if nothing ever waits: the quadtree delivers from the cycle after the scan on."""
        f = self.fields
        if self.illegal:
            return 2
        tokens = len(self.elements) + (self.null_end or not self.elements)
        ends_with_broadcast = f["bias"] or not (self.null_end or not self.elements)
        drain = 1 + ends_with_broadcast if f["finish"] else 0
        return 2 + tokens + f["bias"] + drain + (f["out_rows"] + 2 if f["store"] else 0)


def work_of(cfg, rng, count, **changes):
    """A pass with ``count`` random elements."""
    count = min(count, 1 << cfg.index_bits)
    indices = sorted(rng.sample(range(1 << cfg.index_bits), count))
    return Work({"zero": 0, **legal_pass(cfg, rng, **changes)},
                list(zip(indices, nonzero_values(cfg, rng, count), strict=True)), rng.random() < 0.5)


#: What a pass must not have if it does not finish.
OPEN_END = {"finish": 0, "store": 0, "swap": 0}


def random_program(cfg, rng):
    """Up to eight passes, half of them unfinished; one program in three ends with a refused pass."""
    works = []
    for _ in range(rng.randint(0, 7)):
        works.append(work_of(cfg, rng, rng.choice([0, 1, rng.randrange(20)]), **rng.choice([{}, OPEN_END])))
    return [*works, work_of(cfg, rng, rng.randrange(5))._replace(illegal=rng.random() < 1 / 3)]


class Result(NamedTuple):
    """What a program does, without time."""

    broadcasts: list
    commands: list[Command]
    number: int
    program_error: bool


def expected(cfg, works):
    """Untimed specification."""
    broadcasts, commands, role = [], [], 0
    for number, (f, elements, _null_end, illegal) in enumerate(works):
        if illegal:
            return Result(broadcasts, commands, number, True)
        settings = role, f["relu"], f["codebook"], f["shift"]
        commands.append(Command.compared(1, f["clear"], f["load"], 0, f["in_base"], f["in_rows"], *settings))
        broadcasts += [((f["column_base"] + index) % cfg.ptr_words, value) for index, value in elements]
        if f["bias"]:
            broadcasts.append((f["bias_column"], wrap(f["bias_value"], cfg.data_bits)))
        if f["store"]:
            commands.append(Command.compared(0, 0, 0, 1, f["out_base"], f["out_rows"], *settings))
        role ^= f["swap"]
    return Result(broadcasts, commands, len(works), False)


class Traffic:
    """Everything around the sequencer while it runs one program: program reader, quadtree, queues, PEs, host.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.

    Parameters
    ----------
    p_valid : float
        How often the next pass, and the next element, is there at once.
    p_ready : float
        How often all queues have room for two activations; else they have it for one or for none.
    busy : int
        Longest time that the PEs work on a broadcast [cycles].
    p_host : float
        How often the host disturbs: starts again, clears the flags, uses the stream port.
    """

    def __init__(self, cfg, works, rng, *, p_valid=1.0, p_ready=1.0, busy=0, p_host=0.0):
        self._cfg, self._works, self._rng, self._p_valid, self._busy = cfg, works, rng, p_valid, busy
        fetched = [Fetched(tuple(work.fields[name] for name in PASS_FIELDS), k == len(works) - 1, work.illegal)
                   for k, work in enumerate(works)]
        self._passes, self._tokens = source(fetched, p_valid, rng), source([], 1, rng)
        self._ready, self._host, self._is_disturbed = gaps(p_ready, rng), gaps(p_host, rng), p_host > 0
        self._scans = iter(works)
        self._started, self._begun, self._may_end, self._working = False, False, False, 0
        self._broadcasts, self._commands = [], []
        self.causes, self.done = Counter(), False

    def inputs(self):
        if not self._started:
            self._started = True
            return SequencerInputs(start=True)
        start, io_active = next(self._host), next(self._host)
        room = 0b11 if next(self._ready) else self._rng.choice([0b00, 0b01])
        return SequencerInputs(
            start=start, clear=next(self._host), io_active=io_active or (start and self._may_end),
            passes=self._passes.offer()[1], i=self._tokens.offer()[1], room=room,
            any_busy=self._working > 0)

    def taken(self, x, y):
        self._passes.taken(y.passes_ready)
        self._tokens.taken(y.i_ready)
        self._working = max(self._working - 1, 0)
        if y.o:
            self._broadcasts.append(y.o)
            self._working = max(self._working, self._rng.randint(0, self._busy))
        if y.command.scan or y.command.store:
            self._commands.append(y.command)
        if y.command.scan:
            assert self._tokens.done, "a scan starts only after the one before"
            work = next(self._scans)
            self._tokens = source(scan_tokens(work.elements, work.null_end, self._rng, self._cfg), self._p_valid,
                                  self._rng)
        if y.cause is not None:
            self.causes[y.cause] += 1
        self._may_end = y.state in (sequencer.DRAIN, sequencer.STORE)
        # The first cycle is that of the start, the last one that in which the cause of the one before shows.
        self.done = self._begun and y.state == sequencer.IDLE
        self._begun = True
        if self.done:
            assert y.done and self._working == 0, "the program ends when no PE works any more"
            self._result = Result(self._broadcasts, self._commands, y.number, y.program_error)

    def check(self):
        """Nothing lost, nothing doubled, every cycle has a cause."""
        wanted = expected(self._cfg, self._works)
        if self._is_disturbed:  # the flag may have been cleared
            wanted = wanted._replace(program_error=self._result.program_error)
        assert self._result == wanted
        assert self.causes["broadcasts"] == len(wanted.broadcasts)
        assert self._passes.done or wanted.number < len(self._works)
        assert self._tokens.done
