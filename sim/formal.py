"""python -m sim.formal [ACCEL|UNIT|PROOF ...]: prove the properties in tests/**/formal_*.py."""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from golden.common.cli import Parser, UsageError, run_main, write_json
from sim.common import sby
from sim.common.build import BUILD, ROOT
from sim.common.formal import Proof, discover


def main(argv) -> int:
    """Run the proofs; 0 only if each one ends as it should."""
    parser = Parser(prog="python -m sim.formal", description="Prove the properties in tests/**/formal_*.py.")
    parser.add_argument("names", nargs="*", metavar="ACCEL|UNIT|PROOF",
                        help="such as eie, common, eie.lnzd, common.fifo.order (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--jobs", type=_positive, default=2, metavar="N", help="proofs at a time (default: 2)")
    parser.add_argument("--force", action="store_true", help="prove again what was proven before")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder with tests/ (default: the checkout)")
    args = parser.parse_args(argv)

    proofs = select(discover(args.root), args.names)
    if args.list:
        show([(proof, None) for proof in proofs])
        return 0
    began = time.monotonic()
    try:
        sby.prepare()
        results = prove(proofs, args.jobs, args.force, BUILD / "formal" if args.root == ROOT else args.root / "build")
    except sby.FormalError as error:
        raise UsageError(str(error)) from error
    seconds = time.monotonic() - began
    pairs = list(zip(proofs, results, strict=True))
    show(pairs)
    wrong = [(proof, result) for proof, result in pairs if not as_expected(proof, result)]
    for proof, result in wrong:
        explain(proof, result)
    forever = sum(proof.fails is None and proof.method != "bounded" for proof in proofs)
    bounded = sum(proof.fails is None and proof.method == "bounded" for proof in proofs)
    print(f"{len(proofs)} proofs in {seconds:.1f} s: {forever} hold for ever, {bounded} for a number of cycles, "
          f"{len(proofs) - forever - bounded} wrong on purpose; {len(wrong)} not as expected")
    if args.json:
        write_json(args.json, {"tools": sby.versions(), "wall_seconds": round(seconds, 2), "unexpected": len(wrong),
                               "proofs": [record(*pair) for pair in pairs]})
    return 1 if wrong else 0


def select(proofs: list[Proof], names: list[str]) -> list[Proof]:
    """Those that a name is a leading part of: accelerator, unit, property, or case.

    Raises
    ------
    UsageError
        If a name is the start of none.
    """
    def matches(proof, name):
        return proof.full_name == name or proof.full_name.startswith((f"{name}.", f"{name}["))

    for name in names:
        if not any(matches(proof, name) for proof in proofs):
            units = sorted({proof.unit for proof in proofs})
            raise UsageError(f"name must be an accelerator, one of {', '.join(units)} or a proof, not {name!r}")
    return [proof for proof in proofs if not names or any(matches(proof, name) for name in names)]


def prove(proofs, jobs, force, folder) -> list[sby.Result]:
    """Run with a progress bar."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("proving", total=len(proofs))

        def report(proof, result):
            progress.update(task, advance=1, description=proof.full_name)
            if not as_expected(proof, result):
                progress.console.print(f"{proof.full_name}: {result.status}", markup=False)

        return sby.run(proofs, jobs=jobs, force=force, folder=folder, report=report)


def as_expected(proof: Proof, result: sby.Result) -> bool:
    """It holds, or it was meant to fail and fails there."""
    if proof.fails is None:
        return result.status == "holds"
    return result.status == "fails" and result.assertion == proof.fails


def reach_of(proof: Proof) -> str:
    """How far a proof goes."""
    if proof.fails is not None:
        return "must fail"
    return f"{proof.depth} cycles" if proof.method == "bounded" else "unbounded"


def show(pairs):
    """The table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("proof", "says", "size", "reach", "result"):
        table.add_column(name, overflow="fold")
    table.add_column("s", justify="right")
    for proof, result in pairs:
        status = "" if result is None else result.status + ("" if as_expected(proof, result) else " (!)")
        seconds = "" if result is None else f"{result.seconds:.1f}" + ("*" if result.cached else "")
        table.add_row(*map(_plain, (proof.full_name, proof.says, proof.size, reach_of(proof), status, seconds)))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if any(result is not None and result.cached for _proof, result in pairs):
        print("* of the run that is in the cache; --force runs again")


def explain(proof: Proof, result: sby.Result):
    """What went wrong with one proof, and where to look."""
    print(f"\n{proof.full_name} ({proof.size}): {result.status}, and should "
          + ("hold" if proof.fails is None else f"fail at {proof.fails!r}"))
    if result.assertion:
        print(f"  {'never reached' if result.status == 'vacuous' else 'fails'}: {result.assertion}")
    if result.trace:
        print(f"  waveform: {result.trace}")
    print(f"  again: python -m sim.formal '{proof.full_name}' --force")


def record(proof: Proof, result: sby.Result) -> dict:
    """One entry of the JSON file."""
    return {"proof": proof.full_name, "unit": proof.unit, "says": proof.says, "size": proof.size,
            "method": proof.method, "depth": proof.depth, "unbounded": proof.method != "bounded",
            "expected": "holds" if proof.fails is None else "fails", "result": result.status,
            "assertion": result.assertion, "trace": result.trace, "seconds": result.seconds, "cached": result.cached}


def _plain(text):
    return text.replace("[", r"\[")


def _positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(run_main(main))
