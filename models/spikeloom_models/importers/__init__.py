"""From a PyTorch checkpoint to a network file.

A checkpoint is read without running code (`checkpoint`), built as a floating-point network by the
rules of its architecture (`architectures`, one file each), and turned into integers
(`spikeloom_models.quantise`).
"""
