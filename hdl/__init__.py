"""Hardware of the four accelerators, described in Amaranth; ``python -m hdl ACCEL`` writes Verilog."""

__version__ = "0.1.0"

#: Accelerators that there is hardware for. ``hdl.<accel>.UNITS`` names the units; ``top`` is the whole.
ACCELERATORS = ("eie", "dota", "enmc", "duet")
