"""What a program means, without time: every instruction of a rank in numpy, one after the other [Thesis table 6.1].

Between the equations of ``spec.py`` and the cycle model: it knows addresses, buffers and tiles, but no queue and no
clock. Records come in the order of the candidates; the hardware may finish in another one.
"""

from typing import NamedTuple

import numpy as np

from .compiler import EXACT, Records, encode_records
from .config import EnmcConfig
from .formats import RECORD_WORDS, ROTATING, WORD_BITS, Buffer, Function
from .instruction import Instruction
from .packing import BIAS_BURSTS, Segment, unpack_features, unpack_rows, unpack_tiles
from .spec import SoftmaxPart, apply, exact_results

__all__ = ["Answer", "Interpreter", "Job", "Rank"]


class Job(NamedTuple):
    """What a rank does in a batch.

    Attributes
    ----------
    memory : list of Segment
        What the host writes before.
    program : list of Instruction
    read : range
        Bursts that the host reads after.
    """

    memory: list
    program: list
    read: range = range(0)


class Answer(NamedTuple):
    """What comes back.

    Attributes
    ----------
    records : uint32 array, shape (records, 4)
    softmax : list of SoftmaxPart
        Registers ``softmax_b`` of the inputs.
    words : uint32 array, shape (bursts, words)
        Bursts ``Job.read``.
    counters : dict of str to int
        Registers by name, as many of the counters as there are.
    """

    records: np.ndarray
    softmax: list
    words: np.ndarray
    counters: dict


class Interpreter:
    """A DIMM without time: a backend of :class:`golden.enmc.classifier.Classifier`."""

    def __init__(self, cfg: EnmcConfig):
        self.cfg = cfg
        self._ranks = [Rank(cfg) for _ in range(cfg.ranks)]

    def run(self, jobs: list[Job]) -> list[Answer]:
        """One batch: a job for each rank. The DRAM keeps what was written before."""
        answers = []
        for rank, job in zip(self._ranks, jobs, strict=True):
            for segment in job.memory:
                rank.write(segment)
            answers.append(rank.run(job.program, job.read))
        return answers


