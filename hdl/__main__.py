"""python -m hdl ACCEL|UNIT: Verilog of an accelerator, or of one of its units."""

import sys
import time
from pathlib import Path

from golden.common.cli import Parser, UsageError, run_main
from golden.common.config import to_json
from hdl.common.cli import parse_choice


def main(argv) -> int:
    """Emit; print the configuration and the files."""
    parser = Parser(prog="python -m hdl", description="Write the Verilog of an accelerator, its file list and its "
                    "configuration; needs nothing of this project afterwards.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files")
    args, choice = parse_choice(parser, argv)

    start = time.perf_counter()
    design = choice.emit()
    seconds = time.perf_counter() - start
    try:
        files = design.write(args.output)
    except OSError as error:
        raise UsageError(f"output must be a folder that can be written, not {str(args.output)!r}: "
                         f"{error.strerror}") from error
    print(to_json(choice.cfg))
    for file in files:
        print(f"{file.stat().st_size:8d}  {file}")
    print(f"{len(files)} modules, {sum(map(len, design.files.values()))} bytes, {seconds:.1f} s; "
          f"top {design.top}, list in {args.output / design.top}.f")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
