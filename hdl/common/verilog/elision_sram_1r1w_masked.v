// Synchronous SRAM with one read port and one write port that writes the parts of a row whose mask bits are set.
//
// Read latency: 1 cycle. r_data holds its value in every cycle that does not follow a read.
// Reading and writing one address in the same cycle is forbidden, whatever the mask: macros differ in what they return.
// Replace this module by a macro of the same ports for an ASIC; FPGA tools infer block RAM from it, with byte enables
// or for each part by itself: as one memory with a write a part, a large one takes them hours.
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

`ifdef SYNTHESIS
  // A part that fills a block RAM, or is less than a byte, is a memory of its own.
  localparam SLICES = PART < 8 || DEPTH * PART >= 16384 ? PARTS : 1;
  localparam SLICE = WIDTH / SLICES;
  genvar slice;
  generate
    for (slice = 0; slice < SLICES; slice = slice + 1) begin : slices
      reg [SLICE-1:0] mem [0:DEPTH-1];
      integer part;

      always @(posedge clk)
        if (r_en)
          r_data[slice*SLICE +: SLICE] <= mem[r_addr];

      always @(posedge clk)
        for (part = 0; part < PARTS / SLICES; part = part + 1)
          if (w_en && w_mask[slice*(PARTS/SLICES) + part])
            mem[w_addr][part*PART +: PART] <= w_data[slice*SLICE + part*PART +: PART];
    end
  endgenerate
`else
  reg [WIDTH-1:0] mem [0:DEPTH-1];

  always @(posedge clk)
    if (r_en)
      r_data <= mem[r_addr];

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
