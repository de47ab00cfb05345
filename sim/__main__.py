"""python -m sim ACCEL: the RTL of an accelerator in lockstep with its golden model."""

import sys

import sim
from golden.common.cli import dispatch, run_main

if __name__ == "__main__":
    sys.exit(run_main(lambda argv: dispatch(sim, "cli", argv)))
