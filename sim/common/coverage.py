"""Named functional coverage: the model raises events, a plan names them, missing ones fail.

Inside the simulator :func:`cover` collects events by unit; they outlive the run in
``Results.seen``, so that several runs can be judged together by :func:`assert_all` or :func:`findings`.
"""

import json
import os
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path

#: Environment variable with the file that a run leaves its events in.
FILE_VARIABLE = "ELISION_SEEN"

#: Planned events by unit.
Plan = Mapping[str, Iterable[str]]

_seen: dict[str, set[str]] = {}


def cover(unit: str, events: Iterable[str]) -> set[str]:
    """Add events that a model has seen; all events of this unit so far in this run."""
    known = _seen.setdefault(unit, set())
    new = set(events) - known
    if new:
        known |= new
        if path := os.environ.get(FILE_VARIABLE):
            Path(path).write_text(json.dumps({name: sorted(seen) for name, seen in _seen.items()}))
    return known


def seen(unit: str) -> set[str]:
    """Events of a unit so far in this run."""
    return set(_seen.get(unit, ()))


def raised(units: Mapping[str, tuple], state) -> dict[str, set[str]]:
    """Events that the compiled models of an accelerator raised since its reset, by unit.

    Parameters
    ----------
    units : mapping of str to (module, str)
        The golden model of each unit, which has ``EVENTS``, and where in ``state`` its own lies, such as
        ``"lanes.exact"``.
    state : NamedTuple
        Of the golden accelerator.
    """
    return {unit: {event for event, count in zip(module.EVENTS, attrgetter(path)(state).seen, strict=True) if count}
            for unit, (module, path) in units.items()}


def load(path: Path) -> dict[str, set[str]]:
    """The events that a run left, by unit; empty if it left none."""
    if not path.exists():
        return {}
    return {name: set(seen) for name, seen in json.loads(path.read_text()).items()}


def merge(runs: Iterable[dict[str, set[str]]]) -> dict[str, set[str]]:
    """Union of the events of several runs, by unit."""
    total: dict[str, set[str]] = {}
    for run in runs:
        for name, seen in run.items():
            total[name] = total.get(name, set()) | seen
    return total


def assert_all(plan: Iterable[str], seen: Iterable[str], context: str = ""):
    """Every event of the plan was seen, and nothing that the plan does not name.

    Raises
    ------
    AssertionError
        Naming the events that are missing, or unknown to the plan.
    """
    plan, seen = set(plan), set(seen)
    where = f" ({context})" if context else ""
    if unknown := sorted(seen - plan):
        raise AssertionError(f"seen, but not in the plan: {', '.join(unknown)}{where}")
    if missing := sorted(plan - seen):
        raise AssertionError(f"never reached: {', '.join(missing)}{where}")


def findings(plan: Plan, exceptions: Mapping[str, Mapping[str, str]], seen: Mapping[str, Iterable[str]]) -> list[str]:
    """What is wrong with the events of several units, one line each; empty if the plan holds.

    Parameters
    ----------
    plan : mapping of str to iterable of str
        Events by unit.
    exceptions : mapping of str to mapping of str to str
        Events that need not be reached, by unit, with the reason. One that is reached has to leave the list.
    seen : mapping of str to iterable of str
    """
    lines = []
    for unit in sorted({*plan, *exceptions, *seen}):
        planned, excused = set(plan.get(unit, ())), set(exceptions.get(unit, ()))
        reached = set(seen.get(unit, ()))
        for kind, events in (("never reached", planned - excused - reached),
                             ("seen, but not in the plan", reached - planned),
                             ("an exception, but not in the plan", excused - planned),
                             ("reached, but listed as an exception", excused & reached)):
            if events:
                lines.append(f"{unit}: {kind}: {', '.join(sorted(events))}")
    return lines
