"""Hardware of DOTA [Thesis 7.6]. ``UNITS``: every unit by the stem of its file. ``PAPER``: what the source reports."""

from .accumulator import Accumulator
from .choice import Choice
from .counters import Counters
from .detector import Detector
from .estimate import Estimate
from .exact import Exact
from .fetch import Fetch
from .io_port import IoPort
from .key_fifo import KeyFifo
from .lane import Lane
from .mfu import Mfu
from .multiplier import Multiplier
from .operands import Operands
from .output import Output
from .paper import PAPER
from .pe import Pe
from .rmmu import Rmmu
from .round_queue import RoundQueue
from .row import Row
from .scheduler import Scheduler
from .select_row import SelectRow
from .sram import LaneSram
from .top import Dota

__all__ = ["PAPER", "UNITS"]

UNITS = {"top": Dota, "lane": Lane, "rmmu": Rmmu, "row": Row, "pe": Pe, "multiplier": Multiplier, "operands": Operands,
         "exact": Exact, "fetch": Fetch, "estimate": Estimate, "detector": Detector, "select_row": SelectRow,
         "scheduler": Scheduler, "choice": Choice, "key_fifo": KeyFifo, "round_queue": RoundQueue, "mfu": Mfu,
         "sram": LaneSram, "accumulator": Accumulator, "output": Output, "io_port": IoPort, "counters": Counters}
