"""Reports of the three targets on small designs."""

import io
import json
import re
import shutil

import pytest
from rich.console import Console

from golden.common.cli import Parser, UsageError
from hdl.common.cli import parse_choice
from hdl.common.emit import Design
from synth.common import asic, ecp5, flow, liberty, tools
from synth.common.hierarchy import read_hierarchy
from synth.common.report import print_report
from tests.synth.planted import Planted, pair, planted
from tests.synth.planted import liberty as cells


@pytest.fixture
def options(tmp_path):
    path = tmp_path / "cells.lib"
    path.write_text(cells())
    return flow.Options(library=path, seeds=1, jobs=1)


@pytest.fixture
def without_sta(monkeypatch):
    monkeypatch.setattr(tools, "sta_version", lambda: None)


def choice(*argv):
    return parse_choice(Parser(), list(argv))[1]


def text_of(report):
    console = Console(width=140, highlight=False, file=io.StringIO())
    print_report(report, console)
    return console.file.getvalue()


def test_generic(options):
    report = flow.run(choice("eie.act_queue", "--preset", "tiny"), "generic", options)
    assert (report["unit"], report["target"], report["config"]["fifo_depth"]) == ("eie.act_queue", "generic", 2)
    assert report["tools"] == {"yosys": tools.version("pyosys")}
    assert report["gates"] + report["ffs"] == sum(report["cells_by_type"].values())
    assert report["depth_gates"] >= report["depth_lut4"] > 0 and report["critical_path"]
    assert report["critical_path_ns"] is None and "units" not in report
    assert report["paper"]["area_um2"] == 758
    assert "Critical path of eie.act_queue: " in text_of(report)


def test_generic_counts_units_as_often_as_they_are_there(options):
    report = flow.run(Planted(pair()), "generic", options)
    one = report["units"]["planted_unit"]
    assert one["instances"] == 2
    assert report["nand2"] == pytest.approx(2 * one["nand2"] + report["own_nand2"], abs=2)
    assert report["ffs"] == 2 * one["ffs"]


def test_memories_are_listed(options):
    report = flow.run(choice("eie.regfile", "--preset", "tiny"), "generic", options)
    assert report["srams"] == [{"module": "elision_sram_1r1w", "depth": 8, "width": 16, "count": 1, "bits": 128}]
    assert report["memory_bits"] == 128 and "elision_sram_1r1w" in text_of(report)


def test_asic_by_abc(options, without_sta):
    report = flow.run(Planted(pair()), "asic", options)
    one = report["units"]["planted_unit"]
    assert report["area_um2"] == 2 * one["area_um2"] + report["own_area_um2"]
    assert report["conditions"]["timing"].startswith("ABC") and "opensta" not in report["tools"]
    assert report["critical_path_ns"] == one["critical_path_ns"] > 0
    assert report["slack_ns"] == pytest.approx(2 - report["critical_path_ns"])
    assert one["nand2"] == round(one["area_um2"] / 2)
    assert report["critical_path"][0].endswith(".first")
    assert "planted_cells: process 1, 1.1 V, 25 C; zero wire load; ABC" in text_of(report)


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not on PATH")
def test_asic_by_opensta(options):
    report = flow.run(Planted(pair()), "asic", options)
    assert report["conditions"]["timing"] == f"OpenSTA {tools.sta_version()}" and report["tools"]["opensta"]
    path = report["units"]["planted_unit"]["critical_path"]
    assert path[0] == "first" and path[-1] in ("last", "chain_3", "y") and {"chain_1", "chain_2"} & set(path)
    assert report["fmax_mhz"] == pytest.approx(1000 / report["critical_path_ns"], rel=1e-3)
    assert report["path_fanout"] > 0


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not on PATH")
def test_sram_delay_counts(options):
    reports = [flow.run(choice("eie.pointer_read", "--preset", "tiny"), "asic", options._replace(sram_delay=delay))
               for delay in (0, 3000)]
    assert reports[1]["critical_path_ns"] > max(3.0, reports[0]["critical_path_ns"] + 1)
    assert "dd__rdata" in reports[1]["critical_path"][0] or "ven__rdata" in reports[1]["critical_path"][0]


def test_paper_stands_beside_ours(options, without_sta):
    report = flow.run(choice("eie.lnzd", "--preset", "tiny"), "asic", options)
    text = text_of(report)
    assert report["paper"]["where"] in text and re.search(r"eie_lnzd .* 189 ", text)


@pytest.mark.parametrize("content", ["library (x) {\n  cell (y) {\n    area : 1;\n  }\n}\n",
                                     "library (x) {\n  cell (y) {\n    area : 1;\n"])
def test_useless_library_is_one_line(options, content):
    options.library.write_text(content)
    with pytest.raises(UsageError, match=r"^pyosys on planted_unit must succeed, not end with: ERROR: ") as error:
        flow.run(Planted(planted()), "asic", options)
    assert "\n" not in str(error.value)


def test_ecp5(options):
    report = flow.run(choice("eie.lnzd", "--preset", "tiny"), "ecp5", options)
    assert report["luts"] > 50 and report["ffs"] > 20 and (report["brams"], report["dsps"]) == (0, 0)
    assert report["fits"] is True and report["conditions"]["device"] == "LFE5UM-85F"
    assert report["fmax_mhz"] == pytest.approx(1000 / report["critical_path_ns"], rel=1e-2)
    modules = read_hierarchy(choice("eie.lnzd", "--preset", "tiny").emit()).modules
    assert len(report["critical_path"]) > 1
    for name in report["critical_path"]:
        *instances, signal = name.split(".")
        module = modules["eie_lnzd"]
        for instance in instances:
            module = modules[module.children[instance]]
        assert signal in module.signals


