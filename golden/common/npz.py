"""Reading users' ``.npz`` files: all arrays, nothing unpickled, one line for whatever is wrong."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from golden.common.cli import UsageError

__all__ = ["read_arrays", "read_file", "require"]


def read_file(path, make: Callable):
    """``make(arrays)`` of a file.

    Raises
    ------
    UsageError
        One line that names the file, and the key, the value and the rule, from any ValueError of ``make``.
    """
    try:
        with open(path, "rb") as stream:
            return make(read_arrays(stream))
    except OSError as error:
        raise UsageError(f"{path}: must be a readable file, not {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def require(arrays: Mapping, keys: Iterable[str]) -> None:
    """All of these keys are there, else a ValueError that names the first one that is not."""
    for key in keys:
        if key not in arrays:
            raise ValueError(f"{key} must be present, not missing")


def read_arrays(stream) -> dict[str, np.ndarray]:
    """All arrays of a file, opened as bytes, by key.

    Raises
    ------
    ValueError
        If it is not an .npz file, is damaged, or holds anything but arrays of numbers.
    """
    if stream.read(4) != b"PK\x03\x04":
        raise ValueError("must be an .npz file, not something else")
    stream.seek(0)
    key = None
    try:
        with np.load(stream, allow_pickle=False) as file:
            arrays = {}
            for key in file.files:
                arrays[key] = file[key]
    except Exception as error:      # whatever zip and NumPy make of damaged bytes
        if key is not None and "allow_pickle" in str(error):
            raise ValueError(f"{key} must be an array of numbers, not Python objects") from None
        raise ValueError("must be a complete .npz file, not a damaged one") from None
    for key, value in arrays.items():
        if not isinstance(value, np.ndarray):
            raise ValueError(f"{key} must be an array of numbers, not other data")
    return arrays
