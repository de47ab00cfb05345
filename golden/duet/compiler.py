"""From a network to a program: places in the memories, jobs, stages [Thesis 5.2].

The Speculator's job of an item (:mod:`golden.duet.items`) runs in the same stage as the Executor's job of the item
before; where it needs what the cell unit makes there, it has a stage of its own.

A convolution whose weights do not fit the global buffer is cut into parts of output channels; the host writes the
weights of a part before its stage. What fits as a whole is written once.
"""

import numpy as np

from .config import DuetConfig
from .formats import SPECULATE_FIELDS, Target
from .items import Context, Item, conv_item, conv_words, vector_item, vector_words
from .layers import Network
from .mapping import check_layer, conv_plan, limits_of
from .memories import Memories
from .packing import map_positions, vector_positions, words_of
from .program import Input, Place, Program, Stage
from .recurrent import Recurrence
from .spec import MODES

__all__ = ["compile_network"]

RECURRENT = frozenset({"lstm", "gru"})


def compile_network(network: Network, cfg: DuetConfig, mode: str = "duet", *, off_chip: bool | None = None,
                    limits=None) -> Program:
    """Map a network.

    Parameters
    ----------
    mode : str
        One of ``MODES``.
    off_chip : bool, optional
        Whether weights of vectors come through the memory port. Without it those of recurrent layers do, and those of
        fully connected ones where not all weights fit the global buffer.
    limits : list of int, optional
        Interval thresholds of the reorder unit, largest first, one less than there are buckets; without it at equal
        distances.

    Raises
    ------
    ValueError
        One line, if the mode is unknown, or a layer does not fit; it names the layer.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    kinds = RECURRENT if off_chip is None else RECURRENT | {"fc"} if off_chip else frozenset()
    limits = limits_of(cfg) if limits is None else list(limits)
    if len(limits) != cfg.buckets - 1 or sorted(limits, reverse=True) != limits:
        raise ValueError(f"limits must be {cfg.buckets - 1} thresholds, largest first, not {limits!r}")
    compiler = _Compiler(network, cfg, mode, kinds, limits)
    if off_chip is None and compiler.crowded:
        compiler = _Compiler(network, cfg, mode, kinds | {"fc"}, limits)
    return compiler.program()


def _named(k, make, *args):
    """``make(*args)``, whose errors name the layer."""
    try:
        return make(*args)
    except ValueError as error:
        raise ValueError(f"layer {k}: {error}") from None


class _Compiler:
    """One run: first places for all that stays, then items, then the words that the host writes for them."""

    def __init__(self, network, cfg, mode, off_chip, limits):
        self._memories = Memories(cfg)
        self._context = Context(cfg=cfg, network=network, mode=mode, memories=self._memories, off_chip=off_chip,
                                limits=limits)
        self._cfg, self._layers, self._shapes = cfg, network.layers, network.shapes
        for k, (layer, shape) in enumerate(zip(self._layers, self._shapes[:-1], strict=True)):
            _named(k, check_layer, cfg, layer, shape)
        count = next((k for k, layer in enumerate(self._layers) if not layer.recurrent), len(self._layers))
        self._recurrence = Recurrence(cfg, self._layers[:count], self._shapes[0][0]) if count else None
        if self._recurrence:
            self._inputs = _named(0, self._recurrence.take, self._memories)
            self._places = [None, *(self._recurrence.output(k) for k in range(count))]
        else:
            self._places = [_named(0, self._place, self._shapes[0], "inputs", True)]
            self._inputs = [self._input(self._places[0])]
        for k in range(count, len(self._layers)):
            self._places.append(_named(k, self._output, k))
        self._orders = [_named(k, self._order, k) for k in range(len(self._layers))]
        #: Words that are left for weights, and those of all layers.
        self._room = self._memories.left(Target.GLB)
        self._words = [_named(k, self._weight_words, k, layer.outputs) for k, layer in enumerate(self._layers)]

    @property
    def crowded(self) -> bool:
        """Not all weights fit the global buffer at once."""
        return sum(self._words) > self._room

    def program(self) -> Program:
        """Everything."""
        items = []
        for k, layer in enumerate(self._layers):
            make = self._recurrence.items if layer.recurrent else self._convolution if layer.kind == "conv" else \
                self._fully_connected
            items += _named(k, make, *([self._context, k] if layer.recurrent else [k]))
        self._memories.settle()
        return Program(self._cfg, self._context.mode, self._memories.load, self._inputs, self._memories.zero,
                       _stages(items), self._memories.memory, self._places[1:])

    def _place(self, shape, what, mapped):
        cfg = self._cfg
        if len(shape) == 3:
            words = -(-shape[0] // cfg.columns) * int(np.prod([-(-n // cfg.side) for n in shape[1:]]))
            positions = map_positions(cfg, shape)
        else:
            words, positions = words_of(cfg, shape[0]), vector_positions(cfg, shape[0])
        return Place(self._memories.take(Target.GLB, words, what),
                     self._memories.take(Target.MAP, words, f"maps of the {what}"), words, positions, shape, mapped)

    def _input(self, place):
        return Input(place.base, place.map_base if self._context.skips_inputs else None, place.words, place.positions,
                     ())

    def _output(self, k):
        """Where the output of layer ``k`` lies; lanes and pixels that nobody writes are cleared once."""
        layer, shape = self._layers[k], self._shapes[k + 1]
        place = self._place(shape, "outputs", layer.kind == "conv" or
                            layer.low is not None and self._context.speculates)
        if place.positions.size < place.words * self._cfg.values:
            self._memories.clear(place.base, place.words)
            self._memories.clear(place.map_base, place.words, Target.MAP)
        return place

    def _order(self, k):
        """Two places for the order words of a convolution: a part is sorted while the one before is computed."""
        layer, cfg = self._layers[k], self._cfg
        if layer.kind != "conv" or layer.low is None or not self._context.orders:
            return 0, 0
        tiles = int(np.prod([-(-n // cfg.side) for n in self._shapes[k + 1][1:]]))
        words = tiles * words_of(cfg, layer.outputs)
        return tuple(self._memories.take(Target.GLB, words, "orders of the channels") for _ in range(2))

    def _weight_words(self, k, outputs):
        """Words of the global buffer for weights and biases of so many outputs."""
        layer, cfg, off_chip = self._layers[k], self._cfg, self._layers[k].kind in self._context.off_chip
        if layer.kind == "conv":
            return conv_words(cfg, conv_plan(cfg, layer, self._shapes[k]), outputs)
        if layer.kind == "fc":
            return vector_words(cfg, outputs, self._places[k].words, off_chip)
        return sum(vector_words(cfg, outputs, self._recurrence.vector(k, 0, layer.kind == "gru" and gate == 2).words,
                                off_chip) for gate in range(layer.gates))

    def _parts(self, k):
        """Output channels of the parts of a convolution: as many as fit the memories, in equal parts."""
        layer, cfg = self._layers[k], self._cfg
        unit = max(cfg.columns, cfg.rows)
        most = -(-layer.outputs // unit) * unit
        if self.crowded:
            room = self._room - sum(words for words, other in zip(self._words, self._layers, strict=True)
                                    if other.kind != "conv")
            while most > unit and self._weight_words(k, most) > room:
                most -= unit
            needed = self._weight_words(k, min(most, layer.outputs))
            if needed > room:
                raise ValueError(f"weights of {min(most, layer.outputs)} channels need {needed} words of the global "
                                 f"buffer, and {max(room, 0)} are left")
        if layer.low is not None and self._context.speculates:
            tiles = min(cfg.low_tiles // -(-layer.low.size // cfg.trees), cfg.low_bias_words,
                        (1 << SPECULATE_FIELDS["tiles_n"]) - 1)
            most = min(most, max(tiles * cfg.systolic_columns // unit, 1) * unit, cfg.channels)
        count = -(-layer.outputs // most)
        size = -(-layer.outputs // (count * unit)) * unit
        return [range(first, min(first + size, layer.outputs)) for first in range(0, layer.outputs, size)]

    def _convolution(self, k):
        parts, items = self._parts(k), []
        for n, part in enumerate(parts):
            items.append(conv_item(self._context, k, part, f"l{k}" if len(parts) == 1 else f"l{k}.{n}",
                                   self._places[k], self._places[k + 1], self._orders[k][n % 2]))
        items[0].waits = "execute" if k else ""
        return items

    def _fully_connected(self, k):
        item = vector_item(self._context, k, 0, f"l{k}", self._places[k], self._places[k + 1])
        if k:
            item.waits = "cell" if self._layers[k - 1].recurrent else "execute"
        return [item]


def _stages(items: list[Item]) -> list[Stage]:
    pairs = []      # of the item that is executed and the one that is speculated
    for n, item in enumerate(items):
        if item.speculate is not None:
            if n and item.waits != "cell":
                item.speculate["depends"] = item.waits == "execute"
                pairs[-1] = pairs[-1][0], item
            else:
                pairs.append((None, item))
        pairs.append((item, None))
    there, stages = {}, []
    for execute, speculate in pairs:
        names = [f"{what} {item.name}" for what, item in (("execute", execute), ("speculate", speculate)) if item]
        stages.append(Stage(
            " | ".join(names),
            _writes(execute, "execute", there) + _writes(speculate, "speculate", there),
            execute and _named(execute.layer, execute.resolved, "execute"),
            speculate and _named(speculate.layer, speculate.resolved, "speculate"),
            execute and execute.cell, (execute and execute.layer, speculate and speculate.layer)))
    return stages


def _writes(item, which, there):
    """What the host writes before a stage; ``there`` is what each memory holds, by target."""
    writes = []
    for blob, _ in item.blobs[which].values() if item else ():
        if not blob.stays and there.get(blob.target) is not blob:
            there[blob.target] = blob
            writes.append(blob.write)
    return writes
