"""Testbench code that runs in the simulator under cocotb."""
