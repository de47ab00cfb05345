"""SRAMs: Verilog bodies and Amaranth memories behave as the golden models, and tools find memories."""

import random
import subprocess
import sys

import pytest
from amaranth.sim import Simulator

from golden.common.config import to_json
from golden.common.sram import Sram1r1wInputs, Sram1r1wMaskedInputs, Sram1r1wMaskedModel, Sram1r1wModel
from hdl.common.emit import emit
from hdl.common.sram import Sram1r1w, Sram1r1wMasked, Sram1rw
from sim.common.runner import BenchFailure, build, run, run_unit
from tests.common.configs import SramConfig
from tests.common.mutation import assert_mutant_fails
from tests.common.sram_traffic import accesses, model_of

CONFIGS = [SramConfig("1rw", 16, 9), SramConfig("1r1w", 16, 9), SramConfig("1rw", 2, 1),
           SramConfig("1r1w", 2, 64), SramConfig("1r1w_masked", 16, 12, 4), SramConfig("1r1w_masked", 2, 96, 96),
           SramConfig("1r1w_masked", 4, 9, 1), SramConfig("1r1w_masked", 8, 4096, 256)]
MASKED = CONFIGS[4]


def sram(cfg):
    if cfg.ports == "1r1w_masked":
        return Sram1r1wMasked(cfg.depth, cfg.width, cfg.parts)
    return {"1rw": Sram1rw, "1r1w": Sram1r1w}[cfg.ports](cfg.depth, cfg.width)


def config_id(cfg):
    return f"{cfg.ports}-{cfg.depth}x{cfg.width}" + f"-{cfg.parts}" * (cfg.parts > 1)


@pytest.mark.parametrize("cfg", CONFIGS, ids=config_id)
def test_rtl_equals_model(cfg):
    run_unit(sram(cfg), name=f"sram_{cfg.ports}", cfg=cfg, test_module="tests.common.tb_sram")


@pytest.mark.parametrize("cfg", CONFIGS, ids=config_id)
def test_inline_equals_model(cfg):
    dut, model = sram(cfg), model_of(cfg)

    async def bench(ctx):
        for x in accesses(cfg, random.Random(1), 500):
            for name, value in x._asdict().items():
                ctx.set(getattr(dut, name), value)
            y = model.step(x)
            for name, value in y._asdict().items():
                assert value is None or ctx.get(getattr(dut, name)) == value
            await ctx.tick()

    simulate(dut, bench)


def simulate(dut, bench):
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("cfg", [SramConfig("1r1w", 16, 8), MASKED], ids=config_id)
def test_collision_stops_the_simulator(cfg):
    name = f"sram_{cfg.ports}"
    design = emit(sram(cfg), name=name, cfg=cfg)
    built = build(name, design.files, design.top)
    with pytest.raises(BenchFailure, match=r"address 5 must not be read and written in one cycle"):
        run(built, test_module="tests.common.tb_sram_collision", seed=1)


@pytest.mark.parametrize(("dut", "access"), [
    (Sram1r1w(16, 8), Sram1r1wInputs(True, 5, True, 5, 0)),
    (Sram1r1wMasked(16, 8, 2), Sram1r1wMaskedInputs(True, 5, True, 0, 5, 0))], ids=["1r1w", "1r1w_masked"])
def test_collision_stops_amaranth(dut, access):
    async def bench(ctx):
        for name, value in access._asdict().items():
            ctx.set(getattr(dut, name), value)
        await ctx.tick()
        await ctx.tick()

    with pytest.raises(AssertionError, match=r"address 5 must not be read and written in one cycle"):
        simulate(dut, bench)


@pytest.mark.parametrize(("model", "access"), [
    (Sram1r1wModel(16), Sram1r1wInputs(True, 5, True, 5, 0)),
    (Sram1r1wMaskedModel(16, 8, 2), Sram1r1wMaskedInputs(True, 5, True, 0, 5, 0))], ids=["1r1w", "1r1w_masked"])
def test_collision_stops_the_model(model, access):
    with pytest.raises(ValueError, match=r"^r_addr must differ from w_addr in one cycle, not 5$"):
        model.step(access)


def test_masked_model_knows_what_is_undefined():
    """A row has a value when each of its parts was written."""
    model = Sram1r1wMaskedModel(4, 8, 2)
    write = Sram1r1wMaskedInputs(False, 0, True, 0b01, 3, 0xAB)
    read = Sram1r1wMaskedInputs(True, 3, False, 0, 0, 0)
    for access in write, read:
        model.step(access)
    assert model.outputs().r_data is None
    for access in write._replace(w_mask=0b10, w_data=0xCD), read:
        model.step(access)
    assert model.outputs().r_data == 0xCB


