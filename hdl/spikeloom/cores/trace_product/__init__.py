"""The trace-driven product (`trace_product`): two matrices of one-spike codes, additions only."""

from .core import TraceProductUnit

__all__ = ["TraceProductUnit"]
