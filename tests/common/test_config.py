"""Checks, JSON and command line settings of configurations."""

from dataclasses import dataclass, field

import pytest

from golden.common import config


@dataclass(frozen=True, kw_only=True)
class Inner:
    depth: int = 4

    def __post_init__(self):
        config.check_int("depth", self.depth, 1, 8)


@dataclass(frozen=True, kw_only=True)
class Example:
    n: int = 4
    sparse: bool = False
    mode: str = "fast"
    sizes: tuple = (1, 2)
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self):
        config.check_power_of_two("n", self.n, 1, 64)
        config.check_bool("sparse", self.sparse)
        config.check_choice("mode", self.mode, ("fast", "slow"))


@pytest.mark.parametrize("value", [0, 9, 4.0, "4", None, True])
def test_wrong_int(value):
    with pytest.raises(ValueError, match=rf"^depth must be an integer in 1\.\.8, not {value!r}$"):
        Inner(depth=value)


@pytest.mark.parametrize("value", [0, 3, 128, True, -4])
def test_wrong_power_of_two(value):
    with pytest.raises(ValueError, match=rf"^n must be a power of two in 1\.\.64, not {value!r}$"):
        Example(n=value)


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_wrong_bool(value):
    with pytest.raises(ValueError, match=rf"^sparse must be True or False, not {value!r}$"):
        Example(sparse=value)


def test_wrong_choice():
    with pytest.raises(ValueError, match=r"^mode must be one of 'fast', 'slow', not 'other'$"):
        Example(mode="other")
    with pytest.raises(ValueError, match=r"^x must be one of 0, 1, not True$"):
        config.check_choice("x", True, (0, 1))


def test_json_round_trip():
    cfg = Example(n=8, sizes=(3, (4, 5)), inner=Inner(depth=2))
    assert config.from_json(Example, config.to_json(cfg)) == cfg
    assert hash(config.from_json(Example, config.to_json(cfg))) == hash(cfg)


def test_json_is_validated():
    with pytest.raises(ValueError, match=r"^Example field must be one of n, sparse, mode, .*, not 'm'$"):
        config.from_json(Example, '{"m": 1}')
    with pytest.raises(ValueError, match=r"^Example must be a JSON object, not \[1\]$"):
        config.from_json(Example, "[1]")
    with pytest.raises(ValueError, match="^n must be a power of two"):
        config.from_json(Example, '{"n": 3}')


def test_digest_tells_configurations_apart():
    assert config.digest(Example()) == config.digest(Example())
    assert len({config.digest(Example(n=1 << i)) for i in range(7)}) == 7
    assert len(config.digest(Example())) == 8


def test_settings():
    cfg = config.with_settings(Example(), ["n=0x10", "sparse=True", "mode=slow"])
    assert cfg == Example(n=16, sparse=True, mode="slow")
    assert config.with_settings(cfg, ["sparse=0"]).sparse is False
    assert config.with_settings(cfg, []) == cfg


@pytest.mark.parametrize(("setting", "message"), [
    ("n", r"setting must be key=value, not 'n'"),
    ("x=1", r"Example field must be one of n, sparse, mode, sizes, inner, not 'x'"),
    ("n=two", r"n must be an integer, not 'two'"),
    ("n=3", r"n must be a power of two in 1\.\.64, not 3"),
    ("sparse=2", r"sparse must be true, false, 1 or 0, not '2'"),
    ("sizes=1", r"sizes must be set in a preset, not by '1'"),
])
def test_wrong_settings(setting, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        config.with_settings(Example(), [setting])
