"""The rules of DDR4: each at its limit and one clock short of it, states, refresh, and random legal traffic."""

import copy
import random
import re

import pytest

from golden.enmc.config import PRESETS
from sim.enmc import ddr4_rules
from sim.enmc.ddr4_rules import COMMANDS, KEPT, RULES, Ddr4Rules
from tests.enmc.ddr4_planner import Planner
from tests.enmc.launch import CONFIGS, TINY, configs

ALL = tuple(CONFIGS)
#: No two rules end at the same clock here, and each has a say of its own.
DISTINCT = TINY.replace(tccd_s=5, tccd_l=7, trrd_s=5, trrd_l=8, tfaw=31, tras=17, trp=9, trc=41, trcd=10, twr=13,
                        trtp=11, twtr_s=2, twtr_l=6, cl=14, cwl=5, trfc=53, trefi=700)


def play(cfg, commands, *, until=None):
    """Rules after commands (ck, name, bank group, bank); rows are 3, columns 8."""
    rules = Ddr4Rules(cfg)
    for ck, name, *place in commands:
        place = place or [None, None]
        row = 3 if name == "ACT" else None
        column = 8 if name in ("RD", "RDA", "WR", "WRA") else None
        rules.command(ck, name, *place, row, column)
    rules.finish(commands[-1][0] if until is None else until)
    return rules


def names(rules):
    return {v.rule for v in rules.violations}


