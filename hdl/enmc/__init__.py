"""Hardware of ENMC [Thesis 6.4]. ``UNITS``: every unit by the stem of its file. ``PAPER``: what the source reports."""

from .controller import Controller
from .decoder import Decoder
from .dimm import Dimm
from .dispatch import Dispatch
from .dram_commands import DramCommands
from .dram_controller import DramController
from .dram_data import DramData
from .dram_owner import DramOwner
from .dram_rows import DramRows
from .dram_timing import DramTiming
from .dram_visits import DramVisits
from .exact_control import ExactControl
from .exact_dot import ExactDot
from .exact_finish import ExactFinish
from .executor import Executor
from .fp32_add import Fp32Add
from .fp32_divide import Fp32Divide
from .fp32_multiply import Fp32Multiply
from .generator import Generator
from .host_port import HostPort
from .instruction import Instruction
from .layouts import check_cfg
from .output_buffer import OutputBuffer
from .paper import PAPER
from .rank import Rank
from .screen_control import ScreenControl
from .screen_filter import ScreenFilter
from .screen_lane import ScreenLane
from .screener import Screener
from .special import Special
from .status import Status

__all__ = ["PAPER", "UNITS"]


def _single(unit):
    """A floating-point unit, made like the others: in single precision, whatever the configuration."""
    def make(cfg):
        check_cfg(cfg)
        return unit()

    return make


UNITS = {"top": Dimm, "rank": Rank, "host_port": HostPort, "instruction": Instruction, "controller": Controller,
         "decoder": Decoder, "dispatch": Dispatch, "generator": Generator, "status": Status,
         "dram_controller": DramController, "dram_visits": DramVisits, "dram_rows": DramRows, "dram_owner": DramOwner,
         "dram_timing": DramTiming, "dram_commands": DramCommands, "dram_data": DramData, "screener": Screener,
         "screen_control": ScreenControl, "screen_filter": ScreenFilter, "screen_lane": ScreenLane,
         "executor": Executor, "exact_control": ExactControl, "exact_dot": ExactDot, "exact_finish": ExactFinish,
         "special": Special, "output_buffer": OutputBuffer, "fp32_multiply": _single(Fp32Multiply),
         "fp32_add": _single(Fp32Add), "fp32_divide": _single(Fp32Divide)}
