"""Hardware of EIE [EIE IV]. ``UNITS``: every unit by the stem of its file. ``PAPER``: what the paper measured."""

from .act_queue import ActQueue
from .act_rw import ActRw
from .arithmetic import Arithmetic
from .ccu import Ccu
from .counters import Counters
from .io_port import IoPort
from .io_tap import IoTap
from .lnzd import LnzdNode
from .paper import PAPER
from .pe import Pe
from .pointer_read import PointerRead
from .program import Program
from .regfile import RegFile
from .sequencer import Sequencer
from .spmat_read import SpmatRead
from .top import Eie

__all__ = ["PAPER", "UNITS"]

UNITS = {"top": Eie, "pe": Pe, "ccu": Ccu, "act_queue": ActQueue, "pointer_read": PointerRead, "spmat_read": SpmatRead,
         "arithmetic": Arithmetic, "act_rw": ActRw, "regfile": RegFile, "lnzd": LnzdNode, "io_tap": IoTap,
         "io_port": IoPort, "program": Program, "sequencer": Sequencer, "counters": Counters}
