"""What the hardware costs: gates, FPGA resources, cell area and timing; ``python -m synth ACCEL|UNIT``."""
