"""Register map of DOTA: the hardware, the host driver and the documentation page are made from this table."""

from golden.common.axi import Field, Register, check_table

from .config import DotaConfig

#: "DOT" and the version of the register map.
ID = 0x444F5401

#: Offset of the first counter; each takes two registers, low half first.
COUNTER_BASE = 0x40
COUNTER_BITS = 48
#: What a counter may grow by in a cycle [bits]: enough for INT2 in all PEs of the largest configuration.
AMOUNT_BITS = 24

#: What is counted, and what it means.
MEANING = {
    "cycles": "Cycles in which a step ran.",
    "attend": "Cycles of attention among them.",
    "linear": "Cycles of linear layers.",
    "low": "Cycles of the low-precision transformations.",
    "exact_fires": "Cycles in which the array did exact work in FX16, of all lanes.",
    "macs": "Multiplications with addition, of all lanes and precisions.",
    "low_macs": "Those of low precision among them.",
    "rounds": "Rounds of the scheduler, one key a query each.",
    "key_loads": "Key vectors that were loaded, once a round each.",
    "value_loads": "Value vectors that were loaded.",
    "detect_cycles": "Cycles in which a detector was busy, of all lanes.",
    "softmax_cycles": "Cycles in which a softmax unit was busy, of all lanes.",
}
COUNTERS = tuple(MEANING)


def registers(_cfg: DotaConfig) -> tuple[Register, ...]:
    """The table; the same for every configuration."""
    table = [
        Register("id", 0x00, "ro", f"Reads {ID:#010x}."),
        Register("size", 0x04, "ro", "The configuration.",
                 (Field("lanes", 0, 8, "Lanes."), Field("rows", 8, 8, "Rows of PEs of a lane."),
                  Field("columns", 16, 8, "PEs of a row."))),
        Register("control", 0x08, "pulse", "Commands.",
                 (Field("clear", 0, 1, "Reset the sticky flags and the counters."),)),
        Register("status", 0x0C, "ro", "State.",
                 (Field("running", 0, 1, "A stream command is active, or a step runs."),
                  Field("io_error", 1, 1, "Sticky: a command or step was refused, or its TLAST was in a wrong place."),
                  Field("saturated", 2, 1, "Sticky: some result was clipped."))),
    ]
    for k, name in enumerate(COUNTERS):
        table += [Register(f"{name}_low", COUNTER_BASE + 8 * k, "ro", f"{MEANING[name]} Low half."),
                  Register(f"{name}_high", COUNTER_BASE + 8 * k + 4, "ro", "High half.",
                           (Field("value", 0, COUNTER_BITS - 32, f"Bits {COUNTER_BITS - 1}:32."),))]
    return check_table(table)
