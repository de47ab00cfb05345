"""Small designs with known properties, written by hand, and a small cell library."""

from typing import NamedTuple

from hdl.common.emit import Design

#: Registers ``first`` and ``last`` with an adder chain called ``chain_1 ... chain_5`` between them, a short path
#: from ``near`` to ``far``, and the parameter of :func:`planted` as logic between ports.
_UNIT = """\
module {name}(clk, rst, a, b, y, z{port});
  input clk, rst;
  input [7:0] a, b;
  output [7:0] y;
  output z;
  {declaration}
  reg [7:0] first, last;
  reg near, far;
  wire [7:0] chain_1 = first * 8'd11;
  wire [7:0] chain_2 = chain_1 * chain_1 + 8'd3;
  wire [7:0] chain_3 = chain_2 * chain_1;
  always @(posedge clk) begin
    first <= rst ? 8'd0 : a;
    last <= chain_3;
    near <= b[0];
    far <= ~near;
  end
  assign y = last;
  assign z = far;
  {logic}
endmodule
"""
_PARENT = """\
module {name}(clk, rst, a, y);
  input clk, rst;
  input [7:0] a;
  output [7:0] y;
  wire [7:0] between;
  planted_unit one (.clk(clk), .rst(rst), .a(a), .b(a), .y(between), .z());
  planted_unit two (.clk(clk), .rst(rst), .a(between), .b(between), .y(y), .z());
endmodule
"""


class Planted(NamedTuple):
    """Stands for a choice of the command line."""

    design: Design
    accelerator: str = "eie"
    preset: str = "tiny"

    @property
    def label(self):
        return self.design.top

    def emit(self):
        return self.design


def planted(name="planted_unit", *, through=None, files=None):
    """Design of one unit. ``through``: expression of ``a``, ``b``, ``last`` for a further output ``t``."""
    unit = _UNIT.format(name=name, port=", t" if through else "", declaration="output [7:0] t;" if through else "",
                        logic=f"assign t = {through};" if through else "")
    ports = {"clk": ("input", 1), "rst": ("input", 1), "a": ("input", 8), "b": ("input", 8), "y": ("output", 8),
             "z": ("output", 1), **({"t": ("output", 8)} if through else {})}
    return Design(name, {f"{name}.v": unit, **(files or {})}, ports, {"size": 8}, (name,))


def pair():
    """Design of a unit that is there twice in its parent."""
    unit = planted()
    ports = {"clk": ("input", 1), "rst": ("input", 1), "a": ("input", 8), "y": ("output", 8)}
    return Design("planted_pair", {**unit.files, "planted_pair.v": _PARENT.format(name="planted_pair")}, ports, {},
                  ("planted_unit", "planted_pair"))


def liberty(name="planted_cells", area=1.0):
    """A cell library of an inverter, a buffer, a NAND gate and a flip-flop."""
    gates = "".join(_gate(*gate) for gate in (("INV", area, "A", "!A"), ("BUF", 1.5 * area, "A", "A"),
                                              ("NAND2", 2 * area, "AB", "!(A & B)")))
    return f"""library ({name}) {{
  delay_model : table_lookup;
  time_unit : "1ns"; voltage_unit : "1V"; current_unit : "1mA"; leakage_power_unit : "1nW";
  pulling_resistance_unit : "1kohm";
  capacitive_load_unit (1, pf);
  nom_process : 1;
  nom_voltage : 1.1;
  nom_temperature : 25;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20; slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20; slew_upper_threshold_pct_fall : 80;
  lu_table_template (delay) {{
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0.01, 1"); index_2 ("0.001, 0.1");
  }}
{gates}  cell (DFF) {{
    area : {8 * area};
    ff (IQ, IQN) {{ clocked_on : "C"; next_state : "D"; }}
    pin (C) {{ direction : input; clock : true; capacitance : 0.002; }}
    pin (D) {{ direction : input; capacitance : 0.002;
      timing () {{ related_pin : "C"; timing_type : setup_rising;
        rise_constraint (scalar) {{ values ("0.05"); }} fall_constraint (scalar) {{ values ("0.05"); }} }} }}
    pin (Q) {{ direction : output; function : "IQ"; max_capacitance : 1;
      timing () {{ related_pin : "C"; timing_type : rising_edge; {_tables()} }} }}
  }}
}}
"""


def _gate(name, area, pins, function):
    inputs = "".join(f"    pin ({pin}) {{ direction : input; capacitance : 0.002; }}\n" for pin in pins)
    timing = "".join(f'timing () {{ related_pin : "{pin}"; {_tables()} }} ' for pin in pins)
    return (f"  cell ({name}) {{\n    area : {area};\n{inputs}    pin (Y) {{ direction : output; max_capacitance : 1;\n"
            f'      function : "{function}";\n      {timing}}}\n  }}\n')


def _tables():
    return " ".join(f'{kind} (delay) {{ index_1 ("0.01, 1"); index_2 ("0.001, 0.1"); '
                    'values ("0.1, 0.2", "0.15, 0.3"); }'
                    for kind in ("cell_rise", "cell_fall", "rise_transition", "fall_transition"))
