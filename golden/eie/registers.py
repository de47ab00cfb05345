"""Register map of EIE: the hardware, the host driver and the documentation page are made from this table."""

from golden.common.axi import Field, Register, check_table

from .config import EieConfig
from .formats import COUNTERS

#: "EIE" and the version of the register map.
ID = 0x45494501

#: Offset of the first counter; each takes two registers, low half first.
COUNTER_BASE = 0x40
#: Offset of the first register of saturation flags.
SATURATION_BASE = 0x100

_MEANING = {
    "cycles": "Cycles in which the program ran.",
    "broadcasts": "Cycles with a broadcast.",
    "stall_queue": "Cycles in which an activation waited because a queue was full.",
    "stall_lnzd": "Cycles in which no non-zero activation was known.",
    "stall_drain": "Cycles of waiting for the PEs after the last broadcast of an output.",
    "stall_store": "Cycles of storing accumulators to the activation SRAMs.",
    "control": "Cycles between passes.",
    "entries": "Entries retired by all PEs.",
    "padding": "Padding entries among them.",
    "spmat_reads": "Rows read from the sparse-matrix SRAMs.",
    "ptr_reads": "Columns whose pointers were read, two pointers each.",
    "act_reads": "Words read from the activation SRAMs by passes.",
    "act_writes": "Words written to the activation SRAMs by passes.",
}


def registers(cfg: EieConfig) -> tuple[Register, ...]:
    """The table for ``cfg``; only the number of saturation registers depends on it."""
    table = [
        Register("id", 0x00, "ro", f"Reads {ID:#010x}."),
        Register("size", 0x04, "ro", "The configuration.",
                 (Field("n_pe", 0, 16, "Processing elements."), Field("data_bits", 16, 8, "Bits of an activation."),
                  Field("run_ahead", 24, 1, "Pointers are read ahead."))),
        Register("control", 0x08, "pulse", "Commands.",
                 (Field("start", 0, 1, "Run the program; refused while one runs or a stream command is active."),
                  Field("clear", 1, 1, "Reset the sticky flags."))),
        Register("length", 0x0C, "rw", "Passes of the program, 1 up to the size of its memory."),
        Register("status", 0x10, "ro", "State.",
                 (Field("running", 0, 1, "A program runs."), Field("done", 1, 1, "The last one has ended."),
                  Field("saturated", 2, 1, "Sticky: some accumulator was clipped."),
                  Field("program_error", 3, 1, "Sticky: an illegal pass was refused and the program ended before it."),
                  Field("start_error", 4, 1, "Sticky: a start was refused."),
                  Field("io_error", 5, 1, "Sticky: a stream command was refused, or its TLAST was in a wrong place."),
                  Field("row_error", 6, 1, "Sticky: an entry outside the register file was dropped."))),
        Register("number", 0x14, "ro", "Pass that runs or was refused; after the end, the number of passes."),
    ]
    for k, name in enumerate(COUNTERS):
        table += [Register(f"{name}_low", COUNTER_BASE + 8 * k, "ro", f"{_MEANING[name]} Low half."),
                  Register(f"{name}_high", COUNTER_BASE + 8 * k + 4, "ro", "High half.",
                           (Field("value", 0, 16, "Bits 47:32."),))]
    table += [Register(f"saturation_{k}", SATURATION_BASE + 4 * k, "ro",
                       f"Sticky flags of PEs {32 * k}..{min(32 * k + 31, cfg.n_pe - 1)}, the lowest in bit 0.")
              for k in range(-(-cfg.n_pe // 32))]
    return check_table(table)
