"""Command lines that run a workload: options, checks, the list, the JSON file, exit codes."""

import json

import pytest

from golden.common import command
from golden.common.cli import Parser, UsageError, run_main
from tests.common.test_config import Example

PRESETS = {"tiny": Example(n=1), "paper": Example(n=64)}
WORKLOADS = {"one": ("real: one", None, False)}


def run(*argv, errors=0):
    """A command that takes a number, and finds as many errors as it is told to."""
    def main(argv):
        parser = Parser(prog="example")
        command.add_arguments(parser, PRESETS, "paper", "one")
        parser.add_argument("--heads", type=int)
        return command.run(parser, argv, WORKLOADS, body)

    def body(args):
        cfg = command.checked_config(args, PRESETS, heads=1)
        print(cfg.n, args.workload, args.seed, args.heads)
        return command.finish(args, {"functional_errors": errors})

    return run_main(main, list(map(str, argv)))


def test_options(capsys):
    assert run() == 0
    assert run("--preset", "tiny", "--set", "n=4", "--workload", "x.npz", "--seed", 7, "--heads", 1) == 0
    assert capsys.readouterr().out == "64 one 1 None\n4 x.npz 7 1\n"


def test_list(capsys):
    """Nothing is run, nor even checked."""
    assert run("--list-workloads", "--seed", -1) == 0
    assert capsys.readouterr().out == "one  real: one\n"


@pytest.mark.parametrize(("errors", "code"), [(0, 0), (1, 1), (300, 1)])
def test_figures_and_exit_code(tmp_path, errors, code):
    assert run(errors=errors) == code
    assert run("--json", tmp_path / "out.json", errors=errors) == code
    assert json.loads((tmp_path / "out.json").read_text()) == {"functional_errors": errors}


@pytest.mark.parametrize(("argv", "message"), [
    (["--seed", -1], "seed must be at least 0, not -1"),
    (["--heads", 0], "heads must be at least 1, not 0"),
    (["--set", "n=3"], "n must be a power of two in 1..64, not 3"),
    (["--json", "no/such/x.json"], "JSON file must be in an existing folder, not 'no/such/x.json'"),
])
def test_wrong_options(capsys, argv, message):
    assert run(*argv) == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")


def test_compiled_before_the_run():
    done = []
    with command.compiled(lambda: done.append("compiled")) as progress:
        done += progress.track(["run"])
    assert done == ["compiled", "run"]


def test_usage_errors_pass_through():
    def body(_args):
        raise UsageError("impossible")

    parser = Parser(prog="example")
    command.add_arguments(parser, PRESETS, "paper", "one")
    with pytest.raises(UsageError, match="^impossible$"):
        command.run(parser, [], WORKLOADS, body)
