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
