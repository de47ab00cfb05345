"""Model, rules and stimuli of the program reader, for the bench and for plain Python."""

from typing import NamedTuple

from golden.common.fields import pack_fields, unpack_fields
from golden.eie import program
from golden.eie.config import EieConfig
from golden.eie.formats import PASS_FIELDS
from tests.eie.central import CompiledModel, Fetched, from_beats, to_beats

CONFIGS = [
    EieConfig(n_pe=4, regfile_words=8, ptr_words=256, act_words=64, codebooks=4, program_words=32, spmat_words=4),
    EieConfig(n_pe=1, regfile_words=2, ptr_words=4, act_words=2, codebooks=1, program_words=2, spmat_words=2,
              data_bits=8),
    EieConfig(n_pe=256, regfile_words=256, ptr_words=2**18, act_words=2**15, codebooks=256, program_words=128,
              spmat_words=2, data_bits=32),
]

BEATS = 3
ILLEGAL_LENGTH = "illegal length"


class HostAccess(NamedTuple):
    write: bool
    addr: int
    wdata: int = 0


class ProgramInputs(NamedTuple):
    start: bool = False
    length: int = 0
    o_ready: bool = False
    io: HostAccess | None = None


class ProgramOutputs(NamedTuple):
    o: Fetched | None
    io_rdata: int | None    # two cycles after a read is asked for


IDLE = ProgramInputs()


class ProgramModel(CompiledModel):
    def __init__(self, cfg):
        super().__init__(program, lambda: program.state(cfg))

    def reset(self):
        words = self.s.words if hasattr(self, "s") else None
        super().reset()
        if words is not None:   # a reset leaves memories alone
            self.s.words[:] = words
        self._access = self._rdata = None

    def step(self, x):
        s, io, rdata = self.s, self._access, self._rdata
        o = Fetched(tuple(map(int, s.fields)), bool(s.last[0]), bool(s.illegal[0])) if s.valid[0] else None
        self._rdata = from_beats(s.words[io.addr]) if io and not io.write else None
        program.clock(s, x.start, x.length, x.o_ready)
        if io and io.write:
            s.words[io.addr] = to_beats(io.wdata, BEATS)
        self._access = x.io
        return ProgramOutputs(o, rdata)


def legal_pass(cfg, rng, **changes):
    """A random pass that keeps every rule, as the last one too, before the ``changes``; its fields by name."""
    def rows_and_base(memory_words):
        rows = rng.choice([1, cfg.regfile_words, rng.randint(1, cfg.regfile_words)])
        rows = min(rows, memory_words)
        return rows, rng.choice([0, memory_words - rows, rng.randint(0, memory_words - rows)])

    def column():
        return rng.choice([0, cfg.ptr_words - 2, rng.randint(0, cfg.ptr_words - 2)])

    values = {name: rng.randrange(2) for name in ("load", "clear", "store", "swap", "relu", "bias")}
    values |= {"finish": 1, "codebook": rng.randrange(cfg.codebooks), "shift": rng.randrange(2 * cfg.data_bits),
               "column_base": column(), "bias_column": column(), "bias_value": rng.getrandbits(32)}
    values["in_rows"], values["in_base"] = rows_and_base(cfg.act_words)
    values["out_rows"], values["out_base"] = rows_and_base(cfg.act_words)
    return {**values, **changes}


