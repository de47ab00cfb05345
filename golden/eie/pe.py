"""Cycle model of one PE [EIE Fig. 4 (b)]: its units, stepped from the arithmetic unit back to the queue."""

from golden.common.fifo import fifo_front, fifo_ready, fifo_step, fifo_valid
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
    run_ahead = s.run_ahead[0]
    busy = (push or fifo_valid(q, k) or p.valid[k] or e.busy[k] or e.e_valid[k] or e.o_valid[k] or a.s2_valid[k]
            or (run_ahead and fifo_valid(s.columns, k)))

    r_en, r_row = arithmetic.read_of(a, k)
    w_en, w_row, w_value = a.s4_valid[k], a.s4_row[k], a.s4_sum[k]
    work[ENTRIES] += w_en
    work[PADDING] += w_en and a.s4_padding[k]
    s.pe_entries[k] += w_en
    accumulators = 2 * k + 1 - role
    arithmetic.clock(a, k, e.o_valid[k], e.o_first[k], e.o_v[k], e.o_z[k], e.o_value[k], d[program.CODEBOOK],
                     d[program.SHIFT], f.r_live[accumulators], f.r_value[accumulators], clear, f.words.shape[1],
                     s.widths[Mem.ACT0.value])
    read, written = act_rw.clock(s.acts, f, k, role, scan, clear_cmd, load, store, base, rows, r_en, r_row, w_en,
                                 w_row, w_value, d[program.RELU], ready)
    work[ACT_READS] += read
    work[ACT_WRITES] += written

    per_row = s.widths[Mem.SPMAT.value] // 8
    start, end, of_column = pointer_read.start_of(p, k), pointer_read.end_of(p, k), p.value[k]
    entry_ready = spmat_read.ready_of(e, k)
    q_valid, q_column, q_value = fifo_valid(q, k), fifo_front(q, k, act_queue.COLUMN), fifo_front(q, k, act_queue.VALUE)
    if run_ahead:
        c = s.columns
        c_valid = fifo_valid(c, k)
        c_start, c_end, c_value = fifo_front(c, k, 0), fifo_front(c, k, 1), fifo_front(c, k, 2)
        popped, found = pointer_read.clock(p, k, q_valid, q_column, q_value, fifo_ready(c, k), True)
        work[SPMAT_READS] += spmat_read.clock(e, k, c_valid, c_start, c_end, c_value, per_row)
        fifo_step(c, k, found, start, end, of_column, entry_ready)
    else:
        work[SPMAT_READS] += spmat_read.clock(e, k, p.valid[k], start, end, of_column, per_row)
        popped, _found = pointer_read.clock(p, k, q_valid, q_column, q_value, entry_ready, False)
    work[PTR_READS] += q_valid and popped
    fifo_step(q, k, push, column, value, 0, popped)
    s.busy[k] = busy
