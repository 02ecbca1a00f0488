"""Trained networks, called as their files are; the card of each is the .md file beside it."""
