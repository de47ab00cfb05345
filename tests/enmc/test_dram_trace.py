"""Traces of DRAM commands: written and read back, checked, measured, refused; the command line."""

import csv
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from golden.common.cli import UsageError, run_main
from golden.enmc.config import PRESETS
from sim.enmc.ddr4_rules import Ddr4Rules, DramCommand
from sim.enmc.dram_trace import COLUMNS, Statistics, TraceWriter, check_trace, main, read_trace
from tests.enmc.ddr4_planner import Planner
from tests.enmc.launch import TINY

HEADER = ",".join(COLUMNS)


def planned(cfg, seed, count=400):
    """Random legal commands."""
    planner = Planner(cfg, random.Random(seed))
    for _ in range(count):
        choice = planner.choose()
        command = planner.command(planner.earliest(*choice), *choice)
        planner.issue(command)
        yield command


def write(path, ranks):
    """A trace of several ranks, {rank: commands}, interleaved by clock."""
    with open(path, "w", newline="") as file:
        writer = TraceWriter(file)
        sinks = {rank: writer.rank(rank) for rank in ranks}
        for rank, command in sorted(((r, c) for r, commands in ranks.items() for c in commands), key=lambda x: x[1].ck):
            sinks[rank].append(command)
    return path


def text(path, *lines, header=HEADER):
    path.write_text("\n".join([header, *lines, ""]))
    return path


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "trace.csv"


def run(*argv):
    return run_main(main, [str(a) for a in argv])


