"""Running cocotb benches on cached Verilator builds.

``WAVES=1``, ``SEED=n`` and ``VERBOSE=1`` in the environment work on everything that runs here.
"""

import contextlib
import dataclasses
import fcntl
import json
import logging
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from cocotb_tools.runner import get_runner

from golden.common.config import to_json
from sim.common import coverage, progress, savefile, waves
from sim.common.build import BUILD, ROOT, Build, BuildError, build
from sim.common.wavefile import WaveError

#: Whose assertions show their operands. cocotb would rewrite every library: seconds where bytecode is not kept.
REWRITTEN = "tests/*.py sim/*.py"

__all__ = ["BUILD", "ROOT", "BenchFailure", "Build", "BuildError", "CountedLockstep", "Lockstep", "Results", "build",
           "run", "run_unit"]


class BenchFailure(Exception):
    """A bench failed. The text starts with the first real message; the log's path follows."""


@dataclass(frozen=True)
class Results:
    """What a passing run leaves.

    Attributes
    ----------
    passed : tuple of str
        Names of the tests.
    folder : Path
        Working folder of the simulation; files that the bench wrote are here.
    log : Path
        Console output of the simulation.
    waves : Path or None
        The waveform file.
    coverage : Path or None
        Counts of lines, branches and toggles, see :mod:`sim.common.coverage_data`.
    seen : dict of str to set of str
        Coverage events by unit, see :mod:`sim.common.coverage`.
    wall_seconds : float
        Time of the simulation, start-up included.
    """

    passed: tuple[str, ...]
    folder: Path
    log: Path
    waves: Path | None
    coverage: Path | None
    seen: dict[str, set[str]]
    wall_seconds: float


@dataclass(frozen=True, kw_only=True)
class Lockstep:
    """A run of a whole accelerator in which RTL and golden model agreed in every cycle.

    Attributes
    ----------
    runs : list
        What was computed, as read back from the RTL; the accelerator says what the items are.
    checked_cycles : int
        Compared cycles, loading and reading back included.
    wall_seconds : float
        Time of the simulation from the first compared cycle on, golden model included.
    start_seconds : float
        Time before it: starting the simulator, importing, loading the compiled model.
    waves : Path or None
    seen : dict of str to set of str
        Coverage events that the golden model raised, by unit.
    """

    runs: list
    checked_cycles: int
    wall_seconds: float
    start_seconds: float
    waves: Path | None
    seen: dict[str, set[str]]

    @property
    def cycles_per_second(self) -> float:
        """Compared cycles a second."""
        return self.checked_cycles / self.wall_seconds


@dataclass(frozen=True, kw_only=True)
class CountedLockstep(Lockstep):
    """With the registers at the end of the run.

    Attributes
    ----------
    counters : dict of str to int
        As read over AXI.
    status : int
    """

    counters: dict
    status: int


