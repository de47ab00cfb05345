"""Binary formats of DOTA: what the compiler writes, the hardware reads and the benches decode.

Only constants and the packing of whole words live here, so that ``hdl`` may import it.
"""

import enum

#: Queries of a group [Thesis table C.1, "Token Paral. = 4"].
QUERIES = 4
#: Width of a fixed-point element [bits].
FX_BITS = 16
#: Low-precision operand of a PE [bits]: as wide as the two FX16 operands of a product.
UNIT_BITS = 32
#: Partial sum of a PE [bits].
SUM_BITS = 48
#: A low-precision sum of a row [bits].
LOW_SUM_BITS = 24

#: Banks of a lane: keys, values, queries and results, low-precision operands.
KEY_BANKS = 4
VALUE_BANKS = 4
BANKS = KEY_BANKS + VALUE_BANKS + 2


class Precision(enum.IntEnum):
    """Precision of a row of PEs."""

    FX16 = 0
    INT8 = 1
    INT4 = 2
    INT2 = 3


#: Width of an element [bits].
ELEMENT_BITS = {Precision.FX16: 16, Precision.INT8: 8, Precision.INT4: 4, Precision.INT2: 2}
#: Elements of the streamed operand that a PE takes in a cycle.
INPUTS = {Precision.FX16: 1, Precision.INT8: 4, Precision.INT4: 8, Precision.INT2: 16}
#: Sums that it works on with them, one for each slot of the stationary operand.
OUTPUTS = {Precision.FX16: 1, Precision.INT8: 1, Precision.INT4: 2, Precision.INT2: 4}
#: Width of each sum in the PE [bits].
PE_SUM_BITS = {Precision.FX16: 48, Precision.INT8: 48, Precision.INT4: 24, Precision.INT2: 12}

#: From a fire of a PE to its partial sum, from there to the sums of the row, and on to the dot products [cycles].
PE_LATENCY = 3
ROW_LATENCY = 2
DOT_LATENCY = 1


class Op(enum.IntEnum):
    """What a stream command asks for."""

    WRITE = 0
    READ = 1
    RUN = 2


class Step(enum.IntEnum):
    """What a lane does in a step."""

    #: Dynamic sparse attention of all queries of a head.
    ATTEND = 1
    #: A dense layer in FX16 on the whole array.
    LINEAR = 2
    #: A product of low-precision matrices: the transformations of the predictor.
    LOW = 3


BEAT_BITS = 64
#: Fields of a stream command, one beat, low bits first; ``count`` words follow (WRITE) or come back (READ), or a step
#: follows (RUN).
COMMAND_FIELDS = {"op": 4, "zero": 4, "lanes": 8, "addr": 16, "count": 16, "zero_high": 16}

#: Fields of a step, low bits first; five beats, and no field crosses a beat. Addresses are words of the lane.
STEP_FIELDS = {
    "step": 2, "precision": 2,      # Step; of the estimate or of the low-precision product
    "out_precision": 2,             # LOW: of the result
    "relu": 1,                      # LINEAR
    "reduce": 1,                    # LINEAR: results go to the accumulator instead of the SRAM ...
    "first": 1, "emit": 1,          # ... and replace its sums; and leave it
    "wide": 1,                      # LINEAR: both halves of the array work, on output words 2 i and 2 i + 1
    "chunks": 5,                    # words of a vector: of d_head (ATTEND), of the input (LINEAR)
    "shift": 6,                     # of results
    "score_shift": 6, "estimate_shift": 5, "scale_shift": 5, "pad": 10, "scale": 16,
    "queries": 16,                  # rows of the left matrix
    "keys": 16,                     # keys (ATTEND), length of the input vectors (LINEAR)
    "keep": 16, "threshold": 16,    # ATTEND
    "q_base": 16, "q_stride": 16,   # left matrix; from a chunk to the next
    "k_base": 16, "k_stride": 16,   # keys; weights of the first half, from one output word to the next
    "v_base": 16, "v_stride": 16,   # values; weights of the second half
    "z_base": 16, "z_stride": 16,   # results; from an output word to the next
    "low_q_base": 16, "low_k_base": 16,     # low-precision operands
    "low_words": 16,                # words in which a row of them has units; of the result of LOW it is z_stride
    "blocks": 16,                   # LINEAR: output words (pairs of them if wide); LOW: blocks of output elements
}
STEP_BITS = 320
#: Groups whose rounds the queue holds: one is filled, one waits, one is scored, one is summed.
QUEUE_SLOTS = 4
#: Cycles from a read of the SRAM of a lane to its data.
SRAM_LATENCY = 2
#: Cycles from the last fire of the array until its partial sums can be selected, counted from the cycle after it.
SETTLED = PE_LATENCY - 1
#: Stream port: from the cycle of a read on the bus to the cycle in which its answer is sampled: into the lane, two in
#: the SRAM, out of the lane, and past the multiplexer of the lanes.
READ_LATENCY = 5
#: From the cycle of ``start`` to the first one in which it counts whether a lane is busy.
START_LATENCY = 4
#: Beats that may wait in front of the port.
INBOX_BEATS = 2
#: Cycles of the quantiser.
QUANTIZE_LATENCY = 2
#: Words of a head vector (or of an input vector) that a lane keeps for four queries.
MOST_CHUNKS = 16

#: Events of a lane in a cycle, low bits first: what the counters of the chip add.
EVENT_FIELDS = {"macs": 24, "low_macs": 24, "key_loads": 3, "value_loads": 3, "rounds": 1, "fires": 1, "detects": 1,
                "normalises": 1, "attends": 1, "multiplies": 1, "transforms": 1, "clipped": 1}

#: Record of a lane in the trace, low bits first. What it writes to its SRAM, folded to 32 bits by exclusive or; the
#: rounds that the scheduler decides; what fires.
TRACE_LANE = {
    "exact_write": 1, "estimate_write": 1, "round": 1, "last": 1, "live": 4, "fire": 1, "low_fire": 1, "estimated": 1,
    "mask": 1, "exact_busy": 1, "estimate_busy": 1, "send": 1, "pad": 1,
    "exact_addr": 16, "estimate_addr": 16, "owners": 16,
    "exact_word": 32, "estimate_word": 32,
    "key_0": 16, "key_1": 16, "key_2": 16, "key_3": 16,
}
TRACE_LANE_BITS = 192

#: Fields of the trace that stand before the records of the lanes, low bits first; no field crosses 64 bits. What goes
#: in ...
TRACE_INPUTS = {"s_valid": 1, "s_last": 1, "m_ready": 1, "clear": 1, "pad_in": 60, "s_data": 64}
#: ... and what comes out.
TRACE_OUTPUTS = {"m_data": 64, "s_ready": 1, "m_valid": 1, "m_last": 1, "active": 1, "io_error": 1, "saturated": 1,
                 "busy": 8, "pad_out": 50}
