"""The committed figures, and that the documentation shows them."""

import json

import pytest

from golden.common.cli import run_main
from hdl import ACCELERATORS
from synth import table

#: Accelerators with committed figures.
MEASURED = ("eie", "dota", "enmc", "duet")


def test_figures_are_committed():
    assert set(MEASURED) == {path.stem.split("-")[0] for path in table.RESULTS.glob("*.json")}


@pytest.mark.parametrize("accelerator", MEASURED)
def test_documentation_has_the_committed_figures(accelerator):
    """If this fails: python -m synth.table ACCEL --write."""
    assert table.block(table.ROOT / f"docs/{accelerator}.md", "synth")[0] == table.markdown(accelerator)
    assert table.block(table.ROOT / "README.md", f"synth-{accelerator}")[0] == table.short(accelerator)


def test_rows_and_columns(tmp_path, monkeypatch, capsys):
    figures = {"instances": 2, "area_um2": 1234.5, "critical_path_ns": 1.005}
    report = {"target": "asic", "conditions": {"library": "lib"}, "units": {"eie_lnzd": figures, "eie_pe": figures,
                                                                           "eie": {**figures, "instances": 1}}}
    (tmp_path / "eie-asic-lib.json").write_text(json.dumps(report))
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    assert run_main(table.main, ["eie", "--units", "lnzd"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| unit | instances | `lib`: um2, ns | the paper: um2, ns |"
    assert rows == ["| `eie_lnzd` | 2 | 1,234, 1.00 | 189 |", "| `eie` | 1 | 1,234, 1.00 |  |"]


def test_tables_are_written_between_the_markers(tmp_path, monkeypatch):
    """What stands around them stays, and once more changes nothing."""
    files = {"README.md": ("synth-enmc", table.short("enmc")), "docs/enmc.md": ("synth", table.markdown("enmc"))}
    (tmp_path / "docs").mkdir()
    for name, (marker, _text) in files.items():
        (tmp_path / name).write_text(f"a\n<!-- {marker} -->\nold\n<!-- /{marker} -->\nb\n")
    monkeypatch.setattr(table, "ROOT", tmp_path)
    for _time in range(2):
        assert run_main(table.main, ["enmc", "--write"]) == 0
        for name, (marker, text) in files.items():
            assert (tmp_path / name).read_text() == f"a\n<!-- {marker} -->\n{text}<!-- /{marker} -->\nb\n"


def test_page_without_markers(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/enmc.md").write_text("<!-- synth -->\n")
    monkeypatch.setattr(table, "ROOT", tmp_path)
    assert run_main(table.main, ["enmc", "--write"]) == 2
    assert capsys.readouterr().err == "error: enmc.md must have markers synth, and has none\n"


def test_boxes_are_shares_of_the_whole(tmp_path, monkeypatch, capsys):
    areas = {"rmmu": (4, 600_000), "detector": (4, 3_000), "scheduler": (4, 1_000), "mfu": (4, 50_000),
             "accumulator": (1, 84_000)}
    units = {f"dota_{unit}": {"instances": count, "area_um2": area, "nand2": area} for unit, (count, area) in
             areas.items()}
    whole = {"instances": 1, "area_um2": 3e6, "nand2": 3_000_000, "critical_path_ns": 2.5, "depth_gates": 99}
    for stem, target, conditions in (("asic-lib", "asic", {"library": "lib"}), ("ecp5", "ecp5", {}),
                                     ("generic", "generic", {})):
        report = {"target": target, "conditions": conditions, "units": {**units, "dota": whole}}
        (tmp_path / f"dota-{stem}.json").write_text(json.dumps(report))
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    assert run_main(table.main, ["dota", "--boxes"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "|  | `lib`: mm2 | million NAND2 | the source: mm2 |"
    assert rows == ["| RMMU | 2.400, 80.0 % | 2.400, 80.0 % | 2.436, 88.7 % |",
                    "| detector, scheduler | 0.016, 0.5 % | 0.016, 0.5 % | 0.012, 0.4 % |",
                    "| MFU | 0.200, 6.7 % | 0.200, 6.7 % | 0.240, 8.7 % |",
                    "| accumulator | 0.084, 2.8 % | 0.084, 2.8 % | 0.045, 1.6 % |",
                    "| rest | 0.300, 10.0 % | 0.300, 10.0 % | 0.013, 0.5 % |",
                    "| whole | 3.000, 100.0 % | 3.000, 100.0 % | 2.746, 100.0 % |",
                    "| longest path, ns | 2.50 | 99 gates | 1.00 |"]


def test_boxes_of_a_source_without_clock(tmp_path, monkeypatch):
    """Shares are of what the source says they are of, the global buffer left out."""
    units = {f"duet_{unit}": {"instances": 1, "area_um2": area, "nand2": area} for unit, area in
             {"executor": 3e6, "alignment": 3e5, "systolic": 2e5, "mfu": 1e5, "reorder": 1e5}.items()}
    whole = {"instances": 1, "area_um2": 4e6, "nand2": 4e6, "critical_path_ns": 2.5, "depth_gates": 99}
    report = {"target": "asic", "conditions": {"library": "lib"}, "units": {**units, "duet": whole}}
    (tmp_path / "duet-asic-lib.json").write_text(json.dumps(report))
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    _head, _, executor, *_, rest, all_, path = table.boxes("duet").splitlines()
    assert executor == "| Executor (the source: with its buffers) | 3.000, 75.0 % | 4.236, 77.5 % |"
    assert rest == "| rest | 0.300, 7.5 % | 0.487, 8.9 % |"      # of the source: buffers of the Speculator
    assert (all_, path) == ("| whole | 4.000, 100.0 % | 5.467, 100.0 % |", "| longest path, ns | 2.50 |  |")


def test_source_without_boxes(capsys):
    assert run_main(table.main, ["eie", "--boxes"]) == 2
    assert capsys.readouterr().err == "error: accelerator must have boxes in its PAPER, not 'eie'\n"


def test_placement_that_is_left_out(tmp_path, monkeypatch):
    figures = {"luts": 7000, "ffs": 2, "brams": 0, "dsps": 0, "fmax_mhz": None, "fits": "not placed: 7000 LUTs"}
    units = {"eie_lnzd": figures, "eie": {**figures, "fmax_mhz": 61.2, "fits": "does not fit X: 9 of 8 LUTs"}}
    report = {"target": "ecp5", "conditions": {}, "units": units}
    (tmp_path / "eie-ecp5.json").write_text(json.dumps(report))
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    _head, _, lnzd, whole = table.markdown("eie").splitlines()
    assert lnzd == "| `eie_lnzd` | 1 | 7,000, 2, 0, 0; (not placed) | 189 |"
    assert whole == "| `eie` | 1 | 7,000, 2, 0, 0; 61 (does not fit) |  |"


@pytest.mark.parametrize(("argv", "message"), [
    (["nope"], f"accelerator must be one of {', '.join(ACCELERATORS)}, not 'nope'"),
    (["eie", "--units", "nope"], "unit of eie must be one of "),
])
def test_wrong_arguments(capsys, argv, message):
    assert run_main(table.main, argv) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_nothing_committed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    assert run_main(table.main, ["eie"]) == 2
    assert capsys.readouterr().err == "error: accelerator must have figures in synth/results, not 'eie'\n"
