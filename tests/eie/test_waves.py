"""Waveforms of EIE: hardware and golden model are equal, broken hardware is found in its unit and its cycle."""

import os
import re
from xml.etree import ElementTree

import pytest

from golden.__main__ import main as golden_main
from golden.common.cli import run_main
from golden.eie import sequencer
from golden.eie import waves as golden_waves
from golden.eie.compiler import pack
from golden.eie.formats import TRACE_INPUTS, TRACE_OUTPUTS
from golden.eie.workloads import load
from hdl.common.emit import emit
from hdl.eie import UNITS
from sim.__main__ import main as sim_main
from sim.common import regress, runner, signature, wavefile
from sim.common.build import ROOT
from sim.common.hierarchy import units
from sim.common.toolchain import fst_available
from sim.eie import accelerator
from sim.eie import regress as eie_regress
from sim.waves import main as waves_main
from tests.eie.networks import TINY
from tests.eie.test_trace import MUTANTS, with_mutants

WORKLOAD = "saturating"
#: Faults in units that have none in tests/eie/test_trace.py, in its form.
MORE_MUTANTS = {
    "reading writes": ("eie_io_tap", r"= ~\| op;", "= 1'h1;"),
    "counting down": ("eie_counters", r"= broadcasts \+ ", "= broadcasts - "),
    "register's address": ("eie_registers", r"= read_addr == 3'h4;", "= read_addr == 3'h5;"),
    "entry event": ("eie_pe", r"arithmetic__padding, act_rw__w_en \};", "arithmetic__padding, ~ act_rw__w_en };"),
    "sticky flag": ("eie_ccu", r"= \| saturated;", "= 1'h0;"),
    "end of a packet": ("eie", r"= ccu__o__payload\[64\];", "= ~ ccu__o__payload[64];"),
}


def emitted(cfg=TINY):
    return emit(UNITS["top"](cfg), name="eie", cfg=cfg)


def traced(folder, kind, built=None):
    """Hardware's and golden model's waveform of one run."""
    work = load(WORKLOAD, TINY, 1)
    files = folder / f"rtl.{kind}", folder / f"golden-{kind}.vcd"
    accelerator.simulate(built or accelerator.build(TINY, kind), pack(work.layers, TINY), work.activations,
                         waves_file=files[0], golden_waves=files[1])
    return files


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return traced(tmp_path_factory.mktemp("waves"), "vcd")


def test_every_field_of_the_trace_is_shown():
    fields = [field for parts in golden_waves.SIGNALS.values() for field in parts]
    known = [name for name in TRACE_INPUTS | TRACE_OUTPUTS if not name.startswith("pad")]
    assert sorted(fields) == sorted([*known, "running"])
    assert sorted(golden_waves.PE_SIGNALS.values()) == ["row", "valid", "value"]
    assert set(golden_waves.WHEN) <= set(golden_waves.SIGNALS) | set(golden_waves.PE_SIGNALS)
    assert golden_waves.STATE_NAMES[sequencer.DRAIN] == "DRAIN" and len(golden_waves.STATE_NAMES) == 6


def test_every_name_is_a_port_of_the_hardware():
    places = {unit.path: unit.ports for unit in units(emitted()).values()}
    for name in [*golden_waves.SIGNALS, *(name.format(0) for name in golden_waves.PE_SIGNALS)]:
        path, _, port = name.rpartition(".")
        assert port in places[path], name


def test_hardware_equals_golden_model(both, capsys):
    assert run_main(waves_main, ["compare", *map(str, both), "--complete"]) == 0
    rtl, golden = map(wavefile.read, both)
    assert rtl.cycles == golden.cycles > 900
    widths = golden_waves.widths(TINY)
    assert {name: rtl.widths[name] for name in widths} == widths == {
        name: width for name, width in golden.widths.items() if name not in ("eie.clk", "eie.rst")}
    assert f"{len(widths) + 1} signals are equal in {rtl.cycles} cycles" in capsys.readouterr().out
    for name in widths:     # a comparison of nothing proves nothing
        assert any(value is not None for value in golden[name].values), name
    assert all(len(golden[name].cycles) > 5 for name in widths if ".pe_" in name)


