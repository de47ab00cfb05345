"""python -m golden ACCEL: the golden model of an accelerator alone."""

import sys

import golden
from golden.common.cli import dispatch, run_main

if __name__ == "__main__":
    sys.exit(run_main(lambda argv: dispatch(golden, "cli", argv)))
