"""Status registers of a rank: the hardware, the compiler and the documentation page are made from this table.

INIT writes and QUERY reads one register of 64 bits [Thesis 6.4.2, 6.4.3].
"""

from dataclasses import dataclass

from .config import EnmcConfig


@dataclass(frozen=True)
class Status:
    """One register.

    Attributes
    ----------
    number : int
        0..31.
    access : str
        ``rw``: INIT writes it; ``ro``: INIT of it is refused.
    width : int
        Bits, the rest read 0.
    doc : str
    """

    number: int
    access: str
    width: int
    doc: str


REGISTERS = {
    "status": Status(0, "ro", 64, "State: see STATUS_FIELDS."),
    "batch": Status(1, "rw", 4, "Inputs of the batch. Writing any register waits until all work is done; writing this "
                                "one begins a new batch: tile 0, no maximum, no sum."),
    "classes": Status(2, "rw", 24, "Classes of this rank; lanes of the last tile beyond it are no candidates."),
    "first_class": Status(3, "rw", 24, "What is added to a class in a record."),
    "screen_bursts": Status(4, "rw", 16, "Bursts of screening weights of a tile: half of the columns."),
    "threshold": Status(5, "rw", 32, "Scores above it are candidates; two's complement."),
    "row_base": Status(6, "rw", 32, "First burst of the exact weights; class 0 first."),
    "row_bursts": Status(7, "rw", 16, "Bursts of the exact weights of a class, and of an input's FP32 features."),
    "mode": Status(8, "rw", 3, "Bits 1:0: the Function of exact results; bit 2: candidates are classified exactly, "
                               "otherwise they are returned with their scores alone."),
    "level": Status(9, "ro", 16, "Instructions of the host that wait."),
    "received": Status(10, "ro", 48, "Instructions of the host since the last CLR, QUERY and RETURN left out."),
    "executed": Status(11, "ro", 48, "Instructions that were carried out, generated ones as well."),
    "found": Status(12, "ro", 48, "Candidates that the screener found."),
    "finished": Status(13, "ro", 48, "Records that went into the output buffer."),
    "returned": Status(14, "ro", 48, "Records that RETURN took out of it."),
    "bursts_read": Status(15, "ro", 48, "Bursts read by ENMC."),
    "bursts_written": Status(16, "ro", 48, "Bursts written by ENMC."),
    "refreshes": Status(17, "ro", 48, "Refreshes by ENMC."),
    "active": Status(18, "ro", 48, "Cycles in which ENMC had the DRAM."),
    "screening": Status(19, "ro", 48, "Cycles in which the INT4 MACs worked."),
    "executing": Status(20, "ro", 48, "Cycles in which the FP32 MACs worked."),
    **{f"softmax_{b}": Status(24 + b, "ro", 64, f"Input {b}: bits 31:0 the largest exact result, 63:32 the sum of the "
                                                "exponentials relative to it; both FP32.")
       for b in range(8)},
}

#: Fields of the register ``status``, low bits first.
STATUS_FIELDS = {
    "busy": 1,          # an instruction waits or something runs
    "owner": 1,         # ENMC has the DRAM: ordinary commands of the host are refused
    "refused": 1,       # sticky: an ordinary command came meanwhile and was left out
    "overflow": 1,      # sticky: an instruction came when no place was free, or too soon, and was left out
    "illegal": 1,       # sticky: an instruction with an unknown opcode, buffer or register was skipped
    "zero": 27,
    "ready": 16,        # records in the output buffer
    "free": 16,         # instructions that may be sent
}


def registers_of(cfg: EnmcConfig) -> dict[str, Status]:
    """Those that a configuration has: ``softmax_b`` for each input of its batch."""
    return {name: r for name, r in REGISTERS.items() if not name.startswith("softmax_") or r.number - 24 < cfg.batch}
