"""Golden model of a lane [Thesis Fig. 7.12]: the unit models, stepped once a clock.

All units read registered outputs of the others, so those are gathered first, and then every unit has its clock edge.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit

from . import (
    detector,
    estimate,
    exact,
    fetch,
    mfu,
    operands,
    quantize,
    rmmu,
    round_queue,
    row,
    scheduler_unit,
    sram,
)
from .config import DotaConfig
from .formats import (
    BANKS,
    DOT_LATENCY,
    EVENT_FIELDS,
    FX_BITS,
    KEY_BANKS,
    PE_LATENCY,
    QUERIES,
    ROW_LATENCY,
    STEP_FIELDS,
    TRACE_LANE,
    Step,
)

_F = {name: position for position, name in enumerate(STEP_FIELDS)}
_NAMES = ("step", "precision", "blocks", "chunks", "shift", "relu", "wide", "score_shift", "estimate_shift", "scale",
          "scale_shift", "keys", "keep", "threshold")
(_STEP, _PRECISION, _BLOCKS, _CHUNKS, _SHIFT, _RELU, _WIDE, _SCORE_SHIFT, _ESTIMATE_SHIFT, _SCALE, _SCALE_SHIFT, _KEYS,
 _KEEP, _THRESHOLD) = (_F[name] for name in _NAMES)
(MACS, LOW_MACS, KEY_LOADS, VALUE_LOADS, ROUNDS, FIRES, DETECTS, NORMALISES, ATTENDS, MULTIPLIES, TRANSFORMS,
 CLIPPED) = range(len(EVENT_FIELDS))
_T = {name: position for position, name in enumerate(TRACE_LANE)}
(T_EXACT_WRITE, T_ESTIMATE_WRITE, T_ROUND, T_LAST, T_LIVE, T_FIRE, T_LOW_FIRE, T_ESTIMATED, T_MASK, T_EXACT_BUSY,
 T_ESTIMATE_BUSY, T_SEND, T_EXACT_ADDR, T_ESTIMATE_ADDR, T_OWNERS, T_EXACT_WORD, T_ESTIMATE_WORD,
 T_KEY) = (_T[name] for name in ("exact_write", "estimate_write", "round", "last", "live", "fire", "low_fire",
                                 "estimated", "mask", "exact_busy", "estimate_busy", "send", "exact_addr",
                                 "estimate_addr", "owners", "exact_word", "estimate_word", "key_0"))

#: Cycles from a fire to the dot products.
SCORES = PE_LATENCY + ROW_LATENCY + DOT_LATENCY
#: Fields of a score on its way.
_VALID, _LIVE, _LAST = range(3)
#: What the host asks for.
_ACCESS, _WRITE, _ADDR = range(3)


class Scratch(NamedTuple):
    """Arrays that a cycle works with and leaves behind; compiled code allocates nothing."""

    drive: operands.Drive
    word: np.ndarray        # [units]
    elements: np.ndarray    # [vector]
    sums: np.ndarray        # [block * 4]
    estimates: np.ndarray   # [block, 4]
    dots: np.ndarray        # [4]
    keys: np.ndarray        # [4]
    round_keys: np.ndarray  # [4]
    weights: np.ndarray     # [4]
    owners: np.ndarray      # [block]


class LaneState(NamedTuple):
    """State of the units of all lanes, with a leading lane axis; ``flight`` [lanes, SCORES, 3], newest first."""

    sram: sram.SramState
    exact: exact.ExactState
    fetch: fetch.FetchState
    estimate: estimate.EstimateState
    operands: operands.OperandsState
    rmmu: rmmu.RmmuState
    detector: detector.DetectorState
    scheduler: scheduler_unit.SchedulerState
    queue: round_queue.RoundQueueState
    mfu: mfu.MfuState
    results: quantize.QuantizeState
    estimates: quantize.QuantizeState
    host: np.ndarray        # [lanes, 3]: what the host asked for in the cycle before
    wdata: np.ndarray       # [lanes, units]
    rdata: np.ndarray       # [lanes, units], the answer
    started: np.ndarray     # [lanes]
    step: np.ndarray        # [lanes, fields]
    flight: np.ndarray
    looks: np.ndarray       # [lanes, 2]: the partial sums that were selected are a result; of the second half
    loads: np.ndarray       # [lanes]: vectors that were read in the cycle before
    events: np.ndarray      # [lanes, fields]
    spent: np.ndarray       # [lanes, steps]: cycles in which a lane was busy, by the kind of step; never reset
    bits: np.ndarray        # [1]: width of an estimated score
    balance: np.ndarray     # [1]: the scheduler's better choice
    scratch: Scratch


def state(cfg: DotaConfig) -> LaneState:
    """State of all lanes after reset; memories are 0."""
    n = cfg.lanes

    def zeros(*shape):
        return np.zeros(shape, np.int64)

    scratch = Scratch(operands.drive_state(cfg), zeros(cfg.units_per_word), zeros(cfg.vector),
                      zeros(cfg.block * QUERIES), zeros(cfg.block, QUERIES), *(zeros(QUERIES) for _ in range(4)),
                      zeros(cfg.block))
    return LaneState(
        sram.state(cfg, n), exact.state(cfg, n), fetch.state(cfg, n), estimate.state(cfg, n), operands.state(cfg, n),
        rmmu.state(cfg, n), detector.state(cfg, n), scheduler_unit.state(cfg, n), round_queue.state(cfg, n),
        mfu.state(cfg, n), quantize.state(cfg.vector, n), quantize.state(cfg.block * QUERIES, n),
        zeros(n, 3), *(zeros(n, cfg.units_per_word) for _ in range(2)), zeros(n), zeros(n, len(STEP_FIELDS)),
        zeros(n, SCORES, 3), zeros(n, 2), zeros(n), zeros(n, len(EVENT_FIELDS)), zeros(n, 4),
        np.full(1, cfg.estimate_bits), np.full(1, int(cfg.balance)), scratch)


# Compiling a call takes time for every array that it hands over: so only parts of the state go into these.

@jit
def busy_of(started, ex, est, k):
    """A step is at work in lane ``k``; the arguments are ``started``, ``exact`` and ``estimate`` of the state."""
    return started[k] or exact.busy_of(ex, k) or estimate.busy_of(est, k)


@jit
def last_sent(ex, k):
    """The partial sums that are offered to the accumulator are the last of the step."""
    return (ex.token[k] + 1 == exact.tokens_of(ex, k) and ex.block[k] + 1 == ex.step[k, _BLOCKS]
            and ex.scored[k] + 1 == exact.groups_of(ex, k))


@jit
def _fold(word):
    """Exclusive or of the units of a word."""
    folded = 0
    for unit in range(word.shape[0]):
        folded ^= word[unit]
    return folded


@jit
def clock(s, k, start, step, o_ready, access, write, addr, wdata, trace):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : LaneState
    k : int
    start : bool
    step : int64 array, shape (fields,)
    o_ready : bool
        The accumulator takes what is offered.
    access, write : bool
        The host writes ``wdata`` [units] at ``addr``, or reads.
    trace : int64 array, shape (fields of TRACE_LANE,)
        What this cycle shows.
    """
    w, e, f, est = s.scratch, s.exact, s.fetch, s.estimate
    kind = e.kind[k]
    # Outputs of this cycle.
    fire, fired = f.fire[k], f.fire[k] and f.out_tags[k, fetch.LAST]
    fetch_ready = fetch.ready_of(f, k)
    weights_valid = mfu.valid_of(s.mfu, k)
    weights_ready = exact.takes_weights(e, k, fetch_ready)
    queue_ready = round_queue.ready_of(s.queue, k)
    scheduler_ready = scheduler_unit.ready_of(s.scheduler, k)
    detector_ready = detector.ready_of(s.detector, k)
    round_last = round_queue.last_of(s.queue, k)
    round_live = round_queue.live_of(s.queue, k)
    complete = s.queue.complete[k]
    for t in range(QUERIES):
        w.keys[t] = round_queue.key_of(s.queue, k, t)
        w.weights[t] = mfu.weight_of(s.mfu, k, t)
        w.round_keys[t] = scheduler_unit.key_of(s.scheduler, k, t)
        w.dots[t] = s.rmmu.dots[k, t]
    round_valid = scheduler_unit.valid_of(s.scheduler, k)
    live, last = scheduler_unit.live_of(s.scheduler, k), scheduler_unit.last_of(s.scheduler, k)
    sums_valid = quantize.valid_of(s.estimates, k)
    transforms = est.step[k, _STEP] == Step.LOW.value
    estimated = sums_valid and not transforms
    mask_valid = detector.valid_of(s.detector, k)
    mask_last = detector.last_of(s.detector, k)
    for key in range(w.owners.shape[0]):
        w.owners[key] = s.detector.owners[k, key]
    if sums_valid:
        for key in range(w.estimates.shape[0]):
            for t in range(QUERIES):
                w.estimates[key, t] = quantize.value_of(s.estimates, k, QUERIES * key + t)
    number = exact.write_of(e, k)
    read = exact.read_of(e, k)
    packs = estimate.write_of(est, k)
    low_read = estimate.read_of(est, k)
    release = exact.releases(e, k)
    r_en = exact.reads_round(e, k, fetch_ready, weights_valid, round_last)
    r_slot, r_round = exact.slot_of(e, k), e.round[k]
    select = exact.select_of(e, k)

    trace[:] = 0
    trace[T_EXACT_BUSY], trace[T_ESTIMATE_BUSY] = exact.busy_of(e, k), estimate.busy_of(est, k)
    trace[T_FIRE], trace[T_ESTIMATED], trace[T_SEND] = fire, estimated, e.o_valid[k]
    trace[T_LOW_FIRE] = est.arrivals[k, est.arrivals.shape[1] - 1, estimate.A_FIRE]
    if round_valid and queue_ready:
        trace[T_ROUND], trace[T_LAST], trace[T_LIVE] = 1, last, live
        for t in range(QUERIES):
            trace[T_KEY + t] = w.round_keys[t]
    if mask_valid and scheduler_ready:
        trace[T_MASK] = 1
        for key in range(w.owners.shape[0]):
            trace[T_OWNERS] ^= w.owners[key] << 4 * (key % 4)

    # Counters.
    ev = s.events[k]
    ev[MACS], ev[FIRES] = s.rmmu.macs[k], fire
    ev[ROUNDS], ev[DETECTS], ev[NORMALISES] = trace[T_ROUND], detector.busy_of(s.detector, k), mfu.busy_of(s.mfu, k)
    busy, which = busy_of(s.started, e, est, k), s.step[k, _STEP]
    s.spent[k, which] += busy
    ev[ATTENDS] = busy and which == Step.ATTEND.value
    ev[MULTIPLIES] = busy and which == Step.LINEAR.value
    ev[TRANSFORMS] = busy and which == Step.LOW.value
    ev[LOW_MACS] = 0
    if trace[T_LOW_FIRE]:
        low = est.step[k, _PRECISION]
        ev[LOW_MACS] = w.drive.take.size // 2 << (2 * low)
    ev[CLIPPED] = quantize.saturated_of(s.results, k)

    # The array.
    operands.drive(s.operands, k, kind, e.step[k, _WIDE], f, est, s.sram, w.drive)
    vector = w.elements.shape[0]
    looks, upper = s.looks[k, 0], s.looks[k, 1]
    if looks:
        for i in range(vector):
            w.elements[i] = s.rmmu.elements[k, vector * upper + i]
    quantizes = est.sums[k, est.sums.shape[1] - 1] != 0
    if quantizes:
        block = w.owners.shape[0]
        for key in range(block):
            for t in range(QUERIES):
                w.sums[QUERIES * key + t] = row.low_sum_of(s.rmmu.rows, k, block + key, t)

    # Results: those that are written now come out of the quantiser now.
    if number >= 0:
        addr = exact.write_address(e, k, number)
        for unit in range(w.word.shape[0]):
            w.word[unit] = ((quantize.value_of(s.results, k, 2 * unit) & 0xFFFF)
                            | (quantize.value_of(s.results, k, 2 * unit + 1) & 0xFFFF) << FX_BITS)
        trace[T_EXACT_WRITE], trace[T_EXACT_ADDR], trace[T_EXACT_WORD] = 1, addr, _fold(w.word)
        sram.write(s.sram, k, addr, w.word)
    if packs >= 0:
        for unit in range(w.word.shape[0]):
            w.word[unit] = s.sram.rdata[k, sram.ESTIMATE, unit]
        estimate.merge(est, k, w.word)
        trace[T_ESTIMATE_WRITE], trace[T_ESTIMATE_ADDR], trace[T_ESTIMATE_WORD] = 1, packs, _fold(w.word)
        sram.write(s.sram, k, packs, w.word)

    # Clock edges, from the sinks to the sources.
    late = s.flight[k, SCORES - 1]
    mfu.clock(s.mfu, k, late[_VALID] != 0, w.dots, late[_LIVE], late[_LAST], e.step[k, _SCORE_SHIFT],
              e.step[k, _SCALE], e.step[k, _SCALE_SHIFT], e.step[k, _CHUNKS], weights_ready)
    for stage in range(SCORES - 1, 0, -1):
        for field in range(3):
            s.flight[k, stage, field] = s.flight[k, stage - 1, field]
    s.flight[k, 0, _VALID] = fire and f.out_tags[k, fetch.END]
    s.flight[k, 0, _LIVE], s.flight[k, 0, _LAST] = f.out_live[k], f.out_tags[k, fetch.LAST]
    quantize.clock(s.results, k, looks != 0, w.elements, e.step[k, _SHIFT], e.step[k, _RELU], FX_BITS)
    quantize.clock(s.estimates, k, quantizes, w.sums, est.step[k, _ESTIMATE_SHIFT], 0, s.bits[0])
    s.looks[k, 0] = exact.looks_of(e, k)
    s.looks[k, 1] = exact.looks_upper(e, k)
    round_queue.clock(s.queue, k, round_valid, w.round_keys, live, last, r_en, r_slot, r_round, release)
    scheduler_unit.clock(s.scheduler, k, mask_valid, w.owners, mask_last, queue_ready,
                         s.balance[0] != 0)
    detector.clock(s.detector, k, estimated, w.estimates, est.last[k, est.last.shape[1] - 1] == 2, scheduler_ready,
                   est.step[k, _KEYS], est.step[k, _KEEP], wrap(est.step[k, _THRESHOLD], 16), est.rows[k], s.bits[0])
    d = w.drive
    rmmu.clock(s.rmmu, k, d.operands, d.take, d.load, d.slot, d.precision, d.fire, d.first, select)
    reads_chunk = f.valid[k] and f.fresh[k]
    operands.clock(s.operands, k, e.load[k, e.load.shape[1] - 1] != 0, e.load[k, e.load.shape[1] - 1] - 1,
                   e.load_chunk[k, e.load.shape[1] - 1], s.sram.rdata[k, sram.EXACT], reads_chunk,
                   f.tags[k, fetch.CHUNK])
    _read_banks(f, s.sram, k, kind, read, low_read)
    if s.host[k, _WRITE]:
        sram.write(s.sram, k, s.host[k, _ADDR], s.wdata[k])
    elif s.host[k, _ACCESS]:
        sram.read(s.sram, k, sram.HOST, s.host[k, _ADDR])
    for unit in range(w.word.shape[0]):
        s.rdata[k, unit] = s.sram.rdata[k, sram.HOST, unit]
        s.wdata[k, unit] = wdata[unit]
    s.host[k, _ACCESS], s.host[k, _WRITE], s.host[k, _ADDR] = access, access and write, addr
    ev[KEY_LOADS] = s.loads[k] if kind == exact.SCORE else 0
    ev[VALUE_LOADS] = s.loads[k] if kind == exact.SUM else 0
    s.loads[k] = fetch.clock(f, k, e.r_valid[k] != 0, e.r_addr[k], e.r_live[k], e.r_weight[k], e.r_tags[k])
    sram.clock(s.sram, k)
    own, started = s.step[k], s.started[k] != 0
    estimate.clock(est, k, started and own[_STEP] != Step.LINEAR.value, own, detector_ready, sums_valid, w.estimates)
    exact.clock(e, k, vector, started and own[_STEP] != Step.LOW.value, own, fetch_ready, complete, weights_valid,
                fired != 0, o_ready, w.keys, round_live, round_last, w.weights)
    s.started[k] = start
    if start:
        for field in range(own.shape[0]):
            own[field] = step[field]




@jit
def _read_banks(f, memory, k, kind, read, low_read):
    """Reads of this cycle."""
    bank_words = memory.words.shape[1] // BANKS
    for bank in range(KEY_BANKS):
        first = fetch.chosen(f, k, bank)
        if first >= 0:
            sram.gather(memory, k, bank + (KEY_BANKS if kind == exact.SUM else 0),
                        f.addr[k, first] // KEY_BANKS % bank_words)
    if kind == exact.DENSE and f.valid[k] and f.fresh[k]:
        other = f.tags[k, fetch.OTHER]
        sram.gather(memory, k, KEY_BANKS + other % KEY_BANKS, other // KEY_BANKS % bank_words)
    if read >= 0:
        sram.read(memory, k, sram.EXACT, read)
    if low_read >= 0:
        sram.read(memory, k, sram.ESTIMATE, low_read)
