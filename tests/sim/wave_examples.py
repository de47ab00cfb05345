"""Small waveforms and designs that the tests of the waveform tools share."""

from vcd import VCDWriter

from hdl.common.emit import Design

PERIOD = 10

TOP = """\
module chip(clk, rst, i, o);
  input clk;
  wire clk;
  input rst;
  input [7:0] i;
  output [7:0] o;
  chip_stage #(
    .WIDTH(32'd8)
  ) first (
    .clk(clk),
    .i(i)
  );
  chip_stage second (
    .clk(clk)
  );
endmodule
"""
STAGE = """\
// input nothing: a comment
module chip_stage #(
  parameter WIDTH = 8
) (
  input                  clk,
  input      [WIDTH-1:0] i,
  output reg [WIDTH-1:0] o,
  output                 wide
);
endmodule
"""
DESIGN = Design("chip", {"chip_stage.v": STAGE, "chip.v": TOP}, {})


def write(path, signals, *, cycles=12, reset=2, clock="chip.clk", widths=None):
    """A VCD file: name to one value a cycle, from the first cycle after ``reset`` cycles of reset on; None is x.

    Values change with the rising edge. The last value stays.
    """
    with open(path, "w") as file, VCDWriter(file, timescale="1 ns", date="") as writer:
        top = clock.rpartition(".")[0]
        clk = writer.register_var(top, clock.rpartition(".")[2], "wire", size=1, init=0)
        rst = writer.register_var(top, "rst", "wire", size=1, init=1) if reset else None
        variables = {}
        for name in signals:
            scope, _, leaf = name.rpartition(".")
            variables[name] = writer.register_var(scope, leaf, "wire", size=(widths or {}).get(name, 8), init="x")
        for cycle in range(-reset, cycles):
            start = PERIOD * (cycle + reset) + PERIOD
            writer.change(clk, start, 1)
            for name, values in signals.items():
                if cycle >= 0:
                    value = values[min(cycle, len(values) - 1)]
                    writer.change(variables[name], start, "x" if value is None else value)
            writer.change(clk, start + PERIOD // 2, 0)
            if cycle == -1:
                writer.change(rst, start + PERIOD // 2 + 1, 0)
        writer.close(start + PERIOD)
    return path
