// Synchronous SRAM with one read port and one write port that writes the parts of a row whose mask bits are set.
//
// Read latency: 1 cycle. r_data holds its value in every cycle that does not follow a read.
// Reading and writing one address in the same cycle is forbidden, whatever the mask: macros differ in what they return.
// Replace this module by a macro of the same ports for an ASIC; FPGA tools infer block RAM with byte enables from it.
module elision_sram_1r1w_masked #(
  parameter DEPTH = 1024,
  parameter WIDTH = 32,
  parameter PARTS = 4,
  parameter ADDR_BITS = $clog2(DEPTH)
) (
  input                      clk,
  input                      r_en,
  input      [ADDR_BITS-1:0] r_addr,
  output reg [WIDTH-1:0]     r_data,
  input                      w_en,
  input      [PARTS-1:0]     w_mask,
  input      [ADDR_BITS-1:0] w_addr,
  input      [WIDTH-1:0]     w_data
);
  localparam PART = WIDTH / PARTS;
  reg [WIDTH-1:0] mem [0:DEPTH-1];

  always @(posedge clk)
    if (r_en)
      r_data <= mem[r_addr];

`ifdef SYNTHESIS
  integer part;
  always @(posedge clk)
    for (part = 0; part < PARTS; part = part + 1)
      if (w_en && w_mask[part])
        mem[w_addr][part*PART +: PART] <= w_data[part*PART +: PART];
`else
  // The same as one write of the row, which simulates much faster.
  function [WIDTH-1:0] bits_of(input [PARTS-1:0] mask);
    integer part;
    begin
      bits_of = 0;
      if (PARTS == WIDTH)
        bits_of = mask;
      else
        for (part = 0; part < PARTS; part = part + 1)
          bits_of[part*PART +: PART] = {PART{mask[part]}};
    end
  endfunction

  always @(posedge clk)
    if (w_en)
      mem[w_addr] <= mem[w_addr] ^ ((mem[w_addr] ^ w_data) & bits_of(w_mask));

  always @(posedge clk)
    assert (!(r_en && w_en && r_addr == w_addr))
    else $error("elision_sram_1r1w_masked: address %0d must not be read and written in one cycle", r_addr);
`endif
endmodule
