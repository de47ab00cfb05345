// Synchronous SRAM with one port that reads or writes.
//
// Read latency: 1 cycle. rdata holds its value in every cycle that does not follow a read.
// Replace this module by a macro of the same ports for an ASIC; FPGA tools infer block RAM from it. For them a deep
// memory is cut into single bits: each fills a block RAM, and no multiplexer stands behind them.
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
`ifdef SYNTHESIS
  localparam SLICE = DEPTH >= 16384 ? 1 : WIDTH;
`else
  localparam SLICE = WIDTH;
`endif
  genvar lsb;
  generate
    for (lsb = 0; lsb < WIDTH; lsb = lsb + SLICE) begin : slice
      reg [SLICE-1:0] mem [0:DEPTH-1];
      always @(posedge clk)
        if (en) begin
          if (write)
            mem[addr] <= wdata[lsb +: SLICE];
          else
            rdata[lsb +: SLICE] <= mem[addr];
        end
    end
  endgenerate

`ifndef SYNTHESIS
  // +elision_fill=FOLDER: contents come from FOLDER/<path of this instance>.hex where there is such a file.
  reg [8*512-1:0] fill_folder, fill_file;
  integer fill_handle;
  initial
    if ($value$plusargs("elision_fill=%s", fill_folder)) begin
      $sformat(fill_file, "%0s/%m.hex", fill_folder);
      fill_handle = $fopen(fill_file, "r");
      if (fill_handle != 0) begin
        $fclose(fill_handle);
        $readmemh(fill_file, slice[0].mem);
      end
    end
`endif
endmodule
