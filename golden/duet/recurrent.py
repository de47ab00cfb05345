"""Recurrent layers on the accelerator: where h, x and the gates lie, and the items of a time step [Thesis 5.2.2].

All layers of a stack share a row of *regions*, one a time step and some more. Layer 0 at step t reads [h | x_t] in
region t, where the host has put x_t, and its cell writes h_t to region t + 1. Layer l at step t reads region t + l,
where the layer below has put its h_t; its own h lies behind it, so that both are one vector. So nothing is ever copied.
What lies between has weights of 0. A GRU has a place for r h besides.
"""

import numpy as np

from .formats import CELL_FIELDS, Cell, Target
from .items import Context, Item, vector_item
from .packing import vector_positions, words_of
from .program import Input, Place, job

__all__ = ["Recurrence"]

#: Names of the gates.
NAMES = {"lstm": "ifgo", "gru": "rzn"}


class Recurrence:
    """The recurrent layers at the beginning of a network.

    Parameters
    ----------
    cfg : DuetConfig
    layers : list of Layer
        All recurrent.
    steps : int
    """

    def __init__(self, cfg, layers, steps: int):
        self._cfg, self._layers, self._steps = cfg, layers, steps
        #: First element of x in [h | x] of layer 0.
        self._x = -(-layers[0].outputs // cfg.columns) * cfg.columns
        self._h, self._reset, at = [], [], 0
        for k, layer in enumerate(layers):
            words = words_of(cfg, layer.outputs if k else self._x + layer.features)
            self._h.append(at)
            self._reset.append(at + words)      # GRU: a second one for r h
            at += words * (2 if layer.kind == "gru" else 1)
        self._region, self._regions = at, steps + len(layers)

    def take(self, memories) -> list[Input]:
        """Find places for everything; what the host writes for every input.

        Raises
        ------
        ValueError
            If the global buffer is too small.
        """
        cfg = self._cfg
        words = self._region * self._regions
        self._base = memories.take(Target.GLB, words, "hidden states and inputs of all time steps")
        memories.clear(self._base, words)
        self._gates, self._states = [], []
        for layer in self._layers:
            size = words_of(cfg, layer.outputs)
            base, maps = (memories.take(target, layer.gates * size, "gates") for target in (Target.GLB, Target.MAP))
            self._gates.append([Place(base + gate * size, maps + gate * size, size,
                                      vector_positions(cfg, layer.outputs), (layer.outputs,), False)
                                for gate in range(layer.gates)])
            self._states.append(memories.take(Target.GLB, size, "states") if layer.kind == "lstm" else 0)
        self._clear(memories)
        return self._inputs()

    def _clear(self, memories):
        """Whatever is 0 at the first step of an input."""
        for k, layer in enumerate(self._layers):
            size = words_of(self._cfg, layer.outputs)
            if layer.kind == "lstm":
                memories.clear(self._states[k], size, every=True)
            if k:
                memories.clear(self._at(k, self._h[k]), size, every=True)
            for gate in self._gates[k]:
                memories.clear(gate.base, size)

    def _inputs(self):
        """x of every step; h of the first one becomes 0 with it, and h of the others is computed later."""
        layer = self._layers[0]
        positions = vector_positions(self._cfg, self._x + layer.features)[self._x:]
        words = words_of(self._cfg, self._x + layer.features)
        first = [self._h[0]] + ([self._reset[0]] if layer.kind == "gru" else [])
        return [Input(self._at(t, offset), None, words, positions, (t,))
                for t in range(self._steps) for offset in first]

    def _at(self, region, offset):
        return self._base + region * self._region + offset

    def output(self, k: int) -> Place:
        """Last hidden state of layer ``k``."""
        size = self._layers[k].outputs
        return Place(self._at(self._steps + k, self._h[k]), 0, words_of(self._cfg, size),
                     vector_positions(self._cfg, size), (size,), False)

    def vector(self, k: int, t: int, reset: bool) -> Place:
        """[h | x] of layer ``k`` at step ``t``, or [r h | x]."""
        cfg, layer = self._cfg, self._layers[k]
        own = self._reset[k] if reset else self._h[k]
        if not k:
            elements = self._x + layer.features
            positions = vector_positions(cfg, elements)
            positions = np.concatenate([positions[:layer.outputs], positions[self._x:]])
            return Place(self._at(t, own), 0, words_of(cfg, elements), positions, (layer.elements,), False)
        below = self._h[k - 1]
        positions = np.concatenate([vector_positions(cfg, layer.outputs) + (own - below) * cfg.values,
                                    vector_positions(cfg, layer.features)])
        return Place(self._at(t + k, below), 0, own - below + words_of(cfg, layer.outputs), positions,
                     (layer.elements,), False)

    def items(self, context: Context, k: int) -> list[Item]:
        """All gates of all time steps of layer ``k``; the cell jobs with the gates after which they run."""
        items, layer = [], self._layers[k]
        for t in range(self._steps):
            for gate in range(layer.gates):
                reset = layer.kind == "gru" and gate == 2
                item = vector_item(context, k, gate, f"l{k} t{t} {NAMES[layer.kind][gate]}", self.vector(k, t, reset),
                                   self._gates[k][gate])
                item.waits = "" if gate else "cell"
                item.cell = self._cell(k, t, gate)
                items.append(item)
        return items

    def _cell(self, k, t, gate):
        layer = self._layers[k]
        gates = [place.base for place in self._gates[k]]
        h, after = self._at(t + k, self._h[k]), self._at(t + k + 1, self._h[k])
        if layer.kind == "lstm" and gate == 3:
            return job(CELL_FIELDS, op=Cell.LSTM, length=layer.outputs, a=gates[0], b=gates[1], c=gates[2], d=gates[3],
                       state=self._states[k], hidden=after)
        if layer.kind == "gru" and gate == 0:
            return job(CELL_FIELDS, op=Cell.RESET, length=layer.outputs, a=gates[0], hidden=h,
                       d=self._at(t + k, self._reset[k]))
        if layer.kind == "gru" and gate == 2:
            return job(CELL_FIELDS, op=Cell.GRU, length=layer.outputs, a=gates[1], b=gates[2], hidden=h, d=after)
        return None
