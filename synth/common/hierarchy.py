"""Units of a design, how often each is there, its SRAMs, and which signals the Verilog names."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hdl.common.emit import Design
from synth.common import tools

__all__ = ["Hierarchy", "Sram", "read_hierarchy"]

#: Hand-written modules of this name are memories, see hdl.common.sram.
SRAM = re.compile(r"elision_sram_\w+")
#: Names that Yosys made up when the Verilog was written.
_MADE_UP = re.compile(r"_\d+_|.*\$.*")


@dataclass(frozen=True, order=True)
class Sram:
    """Shape of an SRAM: port shape, rows, bits of a row; of one with a write mask the parts of a row, else 0."""

    kind: str
    depth: int
    width: int
    parts: int = 0

    @property
    def module(self) -> str:
        """Name of a module of this shape."""
        return f"{self.kind}_{self.depth}x{self.width}" + (f"_by_{self.parts}" if self.parts else "")

    @property
    def bits(self) -> int:
        """Size [bits]."""
        return self.depth * self.width


@dataclass(frozen=True)
class Module:
    """What one Verilog module holds.

    Attributes
    ----------
    children : dict of str to str
        Instance to module.
    srams : dict of str to Sram
        Instance to shape.
    signals : frozenset of str
        Names of its signals.
    ports : dict of str to (str, int)
        Port to direction and width.
    """

    children: dict[str, str]
    srams: dict[str, Sram]
    signals: frozenset[str]
    ports: dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Hierarchy:
    """The modules of a design.

    Attributes
    ----------
    design : Design
    modules : dict of str to Module
        SRAMs left out.
    shapes : dict of Sram to dict
        Shapes of SRAMs with their ports, as in :attr:`Module.ports`.
    """

    design: Design
    modules: dict[str, Module]
    shapes: dict[Sram, dict[str, tuple[str, int]]]

    @property
    def top(self) -> str:
        """Name of the top module."""
        return self.design.top

    @property
    def units(self) -> list[str]:
        """Units, leaves first; the top is the last."""
        return [name for name in self.design.units if name in self.modules]

    def helpers(self, unit: str) -> list[str]:
        """Modules that are synthesised with ``unit``: itself and helpers that are not units."""
        found = [unit]
        for name in found:
            found += [child for child in self.modules[name].children.values()
                      if child not in found and child not in self.units]
        return found

    def children(self, unit: str) -> Counter:
        """Units right below ``unit``, with their number."""
        return Counter(child for _path, child in self._placed(unit, lambda module: module.children.items())
                       if child in self.units)

    def descendants(self, unit: str) -> list[str]:
        """Distinct units below ``unit``, leaves first."""
        below = set(self.children(unit))
        for other in reversed(self.units):
            if other in below:
                below |= set(self.children(other))
        return [other for other in self.units if other in below]

    def instances(self, unit: str) -> Counter:
        """Units below and including ``unit``, with their number in one ``unit``."""
        total = Counter({unit: 1})
        for child, count in self.children(unit).items():
            for name, inner in self.instances(child).items():
                total[name] += count * inner
        return total

    def own_srams(self, unit: str) -> Counter:
        """Shapes of the SRAMs in ``unit`` outside other units, with their number."""
        return Counter(shape for _path, shape in self._placed(unit, lambda module: module.srams.items()))

    def srams(self, unit: str) -> Counter:
        """Shapes of all SRAMs in ``unit`` and below, with their number."""
        total = Counter()
        for name, count in self.instances(unit).items():
            for shape, inner in self.own_srams(name).items():
                total[shape] += count * inner
        return total

    def _placed(self, unit, members: Callable):
        """(path, what) of the members of ``unit`` and of its helpers."""
        yield from members(self.modules[unit])
        for instance, child in self.modules[unit].children.items():
            if child not in self.units:
                for path, what in self._placed(child, members):
                    yield f"{instance}.{path}", what

    def sources(self, names) -> dict[str, str]:
        """File name to text of the modules ``names``."""
        return {f"{name}.v": self.design.files[f"{name}.v"] for name in names}

    def sram_sources(self) -> dict[str, str]:
        """File name to text of the SRAM modules."""
        return {name: text for name, text in self.design.files.items() if SRAM.fullmatch(name.removesuffix(".v"))}

    def read_script(self, unit: str, *, empty_srams=True) -> tuple[str, dict[str, str]]:
        """Yosys commands that read ``unit`` with the units below as empty modules; their files.

        With ``empty_srams`` an SRAM becomes an instance of an empty module, the :attr:`Sram.module` of its shape,
        without parameters.
        """
        helpers, shapes = self.sources(self.helpers(unit)), sorted(self.own_srams(unit)) if empty_srams else []
        if not empty_srams:
            helpers = {**self.sram_sources(), **helpers}
        kinds = {name: text for name, text in self.sram_sources().items()
                 if name.removesuffix(".v") in {shape.kind for shape in shapes}}
        stubs = "".join([*(stub(child, self.modules[child].ports) for child in sorted(self.children(unit))),
                         *(stub(shape.module, self.shapes[shape]) for shape in shapes)])
        script = [f"read_verilog -lib -sv -D SYNTHESIS {name}" for name in kinds]
        script += [f"read_verilog -sv -D SYNTHESIS {name}" for name in [*helpers, "stubs.v"]]
        script.append(f"hierarchy -check -top {unit}")
        for shape in shapes:
            parts = (f" r:PARTS={shape.parts} %i", " -unset PARTS") if shape.parts else ("", "")
            script += [f"select -set shape t:{shape.kind} r:DEPTH={shape.depth} %i r:WIDTH={shape.width} %i{parts[0]}",
                       f"chtype -set {shape.module} @shape", f"setparam -unset DEPTH -unset WIDTH{parts[1]} @shape"]
        return "\n".join(script) + "\n", {**helpers, **kinds, "stubs.v": stubs}


def read_hierarchy(design: Design, say=None) -> Hierarchy:
    """Elaborate a design.

    Raises
    ------
    ToolError
        If Yosys rejects it.
    """
    srams = [name for name in design.files if SRAM.fullmatch(name.removesuffix(".v"))]
    others = [name for name in design.files if name not in srams]
    script = "".join([*(f"read_verilog -lib -sv -D SYNTHESIS {name}\n" for name in srams),
                      *(f"read_verilog -sv -D SYNTHESIS {name}\n" for name in others),
                      f"hierarchy -check -top {design.top}\nproc\nwrite_json modules.json\n"])
    data = tools.yosys("elaborate", design.top, script, design.files, say=say).json("modules.json")["modules"]
    shapes = {}
    modules = {name: _module(content, shapes) for name, content in data.items() if not SRAM.fullmatch(name)}
    return Hierarchy(design, modules, shapes)


def _module(content, shapes):
    cells = {name: cell for name, cell in content["cells"].items() if not cell["type"].startswith("$")}
    srams = {}
    for name, cell in cells.items():
        if SRAM.fullmatch(cell["type"]):
            srams[name] = shape = Sram(cell["type"], *(int(cell["parameters"].get(parameter, "0"), 2)
                                                       for parameter in ("DEPTH", "WIDTH", "PARTS")))
            shapes[shape] = {port: (cell["port_directions"][port], len(bits))
                             for port, bits in cell["connections"].items()}
    return Module({name: cell["type"] for name, cell in cells.items() if name not in srams}, srams,
                  frozenset(name for name in content["netnames"] if not _MADE_UP.fullmatch(name)),
                  {name: (port["direction"], len(port["bits"])) for name, port in content["ports"].items()})


def stub(name: str, ports: dict[str, tuple[str, int]]) -> str:
    """Verilog of an empty module."""
    lines = ",\n".join(f"  {direction} [{width - 1}:0] {port}" for port, (direction, width) in ports.items())
    return f"(* blackbox *)\nmodule {name} (\n{lines}\n);\nendmodule\n"
