"""Traces of DRAM commands as CSV files: write, read, check and measure them.

``python -m sim.enmc.dram_trace FILE.csv [--preset P] [--set k=v]`` checks a trace against every rule of
``sim.enmc.ddr4_rules`` and prints violations and statistics. Exit code 0: legal, 1: rules are broken, 2: not a trace.

A file has the header ``ck,command,rank,bank_group,bank,row,column`` and a line for each command, in the order of the
clocks of its rank; ``ck`` counts clocks of the DRAM from 0, where all banks are idle and the counting of refreshes
begins. What does not apply is empty:

=========== ========== ======== ============================== ===========================
command     bank_group bank     row                            column
=========== ========== ======== ============================== ===========================
ACT         0..3       0..3     the row
RD, WR      0..3       0..3     the open row; may be empty     of the first beat
PRE         0..3       0..3
PREA, REF
=========== ========== ======== ============================== ===========================

RDA and WRA are RD and WR with auto-precharge: ENMC does not send them, but a host may.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from golden.common.cli import Parser, UsageError, add_config_arguments, config_from, run_main, write_json
from golden.enmc.config import DEFAULT_PRESET, PRESETS, EnmcConfig
from golden.enmc.formats import BURST_CLOCKS
from sim.enmc.ddr4_rules import Ddr4Rules, DramCommand

__all__ = ["COLUMNS", "RankTrace", "Statistics", "TraceWriter", "check_trace", "main", "read_trace"]

COLUMNS = ("ck", "command", "rank", "bank_group", "bank", "row", "column")
_BANK = ("bank_group", "bank")
#: Fields that a command has, and those that it may have.
FIELDS = {"ACT": (*_BANK, "row"), **dict.fromkeys(("RD", "RDA", "WR", "WRA"), (*_BANK, "column")), "PRE": _BANK,
          "PREA": (), "REF": ()}
OPTIONAL = dict.fromkeys(("RD", "RDA", "WR", "WRA"), "row")
#: Clock of the DRAM [Thesis table 6.3].
CLOCK_GHZ = 1.2
#: Violations that are printed.
SHOWN = 20


class TraceWriter:
    """Writes a trace while a run goes on: ``Ddr4Device(cfg, trace=writer.rank(0))``.

    Parameters
    ----------
    file : text file
        Open for writing, with ``newline=""``.
    """

    def __init__(self, file):
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def rank(self, rank: int):
        """An object whose ``append`` writes a command of this rank."""
        return _RankWriter(self._writer, rank)


class _RankWriter:
    def __init__(self, writer, rank):
        self._writer, self._rank = writer, rank

    def append(self, command: DramCommand):
        ck, name, *place = command
        self._writer.writerow((ck, name, self._rank, *place))


def read_trace(path, ranks: int = 8) -> Iterator[tuple[int, DramCommand]]:
    """(rank, command) of each line.

    Raises
    ------
    UsageError
        If the file cannot be read or is malformed: one line with file, line, value and rule.
    """
    rows = None
    try:
        with open(path, newline="", encoding="ascii") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            if tuple(header) != COLUMNS:
                raise ValueError(f"header must be {','.join(COLUMNS)}, not {','.join(header)!r}")
            last = {}
            for row in rows:
                rank, command = _parse(row, ranks)
                if command.ck < last.get(rank, 0):
                    raise ValueError(f"ck must be at least {last[rank]}, as before in rank {rank}, not {command.ck}")
                last[rank] = command.ck
                yield rank, command
            if not last:
                raise ValueError("a trace must have at least one command, not none")
    except OSError as error:
        raise UsageError(f"{path}: must be a readable file, not {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: must be text, not other bytes") from None
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path}:{max(rows.line_num, 1)}: {error}") from None


def _parse(row, ranks):
    if len(row) != len(COLUMNS):
        raise ValueError(f"a line must have {len(COLUMNS)} fields, not {len(row)}")
    text = dict(zip(COLUMNS, row, strict=True))
    name = text["command"]
    if name not in FIELDS:
        raise ValueError(f"command must be one of {', '.join(FIELDS)}, not {name!r}")
    values = {}
    for key in COLUMNS[3:]:
        if key in FIELDS[name] or (text[key] and OPTIONAL.get(name) == key):
            values[key] = _integer(key, text[key], 4 if key in _BANK else None)
        elif text[key]:
            raise ValueError(f"{key} must be empty for {name}, not {text[key]!r}")
    return _integer("rank", text["rank"], ranks), DramCommand(_integer("ck", text["ck"]), name, **values)


def _integer(key, text, end=None):
    """A number without sign below ``end``."""
    if not text.isdecimal() or (end is not None and int(text) >= end):
        rule = "a non-negative integer" if end is None else f"an integer in 0..{end - 1}"
        raise ValueError(f"{key} must be {rule}, not {text!r}")
    return int(text)


@dataclass
class Statistics:
    """What the commands of a rank did with its data pins.

    Attributes
    ----------
    counts : Counter
        Commands by name.
    hits : int
        Reads and writes of a row that an earlier one already used since it was opened.
    begin, end : int or None
        First clock of the data of the first burst, and the clock after those of the last.
    refreshes : int
        REF between the first and the last column command.
    """

    cfg: EnmcConfig
    counts: Counter = field(default_factory=Counter)
    hits: int = 0
    begin: int | None = None
    end: int | None = None
    refreshes: int = 0
    _used: set = field(default_factory=set)
    _refreshes: int = 0

    def add(self, command: DramCommand):
        """Count the next command."""
        self.counts[command.command] += 1
        place = command.bank_group, command.bank
        if command.command == "ACT":
            self._used.discard(place)
        elif command.column is not None:
            first = command.ck + (self.cfg.cl if command.command[0] == "R" else self.cfg.cwl)
            self.begin = first if self.begin is None else min(self.begin, first)
            self.end = max(self.end or 0, first + BURST_CLOCKS)
            self.hits += place in self._used
            self._used.add(place)
            self.refreshes = self._refreshes
        elif command.command == "REF" and self.begin is not None:
            self._refreshes += 1

    @property
    def bursts(self) -> int:
        """Bursts read and written."""
        return sum(self.counts[name] for name in OPTIONAL)

    @property
    def clocks(self) -> int:
        """Clocks from the first data to the last."""
        return 0 if self.begin is None else self.end - self.begin

    @property
    def bandwidth(self) -> float:
        """Share of those clocks in which the pins carried data."""
        return self.bursts * BURST_CLOCKS / self.clocks if self.bursts else 0.0

    @property
    def bandwidth_less_refresh(self) -> float:
        """The same of the clocks that tRFC leaves."""
        left = self.clocks - self.refreshes * self.cfg.trfc
        return self.bursts * BURST_CLOCKS / left if self.bursts and left > 0 else 0.0

    @property
    def gigabytes_per_second(self) -> float:
        """Data rate at a clock of 1,200 MHz [GB/s]."""
        return self.bandwidth * CLOCK_GHZ * 2 * self.cfg.dq / 8

    @property
    def row_hits(self) -> float:
        """Share of the reads and writes that are hits."""
        return self.hits / self.bursts if self.bursts else 0.0

    def to_dict(self) -> dict:
        """Figures for JSON."""
        return {"commands": dict(sorted(self.counts.items())), "bursts": self.bursts, "clocks": self.clocks,
                "refreshes": self.refreshes, "row_hits": self.row_hits, "bandwidth": self.bandwidth,
                "bandwidth_less_refresh": self.bandwidth_less_refresh,
                "gigabytes_per_second": self.gigabytes_per_second}


class RankTrace:
    """Rules and statistics of one rank of a trace."""

    def __init__(self, cfg: EnmcConfig):
        self.rules, self.statistics = Ddr4Rules(cfg), Statistics(cfg)

    def to_dict(self) -> dict:
        """Figures for JSON."""
        return {**self.statistics.to_dict(), "violations": self.rules.total,
                "first_violations": [v._asdict() for v in self.rules.violations[:SHOWN]]}


def check_trace(path, cfg: EnmcConfig, between: tuple[int, int] | None = None) -> dict[int, RankTrace]:
    """Check a file; by rank, in order.

    Parameters
    ----------
    path : path
    cfg : EnmcConfig
    between : pair of int, optional
        Statistics only of the commands from the first clock to before the second; the rules hold always.

    Raises
    ------
    UsageError
        If the file is malformed.
    """
    ranks, last = {}, 0
    for rank, command in read_trace(path, cfg.ranks):
        entry = ranks.get(rank) or ranks.setdefault(rank, RankTrace(cfg))
        entry.rules.command(*command)
        if between is None or between[0] <= command.ck < between[1]:
            entry.statistics.add(command)
        last = max(last, command.ck)
    for entry in ranks.values():
        entry.rules.finish(last)
    return dict(sorted(ranks.items()))


def print_report(ranks: dict[int, RankTrace]):
    """A line for each rank, then the first violations."""
    names = ("ACT", "RD", "WR", "PRE", "REF")
    print(f"{'rank':>4}" + "".join(f"{name:>9}" for name in names)
          + f"{'row hits':>10}{'clocks':>11}{'data pins':>11}{'less tRFC':>11}{'GB/s':>7}{'violations':>12}")
    for rank, entry in ranks.items():
        s, c = entry.statistics, entry.statistics.counts
        counts = (c["ACT"], c["RD"] + c["RDA"], c["WR"] + c["WRA"], c["PRE"] + c["PREA"], c["REF"])
        print(f"{rank:>4}" + "".join(f"{n:>9,}" for n in counts)
              + f"{s.row_hits:>10.1%}{s.clocks:>11,}{s.bandwidth:>11.1%}{s.bandwidth_less_refresh:>11.1%}"
              + f"{s.gigabytes_per_second:>7.2f}{entry.rules.total:>12,}")
    for rank, entry in ranks.items():
        for v in entry.rules.violations[:SHOWN]:
            print(f"rank {rank}, ck {v.ck}: {v.rule}: {v.text}")
        if entry.rules.total > SHOWN:
            print(f"rank {rank}: {entry.rules.total - SHOWN:,} more violations")


def main(argv) -> int:
    """The command line; the exit code.

    Raises
    ------
    UsageError
    """
    parser = Parser(prog="python -m sim.enmc.dram_trace",
                    description="Check a trace of DRAM commands against the rules of DDR4.")
    parser.add_argument("trace", metavar="FILE.csv", type=Path)
    add_config_arguments(parser, PRESETS, DEFAULT_PRESET)
    parser.add_argument("--between", type=int, nargs=2, metavar=("FROM", "TO"),
                        help="statistics only of the commands of these clocks, TO excluded")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    args = parser.parse_args(argv)
    if args.between is not None and not 0 <= args.between[0] < args.between[1]:
        raise UsageError(f"--between must be two rising clocks, not {args.between[0]} {args.between[1]}")
    ranks = check_trace(args.trace, config_from(args, PRESETS), args.between)
    print_report(ranks)
    violations = sum(entry.rules.total for entry in ranks.values())
    print(f"violations: {violations:,}")
    if args.json is not None:
        write_json(args.json, {"violations": violations,
                               "ranks": {str(rank): entry.to_dict() for rank, entry in ranks.items()}})
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(run_main(main))
