"""Cell area and timing with a Liberty file: Yosys and ABC, then OpenSTA where it is installed.

Every distinct unit is mapped once. Its area is that of its own cells plus those of the units below, each as often
as it is there. Timing is that of the mapped netlists joined again, so paths through several units are seen; where that
is too much for one machine, it is that of the first and the last of many large units alike.
Everything is before placement; SRAMs are black boxes without area.
"""

import re
from dataclasses import dataclass
from functools import partial

from synth.common import tools
from synth.common.graph import CLOCKS
from synth.common.hierarchy import Hierarchy
from synth.common.liberty import Library, sram_liberty
from synth.common.structure import Structure

__all__ = ["Asic"]

#: ABC scripts; {D} is the period. The smallest result that meets the period is taken, else the fastest.
RECIPES = {
    "small": "strash; &get -n; &fraig -x; &put; scorr; dc2; strash; &get -n; &dch -f; &nf {D}; &put",
    "fast": "&get -n; &st; &dch; &nf; &put",
    "deep": "&get -n; &st; &syn4; &b -d; &synch2; &nf; &put",
}
#: Buffers large fanouts and chooses drive strengths.
SIZING = "buffer -c; topo; upsize {D}; dnsize {D}; stime -p"

#: Netlists of more cells are timed without the middle ones of units alike that have at least so many cells each.
MOST_CELLS, LARGE_CELLS = 1_500_000, 20_000

SCRIPT = """\
read_liberty -lib -ignore_miss_func liberty.lib
synth -flatten -booth -noabc -top {unit}
techmap -max_iter 1 -map sinks.v
dfflibmap -liberty liberty.lib
design -save source
{recipes}"""
MAP = """\
design -load source
abc -liberty liberty.lib -D {period} -script {name}.abc{drive}
opt_clean -purge
setundef -zero
rename -enumerate
tee -q -o {name}.stat.json stat -json -liberty liberty.lib
write_verilog -noattr -noexpr -simple-lhs {name}.v
write_json {name}.json
"""

STA = """\
read_liberty liberty.lib
{srams}{reads}link_design {top}
{clock}
foreach port [all_inputs] {{
  if {{[get_property $port full_name] != "clk"}} {{ set_input_delay 0 -clock clk $port }}
}}
set_output_delay 0 -clock clk [all_outputs]
report_checks -path_delay max -fields {{input_pin net fanout}} -digits 5
"""

