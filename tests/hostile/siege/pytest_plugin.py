# SPDX-License-Identifier: BSD-3-Clause
"""The table of what each attack got and what the others noticed, at the end of a run of tests."""

from __future__ import annotations

from typing import Any

import pytest

from siege.attacks import ATTACKS
from siege.outcome import Outcome, table

OUTCOMES: list[Outcome] = []  # of this run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not OUTCOMES:
        return
    terminalreporter.section("attacks: their times are judged by `./dev bench hostile` only")
    terminalreporter.write_line(table(OUTCOMES))
    for attack in ATTACKS.values():
        lacking = attack.needs()
        if lacking is not None:
            terminalreporter.write_line(f"{attack.name}: left out: {lacking}")


@pytest.fixture
def outcomes() -> list[Outcome]:
    """Where a test puts what came of its attack."""
    return OUTCOMES
