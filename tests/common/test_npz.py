"""Users' files: whatever is wrong with one is a line that names it."""

import re

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.common.npz import read_file, require


def test_arrays(tmp_path):
    np.savez(tmp_path / "own.npz", a=np.arange(3), b=1.5)
    arrays = read_file(tmp_path / "own.npz", dict)
    assert arrays["a"].tolist() == [0, 1, 2] and arrays["b"] == 1.5 and len(arrays) == 2


@pytest.mark.parametrize(("content", "message"), [
    (None, "must be a readable file, not No such file or directory"),
    (b"", "must be an .npz file, not something else"),
    (b"PK\x03\x04 and no more", "must be a complete .npz file, not a damaged one"),
    ({"a": np.array([None])}, "a must be an array of numbers, not Python objects"),
    ({"b": 1}, "a must be present, not missing"),
    ({"a": 1}, "a must be 2, not 1"),
])
def test_wrong_files(tmp_path, content, message):
    path = tmp_path / "own.npz"
    if isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        path.write_bytes(content)

    def make(arrays):
        require(arrays, ["a"])
        raise ValueError(f"a must be 2, not {arrays['a']}")

    with pytest.raises(UsageError, match=f"^{re.escape(f'{path}: {message}')}$"):
        read_file(path, make)


def test_the_first_key_that_is_missing():
    require({"a": 1, "b": 2}, ("b", "a"))
    require({}, ())
    with pytest.raises(ValueError, match="^c must be present, not missing$"):
        require({"a": 1}, ["a", "c", "d"])


def test_faults_of_the_program_are_no_usage_errors(tmp_path):
    np.savez(tmp_path / "own.npz", a=1)
    with pytest.raises(KeyError):
        read_file(tmp_path / "own.npz", lambda arrays: arrays["b"])