def run(built: Build, *, test_module: str, seed: int, env: Mapping[str, str] | None = None,
        testcase: str | Sequence[str] | None = None, waves_file: Path | str | None = None,
        coverage_file: Path | str | None = None, plusargs: Sequence[str] = (), test_dir: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None, repeat: str | None = None) -> Results:
    """Run the cocotb tests of one Python module on a build.

    Parameters
    ----------
    built : Build
    test_module : str
        Importable from the checkout, e.g. ``tests.eie.tb_lnzd``.
    seed : int
        Seed of all tests; ``SEED=n`` in the environment replaces it.
    env : mapping of str to str
        More environment variables for the bench.
    testcase : str or sequence of str
        Run only these tests of the module.
    waves_file : Path or str
        Where the waveform goes, if the build traces; by default into ``test_dir``.
    coverage_file : Path or str
        Where code coverage goes, if the build counts it; by default into ``test_dir``.
    test_dir : Path
        Working folder; by default one of its own below ``build/runs``.
    on_progress : callable of (done, total)
        Called while the bench reports its progress, see :mod:`sim.common.progress`.
    plusargs : sequence of str
        Arguments of the simulated design, such as ``+elision_fill=FOLDER`` of the SRAMs.
    repeat : str
        The command that repeats this run, for failure texts. By default found out.

    Raises
    ------
    BenchFailure
        If a test fails, the hardware asserts, or no test was run.
    """
    __tracebackhide__ = True  # pytest shows the message of a BenchFailure, not our frames
    seed = _seed(seed)
    base = Path(test_dir) if test_dir else BUILD / "runs" / _slug(built.name, test_module, testcase)
    repeat = repeat or _repeat_command(seed)
    with _claimed(base) as folder:
        log, xml = folder / "sim.log", folder / "results.xml"
        trace = _trace_file(built, folder, waves_file)
        counts = _coverage_file(built, folder, coverage_file)
        counting = [f"+verilator+coverage+file+{counts}"] if counts else []
        seen_file, progress_file = folder / "seen.json", folder / "progress"
        for old in (log, xml, seen_file, progress_file):
            old.unlink(missing_ok=True)
        own = {"ELISION_REPEAT": repeat, "COCOTB_REWRITE_ASSERTION_FILES": REWRITTEN,
               coverage.FILE_VARIABLE: str(seen_file), progress.FILE_VARIABLE: str(progress_file)}
        started = time.monotonic()
        with progress.watched(progress_file, on_progress):
            _simulate(built, test_module, seed, testcase, folder, log, xml,
                      arguments=waves.run_arguments(trace) if trace else [], plusargs=[*counting, *plusargs],
                      env={**own, **(env or {})})
        seconds = time.monotonic() - started
        _show(log, trace)
        passed = _check(xml, log, repeat)
        return Results(passed, folder, log, trace, counts, coverage.load(seen_file), seconds)


def run_unit(component, *, name: str, cfg=None, test_module: str, seed: int = 1,
             env: Mapping[str, str] | None = None, testcase: str | Sequence[str] | None = None,
             control: str = "", waves_file: Path | str | None = None) -> Results:
    """Emit a component, build it, run its bench: the whole of a unit test.

    ``cfg`` is a configuration dataclass, or for a unit without one a dict of whatever the bench
    must know. The bench finds it as JSON in the environment variable ``DUT_CONFIG``. The other
    parameters are those of :func:`build` and :func:`run`.
    """
    __tracebackhide__ = True
    from hdl.common.emit import emit  # only this function needs the generator

    is_config = dataclasses.is_dataclass(cfg)
    design = emit(component, name=name, cfg=cfg if is_config else None)
    kind = waves.format_for(waves_file) if waves_file else None
    built = build(name, dict(design.files), design.top, control=control, waves=kind)
    return run(built, test_module=test_module, seed=seed, testcase=testcase, waves_file=waves_file,
               env={"DUT_CONFIG": to_json(cfg) if is_config else json.dumps(cfg), **(env or {})})


def _seed(default: int) -> int:
    text = os.environ.get("SEED") or str(default)
    if not re.fullmatch(r"\d+", text):
        raise ValueError(f"SEED must be a non-negative integer, not {text!r}")
    return int(text)


def _simulate(built, test_module, seed, testcase, folder, log, xml, *, arguments, plusargs, env):
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # cocotb hands sys.path on to the simulator
    runner = get_runner("verilator")
    runner.log.setLevel(logging.CRITICAL)
    # Failures are read from the result file and the log: the runner's own exceptions differ between
    # pytest and a plain program and say nothing but an exit code.
    with _hidden_environment(env), contextlib.suppress(RuntimeError, SystemExit):
        runner.test(test_module=test_module, hdl_toplevel=built.top, hdl_toplevel_lang="verilog",
                    testcase=testcase, seed=seed, test_args=arguments, plusargs=plusargs, extra_env=env,
                    build_dir=built.folder, test_dir=folder, results_xml=str(xml), log_file=log)


