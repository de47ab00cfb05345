"""Steps for a tag queue, and for the PE around it: words of tags, and starts as early as they are allowed, or later."""

from golden.duet.tag_queue import LATENCY

__all__ = ["TagFeeder", "random_words"]


def random_words(cfg, rng, count, p_tag) -> list[tuple[int, int]]:
    """Words of a step: number in the program, tags of which a part ``p_tag`` is set."""
    base = rng.randrange(cfg.tag_words - count + 1)
    return [(base + k, sum(1 << bit for bit in range(cfg.tags) if rng.random() < p_tag)) for k in range(count)]


class TagFeeder:
    """Offers words of tags and starts, cycle by cycle.

    Tags of a step come while fewer than two steps before it are not over. It starts when the one before is over and its
    last word came ``LATENCY`` cycles before its first instruction.

    Parameters
    ----------
    steps : list of list of (int, int)
        Words of each step and their tags.
    rng : random.Random
    p : float
        Probability that a word is offered, or a step started, in a cycle in which it may be.
    allowed : callable
        ``allowed(n)``: step n may start, for other reasons.

    Attributes
    ----------
    started, over : int
        Steps.
    over_at : list of int
        Cycle in which each step issues nothing any more.
    """

    def __init__(self, steps, rng, p=1.0, allowed=lambda n: True):
        self._words = [[(n, word) for word in step] for n, step in enumerate(steps)]
        self._macs = [sum(tags.bit_count() for _word, tags in step) for step in steps]
        self._rng, self._p, self._allowed = rng, p, allowed
        self.cycle = self.started = self.over = 0
        self.over_at, self._tagged_at, self._free_at = [], {}, 0

    @property
    def done(self):
        """Every step is over."""
        return self.over == len(self._macs)

    def offer(self) -> dict:
        """What is offered in this cycle: ``word`` (number in the program, tags) or None, ``phase``, ``start``."""
        if self.over < self.started and self.cycle >= self._free_at:
            self.over += 1
            self.over_at.append(self._free_at)
        word, phase = None, 0
        if self._words and self._words[0][0][0] < self.over + 2 and self._rng.random() < self._p:
            number, word = self._words[0].pop(0)
            phase = (number + 1) % 4
            if not self._words[0]:
                self._tagged_at[number] = self.cycle
                self._words.pop(0)
        return {"word": word, "phase": phase, "start": self._start()}

    def _start(self):
        number = self.started
        ready = (number < len(self._macs) and self.over == number and number in self._tagged_at
                 and self.cycle + 1 >= self._tagged_at[number] + LATENCY and self._allowed(number))
        if not (ready and self._rng.random() < self._p):
            return False
        self.started += 1
        self._free_at = self.cycle + 1 + self._macs[number]
        return True

    def tick(self):
        """End of the cycle."""
        self.cycle += 1
