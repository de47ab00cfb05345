"""The checker of the whole accelerator: it decodes every field, finds every difference, and notices broken designs."""

import dataclasses
import json
import re

import numpy as np
import pytest

from golden.common.fields import pack_fields
from golden.eie import sequencer
from golden.eie.config import PRESETS
from golden.eie.formats import TRACE_INPUTS, TRACE_OUTPUTS, trace_pe_bits
from golden.eie.model import Eie
from golden.eie.spec import network_outputs
from golden.eie.top import EieInputs, EieTrace
from hdl.common.emit import emit
from hdl.eie import top as rtl
from sim.common import runner
from sim.eie import accelerator
from sim.eie.trace import STATES, Mismatch, compare, decode, field, trace_bytes
from tests.eie.networks import TINY, thorough_network

CONFIGS = [TINY, TINY.replace(n_pe=1, data_bits=8), TINY.replace(n_pe=8, data_bits=32), PRESETS["paper"]]
IDS = ["tiny", "one-pe", "bits-32", "paper"]
FIELDS = [name for name in TRACE_OUTPUTS if not name.startswith("pad")]
#: Fields that hold two's complement numbers.
SIGNED = ("s_data", "m_data", "value")
CYCLES = 40


def random_trace(cfg, rng):
    """Any pins and outputs, as the model keeps them."""
    def column(name, width):
        if name.startswith("pad"):
            return np.zeros(CYCLES, np.int64)
        if name in SIGNED:
            bits = cfg.data_bits if name == "value" else width
            return rng.integers(-1 << bits - 1, (1 << bits - 1) - 1, CYCLES, np.int64, endpoint=True)
        return rng.integers(0, min(1 << width, 6 if name == "state" else 2**40), CYCLES)

    inputs = EieInputs(**{name: column(name, TRACE_INPUTS[name]) for name in EieInputs._fields})
    outputs = np.stack([column(name, width) for name, width in TRACE_OUTPUTS.items()], axis=1)
    shape = CYCLES, cfg.n_pe
    bound = 1 << cfg.data_bits - 1
    return inputs, EieTrace(outputs, rng.integers(0, 2, shape, np.uint8),
                            rng.integers(0, cfg.regfile_words, shape, np.int16),
                            rng.integers(-bound, bound - 1, shape, np.int32, endpoint=True))


def encode(cfg, inputs, trace):
    """The values of the port: inverse of ``decode``, from the tables of the format alone."""
    head_bits, pe_bits = sum((TRACE_INPUTS | TRACE_OUTPUTS).values()), trace_pe_bits(cfg)
    block = []
    for t in range(len(inputs.start)):
        values = {name: int(array[t]) for name, array in inputs._asdict().items()}
        values |= dict(zip(TRACE_OUTPUTS, trace.outputs[t].tolist(), strict=True))
        widths = TRACE_INPUTS | TRACE_OUTPUTS
        word = pack_fields(widths, {name: value & (1 << widths[name]) - 1 for name, value in values.items()})
        for k in range(cfg.n_pe):
            record = int(trace.valid[t, k]) | int(trace.row[t, k]) << 1
            record |= (int(trace.value[t, k]) & (1 << cfg.data_bits) - 1) << 16
            word |= record << head_bits + k * pe_bits
        block.append(word)
    return block


