# SPDX-License-Identifier: BSD-3-Clause
"""eventfd(2) by its read and write: the type stubs of Debian 12 do not know os.eventfd."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

_create: Callable[[int, int], int] = getattr(os, "eventfd")
_COUNTER = struct.Struct("=Q")
FULL = 0xFFFFFFFFFFFFFFFE  # one more write blocks


def eventfd(initial: int = 0, nonblocking: bool = True) -> int:
    fd = _create(0, os.O_CLOEXEC | (os.O_NONBLOCK if nonblocking else 0))
    if initial:
        signal_eventfd(fd, initial)
    return fd


def signal_eventfd(fd: int, count: int = 1) -> None:
    os.write(fd, _COUNTER.pack(count))


def drain_eventfd(fd: int) -> int:
    """The counter, which becomes 0; 0 if it was."""
    try:
        count: int = _COUNTER.unpack(os.read(fd, _COUNTER.size))[0]
    except BlockingIOError:
        return 0
    return count
