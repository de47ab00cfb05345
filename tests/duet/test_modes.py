"""All modes side by side: sums, the source's figures, both tables, JSON."""

import json

import pytest

from golden.duet import cli, modes
from golden.duet.cli import run_model
from golden.duet.config import PRESETS
from golden.duet.formats import Kind
from golden.duet.interpret import Counts
from golden.duet.report import LayerReport, Rtl
from golden.duet.spec import MODES
from golden.duet.tables import WIDTH
from golden.duet.workloads import load

TINY = PRESETS["tiny"]


def reports_of(name):
    workload = load(name, TINY, 1).limited(1)
    programs = modes.compile_modes(workload, TINY, modes.ALL)
    return modes.reports_of(programs, workload, lambda program: (*run_model(program, workload.network.inputs), None),
                            preset="tiny", seed=1)


@pytest.fixture(scope="module")
def digits():
    return reports_of("digits-cnn")


def test_sums(digits):
    """Every layer counts once; a fully connected layer is none of the convolutions."""
    report = digits["duet"]
    whole, convolutions = modes.sums(report), modes.sums(report, convolutions=True)
    kinds = [layer.kind for layer in report.workload.network.layers]
    assert kinds[-1] == "fc" and "conv" in kinds
    last = report.layers[-1]
    assert whole.execute - convolutions.execute == sum(
        layer.execute for layer, kind in zip(report.layers, kinds, strict=True) if kind == "fc")
    assert whole.macs == sum(layer.counts.macs for layer in report.layers)
    assert whole.weight_bytes == sum(layer.weight_bytes for layer in report.layers) > last.weight_bytes > 0
    assert whole.utilization(TINY) == pytest.approx(report.utilization)
    assert whole.speculate == convolutions.speculate > whole.exposed > 0
    assert modes.Sums(*(0,) * 8).utilization(TINY) == 0.0


def test_sums_by_hand(digits):
    layers = [LayerReport("0: conv", Counts(floor=3, macs=32, outputs=7, insensitive=2), 4, 5, 1, 0, 64, 0.5)] + [
        LayerReport("", Counts(), 0, 0, 0, 0, 0, 0.0) for _ in digits["os"].layers[1:]]
    own = modes.sums(digits["os"]._replace(layers=layers))
    assert own == (4, 3, 32, 5, 1, 7, 2, 64) and own.utilization(TINY) == 0.5


def test_modes_are_compared_with_base(digits):
    assert list(digits) == list(MODES)
    assert digits["base"].base_cycles is None
    assert {digits[mode].base_cycles for mode in MODES[1:]} == {digits["base"].cycles}
    assert not any(report.functional_errors for report in digits.values())
    skipped = [modes.sums(report).insensitive for report in digits.values()]
    assert skipped[0] == 0 and len(set(skipped[1:])) == 1 and skipped[1] > 0


def rows_of(text, first):
    """Rows of the table that begins with that heading, by mode."""
    lines = text[text.index(f"\n {first} "):].lstrip("\n").splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines[2:2 + len(MODES)]}


def test_tables(digits, capsys):
    modes.print_modes(digits)
    text = capsys.readouterr().out
    whole, convolutions = rows_of(text, "all layers"), rows_of(text, "convolutions")
    assert list(whole) == list(convolutions) == list(MODES)
    for mode, report in digits.items():
        own, base = modes.sums(report), modes.sums(digits["base"])
        assert whole[mode] == [
            str(report.cycles), f"{digits['base'].cycles / report.cycles:.2f}", str(own.execute),
            f"{base.execute / own.execute:.2f}", str(own.floor), f"{report.utilization:.1%}", str(own.speculate),
            str(own.exposed), f"{own.insensitive / own.outputs:.1%}", f"{own.weight_bytes / 1024:.1f}"]
        assert convolutions[mode][0] == str(modes.sums(report, True).execute)
    assert [" ".join(cells[-2:]) for cells in convolutions.values()] == [
        "1.00, -", "1.20, 47%", "1.93, 76%", "2.36, 30%", "3.05, 39%"]
    assert text.splitlines()[-1] == "in the model; 0 differences from the equations"
    assert "…" not in text and max(map(len, text.splitlines())) <= WIDTH


def test_tables_of_the_hardware(digits, capsys):
    """Compared cycles are of all modes; differences of each are in its row; nothing is cut off."""
    checked = {mode: report._replace(rtl=Rtl(10**n, n, {}, 2.0))
               for n, (mode, report) in enumerate(digits.items())}
    modes.print_modes(checked)
    text = capsys.readouterr().out
    assert [cells[-1] for cells in rows_of(text, "all layers").values()] == ["0", "1", "2", "3", "4"]
    assert text.splitlines()[-1] == ("11111 cycles compared with the hardware, 10 mismatches, 1111 compared cycles/s; "
                                     "0 differences from the equations")
    assert "…" not in text and max(map(len, text.splitlines())) <= WIDTH


def test_without_convolutions(capsys):
    """Figures of convolutions are not held against an LSTM."""
    reports = reports_of("random-lstm")
    modes.print_modes(reports)
    text = capsys.readouterr().out
    assert "all layers" in text and "convolutions" not in text and "source" not in text
    # Vectors of a recurrent layer have no map and no order, so only output switching makes a difference.
    assert len({reports[mode].cycles for mode in MODES[1:]}) == 1


def test_json(digits):
    """Every mode's own object, and sums of what was compared and of what was wrong."""
    checked = {mode: report._replace(rtl=Rtl(10**n, n, {}, 2.0), functional_errors=2 * n)
               for n, (mode, report) in enumerate(digits.items())}
    told = json.loads(json.dumps(modes.to_dict_of_modes(checked)))
    assert list(told["modes"]) == list(MODES) and told["accelerator"] == "duet"
    assert [own["metrics"]["mode"] for own in told["modes"].values()] == list(MODES)
    assert [own["cycles"] for own in told["modes"].values()] == [report.cycles for report in digits.values()]
    assert (told["checked_cycles"], told["mismatches"], told["functional_errors"]) == (11111, 10, 20)


def test_a_difference_in_one_mode_fails(monkeypatch, capsys):
    """The exit code is that of the worst mode."""
    def run(program, inputs):
        runs, seconds = run_model(program, inputs)
        if program.mode == "ios":
            runs[0].output[...] += 1
        return runs, seconds

    monkeypatch.setattr(cli, "run_model", run)
    arguments = ["--preset", "tiny", "--workload", "fig-5-3", "--mode"]
    assert cli.main([*arguments, "all"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "in the model; 3 differences from the equations"
    assert cli.main([*arguments, "os"]) == 0


def test_programs_by_mode():
    workload = load("fig-5-3", TINY, 1)
    assert list(modes.compile_modes(workload, TINY, "os")) == ["os"]
    programs = modes.compile_modes(workload, TINY, modes.ALL)
    assert [program.mode for program in programs.values()] == list(MODES)
    jobs = [next(stage.execute for stage in program.stages if stage.execute) for program in programs.values()]
    assert {job["kind"] for job in jobs} == {Kind.CONV} and [job["use_imap"] for job in jobs] == [0, 0, 0, 1, 1]
