"""Testbench parts: what runs inside the simulator under cocotb."""