def test_same_time_axis(both):
    """Both lie over each other in a viewer."""
    rtl, golden = map(wavefile.read, both)
    first = [int(wave._falling[wave._first]) for wave in (rtl, golden)]
    assert first[0] == first[1]


@pytest.fixture(scope="module")
def mutants():
    """One traced simulator with all broken designs, and the sound one; and the number of each."""
    design, faults = emitted(), {}
    for fault in (MUTANTS | MORE_MUTANTS).values():
        faults.setdefault(fault[0], fault)      # one a module
    files = with_mutants(design.files, list(faults.values()))
    built = runner.build("eie_mutants", files, design.top, control=accelerator.CONTROL, waves="vcd")
    return built, {module: number for number, module in enumerate(faults, 1)}


#: Modules with a fault.
BROKEN = tuple(dict.fromkeys(module for module, _, _ in (MUTANTS | MORE_MUTANTS).values()))


def test_every_unit_is_broken_once(mutants):
    """Fifos inside units and memories are shared; each of the rest has a fault."""
    assert set(mutants[1]) == set(BROKEN)
    modules = {name.removesuffix(".v") for name in emitted().files}
    assert modules & {"eie", "eie_registers", *(f"eie_{stem}" for stem in UNITS)} <= set(BROKEN)


def select(monkeypatch, mutants, module):
    """Let the next simulations be those of a broken design."""
    built, numbers = mutants
    plain = runner.run

    def run(_built, **given):
        plusargs = [*given.pop("plusargs", ()), f"+mutant={numbers.get(module, 0)}"]
        return plain(built, **given, plusargs=plusargs)

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(eie_regress, "build", lambda cfg, kind: built)
    monkeypatch.setattr(regress, "format_for", lambda: "vcd")
    monkeypatch.setattr(eie_regress, "format_for", lambda path: "vcd")


