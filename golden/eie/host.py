"""What the host sends: stream packets that fill the memories, place a vector and ask for the outputs.

A packet is a list of 64-bit beats; TLAST belongs to its last one.
"""

import numpy as np

from golden.common.fixed import wrap_array

from .formats import BEAT_BITS, Mem, Op, Walk, beats, mem_bits, pack_command

#: Words of one command at most.
MAX_COUNT = 1 << 19


def image_packets(image, skip=()) -> list[list[int]]:
    """Everything that stays over many vectors: matrix, pointers, codebooks, program; not what is in ``skip``."""
    cfg = image.cfg
    packets = []
    for k in range(cfg.n_pe):
        used = -(-int(image.entries[k]) // cfg.entries_per_row)
        if used and Mem.SPMAT not in skip:
            packets += write_packets(cfg, Mem.SPMAT, _row_beats(image.rows[k, :used]), pe=k)
        if Mem.PTR not in skip:
            packets += write_packets(cfg, Mem.PTR, [int(p) for p in image.pointers[k]], pe=k)
    table = [int(v) & (1 << cfg.data_bits) - 1 for v in image.codebooks.reshape(-1)]
    packets += write_packets(cfg, Mem.CODEBOOK, table, walk=Walk.ALL)
    words = [p.word() >> BEAT_BITS * b & (1 << BEAT_BITS) - 1 for p in image.program for b in range(3)]
    return packets + write_packets(cfg, Mem.PROGRAM, words)


def input_packets(image, activations) -> list[list[int]]:
    """Place one input vector; a register file is cleared before."""
    cfg, mem = image.cfg, image.input.mem
    words = image.input_words(activations).reshape(-1)
    data = [int(v) & (1 << cfg.data_bits) - 1 for v in words]
    packets = []
    if mem is not Mem.ACT_SRAM:
        packets.append([pack_command(Op.CLEAR, mem, walk=Walk.ALL, count=1)])
    return packets + write_packets(cfg, mem, data, walk=Walk.INTERLEAVED, addr=image.input.addr)


def output_packet(image) -> list[int]:
    """Ask for the output vector."""
    place = image.output
    return [pack_command(Op.READ, place.mem, walk=Walk.INTERLEAVED, addr=place.addr, count=place.length)]


def output_vector(image, reply: list[int]) -> np.ndarray:
    """The output vector, int64, from the beats of the reply to :func:`output_packet`."""
    return wrap_array(np.array(reply, np.int64), image.cfg.data_bits)


def write_packets(cfg, mem: Mem, data: list[int], *, walk: Walk = Walk.ONE, pe: int = 0,
                  addr: int = 0) -> list[list[int]]:
    """Write ``data``, given in beats, from word ``addr`` on; as many packets as the count field requires."""
    per_word = beats(mem_bits(cfg)[mem])
    packets = []
    for first in range(0, len(data), MAX_COUNT * per_word):
        part = data[first:first + MAX_COUNT * per_word]
        done = first // per_word
        packets.append([pack_command(Op.WRITE, mem, walk=walk, pe=pe, count=len(part) // per_word,
                                     addr=addr + (done // cfg.n_pe if walk is Walk.INTERLEAVED else done)), *part])
    return packets


def _row_beats(rows) -> list[int]:
    """Rows of entries, uint8 [rows, entries_per_row], as beats; a row shorter than a beat is filled with zeros."""
    per_row = rows.shape[1]
    padded = np.zeros((len(rows), -(-per_row // 8) * 8), np.uint8)
    padded[:, :per_row] = rows
    return padded.view("<u8").reshape(-1).tolist()
