"""Jobs reach the bench and its answers come back; what a lockstep run is told and tells."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from sim.common import job, runner


@dataclass(frozen=True, kw_only=True)
class Lockstep(runner.Lockstep):
    violations: int


@pytest.fixture
def bench(monkeypatch):
    """Stands in for the simulator: ``bench.work(job)`` gives the answer; keeps what it was asked for."""
    asked = SimpleNamespace(work=lambda task: task, folders=[])

    def run(built, *, env, **options):
        asked.built, asked.env, asked.options = built, env, options
        with monkeypatch.context() as inside:
            for name, value in env.items():
                inside.setenv(name, value)
            task = job.take()
            asked.folders.append(Path(os.environ[job.FILE_VARIABLE]).parent)
            if asked.work is not None:
                job.answer(asked.work(task))
        return SimpleNamespace(wall_seconds=5.0, waves="x.vcd", seen={"unit": {"event"}})

    monkeypatch.setattr(runner, "run", run)
    return asked


def test_there_and_back(bench):
    bench.work = lambda task: [task, "done"]
    result, ran = job.carry_out("built", {"a": 1}, test_module="m", seed=4, env={"MORE": "1"}, repeat="again")
    assert result == [{"a": 1}, "done"] and ran.wall_seconds == 5.0
    assert bench.built == "built" and bench.options == {"test_module": "m", "seed": 4, "repeat": "again"}
    assert bench.env["MORE"] == "1" and len(bench.env) == 2


def test_nothing_is_left(bench):
    job.carry_out("built", 1)
    job.carry_out("built", 2)
    assert len(set(bench.folders)) == 2 and not any(folder.exists() for folder in bench.folders)


def test_an_answer_is_never_that_of_another_run(bench):
    job.carry_out("built", 1)
    bench.work = None
    with pytest.raises(FileNotFoundError):
        job.carry_out("built", 2)


def test_failures_are_those_of_the_run(monkeypatch):
    def run(*_, **__):
        raise runner.BenchFailure("differ in cycle 7")

    monkeypatch.setattr(runner, "run", run)
    with pytest.raises(runner.BenchFailure, match="^differ in cycle 7$"):
        job.carry_out("built", 1)


def test_lockstep(bench):
    """The bench's time is not that of starting it."""
    bench.work = lambda task: {"runs": [task["cfg"]], "checked_cycles": 90, "wall_seconds": 3.0, "violations": 2}
    ran = job.lockstep(Lockstep, "built", {"cfg": "tiny"}, test_module="m", waves_file="x.vcd")
    assert ran == Lockstep(runs=["tiny"], checked_cycles=90, wall_seconds=3.0, start_seconds=2.0, waves="x.vcd",
                           seen={"unit": {"event"}}, violations=2)
    assert ran.cycles_per_second == 30
    assert bench.options == {"test_module": "m", "seed": 1, "waves_file": "x.vcd"}


@pytest.mark.parametrize(("given", "found"), [(None, None), ("g.vcd", "g.vcd")])
def test_the_waveform_of_the_model_is_not_in_the_folder_of_the_run(bench, tmp_path, monkeypatch, given, found):
    tasks = []
    answer = {"runs": [], "checked_cycles": 1, "wall_seconds": 1, "violations": 0}
    bench.work = lambda task: tasks.append(task) or answer
    monkeypatch.chdir(tmp_path)
    job.lockstep(Lockstep, "built", {"cfg": "tiny"}, golden_waves=given)
    assert tasks == [{"cfg": "tiny", "golden_waves": found and tmp_path / found}]
