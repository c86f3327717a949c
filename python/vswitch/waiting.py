# SPDX-License-Identifier: BSD-3-Clause
"""Waits for a state, with a limit. The only place that lets time pass."""

from __future__ import annotations

import time
from typing import Callable, Optional, TypeVar

T = TypeVar("T")


class WaitTimeout(AssertionError):
    """The state did not come within its limit."""


def wait_until(
    what: str,
    check: Callable[[], Optional[T]],
    timeout: float = 10.0,
    explain: Optional[Callable[[], str]] = None,
) -> T:
    """Calls `check` until its result is true, and returns that result.

    After `timeout` seconds raises WaitTimeout, which says `what` was awaited and what `explain`
    has to say about the state instead.
    """
    deadline = time.monotonic() + timeout
    pause = 0.0005
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() >= deadline:
            seen = f"; {explain()}" if explain else ""
            raise WaitTimeout(f"waited {timeout:g} s in vain until {what}{seen}")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
