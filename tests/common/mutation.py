"""Benches must notice broken hardware: patch the emitted Verilog and expect the bench to fail."""

import pytest

from golden.common.config import to_json
from hdl.common.emit import emit
from sim.common.runner import BenchFailure, build, run


def assert_mutant_fails(component, *, name, cfg, test_module, old, new, match, testcase=None):
    """Replace ``old`` by ``new`` in the Verilog of a component; its bench must fail with ``match``."""
    design = emit(component, name=name, cfg=cfg)
    files = {file_name: text.replace(old, new) for file_name, text in design.files.items()}
    assert files != design.files, f"nothing to mutate: {old!r} is not in the Verilog of {name}"
    built = build(f"{name}_mutant", files, design.top)
    with pytest.raises(BenchFailure, match=match):
        run(built, test_module=test_module, seed=1, testcase=testcase,
            env={"DUT_CONFIG": to_json(cfg)})
