# SPDX-License-Identifier: BSD-3-Clause
"""An interrupt never leaves a process behind that is being started (`support.interrupts`)."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from support import Registry, interrupts

TIMES = 100
STEP_S = 0.0001  # TIMES of them are longer than a start takes


def children() -> set[str]:
    """The pids of this process's children that still run."""
    return {
        pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
    }


def interrupt() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


def test_an_interrupt_is_held_back_and_raised_then() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts.held_back():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the body")
        reached.append("what follows it")
    assert reached == ["the end of the body"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_at_any_time_of_a_start_leaves_nothing(tmp_path: Path) -> None:
    before = children()
    registry = Registry(tmp_path)
    for number in range(TIMES):
        timer = threading.Timer(number * STEP_S, interrupt)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            registry.start("sleeper", ["/bin/sleep", "100"])
            time.sleep(20)
        timer.join()
        registry.end_all()
        assert children() <= before, f"after {number * STEP_S * 1000:.1f} ms"
