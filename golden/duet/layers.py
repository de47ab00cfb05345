"""Layers with their little modules, and networks of them, in fixed point: what mapping and equations start from.

All arrays are int64 of checked range. A layer knows shapes, not configurations: what does not fit an accelerator is
refused by the compiler.
"""

from dataclasses import dataclass

import numpy as np

from .formats import LOW_BITS, SUM_BITS, VALUE_BITS, Function

__all__ = ["GATES", "KINDS", "Layer", "Low", "Network"]

KINDS = ("conv", "fc", "lstm", "gru")
#: Functions of the gates, in the order of their weights: i, f, g, o; r, z, n [Thesis 5.2.2].
GATES = {"lstm": (Function.SIGMOID, Function.SIGMOID, Function.TANH, Function.SIGMOID),
         "gru": (Function.SIGMOID, Function.SIGMOID, Function.TANH)}
#: Largest shift, stride and padding that a job can hold.
MOST_SHIFT, MOST_STRIDE, MOST_PAD = 31, 7, 15
#: INT4 limits.
LOW_LEAST, LOW_MOST = -(1 << LOW_BITS - 1), (1 << LOW_BITS - 1) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Low:
    """The little module of a layer: ``y' = W_low sat4(round_shift(P x4, reduce_shift)) + b_low`` [Thesis (3.12)].

    Attributes
    ----------
    p : int64 array, shape (k, d)
        -1, 0 or 1; columns in the order of the layer's weights.
    w : int64 array, shape (gates, outputs, k)
        INT4; one gate but for recurrent layers.
    b : int64 array, shape (gates, outputs)
    threshold : int64 array, shape (gates,)
        In units of y'.
    reduce_shift : int
    low_shift : int64 array, shape (gates,)
        From y' to four fraction bits; counts for recurrent layers only.
    """

    p: np.ndarray
    w: np.ndarray
    b: np.ndarray
    threshold: np.ndarray
    reduce_shift: int
    low_shift: np.ndarray

    def __post_init__(self):
        _check_shape("p", self.p, (None, None))
        _check_shape("w_low", self.w, (None, None, len(self.p)))
        gates, outputs, size = self.w.shape
        _check_shape("b_low", self.b, (gates, outputs))
        _check_shape("threshold", self.threshold, (gates,))
        _check_shape("low_shift", self.low_shift, (gates,))
        _check_values("p", self.p, -1, 1)
        _check_values("w_low", self.w, LOW_LEAST, LOW_MOST)
        # The sum of an output never wraps.
        most = (1 << SUM_BITS - 1) - 1 - size * LOW_LEAST**2
        _check_values("b_low", self.b, -most, most)
        _check_values("threshold", self.threshold, -(1 << SUM_BITS - 1), (1 << SUM_BITS - 1) - 1)
        _check_values("reduce_shift", np.int64(self.reduce_shift), 0, MOST_SHIFT)
        _check_values("low_shift", self.low_shift, 0, MOST_SHIFT)

    @property
    def size(self) -> int:
        """k, elements of the reduced input."""
        return len(self.p)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer: ``sat16(round_shift(W x + b, shift))`` and a function of it, output by output.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    w : int64 array
        conv: (outputs, channels, kernel height, kernel width); fc: (outputs, inputs); lstm, gru: (gates, hidden,
        hidden + inputs), h before x.
    b : int64 array, shape (outputs,) or (gates, hidden)
        In units of the sum.
    shift : int
        Of a sum, to a value; lstm, gru: to 12 fraction bits.
    stride, pad : int
        Of a convolution.
    relu : bool
        Of a convolution or fully connected layer.
    low : Low or None
        Without it all outputs are sensitive.
    """

    kind: str
    w: np.ndarray
    b: np.ndarray
    shift: int
    stride: int = 1
    pad: int = 0
    relu: bool = False
    low: Low | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        self._check_weights()
        _check_values("shift", np.int64(self.shift), 0, MOST_SHIFT)
        _check_values("stride", np.int64(self.stride), 1, MOST_STRIDE)
        _check_values("pad", np.int64(self.pad), 0, MOST_PAD)
        if self.low is not None:
            if self.low.w.shape[:2] != (self.gates, self.outputs):
                raise ValueError(f"w_low must be for {self.gates} x {self.outputs} outputs, as w is, not "
                                 f"{self.low.w.shape[0]} x {self.low.w.shape[1]}")
            if self.low.p.shape[1] != self.elements:
                raise ValueError(f"p must have {self.elements} columns, as w has inputs, not {self.low.p.shape[1]}")
            if not self.recurrent and not self.relu:
                raise ValueError("relu must be 1 where there is a little module, not 0")

    def _check_weights(self):
        if self.recurrent:
            _check_shape("w", self.w, (len(GATES[self.kind]), None, None))
            if self.w.shape[2] <= self.w.shape[1]:
                raise ValueError(f"w must have more inputs than its {self.w.shape[1]} outputs, which are the first of "
                                 f"them, not {self.w.shape[2]}")
            _check_shape("b", self.b, self.w.shape[:2])
        else:
            _check_shape("w", self.w, (None,) * (4 if self.kind == "conv" else 2))
            _check_shape("b", self.b, self.w.shape[:1])
        _check_values("w", self.w, -(1 << VALUE_BITS - 1), (1 << VALUE_BITS - 1) - 1)
        _check_values("b", self.b, -(1 << SUM_BITS - 1), (1 << SUM_BITS - 1) - 1)

    @property
    def recurrent(self) -> bool:
        """Whether it goes over a sequence, gate by gate."""
        return self.kind in GATES

    @property
    def gates(self) -> int:
        """Gates; 1 for a layer that has none."""
        return len(GATES[self.kind]) if self.recurrent else 1

    @property
    def functions(self) -> tuple:
        """Function of every gate."""
        return GATES[self.kind] if self.recurrent else (Function.RELU if self.relu else Function.NONE,)

    @property
    def outputs(self) -> int:
        """Output channels, outputs, or elements of the hidden state."""
        return self.w.shape[1] if self.recurrent else self.w.shape[0]

    @property
    def elements(self) -> int:
        """Inputs of an output: d."""
        return int(np.prod(self.w.shape[2:] if self.recurrent else self.w.shape[1:]))

    @property
    def features(self) -> int:
        """Elements of x of a recurrent layer."""
        return self.elements - self.outputs

    def output_shape(self, shape: tuple) -> tuple:
        """Shape of the output for an input of that shape: (channels, height, width), (elements,), or (steps, features).

        Raises
        ------
        ValueError
            If the layer does not take such an input.
        """
        if self.kind == "fc":
            if self.elements != int(np.prod(shape)) or self._is_sequence(shape):
                raise ValueError(f"w must have {int(np.prod(shape))} inputs, as many as come in, not {self.elements}")
            return (self.outputs,)
        if self.recurrent:
            if not self._is_sequence(shape) or shape[1] != self.features:
                raise ValueError(f"w must be for {self.features} features of a sequence, not for an input of shape "
                                 f"{shape}")
            return (shape[0], self.outputs)
        if len(shape) != 3 or shape[0] != self.w.shape[1]:
            raise ValueError(f"w must be for {self.w.shape[1]} channels of a map, not for an input of shape {shape}")
        size = tuple((n + 2 * self.pad - k) // self.stride + 1
                     for n, k in zip(shape[1:], self.w.shape[2:], strict=True))
        if min(size) < 1:
            raise ValueError(f"w must have a kernel that fits a map of {shape[1]} x {shape[2]}, not "
                             f"{self.w.shape[2]} x {self.w.shape[3]}")
        return (self.outputs, *size)

    @staticmethod
    def _is_sequence(shape):
        return len(shape) == 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Layers one after the other, and inputs. After the last recurrent layer only its last hidden state goes on.

    Attributes
    ----------
    layers : list of Layer
        Convolutions or recurrent layers first, then fully connected ones.
    inputs : int64 array, shape (count, channels, height, width), (count, elements) or (count, steps, features)
    labels : int64 array, shape (count,), or None
        The output that should be the largest.
    """

    layers: list
    inputs: np.ndarray
    labels: np.ndarray | None = None

    def __post_init__(self):
        if not self.layers:
            raise ValueError("layers must be at least one, not none")
        _check_shape("input", self.inputs, (None,) * {"conv": 4, "fc": 2}.get(self.layers[0].kind, 3))
        _check_values("input", self.inputs, -(1 << VALUE_BITS - 1), (1 << VALUE_BITS - 1) - 1)
        _ = self.shapes
        if self.labels is not None:
            _check_shape("labels", self.labels, (len(self.inputs),))
            _check_values("labels", self.labels, 0, int(np.prod(self.shapes[-1])) - 1)

    @property
    def shapes(self) -> list[tuple]:
        """Shape of the input and of the output of every layer."""
        shapes = [self.inputs.shape[1:]]
        for k, layer in enumerate(self.layers):
            try:
                shape = self._read(k, shapes[-1])
                shapes.append(layer.output_shape(shape))
            except ValueError as error:
                raise ValueError(f"l{k}_{error}") from None
        return shapes

    def _read(self, k, shape):
        """What layer ``k`` reads of an output of that shape."""
        after_recurrent = k and self.layers[k - 1].recurrent
        return shape[1:] if after_recurrent and not self.layers[k].recurrent else shape


def _check_shape(name, values, shape):
    """Refuse anything but an array of that shape; None: any size but 0."""
    if len(values.shape) != len(shape) or any(n != m and not (m is None and n) for n, m in zip(values.shape, shape,
                                                                                               strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name} must have shape ({wanted}), not {values.shape}")


def _check_values(name, values, low, high):
    bad = np.argwhere((values < low) | (values > high))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        index = str(list(where)) if where else ""
        raise ValueError(f"{name}{index} must be in {low}..{high}, not {int(values[where])!r}")
