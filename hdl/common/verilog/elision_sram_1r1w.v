// Synchronous SRAM with one read port and one write port.
//
// Read latency: 1 cycle. r_data holds its value in every cycle that does not follow a read.
// Reading and writing one address in the same cycle is forbidden: macros differ in what they return.
// Replace this module by a macro of the same ports for an ASIC; FPGA tools infer block RAM from it.
module elision_sram_1r1w #(
  parameter DEPTH = 1024,
  parameter WIDTH = 32,
  parameter ADDR_BITS = $clog2(DEPTH)
) (
  input                      clk,
  input                      r_en,
  input      [ADDR_BITS-1:0] r_addr,
  output reg [WIDTH-1:0]     r_data,
  input                      w_en,
  input      [ADDR_BITS-1:0] w_addr,
  input      [WIDTH-1:0]     w_data
);
  reg [WIDTH-1:0] mem [0:DEPTH-1];

  always @(posedge clk) begin
    if (w_en)
      mem[w_addr] <= w_data;
    if (r_en)
      r_data <= mem[r_addr];
  end

`ifndef SYNTHESIS
  always @(posedge clk)
    assert (!(r_en && w_en && r_addr == w_addr))
    else $error("elision_sram_1r1w: address %0d must not be read and written in one cycle", r_addr);
`endif
endmodule
