"""Binary formats of DUET: what the mapping writes, the hardware reads and the benches decode.

Only constants and the packing of whole words live here, so that ``hdl`` may import it.
"""

import enum
import math

#: Width of a value of the Executor, of a partial sum, of a value of the Speculator and of a value of the projection
#: [bits].
VALUE_BITS = 16
SUM_BITS = 32
LOW_BITS = 4
TERNARY_BITS = 2
#: Sum of the adder trees over all words of an input, and sum of a column of the systolic array [bits].
TREE_BITS = 24
COLUMN_BITS = 16
ADDR_BITS = 16
BEAT_BITS = 64

#: Fraction bits of what goes into sigmoid and tanh and of the state of a cell; of what comes out.
STATE_FRACTION = 12
GATE_FRACTION = 15


class Kind(enum.IntEnum):
    """What a layer computes: a convolution, tile by tile, or a product of a matrix and a vector."""

    CONV = 0
    VECTOR = 1


class Function(enum.IntEnum):
    """What is applied to a result."""

    NONE = 0
    RELU = 1
    SIGMOID = 2
    TANH = 3


class Cell(enum.IntEnum):
    """What the cell unit does at the end of a stage, element by element.

    LSTM: ``c = f c + i g``, ``h = o tanh(c)``. RESET: ``reset = r h``. GRU: ``h = n + z (h - n)``.
    """

    NONE = 0
    LSTM = 1
    RESET = 2
    GRU = 3


#: A job of the Executor, low bits first. Addresses are words of the global buffer or of the map buffer.
EXECUTE_FIELDS = {
    "run": 1, "kind": 1, "function": 2,
    "use_omap": 1, "use_imap": 1,   # output switching, input switching
    "ordered": 1,                   # CONV: channels in the order of the reorder unit
    "off_chip": 1,                  # VECTOR: weights come through the memory port
    "shift": 5,                     # of the sum, to a value
    "tiles_y": 8, "tiles_x": 8,     # tiles of outputs; VECTOR: 1
    "height": 12, "width": 12,      # of the output map
    "stride": 3,                    # blocks from a tile to the next
    "first_y": 3, "first_x": 3,     # blocks that the first tile reaches over the upper, left edge
    "near_y": 4, "near_x": 4,       # blocks of inputs that a tile needs
    "blocks_y": 8, "blocks_x": 8,   # of the input map
    "depth": 16,                    # words of a block: channels / columns; VECTOR: words of the input
    "chunk": 6,                     # of them in a step
    "passes": 16,                   # steps of a tile
    "weight_words": 6,              # of a row in a step
    "channels": 16,                 # outputs
    "out_depth": 16,                # words of a block of outputs; VECTOR: words of the output
    "in_base": ADDR_BITS, "imap_base": ADDR_BITS, "out_base": ADDR_BITS, "omap_base": ADDR_BITS,
    "order_base": ADDR_BITS, "bias_base": ADDR_BITS,
    "weight_base": 32,              # off_chip: a word of the memory
    "lut_base": 12, "lut_length": 13, "lut_last": 13,   # program of a step, and of the last step of a tile
}

#: A job of the Speculator, low bits first.
SPECULATE_FIELDS = {
    "run": 1, "kind": 1, "function": 2,
    "depends": 1,                   # the input is what the Executor computes in this stage
    "ordered": 1,                   # CONV: sort the channels of every tile
    "stride": 3, "pad": 4,          # pixels
    "windows_y": 4, "windows_x": 4,     # squares of side x side pixels that cover the kernel
    "tiles_y": 8, "tiles_x": 8, "height": 12, "width": 12,      # outputs
    "in_height": 12, "in_width": 12,    # pixels of the input map
    "first_y": 3, "first_x": 3, "near_y": 4, "near_x": 4, "blocks_y": 8, "blocks_x": 8,     # as the Executor's
    "span": 2,                      # 2**span blocks, each way, of a tile's inputs are in the activation buffer
    "depth": 16,
    "in_base": ADDR_BITS,
    "projection_base": ADDR_BITS,
    "reduced": 7,                   # words of the reduced input
    "reduce_shift": 5,
    "low_base": ADDR_BITS, "low_bias_base": ADDR_BITS,
    "tiles_n": 8,                   # tiles of systolic_columns outputs
    "threshold": 32,                # signed, in units of the INT4 products
    "low_shift": 5,                 # of a sum, to the four integer and four fraction bits of the approximation
    "scale": 16,                    # of the dequantizer
    "channels": 16, "out_depth": 16,
    "omap_base": ADDR_BITS, "order_base": ADDR_BITS, "approx_base": ADDR_BITS,
}
#: Interval thresholds of the reorder unit, largest first: a channel with more sensitive outputs than ``limit_k`` in a
#: tile goes to bucket ``k`` or an earlier one.
MOST_LIMITS = 15
SPECULATE_FIELDS |= {f"limit_{k}": 5 for k in range(MOST_LIMITS)}