def test_ecp5_long_path_by_its_names(options):
    path = flow.run(Planted(planted()), "ecp5", options)["critical_path"]
    assert path[0] == "first" and path[-1] in ("last", "chain_3", "y")


def test_ecp5_larger_than_the_device(options, monkeypatch):
    placed = flow.run(Planted(planted()), "ecp5", options)
    monkeypatch.setitem(ecp5.CAPACITY, "dsps", placed["dsps"])
    monkeypatch.setitem(ecp5.CAPACITY, "luts", int(1.5 * placed["luts"]))
    report = flow.run(Planted(pair()), "ecp5", options)
    assert re.match(r"does not fit LFE5UM-85F: \d+ of \d+ LUTs", report["fits"])
    assert report["luts"] == 2 * placed["luts"] and report["units"]["planted_unit"]["fits"] is True
    assert report["fmax_mhz"] == placed["fmax_mhz"]
    assert report["timing"] == "least of the separately placed units: planted_unit"
    assert "does not fit" in text_of(report) and "least of the separately" in text_of(report)


@pytest.mark.parametrize(("kind", "most", "why"), [
    ("luts", 0, r"not placed: \d+ LUTs, more than 0"),
    ("bits of ports", 20, r"not placed: 27 bits of ports, more than 20"),
])
def test_ecp5_larger_than_what_is_placed(options, monkeypatch, kind, most, why):
    monkeypatch.setitem(ecp5.PLACED, kind, most)
    report = flow.run(Planted(planted()), "ecp5", options)
    assert re.fullmatch(why, report["fits"]) and report["fmax_mhz"] is None
    assert f"planted_unit {report['fits']}" in text_of(report)


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not on PATH")
def test_opensta_leaves_out_the_middle_ones_of_many(options, monkeypatch):
    """Four units in a row: the path through all of them is gone, those within the first and the last are there."""
    names = [f"unit_{k}" for k in range(4)]
    between = [f"n{k}" for k in range(5)]
    parent = ("module planted_row(clk, rst, a, y);\n  input clk, rst;\n  input [7:0] a;\n  output [7:0] y;\n"
              f"  wire [7:0] {', '.join(between)};\n  assign n0 = a;\n  assign y = n4;\n"
              + "".join(f"  planted_unit {name} (.clk(clk), .rst(rst), .a({a}), .b({a}), .y({y}), .z());\n"
                        for name, a, y in zip(names, between, between[1:], strict=False)) + "endmodule\n")
    files = {**planted().files, "planted_row.v": parent}
    design = Design("planted_row", files, {}, {}, ("planted_unit", "planted_row"))
    full = flow.run(Planted(design), "asic", options)
    given, sta = {}, tools.sta
    monkeypatch.setattr(tools, "sta", lambda name, script, files, **more: (given.update({name: files}), sta(
        name, script, files, **more))[1])
    monkeypatch.setattr(asic, "MOST_CELLS", 10)
    monkeypatch.setattr(asic, "LARGE_CELLS", 10)
    thinned = flow.run(Planted(design), "asic", options)
    assert "timed" not in full and thinned["timed"] == "of several planted_unit the first and the last"
    assert thinned["area_um2"] == full["area_um2"]
    assert thinned["critical_path_ns"] == pytest.approx(full["critical_path_ns"], rel=0.02)
    kept = [name for name in names if f"planted_unit {name} (" in given["planted_row"]["planted_row.v"]]
    assert kept == ["unit_0", "unit_3"]
    assert "of several planted_unit the first and the last" in text_of(thinned)


def test_combinational_unit_on_every_target(options, without_sta):
    text = "module comb(a, y);\n  input [3:0] a;\n  output y;\n  assign y = ^a;\nendmodule\n"
    design = planted().__class__("comb", {"comb.v": text}, {"a": ("input", 4), "y": ("output", 1)}, {}, ("comb",))
    for target in flow.TARGETS:
        report = flow.run(Planted(design), target, options)
        assert report["ffs"] == 0 and report["ports"]["comb_paths"] == [{"from": "a", "to": "y", "lut4": 1}]


def test_verilog_that_yosys_refuses(options):
    broken = planted(files={"other.v": "module other; nonsense endmodule\n"})
    with pytest.raises(UsageError, match=r"^pyosys on planted_unit must succeed, not end with: other\.v:1: ERROR: "):
        flow.run(Planted(broken), "generic", options)


def test_report_is_json_without_machine_paths(options, without_sta):
    for target in flow.TARGETS:
        text = json.dumps(flow.run(choice("eie.lnzd", "--preset", "tiny"), target, options))
        assert str(tools.BUILD.parents[1]) not in text and str(options.library) not in text


def test_recipe_that_meets_the_period_is_the_smallest(options, without_sta):
    relaxed = flow.run(Planted(planted()), "asic", options._replace(period=50_000))
    tight = flow.run(Planted(planted()), "asic", options._replace(period=100))
    assert relaxed["area_um2"] <= tight["area_um2"]
    assert {relaxed["recipe"], tight["recipe"]} <= set(asic.RECIPES)


def test_default_library_is_no_path_of_the_checkout():
    assert liberty.DEFAULT.is_absolute() and tools.BUILD.parents[1] not in liberty.DEFAULT.parents


def test_block_rams_of_a_parent_count(options):
    """A unit with an SRAM of its own and units below: the same block RAMs whether it is placed or summed up."""
    act_rw = choice("eie.act_rw", "--preset", "tiny", "--set", "act_words=1024").emit()
    hierarchy = read_hierarchy(act_rw)
    target = ecp5.Ecp5(hierarchy, None, seeds=1)
    assert target.resources("eie_act_rw")["brams"] == 1
