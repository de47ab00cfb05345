"""A job for a bench and what comes of it, carried to the simulator and back."""

import os
import pickle
import tempfile
from pathlib import Path

__all__ = ["answer", "carry_out", "lockstep", "take"]

#: Environment variable with the file of the job; the answer lies beside it.
FILE_VARIABLE = "ELISION_JOB"
ANSWER = "answer.pickle"


def take():
    """Bench side: the job."""
    return pickle.loads(Path(os.environ[FILE_VARIABLE]).read_bytes())


def answer(result) -> None:
    """Bench side: what came of it."""
    Path(os.environ[FILE_VARIABLE]).with_name(ANSWER).write_bytes(pickle.dumps(result))


def carry_out(built, job, *, env=None, **options):
    """Starter's side: run a bench on a job.

    Parameters
    ----------
    built : Build
    job : object
        What :func:`take` gives the bench.
    env, options
        Of :func:`sim.common.runner.run`.

    Returns
    -------
    (object, Results)
        What the bench gave to :func:`answer`, and what the run left.

    Raises
    ------
    BenchFailure
        From the run.
    """
    from sim.common import runner  # only the starter needs it
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.pickle"
        file.write_bytes(pickle.dumps(job))
        ran = runner.run(built, env={FILE_VARIABLE: str(file), **(env or {})}, **options)
        return pickle.loads(file.with_name(ANSWER).read_bytes()), ran


def lockstep(kind: type, built, job: dict, *, seed=1, golden_waves=None, **options):
    """Starter's side: a run of a whole accelerator in which RTL and golden model agreed in every cycle.

    Parameters
    ----------
    kind : type
        A :class:`sim.common.runner.Lockstep`. The bench answers with its fields, but for ``start_seconds``, ``waves``
        and ``seen``.
    built : Build
    job : dict
        The bench finds ``golden_waves`` in it besides.
    golden_waves : Path
        Where the golden model's waveform goes, a VCD file with the same cycles.
    options
        ``test_module``, and what else :func:`sim.common.runner.run` takes: ``waves_file`` for the RTL's waveform, if
        ``built`` traces, ``coverage_file`` for code coverage, if it counts that, ``on_progress``, ``repeat``.

    Raises
    ------
    BenchFailure
        If RTL and golden model differ anywhere.
    """
    job = job | {"golden_waves": golden_waves and Path(golden_waves).resolve()}
    result, ran = carry_out(built, job, seed=seed, **options)
    return kind(**result, start_seconds=ran.wall_seconds - result["wall_seconds"], waves=ran.waves, seen=ran.seen)
