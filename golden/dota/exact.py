"""Golden model of the exact unit: the order of the FX16 work of a lane.

Attention [Thesis 7.6.3]: for every group of four queries the scores of its rounds, then, with the same rounds and the
weights that the MFU made of the scores, the weighted sums of the values. The scores of a group come before the sums
of the one before it, so that the MFU works while the array does.

A linear layer (eq. of an encoder's transformations and FFN) is the same weighted sum, dense: every row of the weight
matrix is a value vector, weighted by an element of the input.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import fetch
from .config import DotaConfig
from .formats import QUANTIZE_LATENCY, QUERIES, QUEUE_SLOTS, SETTLED, SRAM_LATENCY, STEP_FIELDS, Step

#: States. GROUP picks what is next, LOAD reads vectors of the queries, RUN sends requests until the last has fired,
#: DRAIN writes results to the SRAM, SEND offers them to the accumulator.
IDLE, GROUP, LOAD, RUN, DRAIN, SEND = range(6)
#: What runs.
SCORE, SUM, DENSE = range(3)

EVENTS = ("score_before_sum", "sum_first", "wait_for_rounds", "wait_for_weights", "partial_group", "single_group",
          "several_chunks", "several_blocks", "wide", "narrow_output", "reduce", "send_stalled")
(SCORE_BEFORE_SUM, SUM_FIRST, WAIT_ROUNDS, WAIT_WEIGHTS, PARTIAL, SINGLE_GROUP, SEVERAL_CHUNKS, SEVERAL_BLOCKS, WIDE,
 NARROW, REDUCE, SEND_STALLED) = range(len(EVENTS))

#: Positions of the fields of a step.
F = {name: position for position, name in enumerate(STEP_FIELDS)}
(_REDUCE, _WIDE, _CHUNKS, _QUERIES, _KEYS, _Q_BASE, _Q_STRIDE, _K_BASE, _K_STRIDE, _V_BASE, _V_STRIDE, _Z_BASE,
 _Z_STRIDE, _BLOCKS) = (F[name] for name in (
     "reduce", "wide", "chunks", "queries", "keys", "q_base", "q_stride", "k_base", "k_stride", "v_base", "v_stride",
     "z_base", "z_stride", "blocks"))


class ExactState(NamedTuple):
    """``step`` [lanes, fields] is the step at work; all others are registers, [lanes] if not said otherwise."""

    step: np.ndarray
    state: np.ndarray
    kind: np.ndarray
    scored: np.ndarray      # groups whose scores were computed; in a linear layer the group at work
    summed: np.ndarray      # groups whose sums were
    score_slot: np.ndarray  # slots of the queue that have the rounds of these groups
    sum_slot: np.ndarray
    block: np.ndarray       # output word (pair), in a linear layer
    chunk: np.ndarray       # word of the vectors
    token: np.ndarray       # query, while vectors are read or written
    q_group: np.ndarray     # addresses: of the first chunk of the group's vectors ...
    q_chunk: np.ndarray     # ... of the chunk at work
    z_group: np.ndarray     # of the group's first result ...
    z_block: np.ndarray     # ... of the block at work
    k_block: np.ndarray     # weights: first row of the block at work ...
    v_block: np.ndarray
    k_run: np.ndarray       # ... and the next row; or what a key's number is added to
    v_run: np.ndarray
    wait: np.ndarray        # cycles in DRAIN
    begin: np.ndarray       # first cycle of RUN
    reading: np.ndarray     # a round stands at the output of the queue
    round: np.ndarray       # that is read next
    count: np.ndarray       # rows left of this chunk
    begun: np.ndarray       # some request of this run was made
    r_valid: np.ndarray     # the request stream
    r_addr: np.ndarray      # [lanes, 4]
    r_live: np.ndarray
    r_weight: np.ndarray    # [lanes, 4]
    r_tags: np.ndarray      # [lanes, tags], see fetch
    load: np.ndarray        # [lanes, SRAM_LATENCY]: 1 + token of a vector that is on its way here, newest first
    load_chunk: np.ndarray  # [lanes, SRAM_LATENCY]
    o_valid: np.ndarray     # a result is offered to the accumulator
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> ExactState:
    """State after reset."""
    shapes = dict.fromkeys(ExactState._fields, ())
    shapes |= {"step": (len(STEP_FIELDS),), "r_addr": (QUERIES,), "r_weight": (QUERIES,),
               "r_tags": (len(fetch.TAGS),), "load": (SRAM_LATENCY,), "load_chunk": (SRAM_LATENCY,)}
    arrays = {name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()}
    return ExactState(**arrays | {"seen": np.zeros(len(EVENTS), np.int64)})


@jit
def busy_of(s, k):
    """A step is at work."""
    return s.state[k] != IDLE


@jit
def groups_of(s, k):
    """Groups of the step."""
    return (s.step[k, _QUERIES] + QUERIES - 1) // QUERIES


@jit
def tokens_of(s, k):
    """Queries of the group at work, 1..4."""
    group = s.summed[k] if s.kind[k] == SUM else s.scored[k]
    return min(QUERIES, s.step[k, _QUERIES] - QUERIES * group)


@jit
def read_of(s, k):
    """Address of the vector that is read from the SRAM in this cycle, or -1."""
    return s.q_chunk[k] + s.token[k] if s.state[k] == LOAD else -1


@jit
def _results(s, k):
    """Words of a result."""
    return 2 if s.kind[k] == DENSE and s.step[k, _WIDE] else 1


@jit
def select_of(s, k):
    """Query whose partial sums are looked at."""
    if s.state[k] == SEND:
        return s.token[k]
    return (max(0, s.wait[k] - SETTLED) // _results(s, k)) % QUERIES


@jit
def looks_of(s, k):
    """The partial sums that are selected in this cycle are a result."""
    if s.state[k] != DRAIN or s.step[k, _REDUCE] and s.kind[k] == DENSE or s.wait[k] < SETTLED:
        return False
    return s.wait[k] - SETTLED < _results(s, k) * tokens_of(s, k)


@jit
def looks_upper(s, k):
    """They are those of the second half of the array."""
    return _results(s, k) == 2 and (s.wait[k] - SETTLED) % 2 != 0


@jit
def write_of(s, k):
    """Which result is written in this cycle: ``2 * query + half``, or -1."""
    if s.state[k] != DRAIN or s.step[k, _REDUCE] and s.kind[k] == DENSE:
        return -1
    per_token = _results(s, k)
    number = s.wait[k] - (SETTLED + 1 + QUANTIZE_LATENCY)
    if number < 0 or number >= per_token * tokens_of(s, k):
        return -1
    return number if per_token == 2 else 2 * number


@jit
def write_address(s, k, number):
    """Where the result ``number`` (see :func:`write_of`) goes."""
    return s.z_block[k] + number // 2 + (s.step[k, _Z_STRIDE] if number % 2 else 0)


@jit
def _may_request(s, k, fetch_ready):
    return not s.r_valid[k] or fetch_ready


@jit
def takes_round(s, k, fetch_ready, weights_valid):
    """A request is made from the round at the output of the queue."""
    return (s.state[k] == RUN and s.kind[k] != DENSE and s.reading[k] and _may_request(s, k, fetch_ready)
            and (s.kind[k] == SCORE or weights_valid))


@jit
def takes_weights(s, k, fetch_ready):
    """``ready`` of the MFU's weights."""
    return s.state[k] == RUN and s.kind[k] == SUM and s.reading[k] and _may_request(s, k, fetch_ready)


