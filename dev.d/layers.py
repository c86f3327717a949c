# SPDX-License-Identifier: BSD-3-Clause
"""The layers of vswitchd, as vswitch/layers lists them."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LIST = PROJECT / "vswitch" / "layers"


def read() -> dict[str, str]:
    """The folders below vswitch/, top to bottom, each with its duty."""
    lines = (line.split(maxsplit=1) for line in LIST.read_text().splitlines())
    return {words[0]: words[1] for words in lines if words and words[0] != "#"}
