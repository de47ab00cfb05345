"""Whether the units of an accelerator are registered at their ports.

An accelerator lists what is not. ``through``: unit to (inputs, outputs, most 4-input LUTs between them) of paths that
lead from a port to a port in one cycle. ``deep``: unit to (output to 4-input LUTs behind the registers), where that is
more than one. Ports of a stream go by its name, outputs of ``deep`` by their own. ``probe`` leads out of the chip and
is in neither.
"""

from hdl.common.emit import emit
from synth.common.hierarchy import read_hierarchy
from synth.common.structure import Structure

__all__ = ["assert_exceptions_are_needed", "assert_registered", "structure_of"]


def structure_of(top, name, cfg) -> Structure:
    """Logic between the ports of every unit of an accelerator."""
    return Structure(read_hierarchy(emit(top(cfg), name=name, cfg=cfg)))


def assert_registered(structure, unit, through, deep):
    """No path from port to port and no logic before an output, but for the exceptions."""
    ports = structure.ports(unit)
    sources, sinks, most = through.get(unit, (set(), set(), 0))
    for source, sink, lut4 in _paths(ports):
        assert source in sources and sink in sinks and lut4 <= most, (source, sink, lut4)
    for output, lut4 in ports["unregistered_outputs"].items():
        assert output == "probe" or lut4 <= deep.get(unit, {}).get(output, 1), (output, lut4)


def assert_exceptions_are_needed(structure, unit, through, deep):
    """What is allowed is there, so the lists do not outlive the logic."""
    ports = structure.ports(unit)
    sources, sinks, _most = through.get(unit, (set(), set(), 0))
    paths = _paths(ports)
    assert {source for source, _, _ in paths} == sources
    assert {sink for _, sink, _ in paths} == sinks
    assert all(ports["unregistered_outputs"].get(output, 0) > 1 for output in deep.get(unit, {}))


def _paths(ports):
    found = [(path["from"].split("__")[0], path["to"].split("__")[0], path["lut4"]) for path in ports["comb_paths"]]
    return [path for path in found if path[1] != "probe"]