def opened(c, *banks):
    """ACT of banks, and a clock at which all of them may be read, written and precharged."""
    step = max(c.trrd_l, -(-c.tfaw // 4))
    return [(k * step, "ACT", *bank) for k, bank in enumerate(banks)], len(banks) * step + max(c.tras, c.trcd)


def after(c, first, second, distance, banks):
    """``first`` at a bank, ``second`` at another or the same a ``distance`` later, both open."""
    acts, t = opened(c, *dict.fromkeys(banks))
    return [*acts, (t, first, *banks[0]), (t + distance, second, *banks[1])]


def idle(c, last, *, precharge=(("PRE", 0, 0),)):
    """A bank is opened and precharged, ``last`` comes after tRP."""
    acts, t = opened(c, (0, 0))
    return [*acts, *((t, *command) for command in precharge), (t + c.trp, last)]


A, SAME_GROUP, OTHER_GROUP = (1, 2), (1, 0), (2, 2)

#: (name of the rule, commands whose last is as early as the rule lets it be). The limits are written out once more.
CASES = [
    *[("tRCD", lambda c, x=x: [(0, "ACT", *A), (c.trcd, x, *A)]) for x in ("RD", "RDA", "WR", "WRA")],
    ("tRAS", lambda c: [(0, "ACT", *A), (c.tras, "PRE", *A)]),
    ("tRAS", lambda c: [(0, "ACT", *A), (c.tras, "PREA")]),
    ("tRC", lambda c: [(0, "ACT", *A), (c.tras, "PRE", *A), (c.trc, "ACT", *A)]),
    ("tRP", lambda c: [(0, "ACT", *A), (c.trc, "PRE", *A), (c.trc + c.trp, "ACT", *A)]),
    ("tRP", lambda c: [(0, "ACT", *A), (c.trc, "PREA"), (c.trc + c.trp, "ACT", *A)]),
    ("tRP", lambda c: [(5, "PRE", *A), (5 + c.trp, "ACT", *A)]),
    *[("tRP", lambda c, x=x: idle(c, x)) for x in ("REF", "MRS", "ZQ")],
    ("tRP", lambda c: idle(c, "REF", precharge=[("PREA",)])),
    ("tRTP", lambda c: after(c, "RD", "PRE", c.trtp, (A, A))),
    ("tRTP", lambda c: [*(x := after(c, "RD", "PRE", c.trtp, (A, A)))[:-1], (x[-1][0], "PREA")]),
    ("tWR", lambda c: after(c, "WR", "PRE", c.cwl + 4 + c.twr, (A, A))),
    ("tRRD_L", lambda c: [(0, "ACT", *A), (c.trrd_l, "ACT", *SAME_GROUP)]),
    ("tRRD_S", lambda c: [(0, "ACT", *A), (c.trrd_s, "ACT", *OTHER_GROUP)]),
    ("tFAW", lambda c: [*((k * c.trrd_s, "ACT", k, 0) for k in range(4)), (c.tfaw, "ACT", 0, 1)]),
    *[("tCCD_L", lambda c, x=x, b=b: after(c, x, x, c.tccd_l, (A, b))) for x in ("RD", "WR") for b in (A, SAME_GROUP)],
    *[("tCCD_S", lambda c, x=x: after(c, x, x, c.tccd_s, (A, OTHER_GROUP))) for x in ("RD", "WR")],
    *[("tWTR_L", lambda c, b=b: after(c, "WR", "RD", c.cwl + 4 + c.twtr_l, (A, b))) for b in (A, SAME_GROUP)],
    ("tWTR_S", lambda c: after(c, "WR", "RD", c.cwl + 4 + c.twtr_s, (A, OTHER_GROUP))),
    *[("tRTW", lambda c, b=b: after(c, "RD", "WR", c.cl + 4 + 2 - c.cwl, (A, b)))
      for b in (A, SAME_GROUP, OTHER_GROUP)],
    *[("tRFC", lambda c, x=x: [(0, "REF"), (c.trfc, *x)])
      for x in (("ACT", *A), ("PRE", *A), ("PREA",), ("REF",), ("MRS",), ("ZQ",))],
    ("16 REF", lambda c: [*((k * c.trfc, "REF") for k in range(16)), (2 * c.trefi, "REF")]),
    ("one command", lambda c: [(7, "PRE", *A), (8, "PRE", *SAME_GROUP)]),
    # Auto-precharge, at the clock that tRAS, tRTP or tWR allows.
    ("tRP", lambda c: [*(x := after(c, "RDA", "ACT", c.trtp + c.trp, (A, A)))[:-1],
                       (max(c.trc, x[-1][0]), "ACT", *A)]),
    ("tRP", lambda c: after(c, "WRA", "ACT", c.cwl + 4 + c.twr + c.trp, (A, A))),
    ("tRP", lambda c: [*(x := after(c, "WRA", "REF", c.cwl + 4 + c.twr + c.trp, (A, A)))[:-1], (x[-1][0], "REF")]),
    ("tWR", lambda c: after(c, "WRA", "PRE", c.cwl + 4 + c.twr, (A, A))),
]


def earlier(commands):
    """The last command comes one clock earlier."""
    return [*commands[:-1], (commands[-1][0] - 1, *commands[-1][1:])]


@pytest.mark.parametrize("cfg", [*(CONFIGS[name] for name in ALL), DISTINCT], ids=[*ALL, "distinct"])
def test_limits(cfg):
    """At the limit nothing is reported; one clock earlier the rule is, with the needed and the seen distance."""
    for k, (rule, case) in enumerate(CASES):
        commands = case(cfg)
        assert not play(cfg, commands).violations, (k, rule)
        rules = play(cfg, earlier(commands))
        assert rule in names(rules), (k, rule, rules.violations)
        assert rules.total == len(rules.violations)
        for v in rules.violations:
            if needed := re.search(r"at least (\d+) clocks .* not (-?\d+)$", v.text):
                assert int(needed[2]) == int(needed[1]) - 1, (k, v)


def test_only_the_rule_is_named():
    """Where no two rules end at the same clock, exactly one is reported."""
    for k, (rule, case) in enumerate(CASES):
        assert names(play(DISTINCT, earlier(case(DISTINCT)))) == {rule}, k


def test_every_rule_has_a_case():
    assert {rule.name for rule in RULES} <= {rule for rule, _ in CASES}


@pytest.mark.parametrize("change", [1, -1])
@pytest.mark.parametrize("row", range(len(RULES)), ids=[f"{r.name}-{r.after}".replace(" ", "-") for r in RULES])
def test_wrong_row_of_the_table_is_noticed(row, change, monkeypatch):
    """The cases above hold with no other distance in any row."""
    rule = RULES[row]
    wrong = rule._replace(clocks=lambda c: rule.clocks(c) + change)
    monkeypatch.setattr(ddr4_rules, "RULES", (*RULES[:row], wrong, *RULES[row + 1:]))
    cases = [case(DISTINCT) for name, case in CASES if name == rule.name]
    if change > 0:
        assert any(play(DISTINCT, case).violations for case in cases)
    else:
        assert any(rule.name not in names(play(DISTINCT, earlier(case))) for case in cases)


def test_text():
    cfg = PRESETS["rank"]
    v, = play(cfg, [(100, "ACT", 1, 2), (115, "RD", 1, 2)]).violations
    assert (v.ck, v.rule) == (115, "tRCD")
    assert v.text == "RD of bank 2 of group 1 must come at least 16 clocks after ACT of the same bank at 100, not 15"
    v, = play(cfg, [*((4 * k, "ACT", k, 0) for k in range(4)), (25, "ACT", 0, 1)]).violations
    assert v.text == ("ACT of bank 1 of group 0 must come at least 26 clocks after the 4th last ACT of the rank at 0, "
                      "not 25")


@pytest.mark.parametrize(("rule", "commands"), [
    ("open", [(0, "ACT", 0, 0), (500, "ACT", 0, 0)]),
    ("closed", [(0, "RD", 0, 0)]),
    ("closed", [(0, "WR", 0, 0)]),
    ("closed", [(0, "ACT", 0, 1), (500, "RD", 0, 0)]),
    ("closed", [(0, "ACT", 0, 0), (200, "PRE", 0, 0), (500, "WR", 0, 0)]),
    ("closed", [(0, "ACT", 0, 0), (200, "PREA"), (500, "RD", 0, 0)]),
    ("closed", [(0, "ACT", 0, 0), (200, "RDA", 0, 0), (500, "RD", 0, 0)]),
    ("closed", [(0, "ACT", 0, 0), (200, "WRA", 0, 0), (500, "WRA", 0, 0)]),
    ("idle", [(0, "ACT", 3, 3), (500, "REF")]),
    ("idle", [(0, "ACT", 3, 3), (500, "MRS")]),
    ("idle", [(0, "ACT", 3, 3), (500, "ZQ")]),
])
def test_states(rule, commands):
    assert names(play(TINY, commands)) == {rule}


def test_allowed():
    """PRE of idle banks, NOP at any time, several banks open, commands without a place in tRFC."""
    assert not play(TINY, [(0, "PRE", 0, 0), (1, "PREA"), (100, "ACT", 0, 0), (101, "NOP")]).violations
    assert not play(TINY, [(0, "REF"), (1, "NOP"), (2, "NOP")]).violations
    acts, t = opened(TINY, *((g, b) for g in range(4) for b in range(4)))
    assert not play(TINY, [*acts, (t, "PREA"), (t + TINY.trp, "REF")]).violations


def test_auto_precharge_waits_for_tras():
    """RDA right after tRCD: the row stays open until tRAS, tRP begins there."""
    acts = [(0, "ACT", *A), (TINY.trcd, "RDA", *A)]
    closes = max(TINY.tras, TINY.trcd + TINY.trtp)
    assert closes == TINY.tras
    last = TINY.tras + TINY.trp
    assert not play(TINY, [*acts, (last, "REF")]).violations
    assert names(play(TINY, [*acts, (last - 1, "REF")])) == {"tRP"}
    assert names(play(TINY, [*acts, (TINY.tras - 1, "PRE", *A)])) == {"tRAS"}
    # It is allowed to precharge a bank that is doing so, which begins a new tRP.
    again = [*acts, (closes + 2, "PRE", *A)]
    assert not play(TINY, [*again, (closes + 2 + TINY.trp, "REF")]).violations
    assert names(play(TINY, [*again, (closes + 1 + TINY.trp, "REF")])) == {"tRP"}


def test_auto_precharge_after_a_write():
    """RDA after WR to the same row: the device waits for the write's recovery as well."""
    cfg = TINY.replace(twr=40)
    acts, t = opened(cfg, A)
    end = t + cfg.cwl + 4
    commands = [*acts, (t, "WR", *A), (end + cfg.twtr_l, "RDA", *A)]
    assert not play(cfg, [*commands, (end + cfg.twr + cfg.trp, "REF")]).violations
    assert names(play(cfg, [*commands, (end + cfg.twr + cfg.trp - 1, "REF")])) == {"tRP"}


@pytest.mark.parametrize("distance", range(1, 4))
def test_bursts_overlap(distance):
    acts, t = opened(TINY, A, OTHER_GROUP)
    for name in ("RD", "WR"):
        rules = play(TINY, [*acts, (t, name, *A), (t + distance, name, *OTHER_GROUP)])
        assert names(rules) == {"tCCD_S", "data bus"}
        data = t + (TINY.cl if name == "RD" else TINY.cwl)
        assert rules.violations[-1].text.endswith(f"be at least 4 clocks from that at {data}, not {distance}")


def test_read_and_write_overlap():
    """The latencies differ, so the order of the data need not be that of the commands."""
    cfg = CONFIGS["single"]
    acts, t = opened(cfg, A, OTHER_GROUP)
    for distance in range(1, 16):
        found = names(play(cfg, [*acts, (t, "RD", *A), (t + distance, "WR", *OTHER_GROUP)]))
        assert ("data bus" in found) == (abs(cfg.cl - cfg.cwl - distance) < 4)
        assert ("tRTW" in found) == (distance < 10)


@pytest.mark.parametrize(("values", "text"), [
    ({"row": 64}, "row must be in 0..63, not 64"),
    ({"row": -1}, "row must be in 0..63, not -1"),
    ({"column": 64}, "column must be a multiple of 8 in 0..63, not 64"),
    ({"column": 12}, "column must be a multiple of 8 in 0..63, not 12"),
])
def test_addresses(values, text):
    rules = Ddr4Rules(TINY)
    rules.command(0, "ACT", 0, 0, values.get("row", 5))
    rules.command(50, "RD", 0, 0, None, values.get("column", 0))
    assert [(v.rule, v.text) for v in rules.violations] == [("address", text)]


def test_row_of_a_column_command():
    rules = Ddr4Rules(TINY)
    rules.command(0, "ACT", 0, 0, 5)
    rules.command(50, "RD", 0, 0, 5, 0)
    assert not rules.violations
    rules.command(60, "RD", 0, 0, 6, 0)
    assert rules.violations == [(60, "row", "RD of bank 0 of group 0 must be of the open row 5, not 6")]


class TestRefresh:
    """tREFI: on average, at most 8 postponed, at most 8 in advance, at most 9 apart."""

    T = TINY.trefi

    def test_none(self):
        assert not play(TINY, [(0, "NOP")], until=9 * self.T).violations
        v, = play(TINY, [(0, "NOP")], until=9 * self.T + 1).violations
        assert (v.ck, v.rule) == (9 * self.T, "tREFI")
        assert v.text == ("REF must come by clock 5400 (at most 8 postponed, at most 9 tREFI apart), not later: "
                          "1 missing before 5401")
        v, = play(TINY, [(0, "NOP")], until=19 * self.T).violations
        assert "10 missing before 11400" in v.text

    def test_command_after_the_last_moment(self):
        assert not play(TINY, [(9 * self.T, "REF")]).violations
        assert names(play(TINY, [(9 * self.T + 1, "REF")])) == {"tREFI"}
        assert names(play(TINY, [(9 * self.T + 1, "ACT", 0, 0)])) == {"tREFI"}

    def test_begin(self):
        rules = Ddr4Rules(TINY, begin=1000)
        assert not rules.finish(1000 + 9 * self.T)
        assert rules.finish(1001 + 9 * self.T)

    @pytest.mark.parametrize("late", [0, 1])
    def test_eight_stay_postponed(self, late):
        """From the ninth on, one REF a tREFI is needed: all at their last clock."""
        refs = [((9 + k) * self.T, "REF") for k in range(6)]
        refs[-1] = (refs[-1][0] + late, "REF")
        assert names(play(TINY, refs)) == ({"tREFI"} if late else set())

    @pytest.mark.parametrize("late", [0, 1])
    def test_eight_in_advance(self, late):
        """Eight at once buy eight times tREFI more, though two must not be more than 9 apart."""
        refs = [(k * TINY.trfc, "REF") for k in range(8)]
        last = refs[-1][0]
        rules = play(TINY, [*refs, (last + 9 * self.T, "REF"), (last + 17 * self.T, "REF")], until=18 * self.T + last)
        assert not rules.violations
        assert names(play(TINY, [*refs, (last + 9 * self.T + late, "REF")])) == ({"tREFI"} if late else set())

    @pytest.mark.parametrize("count", [8, 15])
    def test_no_more_than_eight_are_credited(self, count):
        """After 8 or 15 in the first tREFI and some 9 apart, the same is due next."""
        refs = [(k * TINY.trfc, "REF") for k in range(count)]
        refs += [(9 * self.T, "REF"), (18 * self.T, "REF")]
        due = (8 + 2 + 9) * self.T        # the 8 in advance and these two pay for ten, 8 may be postponed
        assert not play(TINY, refs, until=due).violations
        assert names(play(TINY, refs, until=due + 1)) == {"tREFI"}

    def test_regular(self):
        refs = [((k + 1) * self.T, "REF") for k in range(100)]
        assert not play(TINY, refs).violations
        # One of twelve left out is one postponed more: the ninth such is too many.
        sparse = [ref for k, ref in enumerate(refs) if k % 12]
        rules = play(TINY, sparse)
        assert names(rules) == {"tREFI"}
        assert rules.violations[0].ck // self.T // 12 == 8


def test_errors():
    rules = Ddr4Rules(TINY)
    with pytest.raises(ValueError, match=rf"^command must be one of {', '.join(COMMANDS)}, not 'READ'$"):
        rules.command(0, "READ")
    with pytest.raises(ValueError, match=r"^bank_group must be in 0\.\.3, not 4$"):
        rules.command(0, "ACT", 4, 0, 0)
    with pytest.raises(ValueError, match=r"^bank must be in 0\.\.3, not None$"):
        rules.command(1, "PRE", 0)
    rules.command(5, "PREA")
    with pytest.raises(ValueError, match=r"^ck must be at least 5, that of the last command, not 4$"):
        rules.command(4, "PREA")
    with pytest.raises(TypeError, match=r"^cfg must be an EnmcConfig, not 'tiny'$"):
        Ddr4Rules("tiny")


def test_many_violations():
    """All are counted, the first are kept."""
    rules = Ddr4Rules(TINY)
    for _ in range(KEPT + 100):
        rules.command(0, "NOP")
    assert (rules.total, len(rules.violations)) == (KEPT + 99, KEPT)


@configs(*ALL)
def test_random_traffic(cfg):
    """What the planner does is legal; a clock before its earliest something is reported; every rule is met."""
    rng = random.Random(7)
    planner, rules, met = Planner(cfg, rng), Ddr4Rules(cfg), set()
    for _ in range(4000):
        name, bank = planner.choose()
        clock = planner.earliest(name, bank)
        if clock - 1 > planner.now and rng.random() < 0.3:
            hasty = copy.deepcopy(rules)
            hasty.command(*planner.command(clock - 1, name, bank))
            assert hasty.violations, (clock, name, bank)
            met |= names(hasty)
        command = planner.command(clock + (rng.randrange(20) if rng.random() < 0.1 else 0), name, bank)
        rules.command(*command)
        assert not rules.violations
        planner.issue(command)
    assert planner.refreshes >= 3
    # Refreshes come one at a time here; tRC is tRAS + tRP in some configurations.
    assert {rule.name for rule in RULES} - met <= {"16 REF", "tRC"}
