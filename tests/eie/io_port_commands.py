"""Commands of the I/O port: their rules once more by hand, legal, faulty and cut packets."""

from typing import NamedTuple

from golden.common.fields import pack_fields, unpack_fields
from golden.eie.formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    Mem,
    Op,
    Walk,
    beats,
    mem_bits,
    mem_words,
)

#: Words of a command that was made at random.
LONGEST = 16


class Beat(NamedTuple):
    data: int
    last: bool


def is_legal_command(cfg, c, ended):
    """The rules by hand: untimed specification. ``c``: fields by name; ``ended``: TLAST came with the command."""
    if c["op"] not in list(Op) or c["mem"] not in list(Mem) or c["walk"] not in list(Walk) or c["zero"]:
        return False
    op, mem, walk, one = c["op"], c["mem"], c["walk"], c["walk"] == Walk.ONE
    rows = -(-c["count"] // cfg.n_pe) if walk == Walk.INTERLEAVED else c["count"]
    return all([
        c["count"] > 0 and c["addr"] + rows <= mem_words(cfg)[mem],
        one or mem != Mem.PROGRAM,
        c["pe"] < (cfg.n_pe if one and mem != Mem.PROGRAM else 1),
        ended == (op != Op.WRITE),
        op != Op.READ or walk != Walk.ALL,
        op != Op.CLEAR or (walk == Walk.ALL and mem in (Mem.ACT0, Mem.ACT1) and (c["addr"], c["count"]) == (0, 1)),
    ])


def data_beats(cfg, c):
    """Beats of all words of a command."""
    return c["count"] * beats(mem_bits(cfg)[c["mem"]])


def packet_of(c, data):
    """Beats from a command to its TLAST."""
    words = [pack_fields(COMMAND_FIELDS, c), *data]
    return [Beat(word, k == len(words) - 1) for k, word in enumerate(words)]


def packet(cfg, rng, c, extra=0):
    """A whole packet with random data, ``extra`` beats too long (or too short)."""
    count = data_beats(cfg, c) + extra if c["op"] == Op.WRITE else extra
    return packet_of(c, [rng.getrandbits(BEAT_BITS) for _ in range(count)])


def legal_command(cfg, rng, **changes):
    """Fields of a random short command that keeps all rules, before the ``changes``."""
    c = dict.fromkeys(COMMAND_FIELDS, 0) | {"op": rng.choice([Op.WRITE, Op.READ]), "mem": rng.choice(list(Mem)),
                                            "walk": rng.choice(list(Walk))} | changes
    if c["op"] == Op.CLEAR:
        return c | {"mem": rng.choice([Mem.ACT0, Mem.ACT1]), "walk": Walk.ALL, "count": 1} | changes
    if c["mem"] == Mem.PROGRAM or (c["op"] == Op.READ and c["walk"] == Walk.ALL):
        c["walk"] = Walk.ONE
    words, lanes = mem_words(cfg)[c["mem"]], cfg.n_pe if c["walk"] == Walk.INTERLEAVED else 1
    c["count"] = rng.choice([1, 2, min(words * lanes, rng.randint(1, 9)), min(words, 2) * lanes])
    rows = -(-c["count"] // lanes)
    c["addr"] = rng.choice([0, words - rows, rng.randint(0, words - rows)])
    if c["walk"] == Walk.ONE and c["mem"] != Mem.PROGRAM:
        c["pe"] = rng.choice([0, cfg.n_pe - 1, rng.randrange(cfg.n_pe)])
    return c | changes


def rule_cases(cfg, rng):
    """(name, fields, whether TLAST comes with the command, whether it is legal): every rule at its boundary."""
    cases = []

    def case(name, is_legal, ended=None, **changes):
        base = {"op": Op.WRITE, "mem": Mem.ACT_SRAM, "walk": Walk.ONE, "pe": 0, "addr": 0, "count": 1}
        c = dict.fromkeys(COMMAND_FIELDS, 0) | base | changes
        cases.append((name, c, c["op"] != Op.WRITE if ended is None else ended, is_legal))

    clear = {"op": Op.CLEAR, "mem": Mem.ACT1, "walk": Walk.ALL}
    for op in range(16):
        case(f"op {op}", op in (Op.WRITE, Op.READ), op=op)
        case(f"op {op} with a walk over all", op in (Op.WRITE, Op.CLEAR), **{**clear, "op": op})
    for mem in range(16):
        case(f"mem {mem}", mem < len(Mem), mem=mem)
        case(f"clear mem {mem}", mem in (Mem.ACT0, Mem.ACT1), **{**clear, "mem": mem})
        for walk in (Walk.INTERLEAVED, Walk.ALL):
            case(f"mem {mem} walk {walk}", mem < Mem.PROGRAM, mem=mem, walk=walk)
    for walk in range(4):
        case(f"write walk {walk}", walk < 3, walk=walk)
        case(f"read walk {walk}", walk < 2, op=Op.READ, walk=walk)
        case(f"clear walk {walk}", walk == Walk.ALL, **{**clear, "walk": walk})
    for bit in range(COMMAND_FIELDS["zero"]):
        case(f"reserved bit {bit}", False, zero=1 << bit)
    for op in (Op.WRITE, Op.READ):
        for mem, words in mem_words(cfg).items():
            at = {"op": op, "mem": mem}
            case(f"op {op} mem {mem} no word", False, count=0, **at)
            case(f"op {op} mem {mem} last word", True, addr=words - 1, **at)
            case(f"op {op} mem {mem} after the last word", False, addr=words, **at)
            case(f"op {op} mem {mem} up to the end", True, addr=words - 2, count=2, **at)
            case(f"op {op} mem {mem} beyond the end", False, addr=words - 1, count=2, **at)
            case(f"op {op} mem {mem} sum of 21 bits", False, addr=2**20 - 1, count=1, **at)
            case(f"op {op} mem {mem} longest sum", False, addr=2**20 - 1, count=2**20 - 1, **at)
            if mem != Mem.PROGRAM:
                one_row = {"walk": Walk.INTERLEAVED, "addr": words - 1, **at}
                case(f"op {op} mem {mem} last row", True, count=cfg.n_pe, **one_row)
                case(f"op {op} mem {mem} beyond the last row", False, count=cfg.n_pe + 1, **one_row)
                case(f"op {op} mem {mem} row after the last", False, count=1, **{**one_row, "addr": words})
    case("all up to the end", True, walk=Walk.ALL, addr=cfg.act_words - 2, count=2)
    case("all beyond the end", False, walk=Walk.ALL, addr=cfg.act_words - 1, count=2)
    for pe in {cfg.n_pe - 1, cfg.n_pe, 2 * cfg.n_pe, 128, 255} & set(range(256)):
        case(f"pe {pe}", pe < cfg.n_pe, pe=pe)
        case(f"program of pe {pe}", pe == 0, mem=Mem.PROGRAM, pe=pe)
        case(f"clear from pe {pe}", pe == 0, **clear, pe=pe)
        for walk in (Walk.INTERLEAVED, Walk.ALL):
            case(f"walk {walk} from pe {pe}", pe == 0, walk=walk, pe=pe)
    for op in Op:
        for ended in (False, True):
            fields = clear if op == Op.CLEAR else {"op": op}
            case(f"op {op} ended {ended}", ended == (op != Op.WRITE), ended, **fields)
    case("clear from address 1", False, **clear, addr=1)
    case("clear twice", False, **clear, count=2)
    return cases


def case_packet(cfg, rng, c, ended, is_legal):
    """A packet for a case of :func:`rule_cases`."""
    if is_legal:
        return packet(cfg, rng, c)
    return packet_of(c, [] if ended else [rng.getrandbits(BEAT_BITS) for _ in range(rng.randint(1, 4))])


def random_packet(cfg, rng):
    """A legal packet, one with a fault in its command, or one with its TLAST in a wrong place."""
    kind = rng.random()
    c = legal_command(cfg, rng, **({"op": Op.CLEAR} if rng.random() < 0.1 else {}))
    if kind < 0.25:
        name = rng.choice(list(COMMAND_FIELDS))
        c[name] = rng.getrandbits(COMMAND_FIELDS[name])
        if name == "count" and c["count"] > LONGEST:  # it might be legal and take long
            c["count"] = 0
        return packet_of(c, [rng.getrandbits(BEAT_BITS) for _ in range(rng.randrange(12))])
    return packet(cfg, rng, c, extra=rng.choice([1, 3, -1]) if kind < 0.4 and c["op"] == Op.WRITE else 0)


def cycles_of(cfg, beats_of_packet):
    """Cycles that the port spends on a packet if nothing ever waits."""
    (command, ended), *data = beats_of_packet
    c = unpack_fields(COMMAND_FIELDS, command)
    if is_legal_command(cfg, c, ended) and c["op"] == Op.READ:
        return 2 + c["count"] * (5 + beats(mem_bits(cfg)[c["mem"]]))
    return 2 + len(data)
