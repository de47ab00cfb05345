"""Size and depth for no technology: what a change does to the logic, with Python packages alone."""

from collections import Counter

from synth.common import tools
from synth.common.hierarchy import Hierarchy
from synth.common.structure import GATES, Structure

__all__ = ["Generic"]

#: Transistors of a two-input NAND gate in static CMOS.
NAND2 = 4


class Generic:
    """Target ``generic``.

    Parameters
    ----------
    hierarchy : Hierarchy
    structure : Structure
    """

    #: Columns of the table: heading, key of a figure.
    COLUMNS = (("NAND2", "nand2"), ("gates", "gates"), ("FFs", "ffs"), ("memory bits", "memory_bits"),
               ("gates deep", "depth_gates"), ("LUT4 deep", "depth_lut4"))

    def __init__(self, hierarchy: Hierarchy, structure: Structure):
        self.hierarchy, self.structure = hierarchy, structure

    def tools(self) -> dict:
        """Name to version."""
        return {"yosys": tools.version("pyosys")}

    def conditions(self) -> dict:
        """What the figures hold for."""
        return {"gates": GATES, "nand2": f"transistors in static CMOS / {NAND2}", "timing": "levels of logic"}

    def describe(self) -> list[str]:
        """The same for people."""
        return ["no technology; NAND2: transistors in static CMOS / 4, memories left out; enables and resets are gates"]

    def stages(self, _units) -> list:
        """Nothing beside the structure."""
        return []

    def measure(self, unit: str) -> dict:
        """Figures of a unit, those below it included."""
        parts = self.hierarchy.instances(unit)
        cells = Counter()
        for part, count in parts.items():
            for kind, number in self.structure.cells(part).items():
                cells[kind] += count * number
        transistors = sum(count * self.structure.transistors(part) for part, count in parts.items())
        own = self.structure.transistors(unit)
        return {"nand2": round(transistors / NAND2), "own_nand2": round(own / NAND2),
                "gates": cells.total() - cells["DFF"], "ffs": cells["DFF"],
                "memory_bits": sum(count * shape.bits for shape, count in self.hierarchy.srams(unit).items()),
                "cells_by_type": dict(sorted(cells.items())),
                "depth_gates": self.structure.depth(unit, "gates"), "depth_lut4": self.structure.depth(unit, "luts"),
                "critical_path_ns": None, "fmax_mhz": None, "critical_path": self.structure.critical_path(unit)}
