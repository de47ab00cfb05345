"""Longest paths through a mapped netlist, and how its ports depend on each other.

A netlist is a module of Yosys' JSON. Every gate or LUT counts 1. Cells without a model are combinational when
they have an output called Y, and registers otherwise: inputs end a path, outputs start one. Units below are
described by the :class:`Graph` of their own netlist, bit by bit, so paths are followed through the hierarchy
without flattening it.
"""

import functools
from collections import defaultdict

__all__ = ["CombinationalLoop", "Graph"]

CLOCKS = ("clk", "C", "CLK")


class CombinationalLoop(Exception):
    """Logic depends on itself. The text is one line that names a net."""


class Graph:
    """Paths of one netlist.

    Parameters
    ----------
    module : dict
        Module of the JSON.
    children : dict of str to Graph
        Cell type to the graph of the unit.

    Attributes
    ----------
    ports : dict of str to (str, list)
        Port to direction and bits.
    cells : dict
        Cell to its JSON.
    """

    def __init__(self, module, children=None):
        self.cells = module["cells"]
        self.ports = {name: (port["direction"], port["bits"]) for name, port in module["ports"].items()}
        self._children = children or {}
        self._names = defaultdict(list)
        for name, net in module["netnames"].items():
            for index, bit in enumerate(net["bits"]):
                if not isinstance(bit, str):
                    self._names[bit].append((name, index))
        self._bit_of = {name: net["bits"] for name, net in module["netnames"].items()}
        self._build()

    def _build(self):
        self._fan_in = {}                       # bit -> [(bit, depth, (cell, in port bit, out port bit) or None)]
        self._fan_out = defaultdict(list)       # bit -> [bit]
        self.launches, self.captures = {}, defaultdict(list)
        for name, cell in self.cells.items():
            pins = {port: (direction, cell["connections"][port])
                    for port, direction in cell["port_directions"].items()}
            if child := self._children.get(cell["type"]):
                self._add_child(name, child, pins)
            elif "Y" in pins:
                sources = [bit for direction, bits in pins.values() if direction == "input" for bit in bits]
                for bit in pins["Y"][1]:
                    self._fan_in[bit] = [(source, 1, None) for source in sources if not isinstance(source, str)]
            else:
                for port, (direction, bits) in pins.items():
                    for index, bit in enumerate(bits):
                        if isinstance(bit, str) or port in CLOCKS:
                            continue
                        if direction == "output":
                            self.launches[bit] = 0, (name, port, index)
                        else:
                            self.captures[bit].append((0, (name, port, index)))
        for bit, sources in self._fan_in.items():
            for source, _depth, _via in sources:
                self._fan_out[source].append(bit)
        self._order = self._sorted()

    def _add_child(self, name, child, pins):
        def net(port, index):  # None when nothing, or a constant, is connected
            bits = pins.get(port, ("", []))[1]
            return bits[index] if index < len(bits) and not isinstance(bits[index], str) else None

        for end, depth in child.launch.items():
            if (bit := net(*end)) is not None:
                self.launches[bit] = depth, (name, *end)
        for end, depth in child.capture.items():
            if (bit := net(*end)) is not None:
                self.captures[bit].append((depth, (name, *end)))
        for stop, sources in child.arcs.items():
            if (bit := net(*stop)) is not None:
                self._fan_in[bit] = [(source, depth, (name, start, stop)) for start, depth in sources.items()
                                     if (source := net(*start)) is not None]

    def _sorted(self):
        """Position of every driven bit so that each comes after those it depends on."""
        waiting = {bit: sum(source in self._fan_in for source, _d, _v in sources)
                   for bit, sources in self._fan_in.items()}
        ready = [bit for bit, count in waiting.items() if not count]
        for bit in ready:
            for target in self._fan_out[bit]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        if len(ready) < len(waiting):
            bit = next(bit for bit, count in waiting.items() if count)
            raise CombinationalLoop(f"combinational logic must not depend on itself, as {self.names(bit)} does")
        return {bit: position for position, bit in enumerate(ready)}

    def names(self, bit):
        """(name, index) of every net that the bit belongs to."""
        return self._names.get(bit, [])

    def bit(self, name, index):
        """Bit of a net, or None when there is no such net, or it is constant."""
        bits = self._bit_of.get(name, [])
        bit = bits[index] if index < len(bits) else None
        return None if isinstance(bit, str) else bit

    def _bit_of_port(self, end):
        port, index = end
        return self.ports[port][1][index]

    def inputs(self):
        """(port, index, bit) of every input but the clock."""
        return [(port, index, bit) for port, (direction, bits) in self.ports.items() if direction == "input"
                and port not in CLOCKS for index, bit in enumerate(bits)]

    def outputs(self):
        """(port, index, bit) of every output that is not constant."""
        return [(port, index, bit) for port, (direction, bits) in self.ports.items() if direction == "output"
                for index, bit in enumerate(bits) if not isinstance(bit, str)]

    def walk(self, starts):
        """Arrival at every bit that ``starts`` (bit to depth) reach: bit to (depth, bit before it, via)."""
        arrival = {bit: (depth, None, None) for bit, depth in starts.items()}
        reached, todo = set(), list(starts)
        while todo:
            for target in self._fan_out.get(todo.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    todo.append(target)
        for bit in sorted(reached, key=self._order.__getitem__):
            best = max(((arrival[source][0] + depth, source, via) for source, depth, via in self._fan_in[bit]
                        if source in arrival), key=lambda found: found[0])
            if bit not in arrival or best[0] > arrival[bit][0]:
                arrival[bit] = best
        return arrival

    @functools.cached_property
    def _from_registers(self):
        return self.walk({bit: depth for bit, (depth, _end) in self.launches.items()})

    @functools.cached_property
    def _from_inputs(self):
        """``capture`` and ``arcs``, with one walk from each input; the walks are too large to be kept."""
        capture, arcs, outputs = {}, defaultdict(dict), defaultdict(list)
        for position, (port, index, bit) in enumerate(self.outputs()):
            outputs[bit].append((position, (port, index), bit))
        for port, index, start in self.inputs():
            arrival = self.walk({start: 0})
            ends = [arrival[bit][0] + depth for bit in arrival.keys() & self.captures.keys()
                    for depth, _end in self.captures[bit]]
            if ends:
                capture[port, index] = max(ends)
            for _position, end, bit in sorted(found for last in arrival.keys() & outputs.keys()
                                              for found in outputs[last]):
                arcs[end][port, index] = arrival[bit][0]
        return capture, dict(arcs)

    @functools.cached_property
    def launch(self):
        """Output bit (port, index) to the depth from the deepest register."""
        return {(port, index): self._from_registers[bit][0] for port, index, bit in self.outputs()
                if bit in self._from_registers}

    @property
    def capture(self):
        """Input bit to the depth to the farthest register."""
        return self._from_inputs[0]

    @property
    def arcs(self):
        """Output bit to {input bit: depth} for every combinational path from port to port."""
        return self._from_inputs[1]

    @functools.cached_property
    def worst(self):
        """Depth of the deepest path wherever it starts and ends, and its points as of :meth:`expand`."""
        arrival = self.walk({**{bit: 0 for _port, _index, bit in self.inputs()},
                             **{bit: depth for bit, (depth, _end) in self.launches.items()}})
        ends = [(arrival[bit][0] + depth, bit, end) for bit, found in self.captures.items() if bit in arrival
                for depth, end in found]
        ends += [(arrival[bit][0], bit, None) for _port, _index, bit in self.outputs() if bit in arrival]
        depth, bit, end = max(ends, key=lambda found: (found[0], str(found[2])), default=(0, None, None))
        inside = {cell["type"]: name for name, cell in sorted(self.cells.items(), reverse=True)
                  if cell["type"] in self._children}
        deepest = max(inside, key=lambda kind: self._children[kind].worst[0], default=None)
        if deepest and self._children[deepest].worst[0] > depth:
            return (self._children[deepest].worst[0],
                    self._inside(inside[deepest], lambda child: child.worst[1]))
        return depth, [] if bit is None else self.expand(arrival, bit, end)

    def expand(self, arrival, bit, end=None):
        """Points of the path that ends in ``bit``, and at register or unit ``end``.

        A point is ``((instance, ...), graph, bit)``: where it lies in the hierarchy below this netlist.
        """
        points, here = [], bit
        while here is not None:
            points.insert(0, ((), self, here))
            _depth, before, via = arrival[here]
            if via:
                cell, start, stop = via
                points[:0] = self._inside(cell, lambda child: child.path(start, stop))  # noqa: B023
            elif before is None and here in self.launches and not self._is_input(here):
                cell, port, index = self.launches[here][1]
                points[:0] = self._inside(cell, lambda child: child.path(None, (port, index)))  # noqa: B023
            here = before
        if end:
            cell, port, index = end
            points += self._inside(cell, lambda child: child.path((port, index), None))
            if self.cells[cell]["type"] not in self._children:
                points += [((), self, out) for out in self.register_output(cell, port, index)]
        return points

    def _is_input(self, bit):
        return any(bit == other for _port, _index, other in self.inputs())

    def _inside(self, cell, path):
        child = self._children.get(self.cells[cell]["type"])
        return [((cell, *inner), graph, bit) for inner, graph, bit in path(child)] if child else []

    def register_output(self, cell, _port, _index):
        """The bit that a one-bit register stores; nothing for an SRAM."""
        out = [bits for name, bits in self.cells[cell]["connections"].items()
               if self.cells[cell]["port_directions"][name] == "output"]
        return [bits[0] for bits in out if len(bits) == 1 and not isinstance(bits[0], str)][:1] if len(out) == 1 else []

    def path(self, start, stop):
        """Points of the deepest path from input bit ``start`` to output bit ``stop``; None is any register."""
        arrival = self._from_registers if start is None else self.walk({self._bit_of_port(start): 0})
        if stop is not None:
            return self.expand(arrival, self._bit_of_port(stop))
        _depth, bit, end = max(((arrival[bit][0] + depth, bit, end) for bit in arrival.keys() & self.captures.keys()
                                for depth, end in self.captures[bit]), key=lambda found: (found[0], str(found[2])))
        return self.expand(arrival, bit, end)
