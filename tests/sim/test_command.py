"""The simulator's command line: options, waveforms, exit codes, what repeats a run."""

import threading
import time
from types import SimpleNamespace

import pytest

from golden.common.cli import UsageError, run_main
from sim.common import command
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError

WORKLOADS = {"one": ("real: one", None, False)}


def add_arguments(parser):
    parser.add_argument("--list-workloads", action="store_true")
    parser.add_argument("--name")


def run(body, *argv):
    return run_main(lambda argv: command.run(command.parser_of("example", add_arguments), argv, WORKLOADS, body),
                    list(map(str, argv)))


@pytest.mark.parametrize(("argv", "kind", "repeat"), [
    ([], None, "python -m sim example"),
    (["--name", "a b"], None, "python -m sim example --name 'a b'"),
    (["--waves", "x.vcd"], "vcd", "python -m sim example --waves x.vcd"),
])
def test_what_the_body_gets(argv, kind, repeat):
    seen = []
    assert run(lambda args, *more: seen.append((args.name, *more)) or 0, *argv) == 0
    assert seen == [("a b" if "--name" in argv else None, kind, repeat)]


def test_without_arguments_those_of_the_program(monkeypatch):
    monkeypatch.setattr("sys.argv", ["sim", "--name", "x"])
    seen = []
    command.run(command.parser_of("example", add_arguments), None, WORKLOADS, lambda *given: seen.append(given))
    assert seen[0][0].name == "x" and seen[0][2] == "python -m sim example --name x"


def test_list(capsys):
    assert run(None, "--list-workloads", "--waves", "nowhere/x.vcd") == 0
    assert capsys.readouterr().out == "one  real: one\n"


def raising(error):
    def body(*_):
        raise error
    return body


@pytest.mark.parametrize(("error", "code", "text"), [
    (BenchFailure("differ in cycle 7\nlog: x"), 1, "differ in cycle 7\nlog: x\n"),
    (BuildError("%Error: x.v:1"), 1, "%Error: x.v:1\n"),
    (ToolchainError("make must be installed"), 2, "error: make must be installed\n"),
    (UsageError("n must be 1, not 2"), 2, "error: n must be 1, not 2\n"),
])
def test_failures(capsys, error, code, text):
    assert run(raising(error)) == code
    assert capsys.readouterr() == ("", text)


def test_faults_of_the_program_keep_their_traceback():
    with pytest.raises(ValueError, match="^ours$"):
        run(raising(ValueError("ours")))
    assert run(lambda *_: 1) == 1


@pytest.mark.parametrize(("argv", "message"), [
    (["--waves", "x.txt"], "waves must be a file ending in .fst or .vcd, not 'x.txt'"),
    (["--waves", "nowhere/x.vcd"], "waveform must be in an existing folder, not 'nowhere/x.vcd'"),
    (["--golden-waves", "x.fst"], "waveform of the golden model must be a file ending in .vcd, not 'x.fst'"),
])
def test_wrong_waves(capsys, argv, message):
    """Before anything is built."""
    assert run(None, *argv) == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")


def test_build_beside():
    """Both at the same time: either waits for the other. What was built is used only when the model is there, too."""
    meeting, done = threading.Barrier(2, timeout=30), []

    def warm_up():
        meeting.wait()
        meeting.wait()
        time.sleep(0.2)
        done.append("model")

    def build():
        meeting.wait()
        meeting.wait()
        return "built"

    assert command.build_beside(warm_up, build) == "built" and done == ["model"]


def test_options_of_a_run():
    args = SimpleNamespace(seed=3, waves="x.vcd", golden_waves=None)
    with command.lockstep_options(args, "again") as options:
        options.pop("on_progress")(1, 2)
        assert options == {"seed": 3, "waves_file": "x.vcd", "golden_waves": None, "repeat": "again"}
