"""Binary formats of ENMC: instructions, commands and addresses of the DRAM, records of results.

Only constants live here, so that ``hdl`` may import it.
"""

import enum

#: Clocks of the DRAM in a cycle of the logic [Thesis table 6.3: 1,200 and 400 MHz].
PHASES = 3
BURST_LENGTH = 8
#: Clocks of the DRAM in which a burst has the data pins.
BURST_CLOCKS = BURST_LENGTH // 2
BANK_GROUPS = 4
BANKS = 16
WORD_BITS = 32
INT4_BITS = 4

#: Command pins of a clock of the DRAM, low bits first; ``_n`` is active low. A17 is ``a`` bit 17 of the largest parts,
#: which are not used.
PIN_FIELDS = {"cs_n": 1, "act_n": 1, "bg": 2, "ba": 2, "a": 17}
#: Pins without a command.
DESELECT = 0b11
#: RAS_n, CAS_n and WE_n are A16, A15, A14 while ACT_n is high.
RAS_N, CAS_N, WE_N = 16, 15, 14
#: A10: precharge all banks, or precharge after a read or write.
ALL = 10


class Command(enum.IntEnum):
    """{RAS_n, CAS_n, WE_n} while CS_n is low and ACT_n is high."""

    MRS = 0b000
    REF = 0b001
    PRE = 0b010
    WR = 0b100
    RD = 0b101
    ZQ = 0b110
    NOP = 0b111


#: Address of a burst in a rank, low bits first: consecutive bursts alternate between two bank groups, so that they may
#: follow each other after tCCD_S, and 2 * page_bursts of them keep the same two rows open.
BURST_ORDER = ("bg0", "column", "bg1", "ba", "row")

#: 13 bits of an instruction: A0 to A9 are bits 0 to 9, A11 to A13 bits 10 to 12; A10 stays low [Thesis Fig. 6.7].
INSTRUCTION_BITS = 13
INSTRUCTION_FIELDS = {"b": 4, "a": 4, "op": 5}
#: The same for INIT and QUERY: the register's number, and whether it is written.
REGISTER_FIELDS = {"zero": 2, "reg": 5, "write": 1, "op": 5}
DATA_BITS = 64


class Op(enum.IntEnum):
    """Opcodes [Thesis table 6.1]; 0 is a plain PRECHARGE. 2 and 9 are those of Fig. 6.7."""

    MUL_ADD_INT4 = 1
    MUL_ADD_FP32 = 2
    ADD_INT4 = 3
    MUL_INT4 = 4
    ADD_FP32 = 5
    MUL_FP32 = 6
    FILTER = 7
    MOVE = 8
    REGISTER = 9        # INIT if it writes, else QUERY
    LDR = 10
    STR = 11
    SIGMOID = 12
    SOFTMAX = 13
    BARRIER = 14
    NOP = 15
    RETURN = 16
    CLR = 17


class Buffer(enum.IntEnum):
    """Operands of instructions."""

    FEATURE_INT4 = 0
    WEIGHT_INT4 = 1
    PSUM_INT4 = 2
    INDEX = 3
    FEATURE_FP32 = 4
    WEIGHT_FP32 = 5
    PSUM_FP32 = 6
    OUTPUT = 7


#: Data of LDR and STR: bursts ``addr`` to ``addr + count - 1`` of the rank.
TRANSFER_FIELDS = {"addr": 32, "count": 16, "zero": 16}
#: Data of MUL_ADD_FP32, ADD_FP32, MUL_FP32, MOVE, SIGMOID and SOFTMAX: whose result this is.
TAG_FIELDS = {"score": 32, "label": 24, "batch": 4, "zero": 4}

#: A result, 128 bits. ``label``: the class; ``score``: approximate, two's complement; ``exact``: FP32; ``value``: FP32,
#: the sigmoid of it, or its exponential relative to the largest exact result of this input so far. ``exacts``: the last
#: two are there. Records that are not ``valid`` fill a burst.
RECORD_FIELDS = {"score": 32, "label": 24, "batch": 4, "exacts": 1, "valid": 1, "function": 2, "exact": 32, "value": 32}
RECORD_WORDS = 4


class Function(enum.IntEnum):
    """What becomes of an exact result."""

    NONE = 0
    SIGMOID = 1
    SOFTMAX = 2


class Dest(enum.IntEnum):
    """Who takes the bursts of a read."""

    SCREENER = 0
    EXECUTOR = 1


class Screen(enum.IntEnum):
    """What the screener does next."""

    FEATURES = 0        # take ``count`` bursts as features
    PSUMS = 1           # take a burst for each fourth of a tile as partial sums of all inputs
    MULTIPLY = 2        # multiply ``count`` bursts of weights by the features and add to the partial sums
    FILTER = 3          # compare, and go on to the next tile
    STORE = 4           # write the partial sums of the tile, before its FILTER: an input after another, 4 bursts each


class Execute(enum.IntEnum):
    """What the executor does next."""

    FEATURES = 0        # take ``count`` bursts as features
    MULTIPLY = 1        # multiply ``count`` bursts of weights by the features of input ``batch`` and add
    FINISH = 2          # the sum is a result; apply the function
    PASS = 3            # a candidate without exact result


#: Latencies of the floating-point units [cycles].
MULTIPLY_LATENCY = 3
ADD_LATENCY = 4
#: Partial sums between which the executor goes round; at least the latency of the adder.
ROTATING = 4

#: What a rank shows in a cycle, low bits first; no field crosses 64 bits. Data pins follow: see :func:`trace_of`.
TRACE_RANK = {
    "dram_pins_0": 23, "dram_pins_1": 23, "pad_0": 18,
    "dram_pins_2": 23, "dram_oe": 3, "oe": 3, "alert_n": 1, "owner": 1, "query": 1, "take": 1, "request": 1,
    "request_write": 1, "request_dest": 1, "load": 1, "load_dest": 1, "candidate": 1, "finished": 1, "filtered": 1,
    "screening": 1, "executing": 1, "screen_busy": 1, "execute_busy": 1, "dram_busy": 1, "own": 1, "pad_1": 17,
    "label": 24, "batch": 4, "pad_2": 4, "score": 32,
    "addr": 32, "count": 16, "pad_3": 16,
    "answer": 64,
}


def trace_of(cfg) -> dict[str, int]:
    """Fields of the trace of a rank: TRACE_RANK, then what it drives onto the data pins of the DRAM and of the host.

    Data pins of a clock of the DRAM are cut into words of at most 64 bits, the low one first.
    """
    fields, width = dict(TRACE_RANK), min(2 * cfg.dq, 64)
    for name in "dram_dq_o", "dq_o":
        for slot in range(PHASES):
            for part in range(2 * cfg.dq // width):
                fields[f"{name}_{slot}_{part}"] = width
                if width < 64:
                    fields[f"pad_{name}_{slot}"] = 64 - width
    return fields
