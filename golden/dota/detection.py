"""How long estimate and detection take against the exact work that they save: measured with the cycle model.

Both run side by side, and what takes longer decides. A head of its own with the first groups of queries is enough, as
every group estimates and detects alike. It is run twice: as it is, and with a scheduler that takes every word of a mask
at once and does nothing with it, so that estimate and detection never wait for the exact work.
"""

from typing import NamedTuple

from . import scheduler_unit
from .compiler import attend_step, place_head
from .config import DotaConfig
from .exact import EVENTS as EXACT_EVENTS
from .formats import KEY_BANKS, QUERIES, STEP_FIELDS, TRACE_LANE
from .head import Head
from .model import Dota
from .packing import pack_fx, pack_low
from .spec import low_vectors

#: Groups that are measured at most.
GROUPS = 32

_MASK = list(TRACE_LANE).index("mask")
_WAITS = EXACT_EVENTS.index("wait_for_rounds")


class Detection(NamedTuple):
    """Cycles of the first ``groups`` of a head.

    ``detect``: up to the last word of the last mask, where a word is always taken.
    ``exact``: of scores, softmax and weighted sums: those in which the exact side does not wait for rounds alone.
    ``waits``: in which it does; ``total``: of all, ``exact + waits``.
    """

    groups: int
    detect: int
    exact: int
    waits: int
    total: int

    @property
    def ratio(self) -> float:
        """Above 1, detection is slower than what it is there for."""
        return self.detect / self.exact


def measure(head: Head, cfg: DotaConfig, groups: int = GROUPS) -> Detection:
    """Attend to the first queries of a head, whose Q~ and K~ are there already.

    Raises
    ------
    UsageError
        If the head does not fit.
    """
    place = place_head(head, cfg)
    count = min(head.queries, QUERIES * groups, place.room)
    step = attend_step(head, cfg, queries=place.queries, count=count, v_base=KEY_BANKS * cfg.bank_words,
                       low_q=place.low_q, low_k=place.low_k)
    groups = -(-count // QUERIES)
    whole = _loaded(head, cfg, count)
    total = whole.run_step(0, step)
    waits = int(whole.state.lanes.exact.seen[_WAITS])
    detect = _until_masked(_loaded(head, cfg, count), step, groups * -(-head.keys // cfg.block))
    return Detection(groups=groups, detect=detect, exact=total - waits, waits=waits, total=total)


def _loaded(head, cfg, count) -> Dota:
    """A lane whose memory has what a step of ATTEND needs for the first ``count`` queries."""
    place, predictor = place_head(head, cfg), head.predictor
    model = Dota(cfg.replace(lanes=1))
    words = model.state.lanes.sram.words[0]

    def write(addr, values):
        values = values.reshape(-1, cfg.units_per_word)
        words[addr:addr + len(values)] = values

    write(0, pack_fx(cfg, head.k))
    write(KEY_BANKS * cfg.bank_words, pack_fx(cfg, head.v))
    write(place.queries, pack_fx(cfg, head.q[:count]))
    for base, x, weights, shift in ((place.low_q, head.x_q[:count], predictor.wq, predictor.shift_q),
                                    (place.low_k, head.x_k, predictor.wk, predictor.shift_k)):
        write(base, pack_low(cfg, low_vectors(x, weights, shift, predictor), predictor.bits))
    return model


def _until_masked(model, step, words) -> int:
    """Cycles until so many words of masks came, the scheduler being kept in its state after reset."""
    pins, fresh = model.inputs(1), scheduler_unit.state(model.cfg, 1)
    pins.start[0] = 1
    pins.step[:] = [int(step.get(name, 0)) for name in STEP_FIELDS]
    cycles = 0
    while words:
        words -= int(model.step(pins).lanes[0, 0, _MASK])
        for array, first in zip(model.state.lanes.scheduler, fresh, strict=True):
            array[...] = first
        pins.start[0] = 0
        cycles += 1
    return cycles
