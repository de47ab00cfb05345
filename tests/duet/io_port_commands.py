"""Commands of the stream port: their rules once more by hand, legal, faulty and cut packets."""

from typing import NamedTuple

from golden.common.fields import pack_fields
from golden.duet.formats import BEAT_BITS, COMMAND_FIELDS, Op, Target, chain_beats, target_beats, target_words

#: Words of a command that was made at random.
LONGEST = 6


class Beat(NamedTuple):
    data: int
    last: bool


def is_legal_command(cfg, c, ended):
    """The rules by hand: untimed specification. ``c``: fields by name; ``ended``: TLAST came with the command."""
    if c["op"] not in list(Op) or c["zero"] or c["zero_high"] or not c["count"]:
        return False
    if c["op"] == Op.RUN:
        return (c["target"], c["addr"], c["count"], ended) == (0, 0, chain_beats(cfg), False)
    if c["target"] not in list(Target) or c["addr"] + c["count"] > target_words(cfg)[Target(c["target"])]:
        return False
    return ended and c["target"] in (Target.GLB, Target.MAP) if c["op"] == Op.READ else not ended


def data_beats(cfg, c):
    """Beats that follow a command."""
    if c["op"] == Op.WRITE:
        return c["count"] * target_beats(cfg)[Target(c["target"])]
    return c["count"] if c["op"] == Op.RUN else 0


def packet_of(c, data):
    """Beats from a command to its TLAST."""
    words = [pack_fields(COMMAND_FIELDS, c), *data]
    return [Beat(word, k == len(words) - 1) for k, word in enumerate(words)]


def packet(cfg, rng, c, extra=0):
    """A whole packet with random data, ``extra`` beats too long (or too short)."""
    return packet_of(c, [rng.getrandbits(BEAT_BITS) for _ in range(data_beats(cfg, c) + extra)])


def legal_command(cfg, rng, **changes):
    """Fields of a random short command that keeps all rules, before the ``changes``."""
    op = changes.get("op", rng.choice([Op.WRITE, Op.WRITE, Op.READ, Op.READ, Op.RUN]))
    c = dict.fromkeys(COMMAND_FIELDS, 0) | {"op": op, "count": chain_beats(cfg)}
    if op != Op.RUN:
        c["target"] = changes.get("target", rng.choice([Target.GLB, Target.MAP] if op == Op.READ else list(Target)))
        words = target_words(cfg)[Target(c["target"])]
        c["count"] = changes.get("count", rng.choice([1, 2, rng.randint(1, LONGEST)]))
        c["addr"] = rng.choice([0, words - c["count"], rng.randint(0, words - c["count"])])
    return c | changes


def rule_cases(cfg):
    """(name, fields, whether TLAST comes with the command, whether it is legal): every rule at its boundary."""
    cases = []

    def case(name, is_legal, ended=None, **changes):
        c = dict.fromkeys(COMMAND_FIELDS, 0) | {"op": Op.WRITE, "count": 1} | changes
        c["count"] = chain_beats(cfg) if c["op"] == Op.RUN and "count" not in changes else c["count"]
        cases.append((f"op {int(c['op'])} {name}", c, c["op"] == Op.READ if ended is None else ended, is_legal))

    for op in range(16):
        case("", op in list(Op), op=op)
    for op in Op:
        for name in ("zero", "zero_high"):
            for bit in range(COMMAND_FIELDS[name]):
                case(f"{name} bit {bit}", False, op=op, **{name: 1 << bit})
        for ended in (False, True):
            case(f"ended {ended}", ended == (op == Op.READ), ended, op=op)
        case("no word", False, op=op, count=0)
        for target in range(16):
            known = {Op.WRITE: target in list(Target), Op.READ: target < 2, Op.RUN: target == 0}[op]
            case(f"target {target}", known, op=op, target=target)
            if op == Op.RUN or not known:
                continue
            words = target_words(cfg)[Target(target)]
            case("last word", True, op=op, target=target, addr=words - 1)
            case("after the last word", False, op=op, target=target, addr=words)
            case("up to the end", True, op=op, target=target, addr=words - 2, count=2)
            case("beyond the end", False, op=op, target=target, addr=words - 1, count=2)
            case("sum of 17 bits", False, op=op, target=target, addr=2**16 - 1, count=2**16 - 1)
    for count in (1, chain_beats(cfg) - 1, chain_beats(cfg) + 1):
        case(f"count {count}", False, op=Op.RUN, count=count)
    case("address", False, op=Op.RUN, addr=1)
    return cases


def case_packet(cfg, rng, c, ended, is_legal):
    """A packet for a case of :func:`rule_cases`."""
    if is_legal:
        return packet(cfg, rng, c)
    return packet_of(c, [] if ended else [rng.getrandbits(BEAT_BITS) for _ in range(rng.randint(1, 4))])


def random_packet(cfg, rng):
    """A legal packet, one with a fault in its command, or one with its TLAST in a wrong place."""
    kind, c = rng.random(), legal_command(cfg, rng)
    if kind < 0.2:
        name = rng.choice(list(COMMAND_FIELDS))
        c[name] = rng.getrandbits(COMMAND_FIELDS[name])
        if name in ("count", "target"):     # it might be legal and take long
            c["count"] = 0
        return packet_of(c, [rng.getrandbits(BEAT_BITS) for _ in range(rng.randrange(12))])
    return packet(cfg, rng, c, extra=rng.choice([1, 3, -1]) if kind < 0.4 and c["op"] != Op.READ else 0)