@contextlib.contextmanager
def _hidden_environment(env: Mapping[str, str]):
    """Hide variables that cocotb would prefer to the arguments and to the ``env`` it is given."""
    names = [name for name in os.environ if name in ("WAVES", "GUI", *env) or name.startswith("COCOTB_")]
    hidden = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _check(xml: Path, log: Path, repeat: str) -> tuple[str, ...]:
    """Names of the tests that passed; a :class:`BenchFailure` if anything did not."""
    __tracebackhide__ = True
    console = log.read_text(errors="replace") if log.exists() else ""
    cases = list(ElementTree.parse(xml).iter("testcase")) if xml.exists() else []
    problem = _assertion(console)
    for case in cases:
        for outcome in (*case.findall("failure"), *case.findall("error")):
            text = outcome.get("error_msg") or outcome.get("message") or (outcome.text or "").strip()
            problem = problem or f"{text}\ntest: {case.get('name')}"
    ran = [case for case in cases if case.find("skipped") is None]
    if problem is None and not xml.exists():
        problem = _last_exception(console)
    if problem is None and not ran:
        problem = "no test was run: the module has none, or none of that name"
    if problem:
        tail = "" if repeat in problem else f"\nrepeat: {repeat}"
        raise BenchFailure(f"{problem}{tail}\nlog: {log}")
    return tuple(case.get("name") for case in ran)


def _assertion(console: str) -> str | None:
    """The text of the hardware assertion that stopped the simulation, if one did."""
    # Amaranth prints its own text just before Verilator's line and ends it with no newline.
    found = re.search(r"^(.*)\[\d+\] %(?:Error|Fatal): (.*)$", console, re.MULTILINE)
    return f"hardware assertion: {' - '.join(filter(None, found.groups()))}" if found else None


def _last_exception(console: str) -> str:
    """Why the simulation ended without results: the last exception in the log, or its last lines."""
    found = re.findall(r"^\s*((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit): .*)$", console, re.MULTILINE)
    last_lines = ["the simulation ended without results", *console.splitlines()[-5:]]
    return found[-1] if found else "\n".join(last_lines)


def _trace_file(built: Build, folder: Path, waves_file: Path | str | None) -> Path | None:
    if built.waves is None:
        if waves_file:
            raise ValueError(f"waves_file must be given only for a build with waves, not {str(waves_file)!r}")
        return None
    trace = Path(waves_file).resolve() if waves_file else folder / f"waves.{built.waves}"
    trace.parent.mkdir(parents=True, exist_ok=True)
    trace.unlink(missing_ok=True)
    return trace


def _coverage_file(built: Build, folder: Path, coverage_file: Path | str | None) -> Path | None:
    if not built.coverage:
        if coverage_file:
            raise ValueError(f"coverage_file must be given only for a build with coverage, not {str(coverage_file)!r}")
        return None
    counts = Path(coverage_file).resolve() if coverage_file else folder / "coverage.dat"
    counts.parent.mkdir(parents=True, exist_ok=True)
    counts.unlink(missing_ok=True)
    return counts


def _show(log: Path, trace: Path | None):
    if os.environ.get("VERBOSE") and log.exists():
        print(log.read_text(errors="replace"), file=sys.stderr)
    if trace is not None and trace.exists():
        print(f"waves: {trace}", file=sys.stderr)
        try:
            savefile.write_beside(trace)
        except WaveError as error:  # the waveform itself is there, or the failure that cut it off is told below
            print(f"no save file: {error}", file=sys.stderr)


def _repeat_command(seed: int) -> str:
    """Under pytest ``make test-one ...``, else the program's own command line."""
    if node := _pytest_node():
        return f"make test-one T={shlex.quote(node)} SEED={seed} WAVES=1"
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return shlex.join(["python", "-m", program.parent.name, *sys.argv[1:]])
    return shlex.join(["python", *sys.argv])


def _pytest_node() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]


def _slug(name: str, test_module: str, testcase) -> str:
    node = _pytest_node().split("::")[-1] or "-".join([test_module, *([testcase] if isinstance(testcase, str)
                                                                     else testcase or [])])
    return f"{name}-{re.sub(r'[^A-Za-z0-9_.-]+', '_', node)}"[:120]


@contextlib.contextmanager
def _claimed(base: Path):
    """A folder that no other run uses meanwhile: ``base``, or ``base-2``, ``base-3``, ..."""
    number = 1
    while True:
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            yield folder
            return
