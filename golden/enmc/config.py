"""Parameters of ENMC: one frozen object builds the golden model, the hardware and the benches."""

import dataclasses
from dataclasses import dataclass

from golden.common.config import check_int, check_power_of_two

from .formats import BANK_GROUPS, BURST_LENGTH, PHASES


@dataclass(frozen=True, kw_only=True)
class EnmcConfig:
    """Parameters of one ENMC DIMM. Every rank has the same logic and its own DRAM.

    Times are in clocks of the DRAM (1,200 MHz in DDR4-2400), three to a cycle of the logic.

    Attributes
    ----------
    ranks : int
        Ranks of the DIMM, 1..8.
    dq : int
        Data pins of a rank: 16, 32 or 64. A burst of eight beats has ``dq`` bytes.
    row_bits, column_bits : int
        Address of a row, 4..17, and of a column of ``dq`` bits in it, 4..10.
    batch : int
        Inputs that share the weights that are read, 1..8.
    features : int
        Elements of the screener's INT4 feature buffer, of all inputs of a batch; a power of two,
        4 * dq..4096.
    exact_features : int
        Elements of the executor's FP32 feature buffer, of all inputs of a batch; a power of two, 64..65536.
    weights : int
        Bursts that the weight buffer of each of screener and executor holds; a power of two, 4..64.
    indices : int
        Candidates that wait in the index buffer, 2..256.
    results : int
        Records of the output buffer; a power of two, at least a burst of them, at most 256.
    instructions : int
        Instructions of the host that wait, 2..256.
    queue : int
        Requests that wait in the DRAM controller, 2..256.
    cl, cwl : int
        From a read or write command to its data.
    trcd, trp, tras, trc, tccd_s, tccd_l, trrd_s, trrd_l, tfaw, twr, trtp, twtr_s, twtr_l, trefi, trfc : int
        The rules of JEDEC that have these names. ``_s``: another bank group, ``_l``: the same.
    """

    ranks: int = 8
    dq: int = 64
    row_bits: int = 16
    column_bits: int = 10
    batch: int = 4
    features: int = 512
    exact_features: int = 4096
    weights: int = 16
    indices: int = 64
    results: int = 16
    instructions: int = 64
    queue: int = 64
    cl: int = 16
    cwl: int = 12
    trcd: int = 16
    trp: int = 16
    tras: int = 39
    trc: int = 55
    tccd_s: int = 4
    tccd_l: int = 6
    trrd_s: int = 4
    trrd_l: int = 6
    tfaw: int = 26
    twr: int = 18
    trtp: int = 9
    twtr_s: int = 3
    twtr_l: int = 9
    trefi: int = 9360
    trfc: int = 420

    def __post_init__(self):
        check_int("ranks", self.ranks, 1, 8)
        check_power_of_two("dq", self.dq, 16, 64)
        check_int("row_bits", self.row_bits, 4, 17)
        check_int("column_bits", self.column_bits, 4, 10)
        check_int("batch", self.batch, 1, 8)
        check_power_of_two("features", self.features, 4 * self.dq, 4096)
        check_power_of_two("exact_features", self.exact_features, 64, 65536)
        check_power_of_two("weights", self.weights, 4, 64)
        check_int("indices", self.indices, 2, 256)
        check_power_of_two("results", self.results, self.records, 256)
        check_int("instructions", self.instructions, 2, 256)
        check_int("queue", self.queue, 2, 256)
        check_int("cl", self.cl, 5, 32)
        check_int("cwl", self.cwl, 5, self.cl)
        for name, lo, hi in (("trcd", 2, 63), ("trp", 2, 63), ("tras", 4, 127), ("trc", 6, 191), ("tccd_s", 4, 15),
                             ("tccd_l", self.tccd_s, 15), ("trrd_s", 4, 15), ("trrd_l", self.trrd_s, 15),
                             ("tfaw", 4 * self.trrd_s, 63), ("twr", 1, 63), ("trtp", 1, 31), ("twtr_s", 1, 31),
                             ("twtr_l", self.twtr_s, 31), ("trfc", 4, 1023), ("trefi", 2 * self.trfc + 256, 16383)):
            check_int(name, getattr(self, name), lo, hi)
        if self.trc < self.tras + self.trp:
            raise ValueError(f"trc must be at least tras + trp = {self.tras + self.trp}, not {self.trc!r}")

    def replace(self, **changes):
        """Copy with some fields changed; validation runs again."""
        return dataclasses.replace(self, **changes)

    @property
    def burst_words(self) -> int:
        """32-bit words of a burst, which are the lanes of the executor: 16."""
        return self.dq // 4

    @property
    def classes(self) -> int:
        """Classes of a tile, which are the lanes of the screener, two INT4 MACs each: 64."""
        return self.dq

    @property
    def phase_words(self) -> int:
        """32-bit words that the data pins carry in a clock of the DRAM, two edges."""
        return self.dq // 16

    @property
    def records(self) -> int:
        """Results in a burst."""
        return self.dq // 16

    @property
    def page_bursts(self) -> int:
        """Bursts of a row of a bank."""
        return 2**self.column_bits // BURST_LENGTH

    @property
    def burst_bits(self) -> int:
        """Width of the address of a burst: see ``golden.enmc.address``."""
        return self.column_bits - 3 + 4 + self.row_bits

    @property
    def bursts(self) -> int:
        """Bursts of a rank."""
        return 2**self.burst_bits

    @property
    def pairs(self) -> int:
        """Pairs of banks: consecutive bursts alternate between the two of a pair, which lie in two bank groups."""
        return 4 * BANK_GROUPS // 2

    @property
    def turnaround(self) -> int:
        """From a read to a write command [clocks]: its data, and two clocks in which nobody drives the pins."""
        return self.cl + BURST_LENGTH // 2 + 2 - self.cwl

    @property
    def answer(self) -> int:
        """From a command of the host to the first data of its answer [clocks]: two cycles more than DRAM."""
        return self.cl + 2 * PHASES


#: ``paper`` has the sizes of [Thesis table 6.3], ``rank`` one rank of it. The DRAM of ``tiny`` is small and fast, so
#: that every rule is met often.
PRESETS = {
    "tiny": EnmcConfig(ranks=1, dq=16, row_bits=6, column_bits=6, batch=2, features=64, exact_features=128, weights=16,
                       indices=4, results=4, instructions=8, queue=4, cl=7, cwl=6, trcd=6, trp=5, tras=13, trc=18,
                       tccd_s=4, tccd_l=6, trrd_s=4, trrd_l=5, tfaw=18, twr=7, trtp=4, twtr_s=2, twtr_l=5, trefi=600,
                       trfc=40),
    "rank": EnmcConfig(ranks=1),
    "paper": EnmcConfig(),
}
DEFAULT_PRESET = "paper"
