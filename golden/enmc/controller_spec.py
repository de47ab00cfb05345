"""What a controller hands to its units, without time [Thesis 6.4.2]: an instruction after the other.

Written from the meaning of the instructions, not from the cycle model. Requests for the screener and for the executor
are two rows: how they mix is a matter of time.
"""

from typing import NamedTuple

from .config import EnmcConfig
from .formats import Buffer, Dest, Execute, Function, Screen
from .instruction import Instruction, decode
from .registers import REGISTERS

__all__ = ["Expected", "expected"]

_NAMES = {r.number: name for name, r in REGISTERS.items()}
_MOVES = {(Buffer.PSUM_FP32, Buffer.OUTPUT): Execute.FINISH, (Buffer.INDEX, Buffer.OUTPUT): Execute.PASS}
_QUARTERS, _EXACT = 4, 4


class Expected(NamedTuple):
    """Tuples of fields as in ``hdl.enmc.layouts``.

    Attributes
    ----------
    requests : dict of Dest to list of (addr, count, write)
    screen : list of (kind, count, clear, ones)
    execute : list of (kind, count, clear, ones, function, batch, label, score)
    registers : dict of str to int
        Their last values.
    executed, illegal : int
        Instructions that were carried out, generated ones too, and those that were skipped. Since the last CLR.
    """

    requests: dict
    screen: list
    execute: list
    registers: dict
    executed: int
    illegal: int


def expected(cfg: EnmcConfig, program, candidates) -> Expected:
    """What comes of a program.

    Parameters
    ----------
    cfg : EnmcConfig
    program : list of (int, int)
        13 bits and the data of each instruction.
    candidates : iterable of list of (int, int, int)
        (score, label, input) of the candidates of each FILTER.
    """
    one = _Meaning(cfg, iter(candidates))
    for word, data in program:
        try:
            instruction = decode(word & 1023 | word >> 10 << 11, data)
            if instruction is None:
                raise ValueError("there must be an opcode, not 0")
            one.carry_out(instruction)
            one.executed += 1
        except ValueError:
            one.illegal += 1
    one.settle()
    return Expected(one.requests, one.screen, one.execute, one.registers, one.executed, one.illegal)


def _need(condition):
    if not condition:
        raise ValueError("instruction must be legal")


