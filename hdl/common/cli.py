"""``ACCEL|UNIT [--preset P] [--set KEY=VALUE ...]``: the component that a command line names."""

import argparse
import importlib
from collections.abc import Sequence
from typing import NamedTuple

from golden.common.cli import UsageError, add_config_arguments, config_from
from hdl import ACCELERATORS
from hdl.common.emit import Design, emit

__all__ = ["Choice", "parse_choice"]


class Choice(NamedTuple):
    """A unit of an accelerator with its configuration.

    Attributes
    ----------
    accelerator : str
    stem : str
        Key of ``hdl.<accelerator>.UNITS``; ``top`` is the whole.
    preset : str
    cfg : dataclass
    """

    accelerator: str
    stem: str
    preset: str
    cfg: object

    @property
    def label(self) -> str:
        """What the user calls it: ``eie`` or ``eie.lnzd``."""
        return self.accelerator if self.stem == "top" else f"{self.accelerator}.{self.stem}"

    @property
    def module(self) -> str:
        """Name of its Verilog module."""
        return self.label.replace(".", "_")

    def emit(self) -> Design:
        """Its Verilog."""
        component = importlib.import_module(f"hdl.{self.accelerator}").UNITS[self.stem](self.cfg)
        return emit(component, name=self.module, cfg=self.cfg)


def parse_choice(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[argparse.Namespace, Choice]:
    """Add the arguments that name a unit to ``parser`` and parse ``argv``, whose first word is the unit.

    Raises
    ------
    UsageError
        If there is no such accelerator, unit, preset or setting.
    """
    parser.add_argument("unit", help=f"{', '.join(ACCELERATORS)}, or a unit of one, such as eie.lnzd")
    accelerator, _, stem = (argv[0] if argv and not argv[0].startswith("-") else ACCELERATORS[0]).partition(".")
    if accelerator not in ACCELERATORS:
        raise UsageError(f"accelerator must be one of {', '.join(ACCELERATORS)}, not {accelerator!r}")
    config = importlib.import_module(f"golden.{accelerator}.config")
    units = importlib.import_module(f"hdl.{accelerator}").UNITS
    add_config_arguments(parser, config.PRESETS, config.DEFAULT_PRESET)
    args = parser.parse_args(argv)
    stem = stem or "top"
    if stem not in units:
        raise UsageError(f"unit of {accelerator} must be one of {', '.join(sorted(units))}, not {stem!r}")
    return args, Choice(accelerator, stem, args.preset, config_from(args, config.PRESETS))
