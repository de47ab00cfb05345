"""What the bench of the whole accelerator sends: random words for every memory, and programs."""

import numpy as np

from golden.common.fields import pack_fields
from golden.eie import host
from golden.eie.formats import PASS_FIELDS, Mem, Op, Walk, beats, mem_bits, mem_words, pack_command
from tests.eie.program_traffic import legal_pass

IN_PES = tuple(mem for mem in Mem if mem is not Mem.PROGRAM)


class Shadow:
    """What the host has written: a word for every (memory, PE, address). The program memory has PE 0."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.words = {}

    def places(self, mem, walk, pe, addr, count):
        """Lists of the places of each word of a command."""
        n_pe = 1 if mem is Mem.PROGRAM else self.cfg.n_pe
        if walk is Walk.INTERLEAVED:
            return [[(mem, i % n_pe, addr + i // n_pe)] for i in range(count)]
        pes = range(n_pe) if walk is Walk.ALL else [pe]
        return [[(mem, k, addr + i) for k in pes] for i in range(count)]

    def write(self, mem, words, *, walk=Walk.ONE, pe=0, addr=0):
        """Note words, and return the packet that writes them."""
        for place, word in zip(self.places(mem, walk, pe, addr, len(words)), words, strict=True):
            self.words |= dict.fromkeys(place, word)
        per_word = beats(mem_bits(self.cfg)[mem])
        data = [word >> 64 * b & 2**64 - 1 for word in words for b in range(per_word)]
        packet, = host.write_packets(self.cfg, mem, data, walk=walk, pe=pe, addr=addr)
        return packet

    def clear(self, mem):
        """Note that a register file is cleared, and return the packet."""
        for (m, pe, addr) in self.words:
            if m is mem:
                self.words[m, pe, addr] = 0
        return [pack_command(Op.CLEAR, mem, walk=Walk.ALL, count=1)]

    def expected(self, mem, *, walk=Walk.ONE, pe=0, addr=0, count=None):
        """The packet that reads words, and the beats of its reply."""
        count = mem_words(self.cfg)[mem] * (1 if walk is Walk.ONE else self.cfg.n_pe) if count is None else count
        per_word = beats(mem_bits(self.cfg)[mem])
        words = [self.words[place] for place, in self.places(mem, walk, pe, addr, count)]
        packet = [pack_command(Op.READ, mem, walk=walk, pe=pe, addr=addr, count=count)]
        return packet, [word >> 64 * b & 2**64 - 1 for word in words for b in range(per_word)]


def random_words(rng, cfg, mem, count):
    """Words of a memory, extremes among them."""
    bits = mem_bits(cfg)[mem]
    return [rng.choice([0, (1 << bits) - 1, rng.getrandbits(bits), rng.getrandbits(bits)]) for _ in range(count)]


def random_pointers(rng, cfg):
    """Pointers of one PE: mostly ascending, with empty columns, columns that wrap, and falls."""
    pointers, top = [], (1 << cfg.pointer_bits) - 1
    at = rng.randrange(64)
    for _ in range(cfg.ptr_words):
        if rng.random() < 0.05 or at > top:
            at = rng.choice([0, rng.randrange(top), rng.randrange(at % top + 1)])
        pointers.append(at)
        at += rng.choice([0, 0, 1, 1, 1, 2, 3, 5, 9])
    return pointers


def random_entries(rng, cfg):
    """Rows of the sparse-matrix SRAM of one PE: mostly few zeros between the entries."""
    def entry():
        return rng.randrange(16) << 4 | rng.choice([0, 0, 0, 0, 1, 1, 2, 3, 15, rng.randrange(16)])
    return [int.from_bytes(bytes(entry() for _ in range(cfg.entries_per_row)), "little")
            for _ in range(cfg.spmat_words)]


def random_memories(rng, shadow):
    """Packets that fill all memories of the PEs with words that make sense to a program."""
    cfg = shadow.cfg

    density = rng.choice([0.1, 0.6, 1.0])

    def value():
        return rng.choice([1, rng.getrandbits(cfg.data_bits), rng.getrandbits(cfg.data_bits - 6)]) \
            if rng.random() < density else 0

    for pe in range(cfg.n_pe):
        yield shadow.write(Mem.SPMAT, random_entries(rng, cfg), pe=pe)
        yield shadow.write(Mem.PTR, random_pointers(rng, cfg), pe=pe)
    yield shadow.write(Mem.CODEBOOK, random_words(rng, cfg, Mem.CODEBOOK, mem_words(cfg)[Mem.CODEBOOK]), walk=Walk.ALL)
    for mem in (Mem.ACT0, Mem.ACT1, Mem.ACT_SRAM):
        words = [value() for _ in range(mem_words(cfg)[mem] * cfg.n_pe)]
        yield shadow.write(mem, words, walk=Walk.INTERLEAVED)


def random_program(rng, cfg):
    """Words of a legal program that no compiler would write: any pass after any other."""
    passes = [legal_pass(cfg, rng, shift=rng.randrange(cfg.data_bits)) for _ in range(rng.randint(1, 6))]
    for p in passes[:-1]:
        if rng.random() < 0.4:
            p.update(finish=0, store=0, swap=0)
    return [pack_fields(PASS_FIELDS, p) for p in passes]


def big_small_codes(n_out, n_pe, big):
    """Codes of a layer of one input: 15 in the rows of the PEs ``big``, else 1."""
    rows = np.arange(n_out) % n_pe
    return np.where(np.isin(rows, list(big)), 15, 1).astype(np.uint8)[:, None]
