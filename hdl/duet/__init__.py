"""Hardware of DUET [Thesis 5]. ``UNITS``: every unit by the stem of its file. ``PAPER``: what the source reports."""

from .activation import Activation
from .activation_buffer import ActivationBuffer
from .alignment import Alignment
from .approximator import Approximator
from .block_intake import BlockIntake
from .cell import CellUnit
from .control import Control
from .executor import Executor
from .executor_pe import ExecutorPe
from .executor_row import ExecutorRow
from .glb import Glb
from .groups import Groups
from .host_bus import HostBus
from .io_port import IoPort
from .layouts import check_cfg
from .loader import Loader
from .low_input import LowInput
from .low_output import LowOutput
from .mac_lut import MacLut
from .map_pick import MapPick
from .map_words import MapWords
from .memory_port import MemoryPort
from .mfu import Mfu
from .multicast import Multicast
from .noc import Noc
from .order_words import OrderWords
from .paper import PAPER
from .quantizer import Quantizer
from .reader import Reader
from .reducer import Reducer
from .reorder import Reorder
from .row_walk import RowWalk
from .scan_chain import ScanChain
from .spec_fetch import SpecFetch
from .spec_store import SpecStore
from .speculator import Speculator
from .step_control import StepControl
from .step_loads import StepLoads
from .store import Store
from .switching_map import SwitchingMap
from .systolic import Systolic
from .tag_queue import TagQueue
from .top import Duet
from .vector_words import VectorWords
from .weight_requests import WeightRequests
from .window_walk import WindowWalk

__all__ = ["PAPER", "UNITS"]


def _multicast(cfg):
    """A controller of the rows."""
    return Multicast(check_cfg(cfg).rows)


UNITS = {"top": Duet, "executor": Executor, "executor_row": ExecutorRow, "executor_pe": ExecutorPe,
         "mac_lut": MacLut, "map_pick": MapPick, "tag_queue": TagQueue, "step_control": StepControl, "noc": Noc,
         "multicast": _multicast, "loader": Loader, "reader": Reader, "row_walk": RowWalk, "groups": Groups,
         "step_loads": StepLoads, "weight_requests": WeightRequests, "store": Store, "activation": Activation,
         "speculator": Speculator, "spec_fetch": SpecFetch, "reducer": Reducer, "quantizer": Quantizer,
         "block_intake": BlockIntake, "window_walk": WindowWalk, "activation_buffer": ActivationBuffer,
         "alignment": Alignment, "approximator": Approximator, "low_input": LowInput, "systolic": Systolic,
         "low_output": LowOutput, "mfu": Mfu, "switching_map": SwitchingMap, "spec_store": SpecStore,
         "map_words": MapWords, "reorder": Reorder, "order_words": OrderWords, "vector_words": VectorWords,
         "cell": CellUnit, "glb": Glb, "memory_port": MemoryPort, "io_port": IoPort, "host_bus": HostBus,
         "scan_chain": ScanChain, "control": Control}