@pytest.mark.parametrize("module", ["none", *BROKEN])
def test_regression_finds_broken_unit(module, mutants, monkeypatch, tmp_path):
    """Signal, cycle, both values and a picture; the sound design in the same simulator is equal."""
    select(monkeypatch, mutants, module)
    outcome = regress.check("eie", "tiny-layers", eie_regress.RUNS["tiny-layers"], out=tmp_path)
    if module == "none":
        assert outcome.equal, outcome.text
        return
    found = re.search(r"^first difference: (\S+) \((\S+)\) in cycle (\d+): before ([0-9a-f]+), now ([0-9a-f]+)$",
                      outcome.text, re.MULTILINE)
    assert found, outcome.text
    port, path, cycle, before, now = found.groups()
    wave = wavefile.read(tmp_path / "eie" / "tiny-layers.vcd")
    width = -(-wave.widths[path] // 4)
    assert (f"{wave[path].at(int(cycle)):0{width}x}", before != now) == (now, True)
    old = signature.load(regress.FOLDER / "eie" / "tiny-layers.txt")
    assert f"{old.tracks[port].at(int(cycle)):0{width}x}" == before
    for name, was in old.tracks.items():    # nothing differs before
        assert all(was.at(c) == outcome.signature.tracks[name].at(c) for c in range(int(cycle))), name
    ElementTree.parse(tmp_path / "eie" / "tiny-layers.svg")


def test_fault_is_located(mutants, monkeypatch, tmp_path):
    """An output that differs while the unit's inputs do not names the unit."""
    select(monkeypatch, mutants, "eie_sequencer")
    text = regress.check("eie", "tiny-layers", eie_regress.RUNS["tiny-layers"], out=tmp_path).text
    assert "\nall that goes into eie_sequencer was as before until then: look there first\n" in text


def test_difference_from_golden_model_has_the_right_cycle(mutants, monkeypatch, tmp_path, capsys):
    """The waveforms of a failing lockstep differ first where its failure text says."""
    select(monkeypatch, mutants, "eie_lnzd")
    with pytest.raises(runner.BenchFailure) as failure:
        traced(tmp_path, "vcd", mutants[0])
    cycle = re.match(r"eie: .* differ in cycle (\d+) ", str(failure.value))[1]
    assert run_main(waves_main, ["compare", str(tmp_path / "rtl.vcd"), str(tmp_path / "golden-vcd.vcd")]) == 1
    assert re.search(rf"^first difference: eie\.\S+ in cycle {cycle}: a \w+, b \w+$", capsys.readouterr().out,
                     re.MULTILINE)


@pytest.mark.parametrize("name", eie_regress.RUNS)
def test_committed_signature(name, tmp_path):
    outcome = regress.check("eie", name, eie_regress.RUNS[name], out=tmp_path)
    assert outcome.equal, f"{outcome.text}\nif that is meant: make regress-accept"


@pytest.mark.skipif(not fst_available(), reason="FST needs lz4.h and zlib.h")
def test_signature_does_not_depend_on_the_format(both, tmp_path):
    fst, _ = traced(tmp_path, "fst")
    assert os.path.getsize(fst) < os.path.getsize(both[0]) / 5
    places = units(emitted())
    assert signature.take(wavefile.read(fst), places) == signature.take(wavefile.read(both[0]), places)


def test_golden_model_alone(tmp_path, capsys):
    """The same program in the same cycles as in lockstep, without a host around it."""
    argv = ["eie", "--preset", "tiny", "--workload", WORKLOAD]
    assert run_main(golden_main, argv) == 0
    plain = capsys.readouterr().out
    assert run_main(golden_main, [*argv, "--waves", str(tmp_path / "g.vcd")]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"waveform: {tmp_path / 'g.vcd'}\n")
    assert re.sub(r"\d+ cycles/s", "", out).startswith(re.sub(r"\d+ cycles/s", "", plain))
    cycles = int(re.search(r"^(\d+) cycles,", plain, re.MULTILINE)[1])
    wave = wavefile.read(tmp_path / "g.vcd")
    state = wave[golden_waves.STATE]
    running = sum(state.at(c) != sequencer.IDLE for c in range(wave.cycles))
    assert (running, wave[golden_waves.STATE].at(wave.cycles - 1)) == (cycles, sequencer.IDLE)


def test_golden_waves_of_the_simulator(tmp_path, capsys):
    argv = ["eie", "--preset", "tiny", "--workload", WORKLOAD, "--golden-waves", str(tmp_path / "g.vcd")]
    assert run_main(sim_main, argv) == 0
    assert f"waveform of the golden model: {tmp_path / 'g.vcd'}\n" in capsys.readouterr().out
    assert wavefile.read(tmp_path / "g.vcd").cycles > 900


@pytest.mark.parametrize(("main", "option"), [(golden_main, "--waves"), (sim_main, "--golden-waves")])
@pytest.mark.parametrize(("file", "message"), [
    ("run.fst", "waveform of the golden model must be a file ending in .vcd, not 'run.fst'"),
    ("no/such/run.vcd", "waveform must be in an existing folder, not 'no/such/run.vcd'"),
])
def test_wrong_files(capsys, main, option, file, message):
    assert run_main(main, ["eie", "--preset", "tiny", "--workload", WORKLOAD, option, file]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {message}\n")


def test_example(tmp_path, capsys):
    """Files, comparison and picture; the committed picture is the one that is drawn now."""
    assert run_main(waves_main, ["example", "eie", "-o", str(tmp_path), "--picture", str(tmp_path / "p.svg")]) == 0
    assert re.search(r"^\d+ signals are equal in \d+ cycles$", capsys.readouterr().out, re.MULTILINE)
    assert {path.suffix for path in tmp_path.iterdir()} >= {".vcd", ".gtkw", ".sucl", ".svg"}
    drawn = (tmp_path / "p.svg").read_text()
    ElementTree.fromstring(drawn)
    assert drawn == (ROOT / "docs" / "figures" / "eie-waves.svg").read_text(), "make waves-eie draws it anew"
