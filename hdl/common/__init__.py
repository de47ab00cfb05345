"""Units shared by the accelerators, and the emission of hierarchical Verilog."""
