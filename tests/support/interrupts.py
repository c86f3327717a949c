# SPDX-License-Identifier: BSD-3-Clause
"""SIGINT, SIGTERM and SIGHUP end a program of ours by KeyboardInterrupt, after which it cleans up.

Python raises such an exception between any two steps of the main thread, also between the start of
a process and its entry into the list of those that are ended. So a signal that comes in the body of
`held_back()` is noted, and raised when the body is over.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_holding = False  # the main thread's
_noted = False


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _noted
    _noted = _holding
    if not _holding:
        raise KeyboardInterrupt


def catch(*numbers: signal.Signals) -> None:
    """From here on these signals raise; those of SIGNALS where none is given. A shell may have them
    ignored, which programs in its background inherit."""
    for number in numbers or SIGNALS:
        signal.signal(number, _on_signal)


def ignore() -> None:
    """For the time of cleaning up: who presses Ctrl-C twice leaves nothing behind either."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held_back() -> Iterator[None]:
    """No signal raises in the body. Not nested. Other threads are never interrupted."""
    global _holding, _noted
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _holding = True
    try:
        yield
    finally:
        _holding = False
        if _noted:
            _noted = False
            raise KeyboardInterrupt