@pytest.mark.parametrize("cfg", CONFIGS, ids=IDS)
def test_decode_inverts_encode(cfg):
    for seed in range(10):
        inputs, trace = random_trace(cfg, np.random.default_rng(seed))
        block = encode(cfg, inputs, trace)
        assert max(block) < 1 << 8 * trace_bytes(cfg)
        inputs_again, again = decode(cfg, block)
        for one, other in zip((*inputs, *trace), (*inputs_again, *again), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        for name in TRACE_OUTPUTS:
            mask = (1 << TRACE_OUTPUTS[name]) - 1
            expected = trace.outputs[:, list(TRACE_OUTPUTS).index(name)]
            assert [field(word, name) for word in block] == [int(value) & mask for value in expected]


def test_width_of_the_port():
    """The head is whole words, so no field crosses one; RTL and checker mean the same port."""
    for cfg in CONFIGS:
        assert rtl.Eie(cfg).signature.members["probe"].shape == 8 * trace_bytes(cfg)
    at = 0
    for width in (TRACE_INPUTS | TRACE_OUTPUTS).values():
        assert at % 64 + width <= 64
        at += width
    assert at % 64 == 0


def pair(cfg=TINY, seed=1):
    """A trace and a copy of it."""
    _, trace = random_trace(cfg, np.random.default_rng(seed))
    return trace, EieTrace(*(array.copy() for array in trace))


def test_equal_traces():
    compare(*pair(), 0, "")


@pytest.mark.parametrize("name", FIELDS)
def test_every_bit_of_every_field(name):
    """A flipped bit is found in the cycle in which it is, if the field means something there."""
    column, condition = FIELDS.index(name) if name not in TRACE_OUTPUTS else list(TRACE_OUTPUTS).index(name), None
    condition = {"m_data": "m_valid", "m_last": "m_valid", "column": "push", "value": "push"}.get(name)
    for bit in range(min(TRACE_OUTPUTS[name], 63)):
        rtl_trace, golden = pair(seed=bit)
        t = 7 + bit % 20
        if name == "state":     # another state, not one that does not exist
            rtl_trace.outputs[t, column] = (golden.outputs[t, column] + 1 + bit) % 6
        else:
            rtl_trace.outputs[t, column] ^= 1 << bit
        if condition is not None:
            gate = list(TRACE_OUTPUTS).index(condition)
            for trace in rtl_trace, golden:
                trace.outputs[t, gate] = 0
            compare(rtl_trace, golden, 0, "")
            for trace in rtl_trace, golden:
                trace.outputs[t, gate] = 1
        with pytest.raises(Mismatch, match=rf"^eie: {name} differ in cycle {1000 + t} \(the context\)\n"):
            compare(rtl_trace, golden, 1000, "the context")


@pytest.mark.parametrize("what", ["valid", "row", "value"])
def test_every_pe(what):
    cfg = CONFIGS[2]
    for pe in range(cfg.n_pe):
        for bit in range({"valid": 1, "row": 3, "value": 32}[what]):
            rtl_trace, golden = pair(cfg, seed=pe)
            t = (5 * pe + bit) % CYCLES
            array = getattr(rtl_trace, what)
            if what != "valid":
                for trace in rtl_trace, golden:
                    trace.valid[t, pe] = 0
                array[t, pe] ^= np.array(1 << bit).astype(array.dtype)
                compare(rtl_trace, golden, 0, "")       # nothing is written: whatever stands there
                for trace in rtl_trace, golden:
                    trace.valid[t, pe] = 1
            else:
                array[t, pe] ^= 1
            with pytest.raises(Mismatch, match=rf"^eie: PE {pe} differ in cycle {t} \("):
                compare(rtl_trace, golden, 0, "")


def test_first_difference_and_its_history():
    rtl_trace, golden = pair()
    for trace in rtl_trace, golden:
        trace.valid[:] = 1
        trace.outputs[:, FIELDS.index("state")] = 0
    rtl_trace.value[30, 2] += 1
    rtl_trace.row[12, 1] ^= 1
    rtl_trace.value[12, 3] ^= 1
    column = list(TRACE_OUTPUTS).index("number")
    rtl_trace.outputs[12, column] = golden.outputs[12, column] + 5
    with pytest.raises(Mismatch) as error:
        compare(rtl_trace, golden, 0, "cfg, seed")
    lines = str(error.value).splitlines()
    assert lines[0] == "eie: number, PE 1, PE 3 differ in cycle 12 (cfg, seed)"
    assert [line for line in lines if line.startswith("  cycle")] == [f"  cycle {t}:" for t in range(7, 13)]
    number, row, value = golden.outputs[12, column], golden.row[12, 1], golden.value[12, 1]
    assert f"'number': {number + 5}" in lines[-2] and lines[-2].startswith("    rtl    {")
    assert f"'number': {number}, " in lines[-1] and lines[-1].startswith("    golden {")
    assert f"'PE 1': ({row ^ 1}, {value})" in lines[-2] and f"'PE 1': ({row}, {value})" in lines[-1]
    assert "PE 0" not in str(error.value) and "PE 2" not in str(error.value)


def test_state_that_does_not_exist():
    rtl_trace, golden = pair()
    rtl_trace.outputs[3, list(TRACE_OUTPUTS).index("state")] = 7
    with pytest.raises(Mismatch, match="^eie: state differ in cycle 3 "):
        compare(rtl_trace, golden, 0, "")


def test_names_of_states():
    assert sorted(STATES) == list(range(6))
    assert STATES[sequencer.DRAIN] == "DRAIN"


def test_model_agrees_with_itself(workload):
    """Two models that saw the same pins; one whose queue is deeper is found out."""
    image, (activations, _) = workload
    traces = []
    for depth in 2, 2, 3:
        cfg = TINY.replace(fifo_depth=depth)
        model = Eie(cfg)
        model.load(dataclasses.replace(image, cfg=cfg))
        model.put(image, activations)
        x = model.inputs(600)
        x.start[2], x.length[:] = 1, len(image.program)
        traces.append(model.step(x))
    compare(traces[0], traces[1], 0, "")
    with pytest.raises(Mismatch, match=r"^eie: "):
        compare(traces[0], traces[2], 0, "")


#: Name: (file, pattern of a part of one line, what stands there instead). None of the names in it is a temporary one.
MUTANTS = {
    "queue depth": ("eie_act_queue", r"level \+ 2'h2", "level + 2'h1"),
    "queue order": ("eie_act_queue_fifo", r"pop = refill & in_ring", "pop = refill & take"),
    "bank select": ("eie_pointer_read", r"start = is_odd", "start = ~is_odd"),
    "next pointer": ("eie_pointer_read", r"i__payload\[7:0\] \+ 1'h1", "i__payload[7:0] + 1'h0"),
    "row tag": ("eie_spmat_read", r"= tag == [^;]+;", "= 1'h1;"),
    "entry select": ("eie_spmat_read", r"e_select \* 4'h8", "e_select * 4'h0"),
    "end of a column": ("eie_spmat_read", r"at \+ 2'h2", "at + 2'h1"),
    "row address": ("eie_arithmetic", r"last_row \+ 1'h1", "last_row + 1'h0"),
    "bypass at distance 1": ("eie_arithmetic", r"= row_s5 == row_s4", "= 1'h0"),
    "bypass at distance 2": ("eie_arithmetic", r"= row_s5 == r_row", "= 1'h0"),
    "bypass at distance 3": ("eie_arithmetic", r"= w_row == r_row", "= 1'h0"),
    "rounding": ("eie_arithmetic", r"\{ scaled_s5, half_s5 \}", "{ scaled_s5, 1'h0 }"),
    "saturation": ("eie_arithmetic", r"= \w+ \? \{ \w+\[18\], [^}]*\} : \w+\[15:0\]", "= total[15:0]"),
    "saturation flag": ("eie_arithmetic", r"clips = ", "clips = 1'h0 & "),
    "table": ("eie_arithmetic", r"\{ codebook, ", "{ 2'h0, "),
    "kept token": ("eie_skid", r"= kept;", "= i__payload;"),
    "lnzd compare": ("eie_lnzd", r"skid_2__o__payload\[4:0\] < skid_0", "skid_2__o__payload[4:0] > skid_0"),
    "lnzd value": ("eie_lnzd", r"winner\[1\] \? skid_1__", "winner[0] ? skid_1__"),
    "scan last": ("eie_act_rw", r"is_only = ~\| \w+;", "is_only = 1'h0;"),
    "load row": ("eie_act_rw", r"= command\[14\] \? w_row : load_row", "= command[14] ? w_row : row_s1"),
    "stored zero": ("eie_act_rw", r"= file_0__r_nonzero \? file_0__r_value : 16'h0000;", "= file_0__r_value;"),
    "relu": ("eie_regfile", r"= w_relu & w_value\[15\]", "= 1'h0"),
    "bias column": ("eie_sequencer", r"1'h0, current\[159:128\]", "1'h0, current[127:96]"),
    "drain": ("eie_sequencer", r"= ~ any_busy;", "= 1'h1;"),
    "swap": ("eie_sequencer", r"= command\[14\] \^ current\[4\]", "= command[14]"),
    "column base": ("eie_sequencer", r"current\[127:96\] \+", "32'h0 +"),
    "last pass": ("eie_program", r"= to_do == 1'h1;", "= 1'h0;"),
    "interleaving": ("eie_io_port", r"= pe != 2'h3;", "= 1'h0;"),
}


#: What the failure of a comparison begins with.
DIFFERS = r"eie: .* differ in cycle \d+ \(cfg=EieConfig\("


def mutated(text, number, pattern, new):
    """A module in which one assignment is another one when ``+mutant=number`` is given."""
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if re.search(pattern, line) and re.search(r" <?= .*;$", line)]
    assert places, f"nothing to mutate: {pattern}"
    for i in places:
        target, right = re.fullmatch(r"(.*? <?= )(.*);", lines[i]).groups()
        wrong = re.sub(pattern, lambda _: new, lines[i], count=1)[len(target):-1]
        lines[i] = f"{target}mutant == {number} ? ({wrong}) : ({right});"
    return "\n".join(lines) + "\n"


