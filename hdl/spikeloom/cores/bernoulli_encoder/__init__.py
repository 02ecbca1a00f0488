"""The Bernoulli encoder (`bernoulli_encoder`): a spike for each value, drawn at random."""

from .core import BernoulliEncoderUnit

__all__ = ["BernoulliEncoderUnit"]