class _Meaning:
    def __init__(self, cfg, candidates):
        self.cfg, self.candidates = cfg, candidates
        self.requests, self.screen, self.execute = {dest: [] for dest in Dest}, [], []
        self.found = []
        self._reset()

    def _reset(self):
        self.registers = {name: 0 for name, r in REGISTERS.items() if r.access == "rw"}
        self.executed = self.illegal = 0
        self.filtered = self.row_open = False
        self.loaded = None      # buffer with weights that were not multiplied

    def settle(self):
        """All candidates are classified."""
        r = self.registers
        for score, label, batch in self.found:
            tag = {"batch": batch, "label": (label + r["first_class"]) % (1 << 24), "score": score % (1 << 32)}
            if r["mode"] & _EXACT:
                addr = (r["row_base"] + label * r["row_bursts"]) % self.cfg.bursts
                self._request(Dest.EXECUTOR, addr, r["row_bursts"])
                self._execute(Execute.MULTIPLY, r["row_bursts"], **tag)
                self._execute(Execute.FINISH, function=r["mode"] & 3, **tag)
            else:
                self._execute(Execute.PASS, **tag)
            self.executed += 3 if r["mode"] & _EXACT else 1
        self.found, self.filtered = [], False

    def carry_out(self, i: Instruction):
        """Raises ValueError if it is illegal; then nothing was done."""
        name = i.name.lower()
        multiplied = {"int4": Buffer.WEIGHT_INT4, "fp32": Buffer.WEIGHT_FP32}.get(name.rpartition("_")[2])
        _need(self.loaded == multiplied or name == "nop")
        _need(self.registers["batch"] or name in ("init", "barrier", "nop", "clr"))
        stem, _, kind = name.rpartition("_")
        if kind in ("int4", "fp32"):
            _need((i.buffer1, i.buffer2) == (Buffer[f"FEATURE_{kind.upper()}"], Buffer[f"WEIGHT_{kind.upper()}"]))
            flags = stem == "mul", stem == "add"
            self._multiply_int4(*flags) if kind == "int4" else self._multiply_fp32(i, *flags)
        else:
            getattr(self, f"_{name}")(i)

    def _request(self, dest, addr, count, write=0):
        self.requests[dest].append((addr, count, write))

    def _screen(self, kind, count=0, clear=0, ones=0):
        self.screen.append((kind, count, int(clear), int(ones)))

    def _execute(self, kind, count=0, clear=0, ones=0, function=0, batch=0, label=0, score=0):
        self.execute.append((kind, count, int(clear), int(ones), function, batch, label, score % (1 << 32)))

    def _init(self, i):
        name = _NAMES.get(i.reg)
        _need(name in self.registers)
        _need(name != "batch" or 1 <= i.data <= self.cfg.batch)
        _need(name != "mode" or i.data % 4 in set(Function))
        self.settle()
        self.registers[name] = i.data % (1 << REGISTERS[name].width)

    def _ldr(self, i):
        cfg = self.cfg
        most = {Buffer.FEATURE_INT4: cfg.features // 2 // cfg.dq, Buffer.PSUM_INT4: _QUARTERS,
                Buffer.FEATURE_FP32: 4 * cfg.exact_features // cfg.dq, Buffer.WEIGHT_INT4: 0xFFFF,
                Buffer.WEIGHT_FP32: 0xFFFF}
        least = _QUARTERS if i.buffer == Buffer.PSUM_INT4 else 1
        _need(i.buffer in most and least <= i.count <= most[i.buffer] and i.addr + i.count <= cfg.bursts)
        exact = i.buffer in (Buffer.FEATURE_FP32, Buffer.WEIGHT_FP32)
        _need(not (exact and self.filtered))
        sizes = {Buffer.WEIGHT_INT4: "screen_bursts", Buffer.WEIGHT_FP32: "row_bursts"}
        if i.buffer in sizes:
            _need(i.count == self.registers[sizes[i.buffer]])
            self.loaded = i.buffer
        if i.buffer in (Buffer.FEATURE_INT4, Buffer.PSUM_INT4):
            self._screen(Screen.FEATURES if i.buffer == Buffer.FEATURE_INT4 else Screen.PSUMS, i.count)
        elif i.buffer == Buffer.FEATURE_FP32:
            self._execute(Execute.FEATURES, i.count)
        elif i.buffer == Buffer.WEIGHT_FP32:
            self.row_open = True
        self._request(Dest.EXECUTOR if exact else Dest.SCREENER, i.addr, i.count)

    def _str(self, i):
        inputs = self.registers["batch"]
        _need(i.buffer == Buffer.PSUM_INT4 and i.count == _QUARTERS * inputs)
        _need(i.addr + i.count <= self.cfg.bursts)
        self._screen(Screen.STORE, i.count)
        self._request(Dest.SCREENER, i.addr, i.count, 1)

    def _multiply_int4(self, clear, ones):
        self._screen(Screen.MULTIPLY, self.registers["screen_bursts"], clear, ones)
        self.loaded = None

    def _filter(self, i):
        r = self.registers
        _need(i.buffer == Buffer.PSUM_INT4 and not self.row_open)
        _need(r["row_bursts"] or not r["mode"] & _EXACT)
        self._screen(Screen.FILTER)
        self.filtered = True
        self.found += next(self.candidates)

    def _exact(self, i, kind, count=0, clear=0, ones=0, function=0):
        _need(not self.filtered and i.batch < self.registers["batch"])
        _need(self.row_open or kind == Execute.PASS)
        self._execute(kind, count, clear, ones, function, i.batch, i.label, i.score)

    def _multiply_fp32(self, i, clear, ones):
        self._exact(i, Execute.MULTIPLY, self.registers["row_bursts"], clear, ones)
        self.loaded = None

    def _move(self, i):
        kind = _MOVES.get((i.buffer1, i.buffer2))
        _need(kind is not None)
        self._exact(i, kind)
        self.row_open = self.row_open and kind == Execute.PASS

    def _sigmoid(self, i):
        self._exact(i, Execute.FINISH, function=Function.SIGMOID)
        self.row_open = False

    def _softmax(self, i):
        self._exact(i, Execute.FINISH, function=Function.SOFTMAX)
        self.row_open = False

    def _barrier(self, _):
        self.settle()

    def _nop(self, _):
        pass

    def _clr(self, _):
        self.settle()
        self._reset()
        self.executed = -1      # the CLR itself does not count

    def _query(self, _):
        raise ValueError("QUERY must not come here")

    def _return(self, _):
        raise ValueError("RETURN must not come here")