def with_mutants(files, faults):
    """The Verilog ``files`` with all ``faults`` (module, pattern, new): ``+mutant=n`` selects the n-th, from 1."""
    files = dict(files)
    for number, (module, pattern, new) in enumerate(faults, 1):
        files[f"{module}.v"] = mutated(files[f"{module}.v"], number, pattern, new)
    switch = ");\n  integer mutant = 0;\n  initial if (!$value$plusargs(\"mutant=%d\", mutant)) mutant = 0;\n"
    for module in {module for module, _, _ in faults}:
        files[f"{module}.v"] = files[f"{module}.v"].replace(");\n", switch, 1)
    return files


@pytest.fixture(scope="module")
def mutants():
    """One simulator with all broken designs, and the sound one."""
    design = emit(rtl.Eie(TINY), name="eie", cfg=TINY)
    files = with_mutants(design.files, list(MUTANTS.values()))
    return runner.build("eie_mutants", files, design.top, control=accelerator.CONTROL)


@pytest.fixture(scope="module")
def workload():
    """Image and vectors of a network that uses everything."""
    layers, vectors, image = thorough_network()
    program = image.program
    assert all(any(getattr(p, what) for p in program) for what in ("load", "store", "swap", "bias", "relu", "codebook"))
    assert any(not p.finish for p in program)
    for vector in vectors:
        results = network_outputs(layers, vector, TINY.data_bits)
        assert all(len(set(outputs.tolist())) > 3 for outputs, _ in results)
        clipped = np.concatenate([clipped for _, clipped in results])
        assert clipped.any() and not clipped.all()
    return image, vectors


