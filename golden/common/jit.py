"""Compiling cycle models with Numba, or running them as the plain Python they are.

``@jit`` functions take their state as NamedTuples of numpy arrays and change the arrays in place.
The NamedTuple must be a class of an importable module: one of ``__main__`` is another type in every
process, so that nothing cached would fit.
Without Numba, or with ``NUMBA_DISABLE_JIT=1``, the same functions run uncompiled.
"""

import functools
import hashlib
import os
import re
from pathlib import Path

_GOLDEN = Path(__file__).resolve().parents[1]
#: Dots, module and names of "from module import names".
_IMPORT = re.compile(r"^\s*from (\.*)([\w.]*) import (\([^)]*\)|.+)", re.MULTILINE)

try:
    import numba
except ImportError:
    numba = None

#: Whether ``@jit`` compiles.
ENABLED = numba is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


@functools.cache
def _imported(path: Path) -> frozenset[Path]:
    """Sources of ``golden`` that a source names in its imports."""
    found = set()
    for dots, module, names in _IMPORT.findall(path.read_text()):
        base = path.parents[len(dots) - 1] if dots else _GOLDEN.parent
        base = base.joinpath(*filter(None, module.split(".")))
        names = (name.split(" as ")[0].strip() for name in names.strip("() ").split(","))
        found.update((base.with_suffix(".py"), *(base / f"{name}.py" for name in names if name)))
    return frozenset(source for source in found if source.is_relative_to(_GOLDEN) and source.is_file())


@functools.cache
def _cache_folder(module: str) -> Path:
    """Numba's cache for the functions of a module, for exactly the sources that they may call.

    Numba looks only at the file of the function it compiles: after a change in a callee that lies
    in another file it would go on using the old code. So the folder is named after the module and all
    of ``golden`` that it imports, and they import. A module from elsewhere: after all of ``golden``.
    """
    source = _GOLDEN.joinpath(*module.split(".")[1:]).with_suffix(".py")
    if module.startswith("golden.") and source.is_file():
        sources, new = set(), {source}
        while new:
            sources |= new
            new = {other for path in new for other in _imported(path)} - sources
    else:
        sources = set(_GOLDEN.rglob("*.py"))
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(sources):
        digest.update(f"\0{path.relative_to(_GOLDEN)}\0".encode() + path.read_bytes())
    return _GOLDEN.parent / "build" / "numba" / digest.hexdigest()[:16]


def jit(function):
    """Compile a function at its first call, and keep the machine code for later processes.

    The function must be within Numba's nopython subset; integer arithmetic wraps at 64 bits in
    compiled code, so models saturate and check ranges explicitly. It must not make arrays, nor copy
    whole ones: it is compiled without reference counting, because counting the dozens of arrays in a
    state at every call made the accelerator models forty times slower.
    """
    if not ENABLED:
        return function
    # Read when the function is decorated.
    numba.config.CACHE_DIR = str(_cache_folder(function.__module__))
    return numba.njit(cache=True, _nrt=False)(function)
