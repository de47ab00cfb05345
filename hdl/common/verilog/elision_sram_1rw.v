// Synchronous SRAM with one port that reads or writes.
//
// Read latency: 1 cycle. rdata holds its value in every cycle that does not follow a read.
// Replace this module by a macro of the same ports for an ASIC; FPGA tools infer block RAM from it.
module elision_sram_1rw #(
  parameter DEPTH = 1024,
  parameter WIDTH = 32,
  parameter ADDR_BITS = $clog2(DEPTH)
) (
  input                      clk,
  input                      en,
  input                      write,
  input      [ADDR_BITS-1:0] addr,
  input      [WIDTH-1:0]     wdata,
  output reg [WIDTH-1:0]     rdata
);
  reg [WIDTH-1:0] mem [0:DEPTH-1];

  always @(posedge clk) begin
    if (en) begin
      if (write)
        mem[addr] <= wdata;
      else
        rdata <= mem[addr];
    end
  end
endmodule
