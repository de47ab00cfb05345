"""The fast timing model of EIE: recurrences over broadcasts and passes instead of clocks.

It knows how many entries each PE has in each column and which activations are non-zero, and gives the cycles of the
cycle model (:mod:`golden.eie.model`) exactly, at a cost of O(broadcasts x n_pe). Times are numbers of cycles; cycle 0
is the first one of the program. "At t" means in the clock of cycle t, so what is written at t is seen at t + 1.

**Broadcasts.** Element k is taken from the root of the quadtree at ``T_k`` and pushed to all queues at ``P_k``::

    T_k   = max(P_{k-1}, time its token stands at the root, 1 + max over PEs of pop_{k-fifo_depth})
    P_k   = T_k + 1                                                 room shows a cycle after the pop

**A PE**, with ``n`` entries of its own in column k; ``ready`` is when its entry reader is through with the columns
before, ``leave_{k-1}`` when its pointer reader got rid of the previous column. ``columns`` wait between the two: 2, or
``run_ahead_columns`` with run-ahead, which drops the columns with n = 0::

    pop    = max(P_k + 1, leave_{k-1})
    leave  = max(pop + 1, 1 + accept of the column ``columns`` before that was not dropped)
    accept = max(leave + 1, ready);  ready' = accept + max(1, n)         unless it is dropped

The last cycle in which a PE works on a column is ``accept + n + 5`` (reader, SRAM row, entry, codebook, weight,
product), and, if n = 0, ``leave`` when it is dropped or else ``accept + 1``.

**The quadtree.** A lane is a PE or a node. It shows one token, and another one that it showed before may wait in the
skid buffer of its parent. The parent uses its tokens in order, one at ``U_j``; token j is gone from the lane itself at
``D_j = max(time it is shown, U_{j-1} + 1)``, and that is when the next one is prepared. A PE that prepares one at t
shows the activation of row r at ``1 + max(t, known_r)``: ``known_r`` is ``scan + 1`` when the registers are full
already, ``scan + 4 + r`` when row r is being loaded. A PE does not know that an element is its last one before the load
ended; if it shows it earlier a null token follows. A node prepares one at ``max(t, tokens of all children that have not
ended)``: uses the child with the least index, and all nulls, and shows its own token a cycle later.

**A pass** is taken at ``t_0``, which is 1 for the first one; its command ``scan`` is at ``t_0 + 1``. After the last
token at T the bias column, if any, is taken like an element whose token came at T + 1. Then the next pass is taken a
cycle later or, if this one has to finish, the drain ends at
``max(that cycle, 1 + last push, 2 + last cycle in which a PE works)``; a store takes ``out_rows + 2`` more cycles.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .compiler import Image
from .config import EieConfig
from .formats import CAUSES, CHILDREN

#: Columns of :attr:`Work.passes`. Rows are 0 when nothing is loaded or stored, BIAS is -1 when there is none.
LOAD_ROWS, BIAS, FINISH, STORE_ROWS = range(4)
#: Columns of the result: as in ``model.PassStats``.
CYCLES, BROADCASTS, STALL_QUEUE, STALL_LNZD, STALL_DRAIN, STALL_STORE, CONTROL = range(1 + len(CAUSES))

#: The first pass is at hand in cycle 0, and taken in the next one.
FIRST_PASS = 1
#: From the acceptance of a column with n entries to the last cycle with work on it: this and n.
PIPELINE = 5
_NEVER = np.int64(-1 << 40)
_NULL = np.int64(1 << 40)


class Work(NamedTuple):
    """A program and what its vectors make of it.

    Attributes
    ----------
    counts : int array, shape (columns, n_pe)
        Stored entries of each column in each PE.
    index, column : int64 arrays, shape (elements,)
        Non-zero activations of all passes: index inside the pass, ascending, and row of ``counts``.
    first : int64 array, shape (passes + 1,)
        Where the elements of each pass begin.
    passes : int64 array, shape (passes, 4)
        LOAD_ROWS, BIAS (row of ``counts``), FINISH, STORE_ROWS. The last pass finishes.
    """

    counts: np.ndarray
    index: np.ndarray
    column: np.ndarray
    first: np.ndarray
    passes: np.ndarray

    def broadcast_counts(self) -> np.ndarray:
        """Entries (broadcasts, n_pe) of everything that is broadcast, bias columns last."""
        bias = self.passes[:, BIAS]
        return self.counts[np.concatenate([self.column, bias[bias >= 0]])]


class Timing(NamedTuple):
    """What a program takes.

    Attributes
    ----------
    cycles : int
        As ``model.Run.cycles``.
    passes : int64 array, shape (passes, 1 + len(CAUSES))
        Cycles and their causes, as the first fields of ``model.PassStats``.
    entries : int
        Entries that all PEs retire.
    walked : int
        Cycles, summed over PEs, in which an entry reader has a column: ``entries``, and without run-ahead one for
        every empty column. In all others the PE is starved.
    """

    cycles: int
    passes: np.ndarray
    entries: int
    walked: int


class State(NamedTuple):
    """Scratch of one run. Lanes are the PEs, then the nodes of the tree, leaves first; each has up to two tokens."""

    first: np.ndarray       # [levels + 1], lane where PEs and the levels of the tree begin
    token: np.ndarray       # [lanes, 2], when this token can be used
    element: np.ndarray     # [lanes, 2], which element it is, or _NULL
    last: np.ndarray        # [lanes, 2]
    ended: np.ndarray       # [lanes], the parent has used the last token
    head: np.ndarray        # [n_pe], next element of this PE, or -1
    after: np.ndarray       # [elements], the one after it in its PE
    leave: np.ndarray       # [n_pe], when the last column left the pointer reader
    ready: np.ndarray       # [n_pe], when the entry reader is through
    accept: np.ndarray      # [n_pe, columns_ahead], ring of acceptance times of columns
    found: np.ndarray       # [n_pe], columns so far, but for those that were dropped
    popped: np.ndarray      # [fifo_depth], ring of the times when the last PE popped a column
    sent: np.ndarray        # [1], broadcasts so far
    working: np.ndarray     # [1], last cycle with work in any PE


def _state(work, cfg):
    """Scratch of a run that has not begun."""
    sizes = [work.counts.shape[1]]
    while len(sizes) == 1 or sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // CHILDREN))
    lanes = [np.zeros((sum(sizes), 2), np.int64) for _ in range(3)]
    leave, ready = np.full((2, sizes[0]), _NEVER)
    return State(np.cumsum([0, *sizes]), *lanes, ended=np.zeros(sum(sizes), np.int64),
                 head=np.zeros(sizes[0], np.int64), after=np.zeros(len(work.index), np.int64), leave=leave, ready=ready,
                 accept=np.full((sizes[0], cfg.columns_ahead), _NEVER), found=np.zeros(sizes[0], np.int64),
                 popped=np.full(cfg.fifo_depth, _NEVER), sent=np.zeros(1, np.int64), working=np.full(1, _NEVER))


@jit
def _show(s, k, which, free, index, t0, load_rows):
    """Next token of PE ``k``, which can prepare it from ``free`` on, in the pass taken at ``t0``."""
    e = s.head[k]
    complete = t0 + 2 if load_rows == 0 else t0 + load_rows + 4
    known = complete
    if e >= 0 and load_rows:
        known = t0 + 5 + index[e] // s.head.shape[0]
    at = max(free, known)
    s.token[k, which] = at + 1
    s.element[k, which] = e if e >= 0 else _NULL
    s.last[k, which] = 1
    if e >= 0:
        s.head[k] = s.after[e]
        s.last[k, which] = s.head[k] < 0 and at >= complete


@jit
def _prepare(s, level, lane, which, free, index, t0, load_rows):
    """Token ``which`` of ``lane`` of ``level``, prepared from ``free`` on.

    Walks down the tree: a token of a node uses one of its children's, whose second one becomes its first.
    """
    while level > 0:
        first = s.first[level - 1] + CHILDREN * (lane - s.first[level])
        end = min(first + CHILDREN, s.first[level])
        used = free
        best = -1
        for c in range(first, end):
            if not s.ended[c]:
                used = max(used, s.token[c, 0])
                if s.element[c, 0] != _NULL and (best < 0 or s.element[c, 0] < s.element[best, 0]):
                    best = c
        last = True
        for c in range(first, end):
            if not s.ended[c] and (c == best or s.element[c, 0] == _NULL):
                s.ended[c] = s.last[c, 0]
            last = last and s.ended[c]
        s.token[lane, which] = used + 1
        s.element[lane, which] = s.element[best, 0] if best >= 0 else _NULL
        s.last[lane, which] = last
        over = best < 0 or s.ended[best]
        if last:
            s.ended[first:end] = 0
        if over:
            return
        free = _use(s, best, used)
        if s.last[best, 0]:
            return
        level -= 1
        lane = best
        which = 1
    _show(s, lane, which, free, index, t0, load_rows)


@jit
def _use(s, lane, used):
    """The first token of ``lane`` is used: the second one takes its place; from when on the lane prepares another."""
    s.token[lane, 0] = max(s.token[lane, 1], used + 1)
    s.element[lane, 0] = s.element[lane, 1]
    s.last[lane, 0] = s.last[lane, 1]
    return s.token[lane, 0]


@jit
def _scan(s, index, begin, end, t0, load_rows):
    """First two tokens of all lanes in the pass with elements ``begin..end-1``."""
    n_pe = s.head.shape[0]
    s.head[:] = -1
    for e in range(end - 1, begin - 1, -1):
        k = index[e] % n_pe
        s.after[e] = s.head[k]
        s.head[k] = e
    for level in range(s.first.shape[0] - 1):
        for lane in range(s.first[level], s.first[level + 1]):
            _prepare(s, level, lane, 0, t0, index, t0, load_rows)
            if not s.last[lane, 0]:
                _prepare(s, level, lane, 1, s.token[lane, 0], index, t0, load_rows)


@jit
def _push(s, counts, at, drops):
    """Push a column with ``counts`` [n_pe] at ``at``; when the last PE pops it. Empty ones may be dropped."""
    popped, working = at, s.working[0]
    for k in range(counts.shape[0]):
        n = counts[k]
        pop = max(at + 1, s.leave[k])
        slot = s.found[k] % s.accept.shape[1]
        leave = max(pop + 1, s.accept[k, slot] + 1)
        s.leave[k] = leave
        popped = max(popped, pop)
        if n == 0 and drops:
            working = max(working, leave)
            continue
        accept = max(leave + 1, s.ready[k])
        s.accept[k, slot] = accept
        s.found[k] += 1
        s.ready[k] = accept + max(1, n)
        working = max(working, accept + n + PIPELINE if n > 0 else accept + 1)
    s.working[0] = working
    return popped


@jit
def _take(s, token, pushed, row):
    """When a token that is there at ``token`` is taken, the last push being at ``pushed``. ``row`` counts waits."""
    taken = max(pushed, token, s.popped[s.sent[0] % s.popped.shape[0]] + 1)
    row[STALL_QUEUE] += max(0, taken - max(token, pushed + 1))
    return taken


@jit
def _broadcast(s, counts, taken, drops, row):
    """Broadcast a column that is taken at ``taken``, counted in ``row`` of the result; when it is pushed."""
    s.popped[s.sent[0] % s.popped.shape[0]] = _push(s, counts, taken + 1, drops)
    s.sent[0] += 1
    row[BROADCASTS] += 1
    return taken + 1


@jit
def _run(w, s, drops, result):
    """All passes, into ``result`` [passes, 1 + causes]."""
    root, level = s.token.shape[0] - 1, s.first.shape[0] - 2
    t0, over, pushed = FIRST_PASS, -1, _NEVER   # ``over``: the last cycle of the pass before
    for p in range(w.passes.shape[0]):
        load_rows, bias, finish = w.passes[p, LOAD_ROWS], w.passes[p, BIAS], w.passes[p, FINISH]
        here = result[p]
        # The last broadcast of a pass that does not finish waits in the time of the next one.
        final = here if finish else result[p + 1]
        here[CONTROL] = FIRST_PASS + 1 if p == 0 else pushed < t0
        _scan(s, w.index, w.first[p], w.first[p + 1], t0, load_rows)
        while True:
            taken = _take(s, s.token[root, 0], pushed, here)
            last = s.last[root, 0]
            if s.element[root, 0] != _NULL:
                row = final if last and bias < 0 else here
                pushed = _broadcast(s, w.counts[w.column[s.element[root, 0]]], taken, drops, row)
            if last:
                break
            free = _use(s, root, taken)
            if not s.last[root, 0]:
                _prepare(s, level, root, 1, free, w.index, t0, load_rows)
        if bias >= 0:
            taken = _take(s, taken + 1, pushed, here)
            pushed = _broadcast(s, w.counts[bias], taken, drops, final)
        before, over = over, taken
        if finish:
            drained = max(taken + 1, pushed + 1, s.working[0] + 2)
            here[STALL_DRAIN] = drained - max(taken, pushed)
            here[STALL_STORE] = w.passes[p, STORE_ROWS] + 2 if w.passes[p, STORE_ROWS] else 0
            over = drained + here[STALL_STORE]
        here[STALL_LNZD] = over - before - here.sum()
        here[CYCLES] = over - before
        t0 = over + 1


def run(work: Work, cfg: EieConfig) -> Timing:
    """Time of ``work`` on an array with the queues of ``cfg``; ``n_pe`` is that of ``work``, memories have room.

    Raises
    ------
    ValueError
        If the last pass does not finish: the program reader refuses such a program.
    """
    if not len(work.passes) or not work.passes[-1, FINISH]:
        raise ValueError(f"last pass must finish, not {work.passes[-1:].tolist()!r}")
    work = work._replace(counts=np.ascontiguousarray(work.counts, np.int64))
    result = np.zeros((len(work.passes), 1 + len(CAUSES)), np.int64)
    _run(work, _state(work, cfg), cfg.run_ahead, result)
    counts = work.broadcast_counts()
    entries = int(counts.sum())
    walked = entries if cfg.run_ahead else int(np.maximum(counts, 1).sum())
    return Timing(int(result[:, CYCLES].sum()), result, entries, walked)


def lockstep(work: Work) -> int:
    """Cycles of an array without queues, in which all PEs wait in each column for the one with most entries."""
    return int(np.maximum(work.broadcast_counts().max(axis=1), 1).sum())


def work_of(image: Image, vectors) -> Work:
    """Work of a packed network, as :func:`run` takes it.

    Parameters
    ----------
    vectors : list of int array
        Input vector of each layer, as for :func:`golden.eie.compiler.pass_work`.
    """
    index, column = [], []
    for info, word in zip(image.pass_info, image.program, strict=True):
        index.append(np.flatnonzero(vectors[info.layer][info.in_start:info.in_stop]))
        column.append(index[-1] + word.column_base)
    passes = [(p.in_rows if p.load else 0, p.bias_column if p.bias else -1, p.finish, p.out_rows if p.store else 0)
              for p in image.program]
    return Work(np.diff(image.pointers, axis=1).T, np.concatenate(index), np.concatenate(column),
                np.cumsum([0, *map(len, index)]), np.array(passes, np.int64))
