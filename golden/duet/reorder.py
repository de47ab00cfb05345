"""Golden model of the reorder unit [Thesis 5.2.1, Fig. 5.5]: channels with similar work come together.

The sensitive outputs of every channel in a tile are counted and compared with interval thresholds; the channel's number
goes to a bucket, and buckets are emptied one after the other. They are linked lists in one memory, whose word ``id``
holds the channel that comes after channel ``id``: nothing is lost, however the channels are distributed. The lists of a
tile are made while those of the tile before are read.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "ReorderState", "buckets", "clock", "fig_5_4", "id_of", "last_of", "ready_of", "reorder", "state",
           "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("one_bucket", "all_buckets", "empty_bucket", "part_of_a_word", "one_channel", "all_channels", "lists_wait",
          "input_waits", "stalled", "both_at_once")
(ONE_BUCKET, ALL_BUCKETS, EMPTY_BUCKET, PART_OF_A_WORD, ONE_CHANNEL, ALL_CHANNELS, LISTS_WAIT, INPUT_WAITS, STALLED,
 BOTH) = range(len(EVENTS))


def buckets(counts, limits) -> np.ndarray:
    """Bucket of every channel: the number of limits that its count does not exceed, that is the first one it exceeds.

    Parameters
    ----------
    counts : int array, shape (channels,)
        Sensitive outputs of a tile.
    limits : sequence of int
        Largest first.
    """
    return np.sum(np.asarray(counts, np.int64)[:, None] <= np.asarray(limits, np.int64)[None], axis=1)


def reorder(counts, limits) -> np.ndarray:
    """Channels in the order of their buckets, within one in the order of arrival."""
    return np.argsort(buckets(counts, limits), kind="stable")


def fig_5_4():
    """The worked example: counts of channels 0..3, the limit between two buckets, and the channels in each."""
    counts, limits = [4, 1, 2, 4], [2]
    found = buckets(counts, limits)
    return counts, limits, [np.flatnonzero(found == bucket).tolist() for bucket in range(2)]


class ReorderState(NamedTuple):
    """Registers [lanes], or as said."""

    after: np.ndarray       # [lanes, 2, channels] the memory: of the lists that are made, and of those that are read
    counts: np.ndarray      # [lanes, columns] of the channels of a word, the next one first
    left: np.ndarray        # of them that are to be compared
    taken: np.ndarray       # channels of the tile whose words were taken
    id: np.ndarray          # channel that is compared next
    valid_s2: np.ndarray    # a channel that was compared
    id_s2: np.ndarray
    last_s2: np.ndarray
    bucket_s2: np.ndarray
    half: np.ndarray        # of the memory: lists that are made
    complete: np.ndarray    # they have all channels of their tile
    head: np.ndarray        # [lanes, buckets] first channel, and last one, and number of them
    tail: np.ndarray
    level: np.ndarray
    read_half: np.ndarray   # lists that are read
    read_head: np.ndarray   # [lanes, buckets]
    read_level: np.ndarray  # [lanes, buckets] 0: was read
    run: np.ndarray         # a list is read: what is left of it, whether its first channel comes next, and that
    run_left: np.ndarray
    begins: np.ndarray
    here: np.ndarray
    found: np.ndarray       # what the memory gave
    valid: np.ndarray
    out: np.ndarray
    last: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> ReorderState:
    """State after reset."""
    shapes = dict.fromkeys(ReorderState._fields, ()) | {"after": (2, cfg.channels), "counts": (cfg.columns,)}
    shapes |= dict.fromkeys(("head", "tail", "level", "read_head", "read_level"), (cfg.buckets,))
    s = ReorderState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def steps_of(s, k):
    """A channel is compared, if there is one."""
    return not s.valid_s2[k] or not s.complete[k]


@jit
def ready_of(s, k):
    """A word of a map is taken in this cycle."""
    return s.left[k] == 0 or (s.left[k] == 1 and steps_of(s, k))


@jit
def valid_of(s, k):
    """A channel, ``out[k]``, is offered."""
    return s.valid[k] != 0


@jit
def id_of(s, k):
    """Its number; only while :func:`valid_of`."""
    return s.out[k]


@jit
def last_of(s, k):
    """It is the last one of its tile."""
    return s.last[k] != 0


@jit
def next_bucket(s, k):
    """Begin with the next list that is not empty, if there is one."""
    s.run[k] = 0
    for bucket in range(s.head.shape[1]):
        if s.read_level[k, bucket]:
            s.run[k], s.begins[k] = 1, 1
            s.here[k], s.run_left[k] = s.read_head[k, bucket], s.read_level[k, bucket]
            s.read_level[k, bucket] = 0
            return


@jit
def more_of(s, k):
    """A list that is not empty waits to be read."""
    more = False
    for bucket in range(s.head.shape[1]):
        more |= s.read_level[k, bucket] != 0
    return more


@jit
def read(s, k, o_ready):
    """Send the channels of the lists."""
    moves = o_ready or not s.valid[k]
    s.seen[STALLED] += not moves
    if not s.run[k]:
        if moves:
            s.valid[k] = 0
        next_bucket(s, k)
    elif moves:
        id_ = s.here[k] if s.begins[k] else s.found[k]
        s.valid[k], s.out[k], s.begins[k] = 1, id_, 0
        ends = s.run_left[k] == 1
        s.last[k] = ends and not more_of(s, k)
        s.found[k] = s.after[k, s.read_half[k], id_]
        s.run_left[k] -= 1
        if ends:
            next_bucket(s, k)


@jit
def hand_over(s, k):
    """The lists of a tile are complete: from now on they are read."""
    used, all_ = 0, s.head.shape[1]
    for bucket in range(all_):
        s.read_head[k, bucket], s.read_level[k, bucket] = s.head[k, bucket], s.level[k, bucket]
        used += s.level[k, bucket] != 0
        s.level[k, bucket] = 0
    s.read_half[k], s.half[k], s.complete[k] = s.half[k], 1 - s.half[k], 0
    s.seen[ONE_BUCKET] += used == 1
    s.seen[ALL_BUCKETS] += used == all_
    s.seen[EMPTY_BUCKET] += used < all_


@jit
def insert(s, k):
    """Put a channel at the end of the list of its bucket."""
    bucket, id_ = s.bucket_s2[k], s.id_s2[k]
    if s.level[k, bucket]:
        s.after[k, s.half[k], s.tail[k, bucket]] = id_
    else:
        s.head[k, bucket] = id_
    s.tail[k, bucket] = id_
    s.level[k, bucket] += 1
    s.complete[k] = s.last_s2[k]


@jit
def compare(s, k, channels, limits):
    """Find the bucket of the next channel."""
    bucket, count, columns = 0, s.counts[k, 0], s.counts.shape[1]
    while bucket < s.head.shape[1] - 1 and count <= limits[bucket]:
        bucket += 1
    ends = s.id[k] + 1 == channels
    s.bucket_s2[k], s.id_s2[k], s.last_s2[k] = bucket, s.id[k], ends
    s.id[k] = 0 if ends else s.id[k] + 1
    for index in range(columns - 1):
        s.counts[k, index] = s.counts[k, index + 1]
    s.left[k] -= 1


@jit
def popcount(bits):
    """Number of bits that are 1."""
    count = 0
    while bits:
        count += bits & 1
        bits >>= 1
    return count


@jit
def clock(s, k, i_valid, i_maps, channels, limits, o_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_valid, i_maps
        Maps of the next channels of a tile, [columns], a bit for each pixel.
    channels, limits : int, int array [buckets - 1 or more]
        Of the job.
    """
    take, steps = i_valid and ready_of(s, k), steps_of(s, k)
    inserts, idle = s.valid_s2[k] and not s.complete[k], not s.run[k] and not more_of(s, k)
    compares = s.left[k] != 0 and steps
    s.seen[INPUT_WAITS] += i_valid and not take
    s.seen[LISTS_WAIT] += s.complete[k] and not idle
    s.seen[BOTH] += inserts and s.run[k]
    read(s, k, o_ready)
    if s.complete[k] and idle:
        hand_over(s, k)
    if inserts:
        insert(s, k)
    if steps:
        s.valid_s2[k] = compares
    if compares:
        compare(s, k, channels, limits)
    if take:
        columns = s.counts.shape[1]
        for index in range(columns):
            s.counts[k, index] = popcount(i_maps[index])
        rest = channels - s.taken[k]
        s.left[k] = min(rest, columns)
        s.taken[k] = s.taken[k] + columns if rest > columns else 0
        s.seen[PART_OF_A_WORD] += rest < columns
        s.seen[ONE_CHANNEL] += channels == 1
        s.seen[ALL_CHANNELS] += channels == s.after.shape[2]
