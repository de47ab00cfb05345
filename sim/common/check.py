"""Cycle-by-cycle comparison of a design with its golden model, and the stream contract."""

import os
from collections import deque


def repeat_command() -> str:
    """The shell command that repeats the current run; set by :mod:`sim.common.runner`."""
    return os.environ.get("ELISION_REPEAT", "")


class CycleChecker:
    """Compare outputs in every cycle; report the first difference with its history.

    Parameters
    ----------
    name : str
        The unit, as it stands in the failure text.
    context : str
        What else identifies the run: configuration and seed.
    history : int
        Cycles shown in the failure text, the failing one included.

    Attributes
    ----------
    cycle : int
        Cycles compared so far.
    """

    def __init__(self, name: str, context: str, *, history: int = 6):
        self.name, self.context = name, context
        self.cycle = 0
        self._history = deque(maxlen=history)

    def check(self, inputs, rtl, golden):
        """Compare one cycle. ``rtl`` and ``golden`` are NamedTuples of the same type.

        Raises
        ------
        AssertionError
            If any field differs.
        """
        self._history.append((self.cycle, inputs, rtl, golden))
        if rtl != golden:
            bad = [f for f in golden._fields if getattr(rtl, f) != getattr(golden, f)]
            raise AssertionError(self._report(bad))
        self.cycle += 1

    def _report(self, bad):
        lines = [f"{self.name}: {', '.join(bad)} differ in cycle {self.cycle} ({self.context})"]
        for cycle, x, rtl, golden in self._history:
            lines += [f"  cycle {cycle}: in={x}", f"    rtl   ={rtl}", f"    golden={golden}"]
        if command := repeat_command():
            lines.append(f"repeat: {command}")
        return "\n".join(lines)


class StreamContract:
    """Rule of every stream: an offered payload stays offered, unchanged, until it is taken.

    Parameters
    ----------
    name : str
        The stream, as it stands in the failure text.
    """

    def __init__(self, name: str):
        self.name = name
        self.reset()

    def reset(self):
        """Forget what is on offer: a reset may withdraw it."""
        self._held = None

    def check(self, cycle: int, valid: bool, ready: bool, payload):
        """Look at one cycle. ``payload`` is ignored when ``valid`` is 0.

        Raises
        ------
        AssertionError
            If a payload was withdrawn or changed before it was taken.
        """
        if self._held is not None:
            held, = self._held
            if not valid or payload != held:
                now = f"changed to {payload!r}" if valid else "withdrawn"
                text = f"{self.name}: payload {held!r} {now} in cycle {cycle} before it was taken"
                if command := repeat_command():
                    text += f"\nrepeat: {command}"
                raise AssertionError(text)
        self._held = (payload,) if valid and not ready else None