#: A job of the cell unit, low bits first: number of elements, and words of the global buffer. LSTM reads ``a`` = i,
#: ``b`` = f, ``c`` = g, ``d`` = o, changes ``state`` = c and writes ``hidden`` = h. RESET reads ``a`` = r and
#: ``hidden`` and writes ``d``. GRU reads ``a`` = z, ``b`` = n and ``hidden`` and writes ``d``.
CELL_FIELDS = {"op": 2, "length": 16, **dict.fromkeys(("a", "b", "c", "d", "state", "hidden"), ADDR_BITS)}


class Target(enum.IntEnum):
    """Memories that the host writes, and reads (the first two)."""

    GLB = 0
    MAP = 1
    LUT = 2
    PROJECTION = 3
    LOW_WEIGHTS = 4
    LOW_BIAS = 5


class Op(enum.IntEnum):
    """What a stream command asks for: a RUN is a stage of the scan chain's jobs."""

    WRITE = 0
    READ = 1
    RUN = 2


#: Fields of a stream command, one beat, low bits first.
COMMAND_FIELDS = {"op": 4, "target": 4, "zero": 8, "addr": 16, "count": 16, "zero_high": 16}

#: Cycles from a read of the global buffer to its data; from ``update`` to the first cycle in which ``busy`` counts.
GLB_LATENCY = 2
START_LATENCY = 4


def target_bits(cfg) -> dict[Target, int]:
    """Width of a word of every memory that the host writes [bits]."""
    return {Target.GLB: cfg.word_bits, Target.MAP: cfg.values, Target.LUT: cfg.instruction_bits,
            Target.PROJECTION: cfg.trees * cfg.values * TERNARY_BITS,
            Target.LOW_WEIGHTS: cfg.trees * cfg.systolic_columns * LOW_BITS,
            Target.LOW_BIAS: cfg.systolic_columns * SUM_BITS}


def target_words(cfg) -> dict[Target, int]:
    """Words of every memory that the host writes."""
    return {Target.GLB: cfg.glb_words, Target.MAP: cfg.glb_words, Target.LUT: cfg.lut,
            Target.PROJECTION: cfg.projection_words, Target.LOW_WEIGHTS: cfg.low_tiles,
            Target.LOW_BIAS: cfg.low_bias_words}


def target_beats(cfg) -> dict[Target, int]:
    """Stream beats of a word of every memory that the host writes."""
    return {target: -(-bits // BEAT_BITS) for target, bits in target_bits(cfg).items()}


def chain_fields(cfg) -> dict[str, int]:
    """The scan chain, low bits first: jobs of Speculator, Executor and cell unit, and the IDs of rows and columns."""
    return {**{f"speculate_{name}": bits for name, bits in SPECULATE_FIELDS.items()},
            **{f"execute_{name}": bits for name, bits in EXECUTE_FIELDS.items()},
            **{f"cell_{name}": bits for name, bits in CELL_FIELDS.items()},
            **{f"row_id_{k}": (cfg.rows - 1).bit_length() for k in range(cfg.rows)},
            **{f"column_id_{k}": (cfg.columns - 1).bit_length() for k in range(cfg.columns)}}


def chain_beats(cfg) -> int:
    """Stream beats of the scan chain."""
    return -(-sum(chain_fields(cfg).values()) // BEAT_BITS)


#: What goes into the activation functions of the Speculator [bits], and how many of them are a fraction.
CODE_INPUT_BITS, CODE_FRACTION = 8, 4
_CODE_INPUTS = [x / (1 << CODE_FRACTION) for x in range(-1 << CODE_INPUT_BITS - 1, 1 << CODE_INPUT_BITS - 1)]
#: Their codes, of -8.0 first: 15 sigmoid(x) and 7 tanh(x), to the nearest integer. The only half
#: is 7.5 of sigmoid(0), which becomes 8.
CODE_SIGMOID = tuple(math.floor(15 / (1 + math.exp(-x)) + 0.5) for x in _CODE_INPUTS)
CODE_TANH = tuple(math.floor(7 * math.tanh(x) + 0.5) for x in _CODE_INPUTS)


#: Fields of the trace, low bits first; no field crosses 64 bits. What goes in ...
TRACE_INPUTS = {"s_valid": 1, "s_last": 1, "m_ready": 1, "clear": 1, "ar_ready": 1, "r_valid": 1, "r_last": 1,
                "pad_in": 57, "s_data": 64}
#: ... what comes out; what is written to the global buffer, its values and map bits folded to 32 bits by exclusive or;
#: and what is read from it. ``r_data`` of the memory port follows, in a record of its own.
TRACE_OUTPUTS = {
    "m_data": 64,
    "ar_addr": 48, "ar_len": 8, "ar_valid": 1, "r_ready": 1, "s_ready": 1, "m_valid": 1, "m_last": 1, "active": 1,
    "io_error": 1, "saturated": 1,
    "write_addr": 16, "write_map_addr": 16, "read_addr": 16, "read_map_addr": 16,
    "write_data": 32, "write_map": 32,
    "write_port": 3, "read_port": 3, "busy": 1, "executes": 1, "speculates": 1, "cell_works": 1, "step_done": 1,
    "transfer": 1, "macs": 12, "tiles_done": 16, "pad_out": 24,
}
