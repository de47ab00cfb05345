"""Liberty files: what a report must say of a cell library, and stand-ins for SRAM macros."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from golden.common.cli import UsageError
from synth.common import tools

__all__ = ["DEFAULT", "Library", "open_library", "sram_liberty"]

#: OSU 0.18 um, from the Debian package qflow-tech-osu018.
DEFAULT = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")

_CELL = re.compile(r'^\s*cell\s*\(\s*"?([\w.]+)"?\s*\)\s*\{', re.MULTILINE)
_AREA = re.compile(r"^\s*area\s*:\s*\"?([\d.eE+-]+)\"?\s*;", re.MULTILINE)
_NAND2 = re.compile(r"nand_?2(?!b)|nd2(?!b)", re.IGNORECASE)
#: Buffers for other purposes than data: clock trees, power domains.
_SPECIAL = re.compile(r"clk|iso|lpflow|dly|dlym|lvl|ls_|delay", re.IGNORECASE)


@dataclass(frozen=True)
class Library:
    """A cell library.

    Attributes
    ----------
    path : Path
        The unpacked file.
    name : str
        Of the ``library`` group.
    process, voltage, temperature : float or None
        Nominal conditions: factor, volts, degrees Celsius.
    nand2 : str or None
        Its smallest two-input NAND gate.
    nand2_area : float or None
        Area of that [um2].
    buffer : str or None
        Its smallest buffer: what is taken to drive the inputs of a piece of logic, and to be driven by its outputs.
    buffer_load : float
        Capacitance of that buffer's input [fF].
    wire_load : str or None
        Its default wire load model; OpenSTA applies it.
    """

    path: Path
    name: str
    process: float | None
    voltage: float | None
    temperature: float | None
    nand2: str | None
    nand2_area: float | None
    buffer: str | None
    buffer_load: float
    wire_load: str | None

    def conditions(self) -> dict:
        """What stands beside every figure."""
        return {"library": self.name, "process": self.process, "voltage": self.voltage,
                "temperature": self.temperature, "nand2": self.nand2, "nand2_um2": self.nand2_area,
                "wire_load": self.wire_load or "none"}

    def __str__(self):
        wires = f"wire load model {self.wire_load}" if self.wire_load else "zero wire load"
        process, voltage, temperature = ("unknown" if value is None else f"{value:g}"
                                         for value in (self.process, self.voltage, self.temperature))
        return f"{self.name}: process {process}, {voltage} V, {temperature} C; {wires}"


def open_library(path: Path | None) -> Library:
    """Read and unpack a Liberty file; None is :data:`DEFAULT`.

    Raises
    ------
    UsageError
        If there is none, or it is not a Liberty file with cells.
    """
    if path is None:
        path = DEFAULT
        if not path.exists():
            raise UsageError("target asic must have a cell library: pass --liberty FILE, or install the Debian package "
                             "qflow-tech-osu018")
    try:
        content = Path(path).read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"liberty must be a readable Liberty file, not {str(path)!r}: {reason}") from error
    head = re.search(r'^\s*library\s*\(\s*"?([\w.-]+)"?\s*\)', text, re.MULTILINE)
    if head is None or not _CELL.search(text):
        raise UsageError(f"liberty must be a Liberty file with a library group and cells, not {str(path)!r}")
    unpacked = tools.BUILD / "liberty" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.lib"
    if not unpacked.exists():
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        part = unpacked.with_suffix(f".{tools.unique()}")
        part.write_text(text)
        part.replace(unpacked)
    cells = list(_cells(text))
    nand2_area, nand2 = min(((area, cell) for cell, area, _ in cells if _NAND2.search(cell)), default=(None, None))
    _, buffer, load = min(((area, cell, load) for cell, area, load in cells if load), default=(None, None, 0.0))
    wires = re.search(r'^\s*default_wire_load\s*:\s*"?([\w.-]+)"?\s*;', text, re.MULTILINE)
    nominal = [_nominal(text, what) for what in ("process", "voltage", "temperature")]
    return Library(unpacked, head[1], *nominal, nand2, nand2_area, buffer, round(load * _femtofarads(text), 4),
                   wires and wires[1])


def _cells(text):
    """(name, area, input capacitance of a plain buffer or None) of every cell that has an area."""
    starts = list(_CELL.finditer(text))
    for cell, following in zip(starts, [*starts[1:], None], strict=True):
        body = text[cell.end():following.start() if following else len(text)]
        if area := _AREA.search(body):
            pins = re.findall(r'direction\s*:\s*"?(\w+)', body)
            function = re.findall(r'^\s*function\s*:\s*"\(?(\w+)\)?"', body, re.MULTILINE)
            load = re.search(r'^\s*(?:pin.*\s)?capacitance\s*:\s*"?([\d.eE+-]+)', body, re.MULTILINE)
            is_buffer = (sorted(pins) == ["input", "output"] and len(function) == 1 and load
                         and not _SPECIAL.search(cell[1]))
            yield cell[1], float(area[1]), float(load[1]) if is_buffer else None


def _femtofarads(text):
    """Unit of capacitances [fF]."""
    found = re.search(r'\bcapacitive_load_unit\s*\(\s*"?([\d.]+)"?\s*,\s*"?(ff|pf)', text, re.IGNORECASE)
    return float(found[1]) * (1000 if found[2].lower() == "pf" else 1) if found else 1000.0


def _nominal(text, what):
    found = re.search(rf"^\s*nom_{what}\s*:\s*\"?([\d.eE+-]+)\"?\s*;", text, re.MULTILINE)
    return float(found[1]) if found else None


def sram_liberty(modules: Mapping[str, Mapping[str, tuple[str, int]]], delay_ns: float) -> str:
    """Liberty file of stand-ins for SRAMs: no area, no load, no setup time, ``delay_ns`` from clock to output.

    Parameters
    ----------
    modules : dict of str to dict
        Cell name to port to (direction, width). The clock is ``clk``.
    """
    widths = sorted({width for ports in modules.values() for _direction, width in ports.values()})
    types = "".join(f"  type (bus{width}) {{ base_type : array; data_type : bit; bit_width : {width}; "
                    f"bit_from : {width - 1}; bit_to : 0; downto : true; }}\n" for width in widths)
    cells = "".join(_sram_cell(name, ports, delay_ns) for name, ports in sorted(modules.items()))
    return f"""library (elision_sram) {{
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  capacitive_load_unit (1, pf);
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20; slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20; slew_upper_threshold_pct_fall : 80;
{types}{cells}}}
"""


def _sram_cell(name, ports: Mapping[str, tuple[str, int]], delay_ns) -> str:
    def table(kinds: Iterable[str], value):
        return " ".join(f'{kind} (scalar) {{ values ("{value:g}"); }}' for kind in kinds)

    pins = []
    for port, (direction, width) in ports.items():
        if port == "clk":
            pins.append("    pin (clk) { direction : input; clock : true; capacitance : 0; }\n")
            continue
        if direction == "output":
            body = ('timing () { related_pin : "clk"; timing_type : rising_edge; '
                    + table(("cell_rise", "cell_fall"), delay_ns)
                    + " " + table(("rise_transition", "fall_transition"), 0) + " }")
        else:
            body = ('capacitance : 0; timing () { related_pin : "clk"; timing_type : setup_rising; '
                    + table(("rise_constraint", "fall_constraint"), 0) + " }")
        group = f"bus ({port}) {{ bus_type : bus{width};" if width > 1 else f"pin ({port}) {{"
        pins.append(f"    {group} direction : {direction}; {body} }}\n")
    return f"  cell ({name}) {{\n    area : 0;\n{''.join(pins)}  }}\n"
