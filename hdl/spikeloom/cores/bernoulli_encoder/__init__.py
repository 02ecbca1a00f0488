"""The Bernoulli encoder (`bernoulli_encoder`): one random spike per value."""

from .core import BernoulliEncoderUnit

__all__ = ["BernoulliEncoderUnit"]
