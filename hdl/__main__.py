"""python -m hdl ACCEL|UNIT: Verilog of an accelerator, or of one of its units."""

import importlib
import sys
import time
from pathlib import Path

from golden.common.cli import Parser, UsageError, add_config_arguments, config_from, run_main
from golden.common.config import to_json
from hdl.common.emit import emit

#: Accelerators that there is hardware for. ``hdl.<accel>.UNITS`` names the units; ``top`` is the whole.
ACCELERATORS = ("eie",)


def main(argv) -> int:
    """Emit; print the configuration and the files."""
    parser = Parser(prog="python -m hdl", description="Write the Verilog of an accelerator, its file list and its "
                    "configuration; needs nothing of this project afterwards.")
    parser.add_argument("unit", help=f"{', '.join(ACCELERATORS)}, or a unit of one, such as eie.lnzd")
    accelerator, _, stem = (argv[0] if argv and not argv[0].startswith("-") else ACCELERATORS[0]).partition(".")
    if accelerator not in ACCELERATORS:
        raise UsageError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {accelerator!r}")
    config = importlib.import_module(f"golden.{accelerator}.config")
    units = importlib.import_module(f"hdl.{accelerator}").UNITS
    add_config_arguments(parser, config.PRESETS, config.DEFAULT_PRESET)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    args = parser.parse_args(argv)
    stem = stem or "top"
    if stem not in units:
        raise UsageError(f"unit of {accelerator} must be one of {', '.join(sorted(units))}, not {stem!r}")
    cfg = config_from(args, config.PRESETS)

    start = time.perf_counter()
    design = emit(units[stem](cfg), name=accelerator if stem == "top" else f"{accelerator}_{stem}", cfg=cfg)
    seconds = time.perf_counter() - start
    try:
        files = design.write(args.output)
    except OSError as error:
        raise UsageError(f"output must be a folder that can be written, not {str(args.output)!r}: "
                         f"{error.strerror}") from error
    print(to_json(cfg))
    for file in files:
        print(f"{file.stat().st_size:8d}  {file}")
    print(f"{len(files)} modules, {sum(map(len, design.files.values()))} bytes, {seconds:.1f} s; "
          f"top {design.top}, list in {args.output / design.top}.f")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
