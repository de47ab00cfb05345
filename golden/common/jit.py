"""Compiling cycle models with Numba, or running them as the plain Python they are.

``@jit`` functions take their state as NamedTuples of numpy arrays and change the arrays in place.
The NamedTuple must be a class of an importable module: one of ``__main__`` is another type in every
process, so that nothing cached would fit.
Without Numba, or with ``NUMBA_DISABLE_JIT=1``, the same functions run uncompiled.
"""

import functools
import hashlib
import os
from pathlib import Path

_GOLDEN = Path(__file__).resolve().parents[1]

try:
    import numba
except ImportError:
    numba = None

#: Whether ``@jit`` compiles.
ENABLED = numba is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


@functools.cache
def _cache_folder(package: str) -> Path:
    """Numba's cache for the functions of a package of ``golden``, for exactly its sources and those of ``common``.

    Numba looks only at the file of the function it compiles: after a change in a callee that lies
    in another file it would go on using the old code. So the folder is named after all sources that
    may be called; an accelerator calls none of another one.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    folders = [_GOLDEN / name for name in sorted({package, "common"})] if (_GOLDEN / package).is_dir() else [_GOLDEN]
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
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
    package = function.__module__.split(".")
    # Read when the function is decorated.
    numba.config.CACHE_DIR = str(_cache_folder(package[1] if package[0] == "golden" and len(package) > 2 else ""))
    return numba.njit(cache=True, _nrt=False)(function)
