"""A small Verilog design with known faults, to prove that the library finds them."""

#: One-place stream buffer that adds 1: ``o.payload = i.payload + 1``, one cycle later. It asserts
#: that it never sees the value 255.
GOOD = """\
module slot(input clk, input rst, input i__valid, output i__ready, input [7:0] i__payload,
            output reg o__valid, input o__ready, output reg [7:0] o__payload);
  initial begin o__valid = 0; o__payload = 0; end
  assign i__ready = ~o__valid | o__ready;
  always @(posedge clk) begin
    if (rst) o__valid <= 0;
    else if (i__ready) begin
      o__valid <= i__valid;
      o__payload <= i__payload + 8'd1;
    end
    if (!rst & i__valid & i__payload == 8'hff)
      assert (0) else $error("slot overflow: %0d", i__payload);
  end
endmodule
"""


def mutated(old: str, new: str) -> str:
    """The design with one text replaced, which must occur."""
    if old not in GOOD:
        raise ValueError(f"old must be part of the design, not {old!r}")
    return GOOD.replace(old, new)


#: Fault name to design.
MUTANTS = {
    "accepts_while_full": mutated("~o__valid | o__ready", "1'b1"),
    "wrong_value": mutated("8'd1", "8'd2"),
    "never_ready_when_full": mutated("~o__valid | o__ready", "~o__valid"),
    "forgets_reset": mutated("if (rst) o__valid <= 0;\n    else if", "if"),
}