@jit
def round_ends(s, k, fetch_ready, weights_valid):
    """The last request is made from the round at the output of the queue."""
    return (takes_round(s, k, fetch_ready, weights_valid)
            and (s.kind[k] == SUM or s.chunk[k] + 1 == s.step[k, _CHUNKS]))


@jit
def reads_round(s, k, fetch_ready, weights_valid, round_last):
    """The queue is read in this cycle, at slot :func:`slot_of`, round ``s.round``."""
    if s.state[k] != RUN or s.kind[k] == DENSE:
        return False
    return s.begin[k] or (round_ends(s, k, fetch_ready, weights_valid) and not round_last)


@jit
def slot_of(s, k):
    """Slot of the queue that the group at work has."""
    return s.sum_slot[k] if s.kind[k] == SUM else s.score_slot[k]


@jit
def releases(s, k):
    """The rounds of a group are used no more."""
    return (s.state[k] == DRAIN and s.kind[k] == SUM and s.chunk[k] + 1 == s.step[k, _CHUNKS]
            and s.wait[k] == SETTLED + QUANTIZE_LATENCY + tokens_of(s, k))


@jit
def _start_run(s, k):
    s.state[k] = RUN
    s.begin[k], s.begun[k], s.reading[k], s.round[k] = 1, 0, 0, 0


@jit
def _start_block(s, k):
    """A linear layer goes on with the first chunk of a block of outputs."""
    s.state[k] = LOAD
    s.chunk[k] = s.token[k] = 0
    s.q_chunk[k] = s.q_group[k]
    s.k_run[k], s.v_run[k] = s.k_block[k], s.v_block[k]