def rule_cases(cfg, rng):
    """(name, pass, whether it is legal as the last one): each rule alone, at its last legal and first illegal value."""
    files, words, last_column = cfg.regfile_words, cfg.act_words, cfg.ptr_words - 2
    full = min(files, words)
    cases = []

    def add(name, is_legal, **changes):
        cases.append((name, legal_pass(cfg, rng, **changes), is_legal))

    for use, rows, base in (("load", "in_rows", "in_base"), ("store", "out_rows", "out_base")):
        for on in (1, 0):  # rows and base count only when they are used
            def check(name, is_legal, use=use, on=on, **changes):
                add(f"{use}={on} {name}", is_legal or not on, **{use: on}, **changes)

            check("no row", False, **{rows: 0, base: 0})
            check("one row", True, **{rows: 1, base: 0})
            check("most rows", True, **{rows: full, base: 0})
            check("a row too many", False, **{rows: files + 1, base: 0})
            check("all rows there are", False, **{rows: 2**16 - 1, base: 0})
            check("up to the end", True, **{rows: full, base: words - full})
            check("beyond the end", False, **{rows: full, base: words - full + 1})
            check("last word", True, **{rows: 1, base: words - 1})
            check("after the last word", False, **{rows: 1, base: words})
            check("sum of 17 bits", False, **{rows: full, base: 2**16 - full})
    add("columns up to the end", True, column_base=last_column)
    add("column beyond the end", False, column_base=last_column + 1)
    add("column of 32 bits", False, column_base=2**32 - 1)
    for bias in (1, 0):
        add(f"bias={bias} at the end", True, bias=bias, bias_column=last_column)
        add(f"bias={bias} beyond the end", not bias, bias=bias, bias_column=last_column + 1)
        add(f"bias={bias} of 32 bits", not bias, bias=bias, bias_column=2**32 - 1)
    for bit in range(PASS_FIELDS["zero"]):
        add(f"reserved bit {bit}", False, zero=1 << bit)
    add("last codebook", True, codebook=cfg.codebooks - 1)
    if cfg.codebooks < 256:
        add("codebook too high", False, codebook=cfg.codebooks)
        add("highest codebook", False, codebook=255)
    add("highest shift", True, shift=2 * cfg.data_bits - 1)
    add("shift too high", False, shift=2 * cfg.data_bits)
    add("shift of 8 bits", False, shift=255)
    for name in ("store", "swap"):
        add(f"{name} unfinished", False, **{"store": 0, "swap": 0, name: 1}, finish=0)
    add("last unfinished", False, store=0, swap=0, finish=0)
    return cases


def is_legal_pass(cfg, fields, is_last):
    """The rules once more, written by hand: untimed specification."""
    p = fields
    loads = 1 <= p["in_rows"] <= cfg.regfile_words and p["in_base"] + p["in_rows"] <= cfg.act_words
    stores = 1 <= p["out_rows"] <= cfg.regfile_words and p["out_base"] + p["out_rows"] <= cfg.act_words
    columns = [p["column_base"]] + [p["bias_column"]] * p["bias"]
    return all([
        loads or not p["load"],
        stores or not p["store"],
        p["finish"] or not (p["store"] or p["swap"] or is_last),
        all(column + 1 < cfg.ptr_words for column in columns),  # its end is the pointer after it
        p["zero"] == 0,
        p["codebook"] < cfg.codebooks,
        p["shift"] < 2 * cfg.data_bits,
    ])


def expected(cfg, words, length):
    """What the reader hands on for a program of ``length`` passes: untimed specification."""
    if not 1 <= length <= cfg.program_words:
        return [ILLEGAL_LENGTH]
    passes = []
    for k, word in enumerate(words[:length]):
        fields = unpack_fields(PASS_FIELDS, word)
        is_last = k == length - 1
        passes.append(Fetched(tuple(fields.values()), is_last, not is_legal_pass(cfg, fields, is_last)))
        if passes[-1].illegal:
            break
    return passes


def random_program(cfg, rng):
    """Words of a program of random length; about half of them have an illegal pass somewhere."""
    length = rng.choice([1, 2, cfg.program_words, rng.randint(1, cfg.program_words)])
    passes = [legal_pass(cfg, rng) for _ in range(length)]
    for p in passes[:-1]:
        if rng.random() < 0.5:
            p.update(finish=0, store=0, swap=0)
    if rng.random() < 0.5:
        illegal = [values for _name, values, is_legal in rule_cases(cfg, rng) if not is_legal]
        passes[rng.randrange(length)] = rng.choice(illegal)
    return [pack_fields(PASS_FIELDS, p) for p in passes]


class Traffic:
    """Runs one program: the start, then a consumer with stalls, then the check.

    Each cycle: ``x = traffic.inputs()``, then ``traffic.taken(x, y)``.
    """

    def __init__(self, cfg, words, length, ready):
        self._length, self._ready, self._started = length, ready, False
        self._expected, self._out = expected(cfg, words, length), []

    @property
    def done(self):
        """A last or illegal pass was taken."""
        return bool(self._out) and (self._out[-1].illegal or self._out[-1].last)

    def inputs(self):
        if self._started:
            return ProgramInputs(o_ready=next(self._ready))
        self._started = True
        return ProgramInputs(start=True, length=self._length)

    def taken(self, x, y):
        if y.o and x.o_ready:
            self._out.append(y.o)

    def check(self):
        if self._expected == [ILLEGAL_LENGTH]:
            assert [o.illegal for o in self._out] == [True]
        else:
            assert self._out == self._expected