def run_with(monkeypatch, **changes):
    """Let the next simulation differ from what ``accelerator.simulate`` asks for."""
    plain = runner.run
    monkeypatch.setattr(runner, "run", lambda built, **given: plain(built, **given | changes))


def test_sound_design(mutants, workload):
    image, vectors = workload
    assert len(accelerator.simulate(mutants, image, vectors).runs) == 2


@pytest.mark.parametrize("name", MUTANTS)
def test_broken_design(name, mutants, workload, monkeypatch):
    number = list(MUTANTS).index(name) + 1
    run_with(monkeypatch, plusargs=[f"+mutant={number}"])
    with pytest.raises(runner.BenchFailure, match=f"^({DIFFERS}|hardware assertion: )"):
        accelerator.simulate(mutants, *workload)


@pytest.mark.parametrize("changes", [{"fifo_depth": 3}, {"run_ahead": True}, {"data_bits": 17}, {"ptr_words": 128}],
                         ids=lambda changes: next(iter(changes)))
def test_wrong_model(changes, mutants, workload, monkeypatch):
    image, vectors = workload
    monkeypatch.setenv("WRONG_MODEL", json.dumps(changes))
    run_with(monkeypatch, test_module="tests.eie.tb_top_wrong_model")
    with pytest.raises(runner.BenchFailure, match=f"^{DIFFERS}"):
        accelerator.simulate(mutants, image, vectors)
