"""Spiking networks for Spikeloom's hardware: data, training, quantisation, shipped networks.

Only `spikeloom_models.torch` and `spikeloom_models.training` need PyTorch (the extra ``torch``).
"""
