"""The marks of tests that need PyTorch, which is too large for the tests of every day."""

from importlib.util import find_spec

import pytest

NEEDS_TORCH = [
    pytest.mark.torch,
    pytest.mark.skipif(
        find_spec("torch") is None, reason="PyTorch is not installed: pip install '.[torch]'"
    ),
]
