"""From a configuration to files: Verilog with AXI4-Stream ports, FuseSoC core file, manifest."""