@pytest.mark.parametrize(("cfg", "memories", "rams"), [
    (SramConfig("1rw", 512, 36), 1, 1), (SramConfig("1r1w", 256, 64), 1, 2),
    (SramConfig("1r1w_masked", 512, 36, 4), 1, 1), (SramConfig("1r1w_masked", 2048, 32, 2), 2, 4)],
    ids=["1rw-512x36", "1r1w-256x64", "1r1w_masked-512x36-4", "1r1w_masked-2048x32-2"])
def test_synthesis_infers_block_ram(cfg, memories, rams, tmp_path):
    """Memories of the right size, of a large masked one each part, and on an FPGA block RAM alone: the read register is
    part of it."""
    design = emit(sram(cfg))
    read = [f"read_verilog {' '.join(design.files)}", f"hierarchy -check -top {design.top}"]
    generic = [*read, "proc", "flatten", "opt", "memory -nomap -no-rw-check", "select -assert-none t:$*dff*",
               f"select -assert-count {memories} t:$mem_v2 r:SIZE={cfg.depth} %i r:WIDTH={cfg.width // memories} %i"]
    fpga = [*read, f"synth_ecp5 -no-rw-check -top {design.top}", "select -assert-none t:TRELLIS_FF",
            f"select -assert-count {rams} t:DP16KD"]
    for file_name, text in design.files.items():
        (tmp_path / file_name).write_text(text)
    for passes in generic, fpga:
        program = f"from pyosys import libyosys as y; d = y.Design(); [y.run_pass(p, d) for p in {passes!r}]"
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_deep_memory_in_synthesis():
    """One memory a bit, so that no multiplexer stands behind block RAMs; each behaves like the whole word."""
    cfg = CONFIGS[0]
    design = emit(sram(cfg), name="sram_1rw", cfg=cfg)
    files = {name: text.replace("`ifdef SYNTHESIS", "`ifndef SYNTHESIS").replace(">= 16384", ">= 2")
             for name, text in design.files.items()}
    assert files != design.files
    run(build("sram_1rw_deep", files, design.top), test_module="tests.common.tb_sram", seed=1,
        env={"DUT_CONFIG": to_json(cfg)})


@pytest.mark.parametrize("parts_alone", [True, False])
def test_masked_memory_in_synthesis(parts_alone):
    """A memory a part, or a write a part, as tools infer byte enables from it: both behave like the simulator's one
    write of the row."""
    design = emit(sram(MASKED), name="sram_1r1w_masked", cfg=MASKED)
    files = {name: text.replace("`ifdef SYNTHESIS", "`ifndef SYNTHESIS") for name, text in design.files.items()}
    assert files != design.files
    if not parts_alone:
        assert any("PART < 8 ||" in text for text in files.values())
        files = {name: text.replace("PART < 8 ||", "") for name, text in files.items()}
    run(build("sram_1r1w_masked_parts", files, design.top), test_module="tests.common.tb_sram", seed=1,
        env={"DUT_CONFIG": to_json(MASKED)})


@pytest.mark.parametrize("make", [Sram1rw, Sram1r1w, lambda depth, width: Sram1r1wMasked(depth, width, 1)],
                         ids=["1rw", "1r1w", "1r1w_masked"])
@pytest.mark.parametrize("depth", [0, 1, 12, 16.0])
def test_wrong_depth(make, depth):
    with pytest.raises(ValueError, match=rf"^depth must be a power of two of at least 2, not {depth}$"):
        make(depth, 8)


@pytest.mark.parametrize("make", [Sram1rw, Sram1r1w, lambda depth, width: Sram1r1wMasked(depth, width, 1)],
                         ids=["1rw", "1r1w", "1r1w_masked"])
def test_wrong_width(make):
    with pytest.raises(ValueError, match=r"^width must be a positive integer, not 0$"):
        make(16, 0)


@pytest.mark.parametrize("parts", [0, 3, -1, 2.0])
def test_wrong_parts(parts):
    with pytest.raises(ValueError, match=rf"^parts must be a positive divisor of 8, not {parts}$"):
        Sram1r1wMasked(16, 8, parts)


def test_bench_notices_a_mask_that_is_ignored():
    assert_mutant_fails(sram(MASKED), name="sram_1r1w_masked", cfg=MASKED, test_module="tests.common.tb_sram",
                        old=" & bits_of(w_mask)", new="", match="r_data")


def test_bench_notices_data_that_does_not_hold():
    cfg = CONFIGS[0]
    assert_mutant_fails(sram(cfg), name="sram_1rw", cfg=cfg, test_module="tests.common.tb_sram",
                        old="          else\n            rdata", new="          rdata", match="rdata")