class Rank:
    """State of one rank."""

    def __init__(self, cfg: EnmcConfig):
        self._cfg = cfg
        self._memory = np.zeros((0, cfg.burst_words), np.uint32)
        self._clear()

    def _clear(self):
        self._registers = {}
        self._queues = {Buffer.WEIGHT_INT4: [], Buffer.WEIGHT_FP32: []}
        self._features = self._h = self._sums = None
        self._partial, self._beat = np.zeros(ROTATING, np.float32), 0
        self._counters = dict.fromkeys(("executed", "found", "finished", "bursts_read", "bursts_written"), 0)

    def write(self, segment: Segment) -> None:
        """The host writes bursts."""
        end = segment.addr + len(segment.words)
        self._grow(end)
        self._memory[segment.addr:end] = segment.words

    def _grow(self, end):
        if end > self._cfg.bursts:
            raise ValueError(f"burst must be in 0..{self._cfg.bursts - 1}, not {end - 1}")
        if end > len(self._memory):
            grown = np.zeros((min(max(end, 2 * len(self._memory)), self._cfg.bursts), self._cfg.burst_words), np.uint32)
            grown[:len(self._memory)] = self._memory
            self._memory = grown

    def run(self, program, read: range = range(0)) -> Answer:
        """Carry out a program, then read bursts."""
        self._records = []
        for instruction in program:
            self._step(instruction)
        self._grow(read.stop)
        records = np.zeros((0, RECORD_WORDS), np.uint32)
        if self._records:
            records = encode_records(Records(*map(np.concatenate, zip(*self._records, strict=True))))
        return Answer(records, [SoftmaxPart(*part) for part in self._softmax] if program else [],
                      self._memory[read.start:read.stop].copy(), dict(self._counters))

    def _step(self, instruction: Instruction):
        name = instruction.name.lower()
        if name == "clr":
            self._clear()
        elif name in ("move", "sigmoid", "softmax"):
            function = Function[name.upper()] if name != "move" else Function.NONE
            z = (self._partial[0] + self._partial[1]) + (self._partial[2] + self._partial[3])
            self._partial, self._beat = np.zeros(ROTATING, np.float32), 0   # the next result begins anew
            self._emit(np.array([instruction.score]), np.array([instruction.label]), instruction.batch, np.array([z]),
                       function)
        elif name not in ("barrier", "nop", "query", "return"):
            getattr(self, f"_{name}")(instruction)
        self._counters["executed"] += 1

    def _init(self, i):
        self._registers[i.reg] = i.data
        if i.reg == "batch":
            self._tile = 0
            self._softmax = [[-np.inf, 0.0] for _ in range(i.data)]
            self._sums = np.zeros((i.data, self._cfg.classes), np.int64)

    def _ldr(self, i):
        words = self._memory[i.addr:i.addr + i.count]
        if len(words) < i.count:
            self._grow(i.addr + i.count)
            words = self._memory[i.addr:i.addr + i.count]
        self._counters["bursts_read"] += i.count
        if i.buffer == Buffer.FEATURE_INT4:
            self._features = words.copy()
        elif i.buffer == Buffer.FEATURE_FP32:
            self._h = words.copy()
        elif i.buffer == Buffer.PSUM_INT4:
            self._sums[:] = words.reshape(-1).view(np.int32)
        else:
            self._queues[i.buffer] += list(words.copy())

    def _taken(self, buffer, count):
        queue = self._queues[buffer]
        if len(queue) < count:
            raise ValueError(f"{buffer.name} must hold {count} bursts, not {len(queue)}")
        taken, queue[:count] = np.stack(queue[:count]), []
        return taken

    def _screen(self, ones, clear):
        bursts = self._registers["screen_bursts"]
        words = self._taken(Buffer.WEIGHT_INT4, bursts)
        tile = np.concatenate([np.zeros((BIAS_BURSTS, self._cfg.burst_words), np.uint32), words])[None]
        w, _ = unpack_tiles(self._cfg, tile, (self._cfg.classes, 2 * bursts))
        shape = (len(self._sums), 2 * bursts)
        features = np.ones(shape, np.int8) if ones else unpack_features(self._features, shape)
        self._sums = (0 if clear else self._sums) + features.astype(np.int64) @ w.T.astype(np.int64)

    def _mul_add_int4(self, _):
        self._screen(ones=False, clear=False)

    def _mul_int4(self, _):
        self._screen(ones=False, clear=True)

    def _add_int4(self, _):
        self._screen(ones=True, clear=False)

    def _execute(self, i, ones, clear):
        bursts, lanes = self._registers["row_bursts"], self._cfg.burst_words
        row = self._taken(Buffer.WEIGHT_FP32, bursts).reshape(-1).view(np.float32)
        h = np.ones(len(row), np.float32) if ones else self._input(i.batch)
        partial, first = (np.zeros(ROTATING, np.float32), 0) if clear else (self._partial, self._beat)
        with np.errstate(all="ignore"):
            sums = (row * h).reshape(bursts, lanes)
            while sums.shape[1] > 1:
                sums = sums[:, 0::2] + sums[:, 1::2]
            for beat in range(bursts):
                partial[(first + beat) % ROTATING] += sums[beat, 0]
        self._partial, self._beat = partial, first + bursts

    def _input(self, batch):
        row_bursts = self._registers["row_bursts"]
        return self._h[batch * row_bursts:(batch + 1) * row_bursts].reshape(-1).view(np.float32)

    def _mul_add_fp32(self, i):
        self._execute(i, ones=False, clear=False)

    def _mul_fp32(self, i):
        self._execute(i, ones=False, clear=True)

    def _add_fp32(self, i):
        self._execute(i, ones=True, clear=False)

    def _str(self, i):
        words = self._sums.astype(np.int32).view(np.uint32).reshape(-1, self._cfg.burst_words)
        if len(words) != i.count:
            raise ValueError(f"count of STR must be {len(words)} for {len(self._sums)} inputs, not {i.count}")
        self.write(Segment(i.addr, words))
        self._counters["bursts_written"] += i.count

    def _filter(self, _):
        first = self._tile * self._cfg.classes
        self._tile += 1
        threshold = self._registers["threshold"]
        threshold -= (threshold >> WORD_BITS - 1) << WORD_BITS
        mode = self._registers["mode"]
        for batch, sums in enumerate(self._sums):
            labels = first + np.flatnonzero(sums > threshold)
            labels = labels[labels < self._registers["classes"]]
            if not len(labels):
                continue
            self._counters["found"] += len(labels)
            exact = self._candidates(labels, batch) if mode & EXACT else None
            self._emit(sums[labels - first], labels + self._registers["first_class"], batch, exact, Function(mode & 3))

    def _candidates(self, labels, batch):
        """Exact results of classes of this rank."""
        bursts = self._registers["row_bursts"]
        addresses = (self._registers["row_base"] + labels[:, None] * bursts + np.arange(bursts)).ravel()
        self._grow(int(addresses.max()) + 1)
        self._counters["bursts_read"] += len(addresses)
        elements = bursts * self._cfg.burst_words - 1       # the bias counts as one of them, and meets a 1
        rows = unpack_rows(self._memory[addresses], elements)
        h = self._input(batch)
        return exact_results(rows[:, :-1], rows[:, -1] * h[-1], h[:-1], self._cfg.burst_words)

    def _emit(self, scores, labels, batch, exact, function):
        count, has = len(labels), exact is not None
        values = np.zeros(count, np.float32)
        self._counters["finished"] += count
        if has and function == Function.SOFTMAX:
            values = self._exponentials(exact, self._softmax[batch])
        elif has:
            values = apply(function, exact).astype(np.float32)
        self._records.append(Records(
            score=np.asarray(scores).astype(np.int32), label=np.asarray(labels, np.int64), batch=np.full(count, batch),
            exacts=np.full(count, has), function=np.full(count, int(function) if has else 0),
            exact=np.asarray(exact, np.float32) if has else np.zeros(count, np.float32), value=values))

    def _exponentials(self, exact, part):
        """One after the other, as the maximum may grow; updates (maximum, sum)."""
        values = []
        for z in exact.astype(np.float64):
            top = max(part[0], z)
            part[1] = part[1] * np.exp(part[0] - top) + np.exp(z - top)
            part[0] = top
            values.append(np.exp(z - top))
        return np.array(values, np.float32)
