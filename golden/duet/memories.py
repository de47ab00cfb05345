"""Who gets which words of the memories: places that stay, and words that the host writes once or again and again."""

import numpy as np

from .config import DuetConfig
from .formats import Target, target_words
from .packing import Write

__all__ = ["Blob", "Memories"]

#: Names in error messages.
NAMES = {Target.GLB: "global buffer", Target.MAP: "map buffer", Target.LUT: "MAC instruction LUT",
         Target.PROJECTION: "projection buffer", Target.LOW_WEIGHTS: "QDR weight buffer",
         Target.LOW_BIAS: "QDR bias buffer"}


class Blob:
    """Words that the host writes.

    Attributes
    ----------
    layer : int
    addr : int or None
        None until :meth:`Memories.settle`.
    stays : bool
        Written once; otherwise before every stage that uses it, unless it is still there.
    """

    def __init__(self, target: Target, words, what: str, layer: int, movable: bool):
        self.target, self.words, self.what, self.layer, self.movable = target, words, what, layer, movable
        self.addr, self.stays = None, True

    @property
    def write(self) -> Write:
        """What the host sends."""
        return Write(self.target, self.addr, self.words)


class Memories:
    """The memories of an accelerator and the one off chip, filled from word 0 on.

    Attributes
    ----------
    load, zero : list of Write
        What the host writes once; before every input.
    """

    def __init__(self, cfg: DuetConfig):
        self.cfg = cfg
        self._words = target_words(cfg)
        self._used = dict.fromkeys(Target, 0)
        self._blobs, self._off_chip, self._memory = {}, {}, []
        self.load, self.zero = [], []

    def left(self, target: Target) -> int:
        """Words that nobody has."""
        return self._words[target] - self._used[target]

    def take(self, target: Target, words: int, what: str) -> int:
        """Address of so many words; ``what``, in the plural, is named if they are not left.

        Raises
        ------
        ValueError
        """
        if words > self.left(target):
            raise ValueError(f"{what} need {words} words of the {NAMES[target]}, and {self.left(target)} are left")
        self._used[target] += words
        return self._used[target] - words

    def clear(self, addr: int, words: int, target: Target = Target.GLB, every: bool = False) -> None:
        """The host writes zeros, once or before every input."""
        (self.zero if every else self.load).append(Write(target, addr, np.zeros((words, self.cfg.values), np.int64)))

    def blob(self, key: tuple, target: Target, make, what: str, movable: bool = True) -> Blob:
        """Words ``make()`` of layer ``key[0]``, made once for a key. What is not movable stays in any case."""
        if (key, target) not in self._blobs:
            self._blobs[key, target] = Blob(target, make(), what, key[0], movable)
        return self._blobs[key, target]

    def off_chip(self, key: tuple, make) -> int:
        """Address of words ``make()`` in the memory off chip; for one key they are made once."""
        if key not in self._off_chip:
            self._off_chip[key] = sum(map(len, self._memory))
            self._memory.append(make())
        return self._off_chip[key]

    @property
    def memory(self) -> np.ndarray:
        """The memory off chip, int64 [words, values]."""
        return np.concatenate([np.zeros((0, self.cfg.values), np.int64), *self._memory])

    def _place(self, blob):
        try:
            return self.take(blob.target, len(blob.words), blob.what)
        except ValueError as error:
            raise ValueError(f"layer {blob.layer}: {error}") from None

    def settle(self) -> None:
        """Find places for all blobs, after everything else. Those of a memory in which they do not fit together begin
        at the same word, and the host writes each when it is needed.

        Raises
        ------
        ValueError
            If one of them does not fit; its layer is named.
        """
        for target in Target:
            blobs = [blob for blob in self._blobs.values() if blob.target == target]
            for blob in blobs:
                if not blob.movable:
                    blob.addr = self._place(blob)
            rest = [blob for blob in blobs if blob.movable]
            stay = sum(len(blob.words) for blob in rest) <= self.left(target)
            begin = self._used[target]
            for blob in rest:
                blob.stays = stay
                if not stay:
                    self._used[target] = begin
                blob.addr = self._place(blob)
        self.load += [blob.write for blob in self._blobs.values() if blob.stays]
