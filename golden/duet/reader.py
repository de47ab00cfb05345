"""Golden model of the loader's way to the global buffer [Thesis 5.1]: two clients, answers in order."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "LATENCY", "ROWS", "STEPS", "ReaderState", "answer_of", "clock", "free_of", "ready_of", "state",
           "valid_of"]

#: Cycles from an operation to its answer, if nobody else reads.
LATENCY = 3
#: Clients; the first goes first.
ROWS, STEPS = range(2)

#: Situations that the tests must reach.
EVENTS = ("waits_for_glb", "steps_wait", "no_read", "both")
WAITS_FOR_GLB, STEPS_WAIT, NO_READ, BOTH = range(len(EVENTS))


class ReaderState(NamedTuple):
    """Registers [lanes]; clients are -1 where there is no operation."""

    client: np.ndarray      # of the operation that is offered
    reads: np.ndarray
    addr: np.ndarray
    map_addr: np.ndarray
    tag: np.ndarray
    client_s1: np.ndarray   # its read is under way
    reads_s1: np.ndarray
    tag_s1: np.ndarray
    client_s2: np.ndarray   # the answer is there
    reads_s2: np.ndarray
    tag_s2: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> ReaderState:
    """State after reset; the same for every configuration."""
    del cfg
    registers = {name: np.full(lanes, -1 if name.startswith("client") else 0, np.int64)
                 for name in ReaderState._fields[:-1]}
    return ReaderState(**registers, seen=np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """A read of ``addr`` and ``map_addr`` is requested."""
    return s.client[k] >= 0 and s.reads[k] != 0


@jit
def free_of(s, k, request_ready):
    """An operation can be taken in this cycle."""
    return s.client[k] < 0 or not s.reads[k] or request_ready


@jit
def ready_of(s, k, client, rows_valid, request_ready):
    """``ready`` of a client in this cycle."""
    return free_of(s, k, request_ready) and not (client == STEPS and rows_valid)


@jit
def answer_of(s, k, client):
    """An operation of this client is over: ``tag_s2``, and if ``reads_s2``, what the global buffer shows."""
    return s.client_s2[k] == client


@jit
def clock(s, k, rows_valid, rows_addr, rows_map_addr, rows_reads, rows_tag, steps_valid, steps_addr, steps_map_addr,
          steps_reads, steps_tag, request_ready):
    """One clock of lane ``k``: operations that the clients offer, with tags that come back in the end."""
    free = free_of(s, k, request_ready)
    s.client_s2[k], s.reads_s2[k], s.tag_s2[k] = s.client_s1[k], s.reads_s1[k], s.tag_s1[k]
    s.client_s1[k] = s.client[k] if free else -1
    s.reads_s1[k], s.tag_s1[k] = s.reads[k], s.tag[k]
    s.seen[WAITS_FOR_GLB] += not free
    s.seen[STEPS_WAIT] += free and rows_valid and steps_valid
    s.seen[BOTH] += s.client[k] >= 0 and s.client_s2[k] == 1 - s.client[k]
    if not free:
        return
    s.client[k] = -1
    if rows_valid:
        s.client[k], s.reads[k], s.tag[k] = ROWS, rows_reads, rows_tag
        s.addr[k], s.map_addr[k] = rows_addr, rows_map_addr
    elif steps_valid:
        s.client[k], s.reads[k], s.tag[k] = STEPS, steps_reads, steps_tag
        s.addr[k], s.map_addr[k] = steps_addr, steps_map_addr
    s.seen[NO_READ] += s.client[k] >= 0 and not s.reads[k]
