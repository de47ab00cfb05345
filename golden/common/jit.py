"""Compiling cycle models with Numba, or running them as the plain Python they are.

``@jit`` functions take their state as NamedTuples of numpy arrays and change the arrays in place.
The NamedTuple must be a class of an importable module: one of ``__main__`` is another type in every
process, so that nothing cached would fit.
Without Numba, or with ``NUMBA_DISABLE_JIT=1``, the same functions run uncompiled.
"""

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


def _cache_folder() -> Path:
    """Numba's cache for exactly these sources.

    Numba looks only at the file of the function it compiles: after a change in a callee that lies
    in another file it would go on using the old code. So the folder is named after all sources.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_GOLDEN.rglob("*.py")):
        digest.update(f"\0{path.relative_to(_GOLDEN)}\0".encode() + path.read_bytes())
    return _GOLDEN.parent / "build" / "numba" / digest.hexdigest()[:16]


if ENABLED:
    # Before any function is decorated: each reads the setting when it is.
    numba.config.CACHE_DIR = str(_cache_folder())


def jit(function):
    """Compile a function at its first call, and keep the machine code for later processes.

    The function must be within Numba's nopython subset; integer arithmetic wraps at 64 bits in
    compiled code, so models saturate and check ranges explicitly. It must not make arrays, nor copy
    whole ones: it is compiled without reference counting, because counting the dozens of arrays in a
    state at every call made the accelerator models forty times slower.
    """
    return numba.njit(cache=True, _nrt=False)(function) if ENABLED else function
