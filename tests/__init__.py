"""What is proven: test_*.py runs under pytest, tb_*.py inside the simulator."""
