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
    """Those that a module imports, and they; no others."""
    from golden.common import jit

    golden = tmp_path / "golden"
    texts = {
        "common/fixed.py": "x = 1\n", "one/unit.py": "from golden.common.fixed import x\nfrom . import part as p\n",
        "one/part.py": "from .config import (\n    A,\n    B,\n)\n", "one/config.py": "A = B = 1\n",
        "one/cli.py": "from .unit import p\n", "other/unit.py": "    from golden.one import config, cli\n",
        "other/alone.py": ""}
    for name, text in texts.items():
        (golden / name).parent.mkdir(parents=True, exist_ok=True)
        (golden / name).write_text(text)
    monkeypatch.setattr(jit, "_GOLDEN", golden)

    def folders():
        jit._cache_folder.cache_clear()
        jit._imported.cache_clear()
        modules = ("golden.common.fixed", "golden.one.unit", "golden.one.part", "golden.other.unit", "elsewhere")
        return {module: jit._cache_folder(module) for module in modules}

    first = folders()
    assert len(set(first.values())) == len(first)
    assert all(path.parent == tmp_path / "build" / "numba" for path in first.values())
    # Those that a change of a source touches: what calls it, directly or not.
    for name, touched in {"common/fixed.py": (1, 1, 0, 1, 1), "one/config.py": (0, 1, 1, 1, 1),
                          "one/unit.py": (0, 1, 0, 1, 1), "one/cli.py": (0, 0, 0, 1, 1),
                          "other/unit.py": (0, 0, 0, 1, 1), "other/alone.py": (0, 0, 0, 0, 1)}.items():
        (golden / name).write_text(texts[name] + "y = 2\n")
        assert [path != first[module] for module, path in folders().items()] == list(map(bool, touched)), name
        (golden / name).write_text(texts[name])
    assert folders() == first
    jit._cache_folder.cache_clear()
    jit._imported.cache_clear()
