"""How it is run: Verilator and cocotb, build cache, checkers, waves; ``python -m sim ACCEL``."""
