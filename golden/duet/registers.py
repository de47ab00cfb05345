"""Register map of DUET: the hardware, the host driver and the documentation page are made from this table."""

from golden.common.axi import Field, Register, check_table

from .config import DuetConfig

#: "DUE" and the version of the register map.
ID = 0x44554501

#: Offset of the first counter; each takes two registers, low half first.
COUNTER_BASE = 0x40
COUNTER_BITS = 48
#: What a counter may grow by in a cycle [bits].
AMOUNT_BITS = 12

#: What is counted, and what it means.
MEANING = {
    "cycles": "Cycles in which a stage ran.",
    "execute": "Cycles in which the Executor worked.",
    "speculate": "Cycles in which the Speculator worked.",
    "hidden": "Cycles in which both worked: speculation that costs no time.",
    "cell_cycles": "Cycles in which the cell unit worked.",
    "macs": "MACs that the Executor issued.",
    "mac_cycles": "Cycles in which at least one PE issued a MAC.",
    "steps": "Steps of the Executor.",
    "weight_words": "Words of weights that were sent to the PEs.",
    "input_words": "Words of inputs that were sent to the PEs.",
}
COUNTERS = tuple(MEANING)


def registers(_cfg: DuetConfig) -> tuple[Register, ...]:
    """The table; the same for every configuration."""
    table = [
        Register("id", 0x00, "ro", f"Reads {ID:#010x}."),
        Register("size", 0x04, "ro", "The configuration.",
                 (Field("rows", 0, 8, "Rows of PEs."), Field("columns", 8, 8, "PEs of a row."),
                  Field("trees", 16, 8, "Rows of the systolic array."),
                  Field("systolic_columns", 24, 8, "Columns of the systolic array."))),
        Register("control", 0x08, "pulse", "Commands.",
                 (Field("clear", 0, 1, "Reset the sticky flags and the counters."),)),
        Register("status", 0x0C, "ro", "State.",
                 (Field("running", 0, 1, "A stream command is active, or a stage runs."),
                  Field("io_error", 1, 1, "Sticky: a command was refused, or its TLAST was in a wrong place."),
                  Field("saturated", 2, 1, "Sticky: some result of the Executor was clipped."))),
    ]
    for k, name in enumerate(COUNTERS):
        table += [Register(f"{name}_low", COUNTER_BASE + 8 * k, "ro", f"{MEANING[name]} Low half."),
                  Register(f"{name}_high", COUNTER_BASE + 8 * k + 4, "ro", "High half.",
                           (Field("value", 0, COUNTER_BITS - 32, f"Bits {COUNTER_BITS - 1}:32."),))]
    return check_table(table)