def test_round_trip(trace):
    commands = {rank: list(planned(TINY, rank)) for rank in range(3)}
    write(trace, commands)
    read = list(read_trace(trace, 3))
    for rank in range(3):
        assert [command for r, command in read if r == rank] == commands[rank]
    with open(trace, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["ck", "command", "rank", "bank_group", "bank", "row", "column"]
    assert {row["command"] for row in rows} >= {"ACT", "RD", "WR", "PRE", "PREA", "REF"}


def test_text_of_a_trace(trace):
    commands = [DramCommand(3, "ACT", 1, 2, 7), DramCommand(9, "RD", 1, 2, 7, 16), DramCommand(40, "PRE", 1, 2),
                DramCommand(41, "PREA"), DramCommand(50, "REF")]
    write(trace, {0: commands})
    assert trace.read_text() == (f"{HEADER}\n3,ACT,0,1,2,7,\n9,RD,0,1,2,7,16\n40,PRE,0,1,2,,\n41,PREA,0,,,,\n"
                                 "50,REF,0,,,,\n")


def test_columns_may_lack_the_row(trace):
    text(trace, "0,ACT,0,0,0,5,", "30,RD,0,0,0,,8")
    assert [c for _, c in read_trace(trace)] == [DramCommand(0, "ACT", 0, 0, 5), DramCommand(30, "RD", 0, 0, None, 8)]
    assert run(trace, "--preset", "tiny") == 0


def test_each_rank_by_itself(trace):
    """A violation is found in its rank; the same clocks in another rank are no matter."""
    cfg = TINY.replace(ranks=2)
    commands = {rank: list(planned(cfg, rank)) for rank in range(2)}
    write(trace, commands)
    assert [entry.rules.total for entry in check_trace(trace, cfg).values()] == [0, 0]
    k = next(k for k, c in enumerate(commands[1]) if c.command == "ACT" and k > 100)
    wrong = commands[1][:k] + [commands[1][k]._replace(ck=commands[1][k - 1].ck)] + commands[1][k + 1:]
    write(trace, {0: commands[0], 1: wrong})
    checked = check_trace(trace, cfg)
    assert checked[0].rules.total == 0
    assert "one command" in {v.rule for v in checked[1].rules.violations}


def test_refreshes_are_missed_until_the_end_of_the_file(trace):
    """A rank that falls silent is late as well."""
    text(trace, "0,PREA,0,,,,", *(f"{k * TINY.trefi},REF,1,,,," for k in range(1, 20)))
    checked = check_trace(trace, TINY.replace(ranks=2))
    assert [v.rule for v in checked[0].rules.violations] == ["tREFI"]
    assert checked[1].rules.total == 0


@pytest.mark.parametrize(("line", "error"), [
    ("x,ACT,0,0,0,5,", "ck must be a non-negative integer, not 'x'"),
    ("-1,ACT,0,0,0,5,", "ck must be a non-negative integer, not '-1'"),
    (",ACT,0,0,0,5,", "ck must be a non-negative integer, not ''"),
    ("1.5,ACT,0,0,0,5,", "ck must be a non-negative integer, not '1.5'"),
    ("9,READ,0,0,0,5,", "command must be one of ACT, RD, RDA, WR, WRA, PRE, PREA, REF, not 'READ'"),
    ("9,act,0,0,0,5,", "command must be one of ACT, RD, RDA, WR, WRA, PRE, PREA, REF, not 'act'"),
    ("9,ACT,8,0,0,5,", "rank must be an integer in 0..7, not '8'"),
    ("9,ACT,0,4,0,5,", "bank_group must be an integer in 0..3, not '4'"),
    ("9,ACT,0,0,,5,", "bank must be an integer in 0..3, not ''"),
    ("9,ACT,0,0,0,,", "row must be a non-negative integer, not ''"),
    ("9,ACT,0,0,0,5,8", "column must be empty for ACT, not '8'"),
    ("9,RD,0,0,0,5,", "column must be a non-negative integer, not ''"),
    ("9,WR,0,0,0,a,8", "row must be a non-negative integer, not 'a'"),
    ("9,PRE,0,0,0,5,", "row must be empty for PRE, not '5'"),
    ("9,PREA,0,0,,,", "bank_group must be empty for PREA, not '0'"),
    ("9,REF,0,,,,", "ck must be at least 10, as before in rank 0, not 9"),
    ("19,REF,0,,,", "a line must have 7 fields, not 6"),
    ("", "a line must have 7 fields, not 0"),
])
def test_malformed_line(trace, capsys, line, error):
    """One line that names file, line, value and rule; exit code 2."""
    text(trace, "10,REF,0,,,,", line)
    assert run(trace) == 2
    assert capsys.readouterr().err == f"error: {trace}:3: {error}\n"


def test_malformed_file(trace, tmp_path, capsys):
    text(trace, header="ck,command")
    assert run(trace) == 2
    assert capsys.readouterr().err == f"error: {trace}:1: header must be {HEADER}, not 'ck,command'\n"
    trace.write_text("")
    assert run(trace) == 2
    assert capsys.readouterr().err == f"error: {trace}:1: header must be {HEADER}, not ''\n"
    text(trace)
    assert run(trace) == 2
    assert capsys.readouterr().err == f"error: {trace}:1: a trace must have at least one command, not none\n"
    trace.write_bytes(b"\xff\xfe\0")
    assert run(trace) == 2
    assert capsys.readouterr().err == f"error: {trace}: must be text, not other bytes\n"
    assert run(tmp_path / "none.csv") == 2
    assert capsys.readouterr().err.endswith("none.csv: must be a readable file, not No such file or directory\n")


def test_rank_that_the_dimm_does_not_have(trace):
    text(trace, "10,REF,1,,,,")
    with pytest.raises(UsageError, match=rf"^{re.escape(str(trace))}:2: rank must be an integer in 0\.\.0, not '1'$"):
        check_trace(trace, TINY)


def seamless(cfg, count, start=0):
    """``count`` reads of consecutive bursts, refreshed once in the middle, with rows of two banks open."""
    t, half = start, count // 2
    for _ in range(2):
        yield DramCommand(t, "ACT", 0, 0, 1)
        yield DramCommand(t + cfg.trrd_s, "ACT", 1, 0, 1)
        t += cfg.trrd_s + cfg.trcd
        for k in range(half):
            yield DramCommand(t + 4 * k, "RD", k % 2, 0, 1, k // 2 * 8 % 2**cfg.column_bits)
        t += 4 * (half - 1) + max(cfg.trtp, cfg.tras)
        yield DramCommand(t, "PREA")
        t += cfg.trp
        yield DramCommand(t, "REF")
        t += cfg.trfc


def test_statistics():
    cfg = PRESETS["rank"]
    statistics, rules = Statistics(cfg), Ddr4Rules(cfg)
    for command in seamless(cfg, 200):
        statistics.add(command)
        rules.command(*command)
    assert not rules.violations
    gap = 39 + 16 + 420 + 4 + 16
    assert statistics.clocks == 2 * 99 * 4 + gap + 4
    assert (statistics.bursts, statistics.hits, statistics.refreshes) == (200, 196, 1)
    assert statistics.counts == {"ACT": 4, "RD": 200, "PREA": 2, "REF": 2}
    assert statistics.bandwidth == 800 / statistics.clocks
    assert statistics.bandwidth_less_refresh == 800 / (statistics.clocks - 420)
    assert statistics.gigabytes_per_second == pytest.approx(19.2 * statistics.bandwidth)
    assert statistics.row_hits == 0.98


def test_statistics_of_random_commands():
    """Counted once more, from the list."""
    commands, statistics = list(planned(TINY, 5, 2000)), Statistics(TINY)
    for command in commands:
        statistics.add(command)
    columns = [k for k, c in enumerate(commands) if c.column is not None]
    inner = commands[columns[0]:columns[-1]]
    data = [(c.ck + (TINY.cl if c.command.startswith("RD") else TINY.cwl)) for c in commands if c.column is not None]
    assert statistics.refreshes == sum(c.command == "REF" for c in inner) > 10
    assert statistics.clocks == max(data) + 4 - min(data)
    assert statistics.bursts == len(columns) == sum(statistics.counts[name] for name in ("RD", "RDA", "WR", "WRA"))
    first_uses, used = 0, set()
    for command in commands:
        place = command.bank_group, command.bank
        if command.command == "ACT":
            used -= {place}
        elif command.column is not None:
            first_uses += place not in used
            used |= {place}
    assert statistics.hits == len(columns) - first_uses


def test_full_bandwidth():
    """Without a pause the pins are busy all the time; reads and writes are measured where their data are."""
    statistics = Statistics(TINY)
    for command in list(seamless(TINY, 40))[:22]:
        statistics.add(command)
    assert statistics.bandwidth == statistics.bandwidth_less_refresh == 1
    statistics = Statistics(TINY)
    statistics.add(DramCommand(0, "RD", 0, 0, 0, 0))
    statistics.add(DramCommand(10, "WR", 1, 0, 0, 0))
    assert statistics.clocks == 10 + TINY.cwl + 4 - TINY.cl


def test_no_bursts():
    statistics = Statistics(TINY)
    statistics.add(DramCommand(0, "REF"))
    assert statistics.bandwidth == statistics.bandwidth_less_refresh == statistics.row_hits == statistics.clocks == 0


def test_command_line(trace, capsys, tmp_path):
    write(trace, {0: seamless(TINY, 64)})
    assert run(trace, "--preset", "tiny", "--json", tmp_path / "out.json") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["rank", "ACT", "RD", "WR", "PRE", "REF", "row", "hits", "clocks", "data", "pins", "less",
                              "tRFC", "GB/s", "violations"]
    clocks = 2 * 31 * 4 + 13 + 5 + 40 + 4 + 6 + 4
    assert out[1].split() == ["0", "4", "64", "0", "2", "2", "93.8%", str(clocks), f"{256 / clocks:.1%}",
                              f"{256 / (clocks - 40):.1%}", f"{256 / clocks * 4.8:.2f}", "0"]
    assert out[2:] == ["violations: 0"]
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["violations"] == 0
    assert figures["ranks"]["0"]["bandwidth"] == 256 / clocks


def test_command_line_finds_violations(trace, capsys, tmp_path):
    """A shorter parameter than that of the run; --set changes one."""
    write(trace, {0: seamless(TINY, 64)})
    assert run(trace, "--preset", "tiny", "--set", "trfc=41", "--json", tmp_path / "out.json") == 1
    out = capsys.readouterr().out.splitlines()
    ref = 4 + 6 + 31 * 4 + 13 + 5
    line = (f"rank 0, ck {ref + 40}: tRFC: ACT of bank 0 of group 0 must come at least 41 clocks after REF of the rank "
            f"at {ref}, not 40")
    assert out[2:] == [line, "violations: 1"]
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["violations"] == 1
    assert figures["ranks"]["0"]["first_violations"][0]["rule"] == "tRFC"
    assert run(trace, "--preset", "tiny", "--set", "tccd_s=5") == 1
    assert "more violations" in capsys.readouterr().out


def test_between(trace, capsys):
    """Statistics of a part of the run: here the reads before the refresh."""
    write(trace, {0: seamless(TINY, 64)})
    assert run(trace, "--preset", "tiny", "--between", 0, 140) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1:9] == ["2", "32", "0", "0", "0", "93.8%", "128", "100.0%"]
    for wrong in ((5, 5), (-1, 5)):
        assert run(trace, "--between", *wrong) == 2
        assert capsys.readouterr().err == f"error: --between must be two rising clocks, not {wrong[0]} {wrong[1]}\n"


@pytest.mark.parametrize(("arguments", "error"), [
    (["--set", "trcd=1"], "trcd must be an integer in 2..63, not 1"),
    (["--preset", "huge"], "argument --preset: invalid choice: 'huge'"),
    ([], "the following arguments are required: FILE.csv"),
])
def test_wrong_arguments(trace, capsys, arguments, error):
    text(trace, "0,PREA,0,,,,")
    assert run(*([trace] if arguments else []), *arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: {error}")


def test_module_is_a_program(trace):
    text(trace, "0,REF,0,,,,", "419,REF,0,,,,")
    done = subprocess.run([sys.executable, "-m", "sim.enmc.dram_trace", str(trace)], capture_output=True, text=True,
                          cwd=Path(__file__).resolve().parents[2], check=False)
    assert done.returncode == 1 and not done.stderr
    assert "rank 0, ck 419: tRFC: REF must come at least 420 clocks after REF of the rank at 0, not 419" in done.stdout
