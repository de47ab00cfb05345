"""Hardware of the four accelerators, described in Amaranth; ``python -m hdl ACCEL`` writes Verilog."""

__version__ = "0.1.0"
