"""The `spikeloom` command: one file per subcommand, no logic of its own."""

from spikeloom.environment import settle_caches

settle_caches()  # before a subcommand imports Matplotlib
