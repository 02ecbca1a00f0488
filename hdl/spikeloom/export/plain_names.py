"""Names without brackets, which synthesis tools mistake for indices."""

from __future__ import annotations

import re


def plain_names(text: str) -> str:
    r"""Verilog or RTLIL with no index in brackets in a name: ``\i[0].step`` becomes ``\i.0.step``.

    Amaranth names the fields of arrays like that. The ABC9 passes of Yosys 0.70 mistake such a name
    for a bit of a wider net and fail with an assertion in some designs.
    """
    return re.sub(r"\\\S*\[\d+\]\S*", lambda name: re.sub(r"\[(\d+)\]", r".\1", name[0]), text)
