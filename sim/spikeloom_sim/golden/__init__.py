"""Golden models: integers in, integers out, equal to the hardware bit for bit. No Amaranth here."""
