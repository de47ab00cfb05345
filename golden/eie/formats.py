"""Binary formats of EIE: what the compiler writes, the hardware reads and the benches decode.

Only constants and the packing of whole words live here, so that ``hdl`` may import it.

Entry of the sparse matrix [EIE III.B]::

    MSB          LSB
    +------+------+
    | v 4  | z 4  |     v: codebook index, z: zeros before this entry
    +------+------+

A row of the sparse-matrix SRAM holds ``spmat_width / 8`` entries, the first one in the low byte.

Command of the stream port, one 64-bit beat before the data::

    MSB                                                        LSB
    +----------+---------+-------+-----+--------+-------+------+
    | count 20 | addr 20 | pe 8  | 0 6 | walk 2 | mem 4 | op 4 |
    +----------+---------+-------+-----+--------+-------+------+

``count`` words follow (write) or come back (read); a word takes ``ceil(width / 64)`` beats, low part first.
TLAST marks the last beat of a command's data (the command itself when it has none) and of a reply.

Word of the program memory: one pass, see :data:`PASS_FIELDS`.
"""

import enum

from golden.common.fields import beats_of, pack_fields

BEAT_BITS = 64
ENTRY_BITS = 8
CODEBOOK_SIZE = 16
#: Children of a node of the LNZD quadtree.
CHILDREN = 4
#: Cycles from a read on the bus of the I/O port to its answer.
READ_LATENCY = 4
#: Beats that may wait in front of it.
INBOX_BEATS = 2
MAX_ZEROS = 15


class Op(enum.IntEnum):
    """What a stream command asks for."""

    WRITE = 0
    READ = 1
    #: Every register of ACT0 or ACT1 becomes zero, in all PEs (walk ALL, addr 0, count 1; no data).
    CLEAR = 2


class Walk(enum.IntEnum):
    """Which word follows which."""

    #: Addresses of one PE, ascending.
    ONE = 0
    #: Element i of a vector: PE ``i % n_pe``, address ``addr + i // n_pe``.
    INTERLEAVED = 1
    #: The same word to the same address of every PE; only for writing.
    ALL = 2


class Mem(enum.IntEnum):
    """Memories that a stream command reaches. PROGRAM is in the central unit, all others in every PE."""

    SPMAT = 0
    PTR = 1
    CODEBOOK = 2
    ACT0 = 3
    ACT1 = 4
    ACT_SRAM = 5
    PROGRAM = 6


#: Fields of a stream command, low bits first.
COMMAND_FIELDS = {"op": 4, "mem": 4, "walk": 2, "zero": 6, "pe": 8, "addr": 20, "count": 20}

#: Fields of a pass, low bits first; three beats of the stream, and no field crosses a beat.
PASS_FIELDS = {
    "load": 1,           # copy in_rows words from the activation SRAM to the source register file first
    "clear": 1,          # start from zero accumulators
    "finish": 1,         # wait until every PE is done (the last input pass of an output pass)
    "store": 1,          # then copy out_rows words of the destination to the activation SRAM
    "swap": 1,           # then exchange the two register files
    "relu": 1,           # non-positive results count as zero
    "bias": 1,           # broadcast bias_value to column bias_column last
    "zero": 9,
    "codebook": 8,       # number of the weight table
    "shift": 8,          # right shift of a product
    "in_rows": 16,
    "in_base": 16,
    "out_rows": 16,
    "out_base": 16,
    "column_base": 32,   # pointer address of column 0
    "bias_column": 32,   # pointer address of the bias column
    "bias_value": 32,    # the constant 1.0 in the format of the input activations
}
PASS_BITS = 192


#: What a cycle of a running program goes to; they add up to ``cycles``.
CAUSES = ("broadcasts", "stall_queue", "stall_lnzd", "stall_drain", "stall_store", "control")
#: What the PEs count.
WORK = ("entries", "padding", "spmat_reads", "ptr_reads", "act_reads", "act_writes")
#: The counters of a program.
COUNTERS = ("cycles", *CAUSES, *WORK)
COUNTER_BITS = 48

#: Fields of the trace that stand before the PE records, low bits first; no field crosses 64 bits. What goes in ...
TRACE_INPUTS = {"s_valid": 1, "s_last": 1, "m_ready": 1, "start": 1, "clear": 1, "pad_in": 27, "length": 32,
                "s_data": 64}
#: ... and what comes out. ``state`` is that of the sequencer, ``number`` the pass it runs.
TRACE_OUTPUTS = {"m_data": 64,
                 "s_ready": 1, "m_valid": 1, "m_last": 1, "done": 1, "saturated": 1, "program_error": 1,
                 "start_error": 1, "io_error": 1, "row_error": 1, "state": 3, "push": 1, "pad_out": 19, "number": 32,
                 "column": 32, "value": 32}
#: Fields of the record of one PE: the architectural write of this cycle. ``value`` has ``data_bits``.
TRACE_PE = {"valid": 1, "row": 15, "value": None}


def trace_pe_bits(cfg) -> int:
    """Width of the trace record of one PE [bits], a multiple of 16."""
    return 32 if cfg.data_bits <= 16 else 48


def mem_words(cfg) -> dict[Mem, int]:
    """Number of words of each memory."""
    return {Mem.SPMAT: cfg.spmat_words, Mem.PTR: cfg.ptr_words, Mem.CODEBOOK: cfg.codebooks * CODEBOOK_SIZE,
            Mem.ACT0: cfg.regfile_words, Mem.ACT1: cfg.regfile_words, Mem.ACT_SRAM: cfg.act_words,
            Mem.PROGRAM: cfg.program_words}


def mem_bits(cfg) -> dict[Mem, int]:
    """Width of a word of each memory [bits]."""
    return {Mem.SPMAT: cfg.spmat_width, Mem.PTR: cfg.pointer_bits, Mem.CODEBOOK: cfg.data_bits,
            Mem.ACT0: cfg.data_bits, Mem.ACT1: cfg.data_bits, Mem.ACT_SRAM: cfg.data_bits,
            Mem.PROGRAM: PASS_BITS}


def beats(bits: int) -> int:
    """Stream beats of a word of ``bits`` bits."""
    return beats_of(bits, BEAT_BITS)


def pack_command(op: Op, mem: Mem, *, walk: Walk = Walk.ONE, pe: int = 0, addr: int = 0, count: int) -> int:
    """One beat that starts a stream command."""
    return pack_fields(COMMAND_FIELDS, {"op": op, "mem": mem, "walk": walk, "pe": pe, "addr": addr,
                                        "count": count})
