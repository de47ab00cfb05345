"""The workloads of an accelerator: built-in ones by name, and users' files.

A table of built-in workloads maps a name to ``(line, factory, synthetic)``: one line for people, ``factory(cfg, seed)``
that gives the fields of the accelerator's ``Workload``, and whether it is made of random numbers.
"""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from golden.common.cli import UsageError

__all__ = ["find", "print_workloads"]


def find(name_or_path: str, workloads: Mapping[str, tuple], of_file: Callable, cfg, seed: int) -> dict:
    """All fields of a built-in workload, or of a user's file.

    Parameters
    ----------
    workloads : mapping of str to (str, callable, bool)
        The built-in ones.
    of_file : callable
        ``of_file(path, cfg, seed)``: the fields that a file holds.

    Raises
    ------
    UsageError
        If there is no such workload, or from ``of_file``.
    """
    if name_or_path in workloads:
        line, factory, synthetic = workloads[name_or_path]
        return {"name": name_or_path, "description": line, "synthetic": synthetic} | factory(cfg, seed)
    path = Path(name_or_path)
    if path.suffix != ".npz" and not path.is_file():
        near = difflib.get_close_matches(name_or_path, workloads, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "--list-workloads shows all names"
        raise UsageError(f"workload must be a built-in name or an .npz file, not {name_or_path!r}; {hint}")
    return {"name": str(path), "description": "user's file"} | of_file(path, cfg, seed)


def print_workloads(workloads: Mapping[str, tuple]) -> None:
    """Print every built-in workload with its one line."""
    width = max(map(len, workloads))
    for name, (line, *_) in workloads.items():
        print(f"{name:{width}}  {line}")
