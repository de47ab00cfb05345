"""Commands of the stream port: their rules once more by hand, legal, faulty and cut packets."""

from typing import NamedTuple

from golden.common.fields import beats_of, pack_fields, unpack_fields
from golden.dota.formats import BEAT_BITS, COMMAND_FIELDS, STEP_BITS, STEP_FIELDS, Op, Step

#: Words of a command that was made at random.
LONGEST = 8
STEP_BEATS = STEP_BITS // BEAT_BITS


class Beat(NamedTuple):
    data: int
    last: bool


def is_legal_command(cfg, c, ended):
    """The rules by hand: untimed specification. ``c``: fields by name; ``ended``: TLAST came with the command."""
    if c["op"] not in list(Op) or c["zero"] or c["zero_high"]:
        return False
    chosen = [lane for lane in range(8) if c["lanes"] >> lane & 1]
    return all([
        chosen and max(chosen) < cfg.lanes,
        c["count"] > 0 and c["addr"] + c["count"] <= cfg.words,
        ended == (c["op"] == Op.READ),
        c["op"] != Op.READ or len(chosen) == 1,
        c["op"] != Op.RUN or (c["addr"], c["count"]) == (0, 1),
    ])


def is_legal_step(word):
    """The rules of a step that the port looks at; ``word`` has STEP_BITS."""
    step = unpack_fields(STEP_FIELDS, word)
    return step["step"] in list(Step) and step["pad"] == 0


def word_beats(cfg):
    """Beats of a word of the SRAM."""
    return beats_of(cfg.word_bits, BEAT_BITS)


def data_beats(cfg, c):
    """Beats that follow a command."""
    return {Op.WRITE: c["count"] * word_beats(cfg), Op.RUN: STEP_BEATS}.get(c["op"], 0)


def packet_of(c, data):
    """Beats from a command to its TLAST."""
    words = [pack_fields(COMMAND_FIELDS, c), *data]
    return [Beat(word, k == len(words) - 1) for k, word in enumerate(words)]


def step_beats(rng, **changes):
    """The beats of a step that is legal before the ``changes``."""
    fields = {name: rng.getrandbits(bits) for name, bits in STEP_FIELDS.items()}
    word = pack_fields(STEP_FIELDS, fields | {"step": rng.choice(list(Step)), "pad": 0} | changes)
    return [word >> BEAT_BITS * i & (1 << BEAT_BITS) - 1 for i in range(STEP_BEATS)]


def packet(cfg, rng, c, extra=0):
    """A whole packet with random data, ``extra`` beats too long (or too short)."""
    data = step_beats(rng) if c["op"] == Op.RUN else []
    count = data_beats(cfg, c) + extra
    return packet_of(c, [*data, *(rng.getrandbits(BEAT_BITS) for _ in range(count - len(data)))][:count])


def legal_command(cfg, rng, **changes):
    """Fields of a random short command that keeps all rules, before the ``changes``."""
    op = changes.get("op", rng.choice([Op.WRITE, Op.WRITE, Op.READ, Op.READ, Op.RUN]))
    c = dict.fromkeys(COMMAND_FIELDS, 0) | {"op": op, "lanes": rng.randrange(1, 1 << cfg.lanes), "count": 1}
    if op == Op.READ:
        c["lanes"] = 1 << rng.randrange(cfg.lanes)
    if op != Op.RUN:
        c["count"] = changes.get("count", rng.choice([1, 2, rng.randint(1, LONGEST)]))
        c["addr"] = rng.choice([0, cfg.words - c["count"], rng.randint(0, cfg.words - c["count"])])
    return c | changes


def rule_cases(cfg):
    """(name, fields, whether TLAST comes with the command, whether it is legal): every rule at its boundary."""
    cases = []

    def case(name, is_legal, ended=None, **changes):
        c = dict.fromkeys(COMMAND_FIELDS, 0) | {"op": Op.WRITE, "lanes": 1, "count": 1} | changes
        cases.append((f"op {int(c['op'])} {name}", c, c["op"] == Op.READ if ended is None else ended, is_legal))

    for op in range(16):
        case("", op in list(Op), op=op)
    for op in Op:
        for bit in range(COMMAND_FIELDS["zero"]):
            case(f"reserved bit {bit}", False, op=op, zero=1 << bit)
        for bit in range(COMMAND_FIELDS["zero_high"]):
            case(f"reserved high bit {bit}", False, op=op, zero_high=1 << bit)
        for mask in range(1 << 8):
            single = mask & mask - 1 == 0
            if mask < 1 << cfg.lanes or single or mask == 255:
                case(f"lanes {mask:b}", 0 < mask < 1 << cfg.lanes and (single or op != Op.READ), op=op, lanes=mask)
        for ended in (False, True):
            case(f"ended {ended}", ended == (op == Op.READ), ended, op=op)
        case("no word", False, op=op, count=0)
        is_run = op == Op.RUN
        case("two words", not is_run, op=op, count=2)
        case("from word 1", not is_run, op=op, addr=1)
        case("last word", not is_run, op=op, addr=cfg.words - 1)
        case("after the last word", False, op=op, addr=cfg.words)
        case("up to the end", not is_run, op=op, addr=cfg.words - 2, count=2)
        case("beyond the end", False, op=op, addr=cfg.words - 1, count=2)
        case("sum of 17 bits", False, op=op, addr=2**16 - 1, count=1)
        case("longest sum", False, op=op, addr=2**16 - 1, count=2**16 - 1)
        case("longest count", False, op=op, count=2**16 - 1)
    return cases


def step_cases():
    """(name, changes of a legal step, whether it is legal)."""
    cases = [(f"step {step}", {"step": step}, step != 0) for step in range(4)]
    return cases + [(f"pad bit {bit}", {"pad": 1 << bit}, False) for bit in range(STEP_FIELDS["pad"])]


def case_packet(cfg, rng, c, ended, is_legal):
    """A packet for a case of :func:`rule_cases`."""
    if is_legal:
        return packet(cfg, rng, c)
    return packet_of(c, [] if ended else [rng.getrandbits(BEAT_BITS) for _ in range(rng.randint(1, 4))])


def random_packet(cfg, rng):
    """A legal packet, one with a fault in its command or step, or one with its TLAST in a wrong place."""
    kind, c = rng.random(), legal_command(cfg, rng)
    if kind < 0.2:
        name = rng.choice(list(COMMAND_FIELDS))
        c[name] = rng.getrandbits(COMMAND_FIELDS[name])
        if name == "count" and c["count"] > LONGEST:  # it might be legal and take long
            c["count"] = 0
        return packet_of(c, [rng.getrandbits(BEAT_BITS) for _ in range(rng.randrange(12))])
    if c["op"] == Op.RUN and kind < 0.4:
        return packet_of(c, step_beats(rng, **rng.choice(step_cases())[1]))
    return packet(cfg, rng, c, extra=rng.choice([1, 3, -1]) if kind < 0.4 and c["op"] != Op.READ else 0)


def cycles_of(cfg, beats_of_packet):
    """Cycles that the port spends on a packet without steps if nothing ever waits."""
    (command, ended), *data = beats_of_packet
    c = unpack_fields(COMMAND_FIELDS, command)
    if is_legal_command(cfg, c, ended) and c["op"] == Op.READ:
        return 2 + 8 + (c["count"] - 1) * max(7, word_beats(cfg))
    return 2 + len(data)
