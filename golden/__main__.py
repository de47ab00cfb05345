"""python -m golden ACCEL: the golden model of an accelerator alone."""

import sys

import golden
from golden.common.cli import dispatch, run_main


def main(argv) -> int:
    """Hand the rest of the command line to the accelerator."""
    return dispatch(golden, argv)


if __name__ == "__main__":
    sys.exit(run_main(main))
