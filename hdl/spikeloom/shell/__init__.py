"""Register shells: a core behind a memory-mapped register file, on AXI4-Lite or Wishbone."""
