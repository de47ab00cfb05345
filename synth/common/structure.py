"""Logic of every unit on gates and on LUTs: size, depth, and what its ports depend on.

The analysis follows paths through the hierarchy: a unit is synthesised alone, with the units below it as black
boxes, and its paths are joined with theirs.
"""

import functools
from collections import Counter, defaultdict

from synth.common import tools
from synth.common.graph import Graph
from synth.common.hierarchy import Hierarchy

__all__ = ["Structure"]

#: Gates that generic counts are made of; registers are plain D flip-flops, their enables and resets are gates.
GATES = "AND,NAND,OR,NOR,XOR,XNOR,MUX"

SCRIPT = f"""\
synth -flatten -noabc -top {{unit}}
write_json source.json
design -save source
dfflegalize -cell $_DFF_P_ 01
abc -g {GATES}
opt_clean
tee -q -o gates.stat.json stat -json -tech cmos
write_json gates.json
design -load source
abc -lut 4
opt_clean
write_json luts.json
"""


class Structure:
    """Netlists of the units of a design, synthesised for no technology.

    Parameters
    ----------
    hierarchy : Hierarchy
    say : callable
        Told which unit is being synthesised.
    """

    def __init__(self, hierarchy: Hierarchy, say=None):
        self.hierarchy, self._say = hierarchy, say
        self._graphs = {}
        self._below, self._signals = functools.cache(self._find_below), functools.cache(self._find_signals)

    def job(self, unit: str) -> tools.Job:
        """Synthesis of a unit without those below it."""
        script, files = self.hierarchy.read_script(unit)
        return tools.yosys("generic", unit, script + SCRIPT.format(unit=unit), files, say=self._say)

    def graph(self, unit: str, kind: str) -> Graph:
        """Paths of a unit: on ``gates``, on ``luts``, or on the logic before mapping (``source``)."""
        if (unit, kind) not in self._graphs:
            children = {child: self.graph(child, kind) for child in self.hierarchy.children(unit)}
            module = self.job(unit).json(f"{kind}.json")["modules"][unit]
            self._graphs[unit, kind] = Graph(module, children)
        return self._graphs[unit, kind]

    def registers(self, unit: str) -> int:
        """Bits of register in a unit without those below it."""
        return self.cells(unit)["DFF"]

    def cells(self, unit: str) -> Counter:
        """Gates and registers of a unit without those below it, by type."""
        stat = self.job(unit).json("gates.stat.json")["modules"][f"\\{unit}"]
        kinds = {name.strip("$_"): count for name, count in stat["num_cells_by_type"].items() if name.startswith("$_")}
        return Counter({"DFF" if name.startswith("DFF") else name: count for name, count in kinds.items()})

    def transistors(self, unit: str) -> int:
        """Transistors of the gates and registers of a unit without those below it, in static CMOS."""
        stat = self.job(unit).json("gates.stat.json")["modules"][f"\\{unit}"]
        return int(str(stat.get("estimated_num_transistors", 0)).rstrip("+"))

    def depth(self, unit: str, kind: str) -> int:
        """Gates or LUTs on the deepest path of a unit, those below it included."""
        return self.graph(unit, kind).worst[0]

    def ports(self, unit: str) -> dict:
        """What the ports of a unit depend on, in 4-input LUTs.

        Returns
        -------
        dict
            ``comb_paths``: ``{"from", "to", "lut4"}`` for each input and output port with a combinational path;
            ``unregistered_outputs``: output port to the LUTs between it and a register, SRAM output or input
            port, where there are any or it hangs on an input.
        """
        graph = self.graph(unit, "luts")
        pairs, outputs = {}, {}
        for (out, _index), sources in graph.arcs.items():
            for (port, _bit), depth in sources.items():
                pairs[port, out] = max(depth, pairs.get((port, out), 0))
                outputs[out] = max(depth, outputs.get(out, 0))
        for (out, _index), depth in graph.launch.items():
            if depth:
                outputs[out] = max(depth, outputs.get(out, 0))
        paths = [{"from": start, "to": end, "lut4": depth} for (start, end), depth in sorted(pairs.items())]
        return {"comb_paths": paths, "unregistered_outputs": dict(sorted(outputs.items()))}

    def critical_path(self, unit: str) -> list[str]:
        """Signals along the deepest path, on gates."""
        points = self.graph(unit, "gates").worst[1]
        return self.names(unit, [(where, graph.names(bit)) for where, graph, bit in points])

    def names(self, unit: str, points) -> list[str]:
        """Signals of the Verilog along a path.

        Mapping keeps the names of registers and ports only. What lies between two of them is taken from the
        deepest path between the same two bits in the logic before mapping.

        Parameters
        ----------
        points : list of (tuple of str, list of (str, int))
            Instances on the way to a net, and the net's names with the number of the bit.
        """
        path, last = [], None
        for where, names in points:
            here, known = self._known(unit, where, names)
            if known is None:
                continue
            if last and last[0] == where:
                path += [(where, name) for name in self._between(here, last[1], known)]
            path.append((where, known[0]))
            last = where, known
        texts = [".".join([*where, name]) for where, name in path]
        return [text for index, text in enumerate(texts) if index == 0 or text != texts[index - 1]]

    def locate(self, unit: str, nets):
        """Points of a path through the flattened unit, for :meth:`names`.

        A net has a name in every unit that it passes. Those count that a net before or after it shares the unit
        with, and where the register is that drives the first one.

        Parameters
        ----------
        nets : list of list of (str, int)
            For each net on the path its names, ``a.b.level`` for ``level`` in ``a.b``, with the number of the bit.
        """
        placed = [found for net in nets if (found := self._placed(unit, net))]
        points = []
        for index, here in enumerate(placed):
            near = {where for other in placed[max(index - 1, 0):index] + placed[index + 1:index + 2] for where in other}
            kept = [where for where in here if where in near] or [max(here, key=len)]
            if index == 0:
                start = [where for where in here if self._is_register(unit, where, here[where])]
                kept = [*start[:1], *(where for where in kept if where not in start)]
            points += [(where, here[where]) for where in kept]
        return points

    def _placed(self, unit, names):
        """Instances of the units that a net has names in, with these names."""
        found = defaultdict(list)
        for name, index in names:
            here, where = unit, ()
            while instance := next((path for path in self._below(here) if name.startswith(f"{path}.")), None):
                here, where, name = self._below(here)[instance], (*where, instance), name[len(instance) + 1:]
            if name in self._signals(here):
                found[where].append((name, index))
        return dict(found)

    def _is_register(self, unit, where, names):
        for instance in where:
            unit = self._below(unit)[instance]
        graph = self.graph(unit, "source")
        launches = [graph.launches[bit][1][0] for name in names if (bit := graph.bit(*name)) in graph.launches]
        return any(graph.cells[cell]["type"] not in self.hierarchy.units for cell in launches)

    def _known(self, unit, where, names):
        for instance in where:
            unit = self._below(unit)[instance]
        signals = self._signals(unit)
        found = sorted((len(name), name, index) for name, index in names if name in signals)
        return unit, (found[0][1], found[0][2]) if found else None

    def _find_below(self, unit):
        """Instance, through helpers, to unit."""
        return {path: child for path, child in
                self.hierarchy._placed(unit, lambda module: module.children.items())
                if child in self.hierarchy.units}

    def _find_signals(self, unit):
        """Names of the flattened unit."""
        def inside(module):
            found = {*module.signals, *(f"{instance}.mem" for instance in module.srams)}
            for instance, child in module.children.items():
                if child not in self.hierarchy.units:
                    found |= {f"{instance}.{name}" for name in inside(self.hierarchy.modules[child])}
            return found
        return inside(self.hierarchy.modules[unit])

    def _between(self, unit, start, stop):
        """Names on the deepest path between two bits before mapping, both left out."""
        graph = self.graph(unit, "source")
        first, last = graph.bit(*start), graph.bit(*stop)
        if first is None or last is None:
            return []
        arrival = graph.walk({first: 0})
        ends = [last, *(bit for bit, ends in graph.captures.items() for _depth, (cell, *pin) in ends
                        if last in graph.register_output(cell, *pin))]
        ends = [bit for bit in ends if bit in arrival and bit != first]
        if not ends:
            return []
        points = graph.expand(arrival, max(ends, key=lambda bit: arrival[bit][0]))[1:]
        names = [self._known(unit, (), inner.names(bit))[1] for where, inner, bit in points if not where]
        return [name[0] for name in names if name and name[0] not in (start[0], stop[0])]
