"""The build cache: same content, same folder, no second build; other content, other folder."""

import multiprocessing

import pytest

from sim.common import build as library
from sim.common.build import BuildError, build, once
from tests.sim import dut


@pytest.fixture
def private_cache(tmp_path, monkeypatch):
    """An empty cache that uses the shared run-time library."""
    shared = library._runtime(None)
    monkeypatch.setattr(library, "_runtime", lambda kind: shared)
    monkeypatch.setattr(library, "BUILD", tmp_path)
    return tmp_path


def make(text=dut.GOOD, **options):
    return build("slot", {"slot.v": text}, "slot", waves=False, **options)


def test_second_build_touches_nothing(private_cache, capfd):
    first = make()
    assert "building slot (first time" in capfd.readouterr().err
    before = {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    assert make() == first
    assert {path.name: path.stat().st_mtime_ns for path in first.folder.iterdir()} == before
    assert capfd.readouterr().err == ""


def test_announcement_tells_the_time_of_the_last_build(private_cache, capfd):
    (make().folder / "finished").write_text("123.4\n")
    capfd.readouterr()
    make(dut.GOOD + "// other\n")
    assert capfd.readouterr().err == "building slot (first time, about 123 s)\n"


def test_content_decides_the_folder(private_cache):
    folders = {make().folder, make(dut.GOOD + "// other\n").folder,
               make(control='no_inline -module "slot"').folder}
    assert len(folders) == 3


def test_unfinished_build_is_done_again(private_cache):
    first = make()
    (first.folder / "finished").unlink()
    first.program.unlink()
    assert make().program.exists()


def test_runtime_library_is_not_compiled_again(private_cache):
    log = (make().folder / "build.log").read_text()
    assert "Vtop__ALL.cpp" in log
    assert "-o verilated.o" not in log


def _build_in_process(path):
    library.BUILD = path
    make()


def test_parallel_processes_build_once(private_cache):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_build_in_process, args=(private_cache,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(list(private_cache.glob("verilator/*/finished"))) == 1


def test_syntax_error_is_the_message(private_cache):
    with pytest.raises(BuildError, match=r"(?s)^%Error: slot\.v:\d+:.*log: .*build\.log$"):
        make(dut.GOOD.replace("endmodule", "endmodul"))


@pytest.mark.parametrize(("text", "rule"), [
    ("sub s(.a(x), .b(y[0]));", "WIDTHEXPAND"),
    ("sub s(.a(x));", "PINMISSING"),
    ("wire loop = ~loop2; wire loop2 = loop; sub s(.a(x), .b({loop, x[0]}));", "UNOPTFLAT"),
])
def test_wiring_faults_are_fatal(private_cache, text, rule):
    source = f"""\
module top(input clk, input [3:0] x, input [3:0] y, output [3:0] z);
  {text}
  assign z = x + y[1:0];
endmodule
module sub(input [3:0] a, input [1:0] b);
  wire used /*verilator public_flat_rd*/ = ^a ^ ^b;
endmodule
"""
    with pytest.raises(BuildError, match=f"^%Warning-{rule}: "):
        build("top", {"top.v": source}, "top", waves=False)


def test_operator_widths_are_waived(private_cache):
    source = """\
module top(input clk, input [3:0] x, input [1:0] y, output [2:0] z);
  assign z = x + y;
endmodule
"""
    assert build("top", {"top.v": source}, "top", waves=False).program.exists()


def test_modules_that_are_compiled_once():
    assert once() == ""
    assert once("pe", "row") == ('no_inline -module "pe"\npublic_flat_rw -module "pe" -port "*"\n'
                                 'no_inline -module "row"\npublic_flat_rw -module "row" -port "*"\n')
