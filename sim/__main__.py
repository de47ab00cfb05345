"""python -m sim ACCEL: the RTL of an accelerator in lockstep with its golden model."""

import sys

import sim
from golden.common.cli import dispatch, run_main


def main(argv) -> int:
    """Hand the rest of the command line to the accelerator."""
    return dispatch(sim, argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
