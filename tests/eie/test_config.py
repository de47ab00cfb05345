"""The configuration refuses what cannot be built, and its derived sizes are the paper's."""

import dataclasses

import pytest

from golden.common.config import digest, from_json, to_json, with_settings
from golden.eie.config import DEFAULT_PRESET, PRESETS, EieConfig

POWERS = {"n_pe": (1, 256), "regfile_words": (2, 256), "spmat_width": (32, 512), "spmat_words": (2, 2**17),
          "ptr_words": (4, 2**18), "act_words": (2, 2**15), "codebooks": (1, 256), "program_words": (2, 4096)}
INTEGERS = {"fifo_depth": (1, 256), "run_ahead_columns": (1, 256), "data_bits": (8, 32)}


@pytest.mark.parametrize(("name", "low", "high"), [(k, *v) for k, v in (POWERS | INTEGERS).items()])
def test_wrong_range(name, low, high):
    EieConfig(**{name: low})
    EieConfig(**{name: high})
    what = "a power of two" if name in POWERS else "an integer"
    below, above = (low // 2, 2 * high) if name in POWERS else (low - 1, high + 1)
    for value in (below, above, float(high), str(high), None):
        with pytest.raises(ValueError, match=rf"^{name} must be {what} in {low}\.\.{high}, not {value!r}$"):
            EieConfig(**{name: value})


@pytest.mark.parametrize("name", POWERS)
def test_wrong_power_of_two(name):
    value = POWERS[name][1] - 1 if POWERS[name][1] > 4 else 3
    with pytest.raises(ValueError, match=rf"^{name} must be a power of two in .*, not {value}$"):
        EieConfig(**{name: value})


def test_wrong_run_ahead():
    with pytest.raises(ValueError, match="^run_ahead must be .*, not 1$"):
        EieConfig(run_ahead=1)


def test_paper_sizes():
    """[EIE I, IV, VI]: 131,072 weights in a PE, 4K activations in the registers, 21 quadtree nodes for 64 PEs."""
    cfg = PRESETS["paper"]
    assert (cfg.n_pe, cfg.fifo_depth, cfg.data_bits, cfg.run_ahead) == (64, 8, 16, False)
    assert cfg.entries_per_row == 8
    assert cfg.spmat_entries == 131072
    assert cfg.spmat_entries == cfg.spmat_words * cfg.spmat_width // 8
    assert cfg.pass_length == 4096
    assert cfg.act_words * cfg.data_bits == 8 * 2048        # 2 KB
    assert cfg.tree_levels == 3


@pytest.mark.parametrize("cfg", PRESETS.values(), ids=PRESETS)
def test_derived_widths_hold_their_largest_value(cfg):
    assert cfg.spmat_entries < 1 << cfg.pointer_bits <= 2 * cfg.spmat_entries
    assert cfg.n_pe == 1 << cfg.pe_bits
    assert cfg.regfile_words == 1 << cfg.row_bits
    assert cfg.pass_length == 1 << cfg.index_bits
    assert cfg.ptr_words == 1 << cfg.column_bits
    assert 4 ** (cfg.tree_levels - 1) < max(cfg.n_pe, 2) <= 4**cfg.tree_levels


@pytest.mark.parametrize(("n_pe", "levels"), [(1, 1), (2, 1), (4, 1), (8, 2), (16, 2), (32, 3), (64, 3), (128, 4),
                                             (256, 4)])
def test_tree_levels(n_pe, levels):
    assert EieConfig(n_pe=n_pe).tree_levels == levels


def test_presets():
    assert DEFAULT_PRESET in PRESETS
    assert PRESETS["fast"] == PRESETS["paper"].replace(run_ahead=True)
    assert len({digest(cfg) for cfg in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("cfg", PRESETS.values(), ids=PRESETS)
def test_json_round_trip(cfg):
    assert from_json(EieConfig, to_json(cfg)) == cfg


def test_settings_and_replace_validate_again():
    assert with_settings(PRESETS["paper"], ["n_pe=8", "run_ahead=true"]) == EieConfig(n_pe=8, run_ahead=True)
    with pytest.raises(ValueError, match=r"^n_pe must be a power of two in 1\.\.256, not 3$"):
        with_settings(PRESETS["paper"], ["n_pe=3"])
    with pytest.raises(ValueError, match=r"^fifo_depth must be an integer in 1\.\.256, not 0$"):
        PRESETS["paper"].replace(fifo_depth=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["paper"].n_pe = 2
