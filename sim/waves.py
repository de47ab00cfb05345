"""python -m sim.waves list|compare|picture|example: waveforms, VCD or FST, cycle by cycle."""

import argparse
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

import sim
from golden.common.cli import Parser, UsageError, run_main
from sim.common import wavecompare, waveexample, wavefile, wavepicture
from sim.common.runner import BenchFailure, BuildError
from sim.common.toolchain import ToolchainError


def main(argv) -> int:
    """Run a command; 1 if a comparison found a difference."""
    parser = Parser(prog="python -m sim.waves", description="Look at waveforms, sampled once a clock cycle: just "
                    "before the falling edge, where the benches sample. Cycle 0 is the first one after the reset.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    names = commands.add_parser("list", help="signals with their widths and changes")
    names.add_argument("file", type=Path)
    compare = commands.add_parser("compare", help="the first difference of two waveforms, and how much else differs")
    compare.add_argument("a", type=Path, metavar="A")
    compare.add_argument("b", type=Path, metavar="B")
    compare.add_argument("--window", type=_cycle, default=4, metavar="N",
                         help="cycles shown before and after the difference (default: %(default)s)")
    compare.add_argument("--complete", action="store_true",
                         help="a signal of B that A lacks is a difference, too")
    compare.add_argument("--picture", type=Path, metavar="SVG", help="draw the difference, if there is one")
    picture = commands.add_parser("picture", help="draw a window as SVG")
    picture.add_argument("file", type=Path)
    picture.add_argument("--from", type=_cycle, default=0, metavar="C", dest="first", help="first cycle (default: 0)")
    picture.add_argument("--to", type=_cycle, metavar="C", dest="last", help="last cycle (default: 40 in all)")
    picture.add_argument("-o", "--output", type=Path, required=True, metavar="SVG")
    example = commands.add_parser("example", help="a small run of an accelerator: hardware and golden model, "
                                  "compared and drawn")
    example.add_argument("accelerator", choices=_accelerators())
    example.add_argument("-o", "--output", type=Path, metavar="DIR", help="(default: build/waves)")
    example.add_argument("--picture", type=Path, metavar="SVG", help="(default: docs/figures/ACCELERATOR-waves.svg)")
    for command in (names, compare, picture):
        command.add_argument("--clock", metavar="NAME", help="(default: the uppermost signal called clk)")
        command.add_argument("--signals", nargs="+", metavar="GLOB", default=["*"], required=command is picture,
                             help="shell patterns of full names, such as 'eie.ccu.*'")
    args = parser.parse_args(argv)
    try:
        return {"list": _list, "compare": _compare, "picture": _picture, "example": _example}[args.command](args)
    except (wavefile.WaveError, ToolchainError) as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1


def _list(args) -> int:
    wave = wavefile.read(args.file, args.clock)
    names = wave.matching(args.signals)
    width = max(map(len, names))
    print(f"{wave.cycles} cycles of {wave.clock}, {len(names)} signals")
    print(f"{'signal':{width}}  bits  changes")
    for name in names:
        print(f"{name:{width}}  {wave.widths[name]:4d}  {len(wave[name].cycles) - 1:7d}")
    return 0


def _compare(args) -> int:
    a, b = wavefile.read(args.a, args.clock), wavefile.read(args.b, args.clock)
    chosen = _chosen(a, args.signals), _chosen(b, args.signals)
    sides = [{name: wave[name] for name in names} for wave, names in zip((a, b), chosen, strict=True)]
    if not set(chosen[0]) & set(chosen[1]):
        raise UsageError(f"waveforms must have a signal of {' '.join(args.signals)} in common, "
                         f"not {len(chosen[0])} and {len(chosen[1])} others")
    outcome = wavecompare.compare(*sides, (a.cycles, b.cycles))
    text = wavecompare.show(outcome, *sides, window=args.window)
    print(f"a: {args.a}, {a.cycles} cycles\nb: {args.b}, {b.cycles} cycles")
    for label, names in (("a", outcome.only_a), ("b", outcome.only_b)):
        if names:
            print(f"only {label} has {wavecompare.listed(names)}")
    for name, widths in outcome.resized.items():
        print(f"{name} has {widths[0]} bits in a and {widths[1]} in b")
    differs = bool(outcome.differences or outcome.resized or args.complete and outcome.only_b)
    print(text or f"{len(outcome.compared)} signals are equal in {min(outcome.cycles)} cycles")
    if args.picture and outcome.first:
        wavepicture.difference(outcome, *sides, labels=("a", "b"), path=args.picture)
        print(f"picture: {args.picture}")
    return 1 if differs else 0


def _picture(args) -> int:
    wave = wavefile.read(args.file, args.clock)
    last = args.first + 39 if args.last is None else args.last
    if not args.first <= last < wave.cycles:
        raise UsageError(f"cycles must be a window in 0..{wave.cycles - 1}, not {args.first}..{last}")
    rows = [wavepicture.Row(name, wave[name]) for name in wave.matching(args.signals)]
    wavepicture.write(args.output, wavepicture.draw(rows, args.first, last))
    print(f"picture: {args.output}")
    return 0


def _example(args) -> int:
    example = importlib.import_module(f"sim.{args.accelerator}.waves").EXAMPLE
    return waveexample.run(args.accelerator, example, args.output, args.picture)


def _accelerators() -> list[str]:
    """Those with an example."""
    names = [m.name for m in pkgutil.iter_modules(sim.__path__) if m.ispkg and m.name != "common"]
    return [name for name in names if importlib.util.find_spec(f"sim.{name}.waves")]


def _chosen(wave, patterns):
    """Signals of one side; a pattern may match on the other side only."""
    names = {}
    for pattern in patterns:
        try:
            names |= dict.fromkeys(wave.matching([pattern]))
        except wavefile.WaveError:
            continue
    return list(names)


def _cycle(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a non-negative integer, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(run_main(main))
