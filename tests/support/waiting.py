# SPDX-License-Identifier: BSD-3-Clause
"""Waits for a state, with a limit. The only place that lets time pass."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class WaitTimeout(AssertionError):
    """The state did not come within its limit."""


def wait_until(
    what: str,
    check: Callable[[], T | None],
    timeout: float = 10.0,
    explain: Callable[[], str] | None = None,
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


class HasDescriptor(Protocol):
    def fileno(self) -> int: ...


def readable(file: int | HasDescriptor | None, seconds: float) -> bool:
    """Waits until something, or the end, can be read; False when nothing came in time.

    None: only waits. Unlike select(2) it takes descriptors above 1,023.
    """
    waiter = select.poll()
    if file is not None:
        waiter.register(file, select.POLLIN)
    return bool(waiter.poll(math.ceil(seconds * 1000)))
