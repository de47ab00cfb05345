"""SRAMs: Verilog bodies and Amaranth memories behave as the golden models, and tools find memories."""

import random
import subprocess
import sys

import pytest
from amaranth.sim import Simulator

from golden.common.config import to_json
from golden.common.sram import Sram1r1wInputs, Sram1r1wModel
from hdl.common.emit import emit
from hdl.common.sram import Sram1r1w, Sram1rw
from sim.common.runner import BenchFailure, build, run, run_unit
from tests.common.configs import SramConfig
from tests.common.mutation import assert_mutant_fails
from tests.common.sram_traffic import accesses, model_of

CONFIGS = [SramConfig("1rw", 16, 9), SramConfig("1r1w", 16, 9), SramConfig("1rw", 2, 1),
           SramConfig("1r1w", 2, 64)]


def sram(cfg):
    return {"1rw": Sram1rw, "1r1w": Sram1r1w}[cfg.ports](cfg.depth, cfg.width)


def config_id(cfg):
    return f"{cfg.ports}-{cfg.depth}x{cfg.width}"


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


def test_collision_stops_the_simulator():
    cfg = SramConfig("1r1w", 16, 8)
    design = emit(sram(cfg), name="sram_1r1w", cfg=cfg)
    built = build("sram_1r1w", design.files, design.top)
    with pytest.raises(BenchFailure, match=r"address 5 must not be read and written in one cycle"):
        run(built, test_module="tests.common.tb_sram_collision", seed=1)


def test_collision_stops_amaranth():
    dut = Sram1r1w(16, 8)

    async def bench(ctx):
        for name, value in Sram1r1wInputs(True, 5, True, 5, 0)._asdict().items():
            ctx.set(getattr(dut, name), value)
        await ctx.tick()
        await ctx.tick()

    with pytest.raises(AssertionError, match=r"address 5 must not be read and written in one cycle"):
        simulate(dut, bench)


def test_collision_stops_the_model():
    model = Sram1r1wModel(16)
    with pytest.raises(ValueError, match=r"^r_addr must differ from w_addr in one cycle, not 5$"):
        model.step(Sram1r1wInputs(True, 5, True, 5, 0))


@pytest.mark.parametrize(("cfg", "rams"), [(SramConfig("1rw", 512, 36), 1), (SramConfig("1r1w", 256, 64), 2)],
                         ids=["1rw-512x36", "1r1w-256x64"])
def test_synthesis_infers_block_ram(cfg, rams, tmp_path):
    """One memory of the right size, and on an FPGA block RAM alone: the read register is part of it."""
    design = emit(sram(cfg))
    read = [f"read_verilog {' '.join(design.files)}", f"hierarchy -check -top {design.top}"]
    generic = [*read, "proc", "flatten", "opt", "memory -nomap -no-rw-check", "select -assert-none t:$*dff*",
               f"select -assert-count 1 t:$mem_v2 r:SIZE={cfg.depth} %i r:WIDTH={cfg.width} %i"]
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


@pytest.mark.parametrize("make", [Sram1rw, Sram1r1w])
@pytest.mark.parametrize("depth", [0, 1, 12, 16.0])
def test_wrong_depth(make, depth):
    with pytest.raises(ValueError, match=rf"^depth must be a power of two of at least 2, not {depth}$"):
        make(depth, 8)


@pytest.mark.parametrize("make", [Sram1rw, Sram1r1w])
def test_wrong_width(make):
    with pytest.raises(ValueError, match=r"^width must be a positive integer, not 0$"):
        make(16, 0)


def test_bench_notices_data_that_does_not_hold():
    cfg = CONFIGS[0]
    assert_mutant_fails(sram(cfg), name="sram_1rw", cfg=cfg, test_module="tests.common.tb_sram",
                        old="          else\n            rdata", new="          rdata", match="rdata")
