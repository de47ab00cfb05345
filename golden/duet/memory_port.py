"""Golden model of the memory port [Thesis 5.2.2]: weights that are off chip, in bursts of an AXI4 read master."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import DuetConfig
from .formats import VALUE_BITS

__all__ = ["BEATS", "EVENTS", "MOST_BURSTS", "PAGE", "MemoryPortState", "ar_valid_of", "beat_bits", "beats_of_word",
           "burst_ready_of", "bursts", "busy_of", "clock", "r_ready_of", "state", "valid_of"]

#: Bytes that a burst must not go beyond, widest beat [bits], bursts that may be outstanding, beats that wait.
PAGE = 4096
MOST_BEAT = 512
MOST_BURSTS = 8
BEATS = 2

#: Situations that the tests must reach.
EVENTS = ("request", "split", "page_end", "address_waits", "most_bursts", "beats_wait", "word_waits", "word",
          "back_to_back")
(REQUEST, SPLIT, PAGE_END, ADDRESS_WAITS, MOST, BEATS_WAIT, WORD_WAITS, WORD, BACK_TO_BACK) = range(len(EVENTS))


def beat_bits(cfg: DuetConfig) -> int:
    """Width of a beat [bits]."""
    return min(cfg.word_bits, MOST_BEAT)


def beats_of_word(cfg: DuetConfig) -> int:
    """Beats of a word of the global buffer."""
    return cfg.word_bits // beat_bits(cfg)


def bursts(cfg: DuetConfig, addr: int, count: int) -> list[tuple[int, int]]:
    """The definition: (byte address, beats) of the bursts of a request for ``count`` words from word ``addr`` on."""
    size, beat, at, end, found = cfg.word_bits // 8, beat_bits(cfg) // 8, addr, addr + count, []
    while at < end:
        page_end = (at * size // PAGE + 1) * PAGE // size
        words = min(end, page_end) - at
        found.append((at * size, words * size // beat))
        at += words
    return found


class MemoryPortState(NamedTuple):
    """Registers [lanes], unless a shape is given."""

    run: np.ndarray         # a request is cut into bursts
    addr: np.ndarray        # its next word
    left: np.ndarray        # words that are left
    ar_valid: np.ndarray    # the burst that is offered
    ar_addr: np.ndarray
    ar_len: np.ndarray      # beats, less one
    bursts: np.ndarray      # outstanding
    beats: FifoState        # last, values
    part: np.ndarray        # beats of the next word that are there
    parts: np.ndarray       # [lanes, values]
    valid: np.ndarray       # the word that is offered
    word: np.ndarray        # [lanes, values]
    sizes: np.ndarray       # constants: words of a page, bytes of a word, beats of a word
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> MemoryPortState:
    """State after reset."""
    shapes = dict.fromkeys(MemoryPortState._fields, ()) | {"parts": (cfg.values,), "word": (cfg.values,)}
    beat_values = beat_bits(cfg) // VALUE_BITS
    beats = FifoState(np.zeros(lanes, np.int64), np.zeros(lanes, np.int64),
                      np.zeros((lanes, BEATS, 1 + beat_values), np.int64))
    size = cfg.word_bits // 8
    return MemoryPortState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()} | {
        "beats": beats, "sizes": np.array([PAGE // size, size, beats_of_word(cfg)], np.int64),
        "seen": np.zeros(len(EVENTS), np.int64)})


@jit
def burst_ready_of(s, k):
    """A request is taken in this cycle."""
    return not s.run[k]


@jit
def ar_valid_of(s, k):
    """A burst is offered: ``ar_addr``, ``ar_len``."""
    return s.ar_valid[k] != 0


@jit
def r_ready_of(s, k):
    """A beat is taken in this cycle."""
    return fifo_ready(s.beats, k)


@jit
def valid_of(s, k):
    """A word is offered: ``word``."""
    return s.valid[k] != 0


@jit
def busy_of(s, k):
    """A request, a burst or a word is inside."""
    return (s.run[k] or s.ar_valid[k] or s.bursts[k] or fifo_valid(s.beats, k) or s.part[k] or s.valid[k]) != 0


@jit
def _burst(s, k):
    """The next burst of the request."""
    page, size, beats = s.sizes
    words = min(s.left[k], page - s.addr[k] % page)
    s.ar_valid[k], s.ar_addr[k], s.ar_len[k] = 1, s.addr[k] * size, words * beats - 1
    s.addr[k] = s.addr[k] + words & 0xFFFFFFFF
    s.left[k] -= words
    s.run[k] = s.left[k] != 0
    s.bursts[k] += 1
    s.seen[SPLIT] += s.left[k] != 0
    s.seen[PAGE_END] += s.addr[k] % page == 0 and s.left[k] == 0


@jit
def _assemble(s, k, o_ready):
    """Beats become words. Returns whether a beat leaves the queue."""
    beats, last = s.beats.items.shape[2] - 1, s.part[k] + 1 == s.sizes[2]
    stays = s.valid[k] and not o_ready
    s.seen[WORD_WAITS] += stays
    s.seen[BACK_TO_BACK] += s.valid[k] and o_ready and last and fifo_valid(s.beats, k)
    moves = fifo_valid(s.beats, k) and not (last and stays)
    if not stays:
        s.valid[k] = 0
    if not moves:
        return False
    for value in range(beats):
        s.parts[k, s.part[k] * beats + value] = fifo_front(s.beats, k, 1 + value)
    s.part[k] += 1
    if last:
        s.part[k], s.valid[k] = 0, 1
        s.seen[WORD] += 1
        for value in range(s.word.shape[1]):
            s.word[k, value] = s.parts[k, value]
    return True


@jit
def clock(s, k, i_valid, i_addr, i_count, ar_ready, r_valid, r_last, r_data, o_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_valid, i_addr, i_count : int
        A request is offered: so many words, at least 1.
    ar_ready : bool
        The burst that is offered is taken.
    r_valid, r_last, r_data
        A beat is offered: array [values of a beat].
    o_ready : bool
        The word that is offered is taken.
    """
    takes_beat = r_valid and fifo_ready(s.beats, k)
    free, room = not s.ar_valid[k] or ar_ready, s.bursts[k] != MOST_BURSTS
    takes = i_valid and not s.run[k]
    s.seen[ADDRESS_WAITS] += not free
    s.seen[MOST] += s.run[k] and not room
    s.seen[BEATS_WAIT] += r_valid and not takes_beat
    if free:
        s.ar_valid[k] = 0
    s.bursts[k] -= takes_beat and r_last
    if s.run[k] and free and room:
        _burst(s, k)
    elif takes:
        s.seen[REQUEST] += 1
        s.run[k], s.addr[k], s.left[k] = 1, i_addr, i_count
    if takes_beat:
        tail = (s.beats.head[k] + s.beats.level[k]) % BEATS
        for value in range(r_data.shape[0]):
            s.beats.items[k, tail, 1 + value] = r_data[value]
    moves = _assemble(s, k, o_ready)
    fifo_step(s.beats, k, takes_beat, r_last, r_data[0], r_data[1], moves)
