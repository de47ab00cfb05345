"""Compiled models: state in NamedTuples of arrays, machine code kept between processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODEL = """\
from typing import NamedTuple
import numpy as np
from golden.common.jit import jit

class State(NamedTuple):
    level: np.ndarray  # int64 [lanes]
    total: np.ndarray  # int64 [1]

@jit
def step(state, taken):
    for lane in range(state.level.shape[0]):
        state.level[lane] += 1 - taken[lane]
        state.total[0] += state.level[lane]
"""

PROGRAM = """\
import json
import numpy as np
from golden.common import jit
from model import State, step

state = State(np.zeros(4, np.int64), np.zeros(1, np.int64))
for _ in range(3):
    step(state, np.array([0, 1, 0, 1]))
stats = getattr(step, "stats", None)
print(json.dumps({"level": state.level.tolist(), "total": int(state.total[0]), "enabled": jit.ENABLED,
                  "loaded": sum(stats.cache_hits.values()) if stats else None,
                  "compiled": sum(stats.cache_misses.values()) if stats else None}))
"""


def run(folder, **environment):
    """Run the program in a process of its own; what it prints."""
    script, model = folder / "program.py", folder / "model.py"
    for path, text in ((script, PROGRAM), (model, MODEL)):
        if not path.exists():  # Numba's cache looks at the time of the file
            path.write_text(text)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_second_process_loads_what_the_first_compiled(tmp_path):
    first, second = run(tmp_path), run(tmp_path)
    assert (first["loaded"], first["compiled"]) == (0, 1)
    assert (second["loaded"], second["compiled"]) == (1, 0)
    assert first["level"] == second["level"] == [3, 0, 3, 0]
    assert first["total"] == second["total"] == 12


@pytest.mark.parametrize("environment", [{"NUMBA_DISABLE_JIT": "1"}, {}], ids=["disabled", "absent"])
def test_runs_as_plain_python(tmp_path, environment):
    if not environment:
        (tmp_path / "numba.py").write_text("raise ImportError\n")
    result = run(tmp_path, **environment)
    assert result == {"level": [3, 0, 3, 0], "total": 12, "enabled": False, "loaded": None, "compiled": None}


def test_cache_folder_follows_the_sources(tmp_path, monkeypatch):
    """Those of the package and of ``common``; those of another accelerator do not matter."""
    from golden.common import jit

    def folder(package):
        jit._cache_folder.cache_clear()
        return jit._cache_folder(package)

    monkeypatch.setattr(jit, "_GOLDEN", tmp_path / "golden")
    sources = {name: tmp_path / "golden" / name / "a.py" for name in ("common", "one", "other")}
    for source in sources.values():
        source.parent.mkdir(parents=True)
        source.write_text("x = 1\n")
    first = {package: folder(package) for package in ("one", "common", "", "elsewhere")}
    assert all(path.parent == tmp_path / "build" / "numba" for path in first.values())
    sources["other"].write_text("x = 2\n")
    assert [folder(package) == path for package, path in first.items()] == [True, True, False, False]
    sources["one"].write_text("x = 2\n")
    assert [folder(package) == path for package, path in first.items()] == [False, True, False, False]
    sources["common"].write_text("x = 2\n")
    assert folder("common") != first["common"]
    jit._cache_folder.cache_clear()
