"""Cycle model of one PE [EIE Fig. 4 (b)]: its units, stepped from the arithmetic unit back to the queue."""

from golden.common.fifo import fifo_front, fifo_step, fifo_valid
from golden.common.jit import jit

from . import act_queue, act_rw, arithmetic, pointer_read, program, spmat_read
from .formats import WORK, Mem

#: Positions in :data:`golden.eie.formats.WORK`.
ENTRIES, PADDING, SPMAT_READS, PTR_READS, ACT_READS, ACT_WRITES = range(len(WORK))


@jit
def clock(s, k, push, column, value, commands, ready, work):
    """One clock of PE ``k``, from sink to source; ``work`` counts what was done."""
    q, p, e, a, f, d = s.queue, s.pointers, s.entries, s.arithmetic, s.files, s.sequencer.desc
    role, scan, clear_cmd, load, store, base, rows, clear = commands
    busy = (push or fifo_valid(q, k) or p.valid[k] or pointer_read.valid_of(p, k) or e.busy[k] or e.e_valid[k]
            or e.o_valid[k] or arithmetic.busy_of(a, k))

    r_en, r_row = arithmetic.read_of(a, k)
    w_en, w_row, w_value = a.w_valid[k], a.w_row[k], a.w_sum[k]
    work[ENTRIES] += w_en
    work[PADDING] += w_en and a.w_padding[k]
    s.pe_entries[k] += w_en
    accumulators = 2 * k + 1 - role
    arithmetic.clock(a, k, e.o_valid[k], e.o_first[k], e.o_v[k], e.o_z[k], e.o_value[k], d[program.CODEBOOK],
                     d[program.SHIFT], f.r_live[accumulators], f.r_value[accumulators], clear, f.words.shape[1],
                     s.widths[Mem.ACT0.value])
    read, written = act_rw.clock(s.acts, f, k, role, scan, clear_cmd, load, store, base, rows, r_en, r_row, w_en,
                                 w_row, w_value, d[program.RELU], ready)
    work[ACT_READS] += read
    work[ACT_WRITES] += written

    entry_ready, pointer_ready = spmat_read.ready_of(e, k), pointer_read.ready_of(p, k)
    c_valid = pointer_read.valid_of(p, k)
    c_start, c_end = pointer_read.field_of(p, k, pointer_read.START), pointer_read.field_of(p, k, pointer_read.END)
    c_value = pointer_read.field_of(p, k, pointer_read.VALUE)
    work[SPMAT_READS] += spmat_read.clock(e, k, c_valid, c_start, c_end, c_value, s.widths[Mem.SPMAT.value] // 8)
    q_valid, q_column, q_value = fifo_valid(q, k), fifo_front(q, k, act_queue.COLUMN), fifo_front(q, k, act_queue.VALUE)
    pointer_read.clock(p, k, q_valid, q_column, q_value, entry_ready, s.run_ahead[0])
    work[PTR_READS] += q_valid and pointer_ready
    fifo_step(q, k, push, column, value, 0, pointer_ready)
    s.busy[k] = busy
