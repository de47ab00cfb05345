"""Units and ports are read from the emitted text, whatever its style."""

from golden.eie.config import PRESETS
from hdl.common.emit import emit
from hdl.eie import UNITS
from sim.common.hierarchy import Unit, units
from tests.sim.wave_examples import DESIGN


def test_units():
    assert units(DESIGN) == {
        "chip": Unit("chip", "chip", 0, {"i": "input", "o": "output"}),
        "chip_stage": Unit("chip_stage", "chip.first", 1, {"i": "input", "o": "output", "wide": "output"}),
    }


def test_every_module_and_port_of_an_accelerator():
    cfg = PRESETS["tiny"]
    design = emit(UNITS["top"](cfg), name="eie", cfg=cfg)
    found = units(design)
    assert {f"{module}.v" for module in found} == set(design.files)
    assert found["eie"].ports == {name: direction for name, (direction, _) in design.ports.items()
                                  if name not in ("clk", "rst")}
    for stem, component in UNITS.items():
        if f"eie_{stem}" in found:
            alone = emit(component(cfg), name=f"eie_{stem}", cfg=cfg)
            expected = {name: direction for name, (direction, _) in alone.ports.items() if name not in ("clk", "rst")}
            assert found[f"eie_{stem}"].ports == expected
    assert found["eie_pe"].path == "eie.pe_0"
    assert found["eie_arithmetic"].depth == 2
