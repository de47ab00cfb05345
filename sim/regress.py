"""python -m sim.regress [ACCEL ...]: traced runs against their committed waveform signatures."""

import importlib
import importlib.util
import pkgutil
import sys
import time

import sim
from golden.common.cli import Parser, UsageError, run_main
from sim.common import regress
from sim.common.runner import BenchFailure, BuildError
from sim.common.signature import SignatureError
from sim.common.toolchain import ToolchainError
from sim.common.wavefile import WaveError


def registered() -> dict[str, dict[str, regress.Run]]:
    """The runs of every accelerator that has some."""
    names = [m.name for m in pkgutil.iter_modules(sim.__path__) if m.ispkg and m.name != "common"]
    return {name: importlib.import_module(f"sim.{name}.regress").RUNS for name in names
            if importlib.util.find_spec(f"sim.{name}.regress")}


def main(argv) -> int:
    """Check, or accept; 1 if something differs."""
    table = registered()
    parser = Parser(prog="python -m sim.regress", description="Simulate a fixed set of runs with waveforms and compare "
                    "what the ports of every unit do in every cycle with the signatures in tests/regress.")
    parser.add_argument("accelerators", nargs="*", metavar="ACCEL", help=f"{', '.join(table)} (default: all)")
    parser.add_argument("--run", metavar="NAME", action="append", help="only this run; may be repeated")
    parser.add_argument("--accept", action="store_true", help="take what the hardware does now as right")
    args = parser.parse_args(argv)
    for name in args.accelerators:
        if name not in table:
            raise UsageError(f"accelerator must be one of {', '.join(table)}, not {name!r}")
    chosen = {accel: table[accel] for accel in args.accelerators or table}
    known = [name for runs in chosen.values() for name in runs]
    for name in args.run or ():
        if name not in known:
            raise UsageError(f"run must be one of {', '.join(known)}, not {name!r}")
    try:
        return _all(chosen, args.run or known, args.accept)
    except (ToolchainError, WaveError, SignatureError) as error:
        raise UsageError(str(error)) from error
    except (BenchFailure, BuildError) as failure:
        print(failure, file=sys.stderr)
        return 1


def _all(chosen, names, accept) -> int:
    started, bad = time.perf_counter(), 0
    for accel, runs in chosen.items():
        for name, run in runs.items():
            if name not in names:
                continue
            began = time.perf_counter()
            outcome = regress.check(accel, name, run)
            word = "equal" if outcome.equal else "DIFFERS"
            if accept:
                word = "accepted" if regress.accept(outcome, run.what) else "unchanged"
            bad += not outcome.equal
            print(f"{outcome.run}: {word}, {len(outcome.signature.ports)} ports in {outcome.signature.cycles} cycles, "
                  f"{time.perf_counter() - began:.1f} s", flush=True)
            if outcome.text:
                print("  " + outcome.text.replace("\n", "\n  "), flush=True)
        for path in regress.stale(accel, runs):
            print(f"{accel}: no run belongs to {path.name}" + (", removed" if accept else ""))
            path.unlink() if accept else None
            bad += 1
    if bad and not accept:
        print(f"{bad} differ; if that is meant: python -m sim.regress {' '.join(chosen)} --accept")
    print(f"{time.perf_counter() - started:.0f} s")
    return 0 if accept or not bad else 1


if __name__ == "__main__":
    sys.exit(run_main(main))