_FANOUT = re.compile(r"^\s*(\d+)\s.*\(net\)$", re.MULTILINE)
_PIN = re.compile(r"^\s*(-?[\d.]+)\s+(-?[\d.]+)\s+[v^]\s+(\S+) \((\S+)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Mapped:
    """A unit mapped to cells, those below it left out."""

    area: float
    cells: int
    registers: int
    recipe: str
    abc_ns: float
    verilog: str
    module: dict


class Asic:
    """Target ``asic``.

    Parameters
    ----------
    hierarchy : Hierarchy
    structure : Structure
    library : Library
    period : int
        Target [ps].
    sram_delay : int
        Clock to output of every SRAM [ps].
    """

    #: Columns of the table: heading, key of a figure.
    COLUMNS = (("um2", "area_um2"), ("own um2", "own_area_um2"), ("NAND2", "nand2"), ("cells", "cells"), ("FFs", "ffs"),
               ("ns", "critical_path_ns"), ("MHz", "fmax_mhz"), ("fanout on path", "path_fanout"))

    def __init__(self, hierarchy: Hierarchy, structure: Structure, library: Library, *, period, sram_delay, say=None):
        self.hierarchy, self.structure, self.library = hierarchy, structure, library
        self.period, self.sram_delay, self._say = period, sram_delay, say
        self._mapped = {}

    def tools(self) -> dict:
        """Name to version."""
        found = {"yosys": tools.version("pyosys")}
        if tools.sta_version():
            found["opensta"] = tools.sta_version()
        return found

    def conditions(self) -> dict:
        """What the figures hold for."""
        return {**self.library.conditions(), "period_ps": self.period, "sram_delay_ps": self.sram_delay,
                "timing": f"OpenSTA {tools.sta_version()}" if tools.sta_version() else
                "ABC, logic of single units without registers' delays"}

    def describe(self) -> list[str]:
        """The same for people."""
        lines = [f"{self.library}; {self.conditions()['timing']}"]
        lines.append(f"before placement, fanouts above 10 buffered; SRAMs have no area and {self.sram_delay} ps from "
                     f"clock to output; target {self.period} ps")
        if self.library.nand2:
            lines.append(f"1 NAND2 is {self.library.nand2}, {self.library.nand2_area:g} um2")
        return lines

    def stages(self, units) -> list:
        """Runs of tools, in stages whose runs do not depend on each other."""
        timing = [partial(self._sta, unit) for unit in reversed(units)] if tools.sta_version() else []
        return [[partial(self._synthesise, unit) for unit in units], timing]

    def _synthesise(self, unit):
        script, files = self.hierarchy.read_script(unit)
        files["sinks.v"] = self._sinks(unit)
        delay = f"-D {self.period}"
        files |= {f"{name}.abc": f"{recipe}; {SIZING}".format(D=delay).replace("; ", "\n") + "\n"
                  for name, recipe in RECIPES.items()}
        drive = ""
        if self.library.buffer:  # without it ABC takes its inputs, the registers, to drive any load
            files["drive.sdc"] = f"set_driving_cell {self.library.buffer}\nset_load {self.library.buffer_load:g}\n"
            drive = " -constr drive.sdc"
        maps = "".join(MAP.format(name=name, period=self.period, drive=drive) for name in RECIPES)
        return tools.yosys("asic", unit, script + SCRIPT.format(unit=unit, recipes=maps), files,
                           links={"liberty.lib": self.library.path}, say=self._say)

    def _sinks(self, unit):
        """Techmap file that gives each input of a unit below, an SRAM, or an enable or reset a net of its own.

        ABC sees a net that leaves its logic as one sink, whatever hangs on it. With a net for each sink it buffers
        the large ones.
        """
        cells = self.structure.job(unit).json("source.json")["modules"][unit]["cells"].values()
        registers = {cell["type"]: {port: (direction, 1) for port, direction in cell["port_directions"].items()}
                     for cell in cells if re.fullmatch(r"\$_\w*(DFF|SR)\w*_", cell["type"])}
        below = {child: self.hierarchy.modules[child].ports for child in self.hierarchy.children(unit)}
        srams = {shape.module: self.hierarchy.shapes[shape] for shape in self.hierarchy.own_srams(unit)}
        return "".join(_sink(name, ports) for name, ports in sorted({**registers, **below, **srams}.items()))

    def mapped(self, unit: str) -> Mapped:
        """The best of the recipes."""
        if unit not in self._mapped:
            job = self._synthesise(unit)
            delays = _abc_delays(job.text("log"), len(RECIPES))
            area = {name: job.json(f"{name}.stat.json")["modules"][f"\\{unit}"].get("area", 0.0) for name in RECIPES}
            found = dict(zip(RECIPES, delays, strict=True))
            recipe = min(RECIPES, key=lambda name: (max(found[name], 0.75 * self.period / 1000), area[name]))
            module = job.json(f"{recipe}.json")["modules"][unit]
            ours = {*self.hierarchy.units, *(shape.module for shape in self.hierarchy.shapes)}
            cells = [cell for cell in module["cells"].values() if cell["type"] not in ours]
            if unmapped := sorted({cell["type"] for cell in cells if cell["type"].startswith("$")}):
                raise tools.ToolError(f"library {self.library.name} must have cells for {', '.join(unmapped)} in "
                                      f"{unit}, and has none")
            self._mapped[unit] = Mapped(float(area[recipe]), len(cells), self.structure.registers(unit), recipe,
                                        found[recipe], job.text(f"{recipe}.v"), module)
        return self._mapped[unit]

    def measure(self, unit: str) -> dict:
        """Figures of a unit, those below it included."""
        parts = self.hierarchy.instances(unit)
        area = sum(count * self.mapped(part).area for part, count in parts.items())
        nand2 = self.library.nand2_area
        figures = {"area_um2": round(area, 1), "own_area_um2": round(self.mapped(unit).area, 1),
                   "nand2": round(area / nand2) if nand2 else None,
                   "cells": sum(count * self.mapped(part).cells for part, count in parts.items()),
                   "ffs": sum(count * self.mapped(part).registers for part, count in parts.items()),
                   "recipe": self.mapped(unit).recipe}
        left_out = sorted({child for part in parts for child, _name in self._left_out(unit, part)})
        timed = {"timed": f"of several {', '.join(left_out)} the first and the last"} if left_out else {}
        return {**figures, **self._timing(unit), **timed}

    def _cells(self, unit):
        """Cells of a unit and of those below it."""
        return sum(count * self.mapped(part).cells for part, count in self.hierarchy.instances(unit).items())

    def _left_out(self, unit, part):
        """(unit, instance) of what is left out of ``part`` in the timing of ``unit``."""
        if not tools.sta_version() or self._cells(unit) <= MOST_CELLS:
            return []
        cells = self.mapped(part).module["cells"]
        return [(child, name) for child in self.hierarchy.children(part) if self._cells(child) >= LARGE_CELLS
                for name in sorted((name for name, cell in cells.items() if cell["type"] == child),
                                   key=lambda name: (len(name), name))[1:-1]]

    def _timing(self, unit):
        if not tools.sta_version():
            delay = max(self.mapped(part).abc_ns for part in self.hierarchy.instances(unit))
            return _figures(delay, self.period, self.structure.critical_path(unit))
        text = self._sta(unit).text("log")
        slack = re.search(r"^\s*(-?[\d.]+)\s+slack", text, re.MULTILINE)
        if slack is None:   # no path
            return {"critical_path_ns": None, "fmax_mhz": None, "critical_path": []}
        delay = self.period / 1000 - float(slack[1])
        pins = [match.groups()[2:] for match in _PIN.finditer(text.split("data arrival time")[0])]
        points = [self._point(unit, pin, cell) for pin, cell in pins]
        if pins:
            points += self._register(unit, pins[-1][0])
        fanouts = [int(count) for count in _FANOUT.findall(text)]
        return {**_figures(delay, self.period, self.structure.names(unit, [point for point in points if point])),
                "path_fanout": max(fanouts, default=0)}

    def _sta(self, unit):
        """Timing of a unit with everything below it."""
        parts = [*self.hierarchy.descendants(unit), unit]
        shapes = {shape.module: self.hierarchy.shapes[shape] for shape in self.hierarchy.srams(unit)}
        files = {f"{part}.v": _without(self.mapped(part).verilog, self._left_out(unit, part)) for part in parts}
        if shapes:
            files["srams.lib"] = sram_liberty(shapes, self.sram_delay / 1000)
        clocked = "clk" in self.hierarchy.modules[unit].ports
        clock = f"create_clock -name clk -period {self.period / 1000}{' [get_ports clk]' if clocked else ''}"
        script = STA.format(top=unit, clock=clock, srams="read_liberty srams.lib\n" if shapes else "",
                            reads="".join(f"read_verilog {part}.v\n" for part in parts))
        return tools.sta(unit, script, files, links={"liberty.lib": self.library.path}, say=self._say)

    def _point(self, unit, pin, cell):
        """Where a line of the report is: instances, and the names of the net."""
        if cell in ("in", "out"):
            return (), _indexed(pin)
        where, module, leaf, port = self._locate(unit, pin)
        if leaf not in module["cells"]:
            return None
        bits = module["cells"][leaf]["connections"][port[0]]
        if any(name in CLOCKS for name, _index in _names(module, bits[port[1]])):
            return None
        return where, _names(module, bits[port[1]])

    def _register(self, unit, pin):
        """The output of the register that the path ends in."""
        if "/" not in pin:
            return []
        where, module, leaf, _port = self._locate(unit, pin)
        cell = module["cells"].get(leaf)
        if not cell or "port_directions" not in cell:
            return []
        outs = [bits[0] for port, bits in cell["connections"].items()
                if cell["port_directions"][port] == "output" and len(bits) == 1 and not isinstance(bits[0], str)]
        return [(where, names) for bit in outs if (names := _names(module, bit))][:1]

    def _locate(self, unit, pin):
        *path, leaf, port = pin.replace("\\", "").split("/")
        module = self.mapped(unit).module
        for instance in path:
            module = self.mapped(module["cells"][instance]["type"]).module
        name, _, index = port.partition("[")
        return tuple(path), module, leaf, (name, int(index.rstrip("]")) if index else 0)


def _without(verilog, instances):
    """A netlist without some (module, instance)."""
    modules = "|".join(sorted({module for module, _name in instances}))
    return re.sub(rf"^  ({modules}) \\?(\S+) +\(\n.*?^  \);\n", lambda found: "" if found.groups() in instances
                  else found[0], verilog, flags=re.DOTALL | re.MULTILINE) if instances else verilog


def _sink(name, ports):
    """Techmap module: a buffer in front of every input but the clock."""
    lines = ",\n".join(f"  {direction} [{width - 1}:0] {port}" for port, (direction, width) in ports.items())
    inputs = {port: width for port, (direction, width) in ports.items() if direction == "input" and port not in CLOCKS}
    buffers = "".join([*(f"  wire [{width - 1}:0] own_{port};\n" for port, width in inputs.items()),
                       *(f"  \\$_BUF_ buf_{port}_{bit} (.A({port}[{bit}]), .Y(own_{port}[{bit}]));\n"
                         for port, width in inputs.items() for bit in range(width))])
    pins = ", ".join(f".{port}({'own_' if port in inputs else ''}{port})" for port in ports)
    return (f'(* techmap_celltype = "{name}" *)\nmodule sink_{re.sub(r"[^a-zA-Z0-9]+", "_", name)} (\n{lines}\n);\n'
            f"{buffers}  \\{name} _TECHMAP_REPLACE_ ({pins});\nendmodule\n")


def _figures(delay, period, path):
    return {"critical_path_ns": round(delay, 3), "fmax_mhz": round(1000 / delay, 1) if delay > 0 else None,
            "slack_ns": round(period / 1000 - delay, 3), "critical_path": path}


def _abc_delays(log, count):
    """Delay of each run of ABC [ns]; 0 where there was no logic to map."""
    runs = re.split(r"^\d+(?:\.\d+)*\. Executing ABC pass.*$", log, flags=re.MULTILINE)[1:]
    found = [re.findall(r"Delay =\s*([\d.]+) ps", run) for run in runs]
    return [float(delays[-1]) / 1000 if delays else 0.0 for delays in (found + [[]] * count)[:count]]


def _indexed(name):
    plain, _, index = name.replace("\\", "").partition("[")
    return [(plain, int(index.rstrip("]")) if index else 0)]


def _names(module, bit):
    return [(name, net["bits"].index(bit)) for name, net in module["netnames"].items() if bit in net["bits"]]
