"""From linear layers to commands: where inputs, weights and results lie, in one lane or in several at once.

A row of weights, the outputs of a word for one element of the input, is a word of the SRAM. Weights of the first half
of the array lie in the key banks, of the second half in the value banks. A product is cut where the SRAM is too small:
into parts of the tokens, of the outputs, and, if the accumulator adds up, of the inputs.

A program is a generator: it yields batches of commands, lists of :class:`On`, and is sent for each the words that came
back, one array for each Read and each RunAll with results. Commands of a batch for one lane are carried out in order;
all runs of a batch belong to the same phase, and are over before the next batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from golden.common.cli import UsageError

from .compiler import Read, Run, Write
from .config import DotaConfig
from .formats import BANKS, KEY_BANKS, MOST_CHUNKS, QUERIES, VALUE_BANKS, Step
from .layers import Linear
from .packing import chunks_of, pack_fx, unpack_fx

__all__ = ["Input", "On", "Room", "RunAll", "commands_of", "local_product", "mask_of", "plan_layer", "rows_of",
           "summed_product", "to_rows", "total_product"]


@dataclass(frozen=True)
class RunAll(Run):
    """A step whose sums go to the accumulator; ``words`` come back on the reply stream, 0 if it does not emit."""

    words: int = 0


@dataclass(frozen=True, eq=False)
class On:
    """A command for the lanes of a mask."""

    lanes: int
    command: Write | Run | Read


@dataclass(frozen=True)
class Room:
    """Where weights may lie: ``rows`` words from ``first`` on in the key banks, ``second`` in the value banks."""

    first: int
    second: int
    rows: int


@dataclass(frozen=True)
class Input:
    """Where the input lies, the same in all lanes: word c of token i at ``base + c * stride + i``."""

    base: int
    stride: int
    tokens: int


def commands_of(program, cfg: DotaConfig):
    """Batches of a program that is told zeros; it need not run to be looked at."""
    answers = None
    while True:
        try:
            batch = program.send(answers)
        except StopIteration:
            return
        yield batch
        counts = [on.command.words if isinstance(on.command, RunAll) else on.command.count
                  for on in batch if isinstance(on.command, RunAll | Read)]
        answers = [np.zeros((count, cfg.units_per_word), np.int64) for count in counts if count]


def mask_of(lanes: int) -> int:
    """The first ``lanes`` lanes."""
    return (1 << lanes) - 1


def to_rows(cfg: DotaConfig, values) -> np.ndarray:
    """FX16 rows as words in the order of addresses: all first words, all second words, ..."""
    return pack_fx(cfg, values).reshape(-1, cfg.units_per_word)


def rows_of(cfg: DotaConfig, words, tokens: int, width: int) -> np.ndarray:
    """The inverse of :func:`to_rows`: int64 [tokens, width]."""
    return unpack_fx(np.asarray(words).reshape(-1, tokens, cfg.units_per_word), width)


def _tiles(words: int, fit: int):
    """(first output word, blocks, wide) of steps whose weights fit: ``fit`` blocks at once."""
    done = 0
    while done < words:
        wide = words - done > 1
        blocks = min(fit, (words - done) // 2) if wide else 1
        yield done, blocks, wide
        done += blocks * (1 + wide)


def _place(room, weights, first, blocks, wide):
    """Writes of the weights of a step, int64 [words, inputs, units] for each lane."""
    for lane, words in enumerate(weights):
        part = words[first:first + blocks * (1 + wide)]
        units = part.shape[2]
        yield On(1 << lane, Write(room.first, part[::1 + wide].reshape(-1, units)))
        if wide:
            yield On(1 << lane, Write(room.second, part[1::2].reshape(-1, units)))


def _step(cfg, x: Input, room, inputs, blocks, wide, **more):
    return {"step": Step.LINEAR, "queries": x.tokens, "keys": inputs, "chunks": chunks_of(cfg, inputs),
            "q_base": x.base, "q_stride": x.stride, "k_base": room.first, "k_stride": inputs, "v_base": room.second,
            "v_stride": inputs, "blocks": blocks, "wide": wide} | more


def _fit(cfg, room, inputs):
    """Blocks of outputs whose weights fit.

    Raises
    ------
    UsageError
        If there are more inputs than a step takes, or room for weights.
    """
    most = min(MOST_CHUNKS * cfg.vector, room.rows)
    if inputs > most:
        raise UsageError(f"inputs of a layer must be at most {most} ({MOST_CHUNKS} words of {cfg.vector} elements, and "
                         f"room for {room.rows} rows of weights), not {inputs!r}")
    return room.rows // inputs


def local_product(cfg: DotaConfig, x: Input, weights: Sequence[np.ndarray], room: Room, *, phase: str, z_base: int,
                  z_stride: int, shift: int, relu: bool = False):
    """Product of what is in each lane with ``weights[lane]`` [inputs, outputs]; word c of result i stays there, at
    ``z_base + c * z_stride + i``.

    Raises
    ------
    UsageError
        If the weights of one output word do not fit.
    """
    packed = [pack_fx(cfg, w) for w in weights]
    inputs = len(weights[0])
    for first, blocks, wide in _tiles(len(packed[0]), _fit(cfg, room, inputs)):
        step = _step(cfg, x, room, inputs, blocks, wide, shift=shift, relu=relu, z_base=z_base + first * z_stride,
                     z_stride=z_stride)
        yield [*_place(room, packed, first, blocks, wide), On(mask_of(len(weights)), Run(phase, step))]


def summed_product(cfg: DotaConfig, x: Input, weights: Sequence[np.ndarray], room: Room, *, phase: str, shift: int,
                   relu: bool = False):
    """Sum over the lanes of what is there times ``weights[lane]`` [inputs, outputs]: returns int64 [tokens, outputs].

    Inputs that are too many for a step are taken in parts, whose sums wait in the accumulator; then a step has one
    group of tokens and one block of outputs.

    Raises
    ------
    UsageError
        If not even one word of inputs fits.
    """
    packed = [pack_fx(cfg, w) for w in weights]
    inputs, outputs = weights[0].shape
    lanes = mask_of(len(weights))
    most = min(MOST_CHUNKS * cfg.vector, room.rows)
    y = []
    if inputs <= most:
        for first, blocks, wide in _tiles(len(packed[0]), room.rows // inputs):
            words = x.tokens * blocks * (1 + wide)
            step = _step(cfg, x, room, inputs, blocks, wide, shift=shift, relu=relu, reduce=1, first=1, emit=1)
            (answer,) = yield [*_place(room, packed, first, blocks, wide), On(lanes, RunAll(phase, step, words))]
            y.append(_collect(answer, x.tokens, blocks, wide))
    else:
        most = most // cfg.vector * cfg.vector
        if most == 0:
            raise UsageError(f"room for weights must be at least {cfg.vector} rows, not {room.rows!r}")
        for first, _, wide in _tiles(len(packed[0]), 1):
            y.append((yield from _in_parts(cfg, x, packed, room, lanes, first, wide, most,
                                           phase=phase, shift=shift, relu=relu)))
    return unpack_fx(np.concatenate(y), outputs)


def _in_parts(cfg, x, packed, room, lanes, first, wide, most, *, phase, **more):
    """One block of outputs of all tokens, group by group, parts of ``most`` inputs: int64 [words, tokens, units]."""
    inputs, groups = packed[0].shape[1], []
    starts = range(0, inputs, most)
    all_fit = inputs <= room.rows
    if all_fit:
        yield list(_place(room, packed, first, 1, wide))
    for token in range(0, x.tokens, QUERIES):
        tokens = min(QUERIES, x.tokens - token)
        for start in starts:
            part = [words[:, start:start + most] for words in packed]
            is_last = start == starts[-1]
            group = Input(x.base + start // cfg.vector * x.stride + token, x.stride, tokens)
            rows = Room(room.first + start, room.second + start, most) if all_fit else room
            step = _step(cfg, group, rows, part[0].shape[1], 1, wide, reduce=1, first=start == 0, emit=is_last, **more)
            words = tokens * (1 + wide) if is_last else 0
            writes = [] if all_fit else _place(room, part, first, 1, wide)
            answers = yield [*writes, On(lanes, RunAll(phase, step, words))]
        groups.append(_collect(answers[0], tokens, 1, wide))
    return np.concatenate(groups, axis=1)


def _collect(words, tokens, blocks, wide):
    """Words of a reply, which come by groups, blocks, tokens and halves: int64 [blocks * halves, tokens, units]."""
    halves, groups, at = 1 + wide, [], 0
    for token in range(0, tokens, QUERIES):
        count = min(QUERIES, tokens - token)
        group = words[at:at + count * blocks * halves].reshape(blocks, count, halves, -1)
        at += count * blocks * halves
        groups.append(group.swapaxes(1, 2).reshape(blocks * halves, count, -1))
    return np.concatenate(groups, axis=1)


def plan_layer(layer: Linear, cfg: DotaConfig):
    """A layer in one lane, as a program that returns ``{"y": int64 [tokens, outputs]}``.

    Inputs lie in the ninth bank, results in the tenth, and come back to the host, in as many parts of the tokens as
    that takes. If a token's inputs are too many for a step, they may take both banks, and the accumulator adds up.

    Raises
    ------
    UsageError
        If the inputs of a token do not fit.
    """
    return total_product(cfg, [layer.x], [layer.w.T], phase="linear", shift=layer.shift, relu=layer.relu,
                         reduce=layer.x.shape[1] > min(MOST_CHUNKS * cfg.vector, KEY_BANKS * cfg.bank_words))


def total_product(cfg: DotaConfig, xs: Sequence[np.ndarray], weights: Sequence[np.ndarray], *, phase: str, shift: int,
                  relu: bool = False, reduce: bool = True):
    """Sum over the lanes of ``xs[lane] weights[lane]``, all from the host; without ``reduce`` of the one lane there is.

    A program that returns ``{"y": int64 [tokens, outputs]}``.

    Raises
    ------
    UsageError
        If the inputs of a token do not fit.
    """
    bank = cfg.bank_words
    room = Room(0, KEY_BANKS * bank, KEY_BANKS * bank)
    x_base, z_base = (KEY_BANKS + VALUE_BANKS) * bank, (BANKS - 1) * bank
    (tokens, inputs), outputs = xs[0].shape, weights[0].shape[1]
    chunks, out_words = chunks_of(cfg, inputs), chunks_of(cfg, outputs)
    together = 2 * bank // chunks if reduce else min(bank // chunks, bank // out_words)
    together = together if together >= tokens else together // QUERIES * QUERIES or together
    if together == 0:
        raise UsageError(f"words of a token must be at most {2 * bank if reduce else bank} ("
                         f"{'two banks' if reduce else 'a bank'}), not {chunks} for its inputs"
                         f"{'' if reduce else f' and {out_words} for its results'}")
    y = []
    for first in range(0, tokens, together):
        part = [x[first:first + together] for x in xs]
        at = Input(x_base, len(part[0]), len(part[0]))
        yield [On(1 << lane, Write(x_base, to_rows(cfg, x))) for lane, x in enumerate(part)]
        if reduce:
            y.append((yield from summed_product(cfg, at, weights, room, phase=phase, shift=shift, relu=relu)))
        else:
            yield from local_product(cfg, at, weights, room, phase=phase, z_base=z_base, z_stride=at.tokens,
                                     shift=shift, relu=relu)
            (words,) = yield [On(1, Read(z_base, at.tokens * out_words, 0, 0))]
            y.append(rows_of(cfg, words, at.tokens, outputs))
    return {"y": np.concatenate(y)}