@jit
def _start_group(s, k):
    s.block[k] = 0
    s.z_block[k] = s.z_group[k]
    s.k_block[k], s.v_block[k] = s.step[k, _K_BASE], s.step[k, _V_BASE]
    _start_block(s, k)


@jit
def clock(s, k, vector, start, step, fetch_ready, rounds, weights_valid, fired, o_ready, keys, live, round_last,
          weights):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : ExactState
    k : int
    vector : int
        Elements of a word.
    start : bool
        A step for this unit begins.
    step : int64 array, shape (fields,)
    fetch_ready : bool
    rounds : int
        Groups that are complete in the queue of rounds.
    weights_valid : bool
        The MFU offers weights.
    fired : bool
        The last request of a run fires in this cycle.
    o_ready : bool
        The accumulator takes what is offered.
    keys, live, round_last
        The round at the output of the queue: [4], bits, flag.
    weights : int64 array, shape (4,)
    """
    tokens = tokens_of(s, k)
    chunks = s.step[k, _CHUNKS]
    for stage in range(SRAM_LATENCY - 1, 0, -1):
        s.load[k, stage], s.load_chunk[k, stage] = s.load[k, stage - 1], s.load_chunk[k, stage - 1]
    s.load[k, 0] = 0
    here = s.state[k]

    # Requests.
    makes = False
    if here == RUN:
        if s.kind[k] == DENSE:
            makes = _may_request(s, k, fetch_ready) and s.count[k] > 0
            if makes:
                _request_row(s, k, vector)
        else:
            makes = takes_round(s, k, fetch_ready, weights_valid)
            s.seen[WAIT_WEIGHTS] += s.reading[k] and s.kind[k] == SUM and not weights_valid
            ends = round_ends(s, k, fetch_ready, weights_valid)
            read = reads_round(s, k, fetch_ready, weights_valid, round_last)
            if makes:
                _request_round(s, k, ends, keys, live, round_last, weights)
            s.reading[k] = read or (s.reading[k] and not ends)
            s.round[k] += read
            s.begin[k] = 0
    s.r_valid[k] = makes or (s.r_valid[k] and not fetch_ready)

    if here == IDLE:
        if start:
            for field in range(len(step)):
                s.step[k, field] = step[field]
            s.scored[k] = s.summed[k] = 0
            s.q_group[k], s.z_group[k] = step[_Q_BASE], step[_Z_BASE]
            s.kind[k] = DENSE if step[0] == Step.LINEAR.value else SCORE
            s.state[k] = GROUP
    elif here == GROUP:
        _pick(s, k, rounds, weights_valid)
    elif here == LOAD:
        s.load[k, 0], s.load_chunk[k, 0] = 1 + s.token[k], 0 if s.kind[k] == DENSE else s.chunk[k]
        s.token[k] += 1
        if s.token[k] == tokens:
            s.token[k] = 0
            s.q_chunk[k] += s.step[k, _Q_STRIDE]
            if s.kind[k] == DENSE:
                s.count[k] = min(vector, s.step[k, _KEYS] - vector * s.chunk[k])
                _start_run(s, k)
            else:
                s.chunk[k] += 1
                if s.chunk[k] == chunks:
                    s.chunk[k] = 0
                    s.k_run[k] = s.step[k, _K_BASE]
                    _start_run(s, k)
    elif here == RUN:
        if fired:
            s.wait[k] = s.token[k] = 0
            if s.kind[k] == SCORE:
                s.scored[k] += 1
                s.score_slot[k] = (s.score_slot[k] + 1) % QUEUE_SLOTS
                s.q_group[k] += QUERIES
                s.state[k] = GROUP
            elif s.kind[k] == DENSE and s.chunk[k] + 1 < chunks:
                s.chunk[k] += 1
                s.state[k] = LOAD
            else:
                s.state[k] = DRAIN
    elif here == DRAIN:
        s.wait[k] += 1
        if s.kind[k] == DENSE and s.step[k, _REDUCE]:
            if s.wait[k] == SETTLED:
                s.state[k] = SEND
        elif s.wait[k] == SETTLED + 1 + QUANTIZE_LATENCY + _results(s, k) * tokens:
            _drained(s, k)
    elif here == SEND:
        s.seen[SEND_STALLED] += s.o_valid[k] and not o_ready
        if not s.o_valid[k]:
            s.o_valid[k] = 1
        elif o_ready:
            s.o_valid[k] = 0
            s.token[k] += 1
            if s.token[k] == tokens:
                _drained(s, k)


@jit
def _pick(s, k, rounds, weights_valid):
    """What is next: scores of a group, sums of the one before it, a group of a linear layer, or nothing."""
    groups = groups_of(s, k)
    s.seen[SINGLE_GROUP] += groups == 1
    if s.kind[k] == DENSE:
        if s.scored[k] == groups:
            s.state[k] = IDLE
            s.kind[k] = SCORE
        else:
            s.seen[PARTIAL] += tokens_of(s, k) < QUERIES
            s.seen[SEVERAL_BLOCKS] += s.step[k, _BLOCKS] > 1
            s.seen[WIDE] += s.step[k, _WIDE]
            s.seen[NARROW] += not s.step[k, _WIDE]
            s.seen[REDUCE] += s.step[k, _REDUCE]
            _start_group(s, k)
        return
    # With at most one group between scores and sums, one of the two slots of the MFU is free.
    ahead = s.scored[k] - s.summed[k]
    may_score = s.scored[k] < groups and ahead < 2
    if may_score and rounds > ahead:
        s.kind[k] = SCORE
        s.state[k] = LOAD
        s.chunk[k] = s.token[k] = 0
        s.q_chunk[k] = s.q_group[k]
        s.seen[SCORE_BEFORE_SUM] += ahead > 0
        s.seen[SEVERAL_CHUNKS] += s.step[k, _CHUNKS] > 1
    elif ahead > 0 and weights_valid:
        s.seen[SUM_FIRST] += may_score
        s.kind[k] = SUM
        s.chunk[k] = 0
        s.k_run[k] = s.step[k, _V_BASE]
        s.z_block[k] = s.z_group[k]
        _start_run(s, k)
    elif s.summed[k] == groups:
        s.state[k] = IDLE
        s.kind[k] = SCORE
    else:
        s.seen[WAIT_ROUNDS] += may_score


@jit
def _request_row(s, k, vector):
    """One row of the weight matrix for all queries."""
    for t in range(QUERIES):
        s.r_addr[k, t] = s.k_run[k]
        s.r_weight[k, t] = 0
    s.r_live[k] = 15
    tags = s.r_tags[k]
    full = min(vector, s.step[k, _KEYS] - vector * s.chunk[k])
    tags[fetch.FIRST] = s.chunk[k] == 0 and s.count[k] == full
    tags[fetch.END] = 0
    tags[fetch.LAST] = s.count[k] == 1
    tags[fetch.CHUNK] = 0
    tags[fetch.ELEMENT] = full - s.count[k]
    tags[fetch.OTHER] = s.v_run[k]
    s.k_run[k] += 1
    s.v_run[k] += 1
    s.count[k] -= 1


@jit
def _request_round(s, k, ends, keys, live, round_last, weights):
    """The vectors of a round."""
    score = s.kind[k] == SCORE
    for t in range(QUERIES):
        s.r_addr[k, t] = s.k_run[k] + keys[t]
        s.r_weight[k, t] = 0 if score else weights[t]
    s.r_live[k] = live
    tags = s.r_tags[k]
    tags[fetch.FIRST] = s.chunk[k] == 0 if score else not s.begun[k]
    tags[fetch.END] = score and ends
    tags[fetch.LAST] = ends and round_last
    tags[fetch.CHUNK] = s.chunk[k]
    tags[fetch.ELEMENT] = 0
    tags[fetch.OTHER] = 0
    s.begun[k] = 1
    if score:
        if ends:
            s.chunk[k] = 0
            s.k_run[k] = s.step[k, _K_BASE]
        else:
            s.chunk[k] += 1
            s.k_run[k] += s.step[k, _K_STRIDE]


@jit
def _drained(s, k):
    """The results of a chunk or block are away."""
    s.wait[k] = s.token[k] = 0
    if s.kind[k] == SUM:
        if s.chunk[k] + 1 < s.step[k, _CHUNKS]:
            s.chunk[k] += 1
            s.k_run[k] += s.step[k, _V_STRIDE]
            s.z_block[k] += s.step[k, _Z_STRIDE]
            _start_run(s, k)
        else:
            s.summed[k] += 1
            s.sum_slot[k] = (s.sum_slot[k] + 1) % QUEUE_SLOTS
            s.z_group[k] += QUERIES
            s.state[k] = GROUP
        return
    s.block[k] += 1
    if s.block[k] < s.step[k, _BLOCKS]:
        s.z_block[k] += s.step[k, _Z_STRIDE] * _results(s, k)
        s.k_block[k] += s.step[k, _K_STRIDE]
        s.v_block[k] += s.step[k, _V_STRIDE]
        _start_block(s, k)
    else:
        s.scored[k] += 1
        s.q_group[k] += QUERIES
        s.z_group[k] += QUERIES
        s.state[k] = GROUP
