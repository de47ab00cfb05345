"""Command lines: errors of the user are one line and exit code 2; files appear whole or not at all."""

import json
import os

import pytest

from golden.common import cli
from tests.common.test_config import Example

PRESETS = {"tiny": Example(n=1), "paper": Example(n=64)}


def main(argv):
    parser = cli.Parser(prog="example")
    cli.add_config_arguments(parser, PRESETS, "paper")
    parser.add_argument("--json")
    args = parser.parse_args(argv)
    cfg = cli.config_from(args, PRESETS)
    if args.json:
        cli.write_json(args.json, {"n": cfg.n})
    print(cfg.n)


def test_preset_and_settings(capsys):
    assert cli.run_main(main, []) == 0
    assert cli.run_main(main, ["--preset", "tiny", "--set", "n=2", "--set", "n=4"]) == 0
    assert capsys.readouterr().out == "64\n4\n"


@pytest.mark.parametrize(("argv", "words"), [
    (["--set", "n=3"], "n must be a power of two in 1..64, not 3"),
    (["--set", "m=3"], "Example field must be one of"),
    (["--preset", "huge"], "'paper', 'tiny'"),
    (["--nonsense"], "unrecognized arguments: --nonsense"),
    (["--json", "no/such/folder/x.json"], "JSON file must be writable, not 'no/such/folder/x.json'"),
])
def test_user_errors_are_one_line(capsys, argv, words):
    assert cli.run_main(main, argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1
    assert words in err


def test_faults_of_the_program_keep_their_traceback():
    def broken(argv):
        raise ValueError("not the user's")
    with pytest.raises(ValueError, match="^not the user's$"):
        cli.run_main(broken, [])


def test_exit_code_is_passed_on():
    assert cli.run_main(lambda argv: 1, []) == 1


def test_json_is_written_whole(tmp_path):
    target = tmp_path / "a.json"
    cli.write_json(target, {"a": [1]})
    with pytest.raises(TypeError):
        cli.write_json(target, {"a": object()})
    assert json.loads(target.read_text()) == {"a": [1]}
    assert os.listdir(tmp_path) == ["a.json"]
